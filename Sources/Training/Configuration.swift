import Interface
import Models
import Tasks

/// All that decides a training run, resolved: the same configuration gives the same bits. A run writes it as
/// `config.yaml`, which can be fed back. `RunRequest` makes one from what somebody asks for.
public struct Configuration: Sendable, Equatable {
    /// Name in the catalogue of tasks.
    public var task: String
    /// A value for each of the task's options.
    public var taskOptions: Values
    /// Name in the catalogue of models.
    public var model: String
    /// A value for each of the model's options.
    public var modelOptions: Values
    public var seed: Int
    public var stages: [Stage]
    /// The run whose weights it begins with; nil: it begins with random ones.
    public var parent: Parent?

    public init(
        task: String, taskOptions: Values, model: String, modelOptions: Values, seed: Int, stages: [Stage]
    ) {
        self.task = task
        self.taskOptions = taskOptions
        self.model = model
        self.modelOptions = modelOptions
        self.seed = seed
        self.stages = stages
    }

    /// H of the policy.
    public var hidden: Int {
        get { modelOptions.integer("hidden") }
        set { modelOptions["hidden"] = .integer(newValue) }
    }

    /// H of the critic.
    public var criticHidden: Int {
        let own = modelOptions.integer("critic-hidden")
        return own == 0 ? hidden : own
    }

    /// What the memory of policy and critic forgets when an episode ends; `none` is RL².
    public var memoryReset: MemoryReset { modelOptions.choice("reset-memory") }

    /// Such as "gru-256".
    public var modelName: String { "\(model)-\(hidden)" }

    // MARK: Schedule

    /// Iterations of all stages.
    public var scheduledIterations: Int { stages.reduce(0) { $0 + $1.iterations } }

    /// Iterations in all: where the training stops. Fewer than the schedule has cut nothing else, so that a run which stopped
    /// early goes on as if it had not; more of them go on as the last stage ends.
    ///
    /// Where time steps are the limit, this is what they come to if every batch is full; the run may do a few more.
    public var iterations: Int {
        get { timestepLimit.map(iterationsUntil) ?? limit ?? scheduledIterations }
        set {
            limit = newValue == scheduledIterations ? nil : newValue
            timestepLimit = nil
        }
    }

    /// Nil: the whole schedule, or until `timestepLimit`.
    private var limit: Int?

    /// Time steps of this run, without its parents', after which it stops: with the iteration in which they are reached.
    /// Nil: iterations are the limit.
    public var timestepLimit: Int? {
        didSet { if timestepLimit != nil { limit = nil } }
    }

    /// Of a line's time steps, those of this run.
    public func ownTimesteps(of line: Int) -> Int { line - (parent?.lineTimesteps ?? 0) }

    /// Range of `timestepLimit`.
    public static let timesteps = 1...1_000_000_000_000_000

    /// The first iteration of a stage, counted from 0.
    public func start(ofStage index: Int) -> Int { stages[..<index].reduce(0) { $0 + $1.iterations } }

    /// Time steps of full batches in some iterations.
    public func batchSteps(in range: Range<Int>) -> Double {
        var (first, sum) = (0, 0.0)
        for (index, stage) in stages.enumerated() {
            let end = index == stages.count - 1 ? Int.max : first + stage.iterations
            sum += Double(max(0, min(end, range.upperBound) - max(first, range.lowerBound))) * Double(stage.batchSteps)
            first += stage.iterations
        }
        return sum
    }

    /// Iterations of full batches in which so many time steps are reached.
    private func iterationsUntil(_ timesteps: Int) -> Int {
        var (done, left) = (0, timesteps)
        for (index, stage) in stages.enumerated() {
            let needed = (left - 1) / max(1, stage.batchSteps) + 1
            if index == stages.count - 1 || needed <= stage.iterations { return done + needed }
            (done, left) = (done + stage.iterations, left - stage.iterations * stage.batchSteps)
        }
        return max(done, 1)
    }

    /// The stage of an iteration, counted from 0, and the iteration's number within it; the last stage after the end.
    public func place(of iteration: Int) -> (stage: Int, within: Int) {
        var first = 0
        for (index, stage) in stages.enumerated() {
            if iteration < first + stage.iterations || index == stages.count - 1 { return (index, iteration - first) }
            first += stage.iterations
        }
        preconditionFailure("a schedule has at least one stage")
    }

    /// Whether two configurations differ in nothing but where the training stops.
    public func continues(_ other: Configuration) -> Bool {
        var other = other
        (other.limit, other.timestepLimit) = (limit, timestepLimit)
        return self == other
    }

    /// Whether two configurations differ in nothing but the directory that their parent was found in.
    public func isSameTraining(as other: Configuration) -> Bool {
        var other = other
        if let run = parent?.run { other.parent?.run = run }
        return self == other
    }

