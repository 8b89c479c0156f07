import Interface
import Training

/// What an evaluation found: what `rl2x evaluate --json` prints and what a plan's record holds of each evaluation.
public struct EvaluationRecord: Codable, Sendable, Equatable {
    /// "" for the task as trained, else the name given under `also`.
    public let name: String
    public let taskOptions: Values
    public let trials: Int
    public let meanTotalReward: Double
    /// Nil for a single trial.
    public let standardError: Double
    public let perEpisodeMean: [Double]
    /// Means of consecutive members (see `EvaluationBank.blockMeans`): what paired differences are made of.
    public let blockMeans: [Double]
    public let random: Double?
    public let optimum: Double?
    /// Of the oracle, which knows the member.
    public let oracle: Double?
    /// What an architecture with bounded context meets here: nil if its context covers the trial.
    public let note: String?
    /// Success and length, episode by episode; nil for tasks without a goal.
    public let goal: GoalEvaluation?
    /// Mean loss against the oracle, member by member; nil where there is none, and in records of rl2x 0.1.0.
    public let regret: Double?
    public let regretStandardError: Double?
    /// The mean return with the oracle's as its control variate.
    public let returnByRegret: Double?

    enum CodingKeys: String, CodingKey {
        case name, taskOptions = "task_options", trials, meanTotalReward = "mean_total_reward"
        case standardError = "standard_error", perEpisodeMean = "per_episode_mean", blockMeans = "block_means"
        case random, optimum, oracle, note, goal = "maze", regret, regretStandardError = "regret_standard_error"
        case returnByRegret = "total_reward_by_regret"
    }

    /// - Parameters:
    ///   - random: mean total reward of random play, where no formula gives it.
    public init(
        _ result: Evaluation, name: String, configuration: Configuration, references: ReferenceReturns, random: Double?,
        goal: GoalEvaluation?
    ) {
        self.name = name
        taskOptions = configuration.taskOptions
        trials = result.trials
        meanTotalReward = result.totalRewards.mean
        standardError = result.totalRewards.standardError
        perEpisodeMean = result.episodeMeans
        blockMeans = EvaluationBank.blockMeans(result.totals)
        self.random = references.random ?? random
        (optimum, oracle) = (references.optimum, references.oracle)
        note = configuration.contextNote
        self.goal = goal
        let lost = references.regret(of: result)
        (regret, regretStandardError) = (lost?.mean, lost?.standardError)
        returnByRegret = lost.flatMap(references.totalReward)
    }

    /// What tables and charts call an evaluation of a name.
    static func title(_ name: String) -> String { name.isEmpty ? "as trained" : name }
}
