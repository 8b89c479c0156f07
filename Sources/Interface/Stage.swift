/// A stretch of a training with settings of its own, as plain values. A run is a list of stages; a curriculum is a list of
/// several.
public struct Stage: Sendable, Equatable {
    /// Options of the task that differ from the run's, such as shorter trials to begin with. Observation and action spaces
    /// stay the same.
    public var taskOptions: Values
    /// Name in the catalogue of learners.
    public var learner: String
    /// A value for each of the learner's options. In a task's default schedule, those that differ from the learner's own
    /// defaults; what the learner lacks is left out.
    public var learnerOptions: Values
    public var iterations: Int
    /// Most time steps of an iteration, in whole trials, at least one trial.
    public var batchSteps: Int

    public init(
        taskOptions: Values = [:], learner: String, learnerOptions: Values = [:], iterations: Int, batchSteps: Int
    ) {
        self.taskOptions = taskOptions
        self.learner = learner
        self.learnerOptions = learnerOptions
        self.iterations = iterations
        self.batchSteps = batchSteps
    }

    /// Range of `iterations`, of one stage or of all.
    public static let iterationsOption = Option(
        "iterations", 1...10_000_000, default: 100, help: "Iterations in all")
    public static let batchStepsOption = Option(
        "batch-steps", 1...100_000_000, default: 50_000, help: "Time steps of an iteration's batch, in every stage")
}

/// How a task is trained unless somebody says otherwise: stated by the task itself.
public struct TrainingDefaults: Sendable, Equatable {
    /// Options of the model in place of its own defaults; what a model lacks is left out.
    public var modelOptions: Values
    /// The learner of the outer loop, in the catalogue of learners. `--learner` takes its place in the stages that name it.
    public var learner: String
    public var stages: [Stage]

    public init(modelOptions: Values = [:], learner: String = "trpo", stages: [Stage]) {
        self.modelOptions = modelOptions
        self.learner = learner
        self.stages = stages
    }
}

/// What a task's defaults may depend on, of the model that is trained.
public struct ModelTraits: Sendable, Equatable {
    /// H by default.
    public var hidden: Int
    /// Adam's rate at which it learns to predict rewards; attention bears a smaller one than gates.
    public var predictionRate: Double

    public init(hidden: Int, predictionRate: Double) {
        self.hidden = hidden
        self.predictionRate = predictionRate
    }
}
