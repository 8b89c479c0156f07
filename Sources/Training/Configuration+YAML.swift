import Foundation
import Interface
import Models
import Tasks
import Yams

extension Configuration {
    /// Version of the format that this build writes. Version 1 is that of rl2x 0.1.0, without the key.
    static let fileVersion = 2

    /// The same configuration gives the same text, and the text the same configuration.
    public func yaml() -> String {
        func scalar(_ text: String) -> Node { Node(text, Tag(.implicit)) }
        func mapping(_ values: Values) -> Node {
            .mapping(
                Node.Mapping(
                    values.names.map { name in
                        (Node(String(name.map { $0 == "-" ? "_" : $0 })), scalar("\(values[name]!)"))
                    }))
        }
        var root: [(Node, Node)] = [
            ("version", scalar("\(Configuration.fileVersion)")), ("task", scalar(task)),
            ("task_options", mapping(taskOptions)), ("model", scalar(model)),
            ("model_options", mapping(modelOptions)), ("seed", scalar("\(seed)")),
            timestepLimit.map { ("timesteps", scalar("\($0)")) } ?? ("iterations", scalar("\(iterations)")),
        ]
        if let parent {
            root.append(("from", .mapping(Node.Mapping(parent.entries.map { (Node($0.key), scalar($0.text)) }))))
        }
        let stages = stages.map { stage in
            var pairs: [(Node, Node)] = [
                ("learner", scalar(stage.learner)), ("iterations", scalar("\(stage.iterations)")),
                ("batch_steps", scalar("\(stage.batchSteps)")),
            ]
            if !stage.taskOptions.isEmpty { pairs.append(("task_options", mapping(stage.taskOptions))) }
            pairs.append(("learner_options", mapping(stage.learnerOptions)))
            return Node.mapping(Node.Mapping(pairs))
        }
        root.append(("stages", Node(stages)))
        // A tree of words and numbers can always be written.
        return (try? Yams.serialize(node: .mapping(Node.Mapping(root)), allowUnicode: true)) ?? ""
    }

    /// Reads a resolved configuration, such as a run's config.yaml.
    public init(yaml text: String, path: String) throws {
        self = try RunRequest(yaml: text, path: path).resolve()
    }
}

extension RunRequest {
    private static let keys = [
        "version", "task", "task_options", "model", "model_options", "learner", "learner_options", "seed",
        "iterations", "timesteps", "batch_steps", "stages", "from",
    ]

    /// Reads a configuration file: a run's config.yaml, or any part of one. What is left out has its default. Unknown keys
    /// are refused.
    ///
    /// - Parameters:
    ///   - base: what holds where the file says nothing.
    ///   - task: in place of the file's; likewise `model` and `learner`. Of the file's options for another one, those that
    ///     the new one lacks are left out.
    public init(
        yaml text: String, path: String, over base: RunRequest = RunRequest(), task newTask: String? = nil,
        model newModel: String? = nil, learner newLearner: String? = nil
    ) throws {
        self = base
        let root = try YAMLNode(text: text, file: path, kind: "configuration")
        if try Version1.isVersion1(root) {
            // It says everything.
            let old = try RunRequest(version1: root)
            (task, model, seed, stages) = (old.task, old.model, old.seed, old.stages)
            settings += old.settings
        } else {
            try read(root)
        }
        // What a file says of one task, model or learner need not exist for another.
        func replace(_ current: inout String, by new: String?) -> Bool {
            guard let new, new != current else { return false }
            current = new
            return true
        }
        let taskChanges = replace(&self.task, by: newTask)
        if taskChanges, stages != nil {
            throw UserError(
                "\(path): its stages belong to another task; remove 'stages' from the file to have the defaults of "
                    + "'\(self.task)', or leave --task out")
        }
        let modelChanges = replace(&model, by: newModel)
        if let newLearner { learner = newLearner }
        if taskChanges || modelChanges || newLearner != nil {
            settings = settings.map { Setting($0.name, $0.text, label: $0.label, isOptional: true) }
            let owners = try [taskCatalogue.require(self.task).options, modelCatalogue.require(model).options]
            settings = settings.filter { setting in
                owners.contains { $0.named(setting.name) != nil } || !RunRequest.isOfTaskOrModel(setting.name)
            }
        }
    }

