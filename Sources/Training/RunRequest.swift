import Interface
import Models
import Tasks

/// What somebody asks for: a task, a model, a learner, and the settings in which the run is to differ from their defaults.
/// The command line, a plan and a configuration file are spellings of it; `resolve` makes the `Configuration`.
public struct RunRequest {
    /// A value for an option, as text, whoever the option belongs to.
    public struct Setting {
        /// With hyphens.
        public let name: String
        public let text: String
        /// What an error calls it: "--arms", or "config.yaml:3: arms".
        public let label: String
        /// Whether it may be left out where nobody has such an option: what a file says of another model.
        let isOptional: Bool

        public init(_ name: String, _ text: String, label: String? = nil, isOptional: Bool = false) {
            self.name = name
            self.text = text
            self.label = label ?? "--\(name)"
            self.isOptional = isOptional
        }
    }

    /// The first of the catalogue unless another is named; likewise the model.
    public var task = taskCatalogue.names[0]
    public var model = modelCatalogue.names[0]
    /// The learner of the outer loop; nil: the task's default.
    public var learner: String?
    public var seed = 0
    /// Iterations in all; nil: those of the schedule.
    public var iterations: Int?
    /// Time steps after which to stop, in place of `iterations`.
    public var timesteps: Int?
    /// Later ones take the place of earlier ones.
    public var settings: [Setting] = []
    /// The whole schedule, in place of the task's default.
    public var stages: [Stage]?
    /// The run whose weights it begins with.
    public var parent: Parent?
    /// What that run was trained with, and what errors call it; nil where `parent` is only a record.
    public private(set) var origin: (configuration: Configuration, name: String)?

    public init() {}

    public init(task: String, model: String, learner: String? = nil, seed: Int = 0) {
        (self.task, self.model, self.learner, self.seed) = (task, model, learner, seed)
    }

    /// A run that begins with the weights of another: with its task, model, their options and its seed, until something else
    /// is asked for. Its default schedule is what `Configuration.stagesLeft` says.
    ///
    /// - Parameters:
    ///   - name: of the other run, for errors.
    ///   - record: nil: its weights are not there yet.
    public init(continuing configuration: Configuration, named name: String, record: Parent? = nil) {
        self.init(task: configuration.task, model: configuration.model, seed: configuration.seed)
        set(configuration.taskOptions)
        set(configuration.modelOptions)
        (origin, parent) = ((configuration, name), record)
    }

    public init(continuing run: ParentRun) {
        self.init(continuing: run.configuration, named: run.record.run, record: run.record)
    }

    /// Adds values as settings.
    public mutating func set(_ values: Values) {
        settings += values.names.map { Setting($0, "\(values[$0]!)") }
    }

    /// The run, with the defaults of task, model and learner where nothing is asked for. Widths are not checked against the
    /// architecture yet; `Configuration.validate` does.
    ///
    /// - Throws: a `UserError` about the first setting that nobody has or that is out of range, or if the run that it is to
    ///   begin with is of another task or model.
    public func resolve() throws -> Configuration {
        let (taskEntry, modelEntry) = (try taskCatalogue.require(task), try modelCatalogue.require(model))
        try requireOrigin()
        var (taskGiven, modelGiven) = (Values(), Values())
        var forStages: [Setting] = []
        for setting in settings {
            if let option = taskEntry.options.named(setting.name) {
                taskGiven[option.name] = try option.value(setting.text, label: setting.label)
            } else if let option = modelEntry.options.named(setting.name) {
                modelGiven[option.name] = try option.value(setting.text, label: setting.label)
            } else {
                forStages.append(setting)
            }
        }
        let taskOptions = Values(defaults: taskEntry.options, given: taskGiven)
        if let objection = taskEntry.objection(taskOptions) { throw UserError(objection) }
        let defaults = taskEntry.training(taskOptions, modelEntry.traits)
        let outerLoop = try learnerCatalogue.require(learner ?? defaults.learner).name
        var configuration = Configuration(
            task: task, taskOptions: taskOptions, model: model,
            modelOptions: Values(
                defaults: modelEntry.options,
                given: defaults.modelOptions.only(modelEntry.options).merging(modelGiven)),
            seed: seed, stages: stages ?? defaults.stages)
        configuration.parent = parent
        if let origin, stages == nil {
            configuration.stages = try configuration.stagesLeft(of: defaults.stages, after: origin.configuration)
        }
        for index in configuration.stages.indices {
            var stage = configuration.stages[index]
            if let learner, isReplaceable(stage.learner, defaults) { stage.learner = learner }
            let options = try learnerCatalogue.require(stage.learner).options
            stage.learnerOptions = Values(defaults: options, given: stage.learnerOptions.only(options))
            stage.taskOptions = stage.taskOptions.kept(by: taskEntry.options)
            configuration.stages[index] = stage
        }
        try apply(forStages, to: &configuration, outerLoop: outerLoop)
        if let iterations { configuration.iterations = iterations }
        if let timesteps { configuration.timestepLimit = timesteps }
        return configuration
    }

