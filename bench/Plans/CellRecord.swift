import Foundation
import Kernels
import Training

/// What came of a cell: all that tables and reports are made of. Tables are a pure function of records.
public struct CellRecord: StoredResult, Sendable, Equatable {
    /// Version of the format that this build writes and reads.
    public static let version = 1
    public static let bankVersion: Int? = EvaluationBank.version
    public static let (title, folder) = ("a record", "records")
    public static let advice = "delete it to have the cell done again"

    public struct Evaluated: Codable, Sendable, Equatable {
        /// "" for the task as trained, else the name given under `also`.
        public let name: String
        public let taskOptions: OptionValues
        public let trials: Int
        public let meanTotalReward: Double
        public let standardError: Double
        public let perEpisodeMean: [Double]
        /// Means of consecutive members (see `EvaluationBank.blockMeans`): what paired differences are made of.
        public let blockMeans: [Double]
        public let random: Double?
        public let optimum: Double?
        public let informed: Double?
        /// What an architecture with bounded context meets here: nil if its context covers the trial.
        public let note: String?
        /// Success and length, episode by episode; nil for tasks that are no mazes, and in records of builds without it.
        public let maze: MazeEvaluation?

        enum CodingKeys: String, CodingKey {
            case name, taskOptions = "task_options", trials, meanTotalReward = "mean_total_reward"
            case standardError = "standard_error", perEpisodeMean = "per_episode_mean", blockMeans = "block_means"
            case random, optimum, informed, note, maze
        }

        /// What tables and charts call an evaluation of a name.
        static func title(_ name: String) -> String { name.isEmpty ? "as trained" : name }
    }

    /// What the cell costs and took. Not part of a comparison's numbers: it differs from machine to machine.
    public struct Costs: Codable, Sendable, Equatable {
        public let processor: String
        public let threads: Int
        public let trainingSeconds: Double
        public let stepsPerSecondActing: Double
        public let stepsPerSecondLearning: Double

        enum CodingKeys: String, CodingKey {
            case processor, threads, trainingSeconds = "training_seconds"
            case stepsPerSecondActing = "steps_per_second_acting"
            case stepsPerSecondLearning = "steps_per_second_learning"
        }
    }

    public let version: Int
    public let bank: Int
    public let plan: String
    public let cell: String
    public let modelName: String
    public let taskName: String
    public let settingName: String
    public let seed: Int
    /// `config.yaml` of the run.
    public let configuration: String
    public let parameters: Int
    public let actingOperations: Double
    public let learningOperations: Double
    public let stateBytes: Int
    public let iterations: Int
    public let timesteps: Int
    public let curve: [LearningCurve.Point]
    public let evaluations: [Evaluated]
    public let costs: Costs

    enum CodingKeys: String, CodingKey {
        case version, bank, plan, cell, modelName = "model_name", taskName = "task_name"
        case settingName = "setting_name", seed, configuration, parameters
        case actingOperations = "acting_operations", learningOperations = "learning_operations"
        case stateBytes = "state_bytes", iterations, timesteps, curve, evaluations, costs
    }

    /// The evaluation on the task as trained.
    public var main: Evaluated { evaluations[0] }

    public var flaw: String? {
        let isWhole =
            !evaluations.isEmpty && !curve.isEmpty
            && zip(curve, curve.dropFirst()).allSatisfy { $0.steps < $1.steps }
            && evaluations.allSatisfy { $0.blockMeans.count == EvaluationBank.blocks }
        return isWhole ? nil : "a record without its evaluations"
    }
}