    /// Whether a stage trains the task proper by an outer loop: not a curriculum's easier members, not what comes before.
    public func isProper(_ stage: Stage) -> Bool {
        stage.taskOptions.isEmpty && learnerCatalogue.entry(named: stage.learner)?.isOuterLoop ?? false
    }

    // MARK: What it describes

    /// The task of a stage; the task proper without one.
    public func makeFamily(stage: Stage? = nil) throws -> any TaskFamily {
        let entry = try taskCatalogue.require(task)
        let options = taskOptions.merging(stage?.taskOptions ?? [:])
        if let objection = entry.objection(options) { throw UserError(objection) }
        return entry.make(options)
    }

    public func makePolicy() throws -> any SequencePolicy {
        let family = try makeFamily()
        return try makeModel(outputs: family.actions, hidden: hidden, family: family, headGain: 0.01, stepScale: nil)
    }

    /// The critic knows what step of the trial it is: its targets shrink as the trial runs out.
    public func makeCritic() throws -> any SequencePolicy {
        let family = try makeFamily()
        return try makeModel(
            outputs: 1, hidden: criticHidden, family: family, headGain: 1,
            stepScale: Float(max(family.maximumTrialSteps, 1)))
    }

    private func makeModel(
        outputs: Int, hidden: Int, family: any TaskFamily, headGain: Float, stepScale: Float?
    ) throws -> any SequencePolicy {
        let made = try modelCatalogue.require(model).make(
            ModelSpecification(
                observation: family.observation, actions: family.actions, outputs: outputs, hidden: hidden,
                options: modelOptions, headGain: headGain, stepScale: stepScale, trialSteps: family.maximumTrialSteps))
        guard made.memoryReset == memoryReset else {
            throw UserError(
                "--reset-memory is \(memoryReset), and model '\(model)' with these options can only do "
                    + "'\(made.memoryReset)': choose that, or other options")
        }
        return made
    }

    // MARK: Checks

    /// Throws a `UserError` that names the first value out of range.
    /// - Parameter exceptWidth: leaves out whether the architecture can have its width.
    public func validate(exceptWidth: Bool = false) throws {
        let (taskEntry, modelEntry) = (try taskCatalogue.require(task), try modelCatalogue.require(model))
        try taskOptions.check(taskEntry.options, of: "task '\(task)'")
        if let objection = taskEntry.objection(taskOptions) { throw UserError(objection) }
        try modelOptions.check(modelEntry.options, of: "model '\(model)'")
        try validateStages()
        let family = try makeFamily()
        for stage in stages where !stage.taskOptions.isEmpty {
            try taskOptions.merging(stage.taskOptions).check(taskEntry.options, of: "a stage of task '\(task)'")
            let own = try makeFamily(stage: stage)
            guard own.observation == family.observation, own.actions == family.actions else {
                throw UserError(
                    "the task_options of a stage (\(stage.taskOptions.summary)) change what is seen or done: all stages "
                        + "must have one observation space and one action space")
            }
        }
        if exceptWidth { return }
        for width in [hidden, criticHidden] {
            if let objection = modelEntry.objection(width, modelOptions) { throw UserError(objection) }
        }
        if criticHidden != hidden, stages.contains(where: \.sharesTrunk) {
            throw UserError(
                "--value-weight gives the critic the policy's weights, and --critic-hidden is \(criticHidden) where the "
                    + "policy has \(hidden) units: choose --critic-hidden 0, or --value-weight 0")
        }
    }

    /// The part of `validate` that concerns learners and numbers alone.
    func validateStages() throws {
        guard seed >= 0 else { throw UserError("--seed is \(seed): choose a whole number of 0 or more") }
        if let limit { _ = try Stage.iterationsOption.check(.integer(limit), label: "--iterations") }
        if let timestepLimit, !Configuration.timesteps.contains(timestepLimit) {
            throw UserError(
                "--timesteps is \(timestepLimit): choose a number in \(Configuration.timesteps.lowerBound) … "
                    + "\(Configuration.timesteps.upperBound)")
        }
        if stages.isEmpty { throw UserError("stages is empty: a run needs at least one stage") }
        for stage in stages {
            _ = try Stage.iterationsOption.check(.integer(stage.iterations), label: "--iterations")
            _ = try Stage.batchStepsOption.check(.integer(stage.batchSteps), label: "--batch-steps")
            let entry = try learnerCatalogue.require(stage.learner)
            try stage.learnerOptions.check(entry.options, of: "learner '\(stage.learner)'")
        }
    }
}

extension Stage {
    /// Whether policy and critic have weights in common.
    fileprivate var sharesTrunk: Bool {
        learnerOptions["value-weight"] != nil && learnerOptions.real("value-weight") > 0
    }

    /// Trials that play the same member; 1 unless the learner has such an option.
    var trialsPerMember: Int {
        learnerOptions["trials-per-member"] == nil ? 1 : learnerOptions.integer("trials-per-member")
    }
}