    /// Throws unless task and model are those of the run that it begins with, which must be known where the schedule
    /// depends on it.
    private func requireOrigin() throws {
        if let origin {
            var named = origin.configuration
            (named.task, named.model) = (task, model)
            try named.requireKind(of: origin.configuration, named: origin.name)
        } else if let parent, stages == nil {
            throw UserError(
                "a configuration with 'from' needs its 'stages', as a run writes them; leave both out and begin with the "
                    + "weights of a run by --from \(parent.run)")
        }
    }

    /// The family of the task that is asked for.
    public func resolveTask() throws -> any TaskFamily {
        let entry = try taskCatalogue.require(task)
        var given = Values()
        for setting in settings {
            guard let option = entry.options.named(setting.name) else { continue }
            given[option.name] = try option.value(setting.text, label: setting.label)
        }
        let values = Values(defaults: entry.options, given: given)
        if let objection = entry.objection(values) { throw UserError(objection) }
        return entry.make(values)
    }

    /// Whether `--learner` takes the place of a stage's learner: of an outer loop's, not of what comes before it.
    private func isReplaceable(_ learner: String, _ defaults: TrainingDefaults) -> Bool {
        learner == defaults.learner || learnerCatalogue.entry(named: learner)?.isOuterLoop ?? false
    }

    /// Settings of stages go to all stages that have them; where the outer loop has an option, other learners' options of
    /// the same name are left alone.
    private func apply(_ settings: [Setting], to configuration: inout Configuration, outerLoop: String) throws {
        for setting in settings {
            if setting.name == Stage.batchStepsOption.name {
                let value = try Stage.batchStepsOption.value(setting.text, label: setting.label)
                for index in configuration.stages.indices {
                    if case .integer(let steps) = value { configuration.stages[index].batchSteps = steps }
                }
                continue
            }
            let having = configuration.stages.indices.filter {
                learnerCatalogue.entry(named: configuration.stages[$0].learner)?.options.named(setting.name) != nil
            }
            let own = having.filter { configuration.stages[$0].learner == outerLoop }
            guard !having.isEmpty else {
                if setting.isOptional { continue }
                throw refusal(of: setting, configuration)
            }
            for index in own.isEmpty ? having : own {
                let options = try learnerCatalogue.require(configuration.stages[index].learner).options
                let value = try options.named(setting.name)!.value(setting.text, label: setting.label)
                configuration.stages[index].learnerOptions[setting.name] = value
                // A value that is asked for holds from a stage's first iteration to its last.
                for follower in options where follower.follows == setting.name {
                    if !settings.contains(where: { $0.name == follower.name }) {
                        configuration.stages[index].learnerOptions[follower.name] = value
                    }
                }
            }
        }
    }

    /// What a learner has in place of an option that it lacks; nil: nothing.
    private func replacement(for setting: Setting, _ learners: [String]) -> String? {
        let options = learners.compactMap { learnerCatalogue.entry(named: $0) }.flatMap(\.options)
        guard setting.name == "learning-rate", options.named("maximum-kl") != nil else { return nil }
        return "--maximum-kl bounds the policy's steps here, and --critic-learning-rate is the critic's rate"
    }

    /// One line that says who has the option.
    private func refusal(of setting: Setting, _ configuration: Configuration) -> UserError {
        let learners = configuration.stages.map(\.learner).reduce(into: [String]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        let owners = [
            ("task", taskCatalogue.owners(of: setting.name), [task]),
            ("model", modelCatalogue.owners(of: setting.name), [model]),
            ("learner", learnerCatalogue.owners(of: setting.name), learners),
        ].first { !$0.1.isEmpty }
        guard let (kind, names, own) = owners else {
            return UserError("\(setting.label): there is no such option; `rl2x train --help` lists them")
        }
        return UserError(
            "\(setting.label) is no option of \(kind) \(own.map { "'\($0)'" }.joined(separator: " or ")): "
                + "\(names.joined(separator: ", ")) \(names.count == 1 ? "has" : "have") it; "
                + (replacement(for: setting, learners) ?? "leave it out"))
    }
}

extension [Option] {
    public func named(_ name: String) -> Option? { first { $0.name == name } }
}

extension Configuration {
    /// The defaults of a task and a model.
    /// - Parameters:
    ///   - taskOptions: those that are given; likewise `modelOptions`.
    public static func defaults(
        task: String, model: String, taskOptions: Values = [:], modelOptions: Values = [:], learner: String? = nil,
        seed: Int = 0
    ) throws -> Configuration {
        var request = RunRequest(task: task, model: model, learner: learner, seed: seed)
        request.set(taskOptions)
        request.set(modelOptions)
        return try request.resolve()
    }
}