    private static func isOfTaskOrModel(_ name: String) -> Bool {
        !taskCatalogue.owners(of: name).isEmpty || !modelCatalogue.owners(of: name).isEmpty
    }

    private mutating func read(_ root: YAMLNode) throws {
        let keys = try root.mapping(RunRequest.keys)
        if let version = try keys["version"]?.integer(1...Int.max), version != Configuration.fileVersion {
            throw root.error(
                "a configuration of version \(version); this build reads version \(Configuration.fileVersion)")
        }
        if let name = try keys["task"]?.string() { task = name }
        if let name = try keys["model"]?.string() { model = name }
        learner = try keys["learner"]?.string()
        if let number = try keys["seed"]?.integer(0...Int.max) { seed = number }
        if let count = try keys["iterations"]?.integer(1...10_000_000) { iterations = count }
        if let node = keys["timesteps"] {
            guard keys["iterations"] == nil else {
                throw node.error("both 'iterations' and 'timesteps' say where the training stops: leave one out")
            }
            timesteps = try node.integer(Configuration.timesteps)
        }
        // A run that is named on the command line takes the place of the file's.
        if let node = keys["from"], origin == nil { parent = try Parent(node) }
        do {
            let (taskEntry, modelEntry) = (try taskCatalogue.require(task), try modelCatalogue.require(model))
            let outerLoop = try learner.map { try learnerCatalogue.require($0) }
            // Without a learner the task's default decides which options there are: `resolve` checks them.
            for (key, options, owner) in [
                ("task_options", taskEntry.options, "task '\(task)'"),
                ("model_options", modelEntry.options, "model '\(model)'"),
                ("learner_options", outerLoop?.options, "learner '\(outerLoop?.name ?? "")'"),
            ] {
                guard let node = keys[key] else { continue }
                if let options { _ = try node.options(options, of: owner) }
                settings += try node.settings()
            }
            if let node = keys["batch_steps"] {
                settings.append(Setting("batch-steps", try node.text(), label: node.error("batch_steps").description))
            }
            stages = try keys["stages"]?.sequence().map { try RunRequest.stage($0, taskEntry) }
        } catch let error as UserError {
            throw error.description.hasPrefix(root.file) ? error : root.error(error.description)
        }
    }

    private static func stage(_ node: YAMLNode, _ task: TaskEntry) throws -> Stage {
        let keys = try node.mapping(["learner", "learner_options", "task_options", "iterations", "batch_steps"])
        guard let named = keys["learner"] else { throw node.error("\(node.place) has no 'learner'") }
        guard let iterations = keys["iterations"] else { throw node.error("\(node.place) has no 'iterations'") }
        guard let batchSteps = keys["batch_steps"] else { throw node.error("\(node.place) has no 'batch_steps'") }
        let name = try named.string()
        guard let entry = learnerCatalogue.entry(named: name) else {
            throw named.error(
                "unknown learner '\(name)': choose one of \(learnerCatalogue.names.joined(separator: ", "))")
        }
        return Stage(
            taskOptions: try keys["task_options"]?.options(task.options, of: "task '\(task.name)'") ?? [:],
            learner: name,
            learnerOptions: try keys["learner_options"]?.options(entry.options, of: "learner '\(name)'") ?? [:],
            iterations: try iterations.integer(1...10_000_000), batchSteps: try batchSteps.integer(1...100_000_000))
    }
}

extension YAMLNode {
    /// The entries of a mapping as settings.
    public func settings() throws -> [RunRequest.Setting] {
        try entries().map { name, node in
            RunRequest.Setting(name, try node.text(), label: node.error(Option.key(of: name)).description)
        }
    }
}

extension Option {
    /// The YAML key of a name.
    static func key(of name: String) -> String { String(name.map { $0 == "-" ? "_" : $0 }) }
}
