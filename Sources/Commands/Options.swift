import ArgumentParser
import Bench
import Interface
import Models
import Kernels
import Tasks
import Training

/// What is trained: task, model, learner, and their options. Shared by the commands that train or measure a training.
struct RunOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Model: \(modelCatalogue.names.joined(separator: ", ")) (default: \(modelCatalogue.names[0])).",
            valueName: "name"))
    var model: String?

    @Option(
        help: ArgumentHelp(
            "Task: \(taskCatalogue.names.joined(separator: ", ")) (default: \(taskCatalogue.names[0])).",
            valueName: "name"))
    var task: String?

    @Option(
        help: ArgumentHelp(
            "Learner of the outer loop: \(learnerCatalogue.names.joined(separator: ", ")) (default: the task's).",
            valueName: "name"))
    var learner: String?

    @Option(parsing: .unconditional, help: "Seed of every random choice, 0 or more (default: 0).")
    var seed: Int?

    @Option(
        help: ArgumentHelp(
            """
            Choose the hidden width so that the policy has as much of this as another model on the same task: params, \
            flops (of a step of acting) or state (bytes of memory per trial).
            """, valueName: "budget"))
    var match: Budget?

    @Option(help: ArgumentHelp("The model and width to match (default: gru-256).", valueName: "model-width"))
    var matchTo: String?

    @OptionGroup var settings: SettingOptions

    func validate() throws { try check(seed: seed) }

    /// Options that were given, as in the call.
    var given: [String] {
        let own: [(String, Any?)] = [
            ("--model", model), ("--task", task), ("--learner", learner), ("--seed", seed), ("--match", match),
            ("--match-to", matchTo),
        ]
        return own.filter { $0.1 != nil }.map(\.0) + settings.settings.map(\.label)
    }

    /// What is asked for.
    /// - Parameters:
    ///   - config: a configuration file to start from.
    ///   - parent: directory of a run to begin with.
    ///   - defaults: settings that hold unless the call sets them.
    func request(config: String? = nil, from parent: String? = nil, defaults: Values = [:]) throws -> RunRequest {
        var request = try parent.map { RunRequest(continuing: try ParentRun(RunDirectory.named($0))) } ?? RunRequest()
        if let config {
            let text = try text(ofConfiguration: config)
            request = try RunRequest(
                yaml: text, path: config, over: request, task: task, model: model, learner: learner)
        } else {
            if let task { request.task = task }
            if let model { request.model = model }
            request.learner = learner
        }
        if let seed { request.seed = seed }
        request.set(defaults)
        request.settings += settings.settings
        return request
    }

    private func text(ofConfiguration path: String) throws -> String {
        do { return try String(contentsOfFile: path, encoding: .utf8) } catch {
            throw UserError("\(path): cannot be read; --config takes a YAML file, such as a run's config.yaml")
        }
    }

    /// The run that a request describes, with its width matched, checked.
    func resolve(_ request: RunRequest) throws -> Configuration {
        try calling {
            guard matchTo == nil || match != nil else {
                throw UserError("--match-to says what to match, not by what: add --match params, flops or state")
            }
            guard match == nil || !settings.settings.contains(where: { $0.name == "hidden" }) else {
                throw UserError("--hidden cannot go with --match, which sets it: leave one out")
            }
            var configuration = try request.resolve()
            try matchWidth(of: &configuration)
            try configuration.validate()
            if let origin = request.origin {
                try configuration.requireWeights(of: origin.configuration, named: origin.name)
            }
            return configuration
        }
    }

    /// With `--match` sets H so that the model comes nearest to the budget of the one that `--match-to` names; says what it
    /// found on standard error. All else must be set by then.
    private func matchWidth(of configuration: inout Configuration) throws {
        guard let budget = match else { return }
        let name = matchTo ?? "gru-256"
        guard let (model, width) = modelCatalogue.modelAndWidth(name) else {
            throw UserError(
                "--match-to is '\(name)': name a model and its width, such as gru-256; models are "
                    + modelCatalogue.names.joined(separator: ", "))
        }
        let reference = try configuration.with(model, hidden: width)
        try configuration.validate(exceptWidth: true)
        let found = try WidthMatch(configuration, to: reference, by: budget)
        configuration.hidden = found.width
        printError(
            "matched: \(configuration.modelName) has \(Int(found.achieved)) \(budget.unit), \(name) \(Int(found.wanted))"
        )
    }
}

/// A task and its options, for commands that train nothing.
struct TaskOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Task: \(taskCatalogue.names.joined(separator: ", ")) (default: \(taskCatalogue.names[0])).",
            valueName: "name"))
    var task = taskCatalogue.names[0]

    @OptionGroup var settings: SettingOptions

    /// The task and a value for each of its options.
    func resolve() throws -> (TaskEntry, Values) {
        try calling {
            let entry = try taskCatalogue.require(task)
            let given = try settings.values(of: entry.options, owner: "task '\(task)'")
            let values = Values(defaults: entry.options, given: given)
            if let objection = entry.objection(values) { throw UserError(objection) }
            return (entry, values)
        }
    }
}

struct ThreadOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: """
            Worker threads, 1 … 1024 (default: the cores that this process may use). Results do not depend on it.
            """)
    var threads: Int?

    func validate() throws { try check("threads", threads, 1...1024) }

    var count: Int { threads ?? Processor.current.coreCount }
}

extension Budget: ExpressibleByArgument {}

/// The held-out members that a policy is evaluated on.
struct MemberOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help:
            "Members to play, one trial each, 2 … 10000000 (default: 10000; of tasks with a goal, such as mazes, 1000)."
    )
    var trials: Int?

    @Option(
        parsing: .unconditional, help: "Seed of the held-out members and of the actions drawn, 0 or more (default: 0).")
    var seed = 0

    func validate() throws {
        try check("trials", trials, 2...10_000_000)
        try check(seed: seed)
    }

    func members(of family: any TaskFamily) -> Range<Int> { 0..<(trials ?? family.evaluatedMembers) }
}
