import Interface
import Models
import Tasks

/// Configurations of rl2x 0.1.0: one set of outer-loop settings for all stages beside a few in each stage, `ppo` where TRPO
/// was not used, and other names of some options.
enum Version1 {
    /// Settings that all stages had in common, by the learner's options that they are now.
    static let shared = [
        "conjugate_gradient_iterations", "damping", "preconditioning", "relative_damping", "fisher_share",
        "critic_epochs", "critic_minibatches", "critic_learning_rate", "critic_lambda",
    ]
    static let ofStages = [
        "discount", "gae_lambda", "maximum_kl", "final_maximum_kl", "advantage_scale", "entropy_bonus",
        "final_entropy_bonus", "critic_warmup", "trials_per_member",
    ]
    /// Options of models: the names of then and of now.
    static let ofModels = [
        "memory_reset": "reset_memory", "memory_horizon": "chrono_t_max", "slow_units": "chrono_share",
        "input_gain": "input_gain", "hidden": "hidden", "critic_hidden": "critic_hidden", "context": "attention_window",
    ]
    private static let keys =
        ["task", "task_options", "model", "model_options", "seed", "stages", "ppo"] + shared + ofModels.keys.sorted()

    /// Whether a file is of that version: it has one of the keys that are no more.
    static func isVersion1(_ root: YAMLNode) throws -> Bool {
        let names = Set(try root.entries().map { Option.key(of: $0.name) })
        return !names.contains("version") && !names.isDisjoint(with: shared + ["hidden", "ppo"])
    }

    fileprivate static func read(_ root: YAMLNode) throws -> [String: YAMLNode] { try root.mapping(keys) }
}

extension RunRequest {
    /// Reads a configuration of version 1 as what it means today.
    init(version1 root: YAMLNode) throws {
        let keys = try Version1.read(root)
        self.init()
        for key in ["task", "model", "task_options", "hidden", "seed", "stages"] + Version1.shared
        where keys[key] == nil && !["preconditioning", "relative_damping"].contains(key) {
            throw root.error("the key '\(key)' is missing")
        }
        if let name = try keys["task"]?.string() { task = name }
        if let name = try keys["model"]?.string() { model = name }
        if let number = try keys["seed"]?.integer(0...Int.max) { seed = number }
        settings = try keys["task_options"]?.settings() ?? []
        if let refusal = try taskCatalogue.require(task).refusalOfVersion1 {
            throw root.error(refusal(Dictionary(settings.map { ($0.name, $0.text) }) { $1 }))
        }
        let modelEntry = try modelCatalogue.require(model)
        let renamed =
            try (keys["model_options"]?.entries() ?? [])
            + keys.map { (Option.name(ofKey: $0), $1) }
            .filter { Version1.ofModels[Option.key(of: $0.0)] != nil }
        for (name, node) in renamed {
            let now = Option.name(ofKey: Version1.ofModels[Option.key(of: name)] ?? name)
            // Every model had all of these settings; one without gates took no notice of theirs.
            guard modelEntry.options.named(now) != nil || Version1.ofModels[Option.key(of: name)] == nil else {
                continue
            }
            settings.append(Setting(now, try node.text(), label: node.error(name).description))
        }
        let nodes = try keys["stages"]?.sequence() ?? []
        let ppo = try keys["ppo"]?.mapping(["epochs", "minibatches", "learning_rate", "clip_range"])
        let firstKL = try nodes.first?.mapping(RunRequest.stageKeys)["maximum_kl"]?.real() ?? 0.01
        stages = try nodes.map { try RunRequest.stage(version1: $0, keys, ppo, firstKL: firstKL, task: task) }
    }

    private static let stageKeys =
        ["kind", "iterations", "batch_steps", "episodes", "task_options", "learning_rate", "teacher"]
        + Version1.ofStages

    private static func stage(
        version1 node: YAMLNode, _ run: [String: YAMLNode], _ ppo: [String: YAMLNode]?, firstKL: Double, task: String
    ) throws -> Stage {
        let keys = try node.mapping(stageKeys)
        for key in ["iterations", "batch_steps", "discount", "gae_lambda", "maximum_kl"] where keys[key] == nil {
            throw node.error("the key '\(key)' is missing")
        }
        let kind = try keys["kind"]?.string() ?? "improvement"
        let learner = kind == "improvement" ? (ppo == nil ? "trpo" : "ppo") : kind
        guard let entry = learnerCatalogue.entry(named: learner) else {
            throw keys["kind"]!.error("kind is '\(kind)': choose one of improvement, reward_prediction, imitation")
        }
        var given: [String: YAMLNode] = [:]
        for key in Version1.shared { given[key] = run[key] }
        for key in Version1.ofStages { given[key] = keys[key] }
        if kind == "improvement" {
            if let rate = keys["learning_rate"] { given["critic_learning_rate"] = rate }
            given.merge(ppo ?? [:]) { _, new in new }
        } else {
            // Fits of the policy had the settings of the critic's.
            given["epochs"] = run["critic_epochs"]
            given["minibatches"] = run["critic_minibatches"]
            given["learning_rate"] = keys["learning_rate"] ?? run["critic_learning_rate"]
            given["teacher"] = keys["teacher"]
        }
        var values = Values()
        for (key, value) in given {
            guard let option = entry.options.named(Option.name(ofKey: key)) else { continue }
            values[option.name] = try value.value(of: option)
        }
        if learner == "ppo" { values["learning-rate-kl"] = .real(firstKL) }
        let taskEntry = try taskCatalogue.require(task)
        var taskOptions = try keys["task_options"]?.options(taskEntry.options, of: "task '\(task)'") ?? [:]
        if let episodes = keys["episodes"], let option = taskEntry.options.named("episodes") {
            taskOptions["episodes"] = try episodes.value(of: option)
        }
        return Stage(
            taskOptions: taskOptions, learner: learner, learnerOptions: values,
            iterations: try keys["iterations"]!.integer(1...10_000_000),
            batchSteps: try keys["batch_steps"]!.integer(1...100_000_000))
    }
}
