import Foundation
import Kernels
import Training

/// What came of a cell: all that tables and reports are made of. Tables are a pure function of records.
public struct CellRecord: StoredResult, Sendable, Equatable {
    /// Version of the format that this build writes and reads.
    public static let version = 1
    public static let bankVersion: Int? = EvaluationBank.version
    public static let (title, folder) = ("a record", "records")
    public static let renamedKeys = ["informed": "oracle", "maze": "goal"]
    public static let advice = "move it away to have the cell done again"

    /// What the cell costs and took. Not part of a comparison's numbers: it differs from machine to machine.
    public struct Costs: Codable, Sendable, Equatable {
        public let processor: String
        public let threads: Int
        /// Of the run and its parents.
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
    /// Without those of its parents.
    public let iterations: Int
    /// Of training, those of its parents included; so are those of the curve.
    public let timesteps: Int
    public let curve: [LearningCurve.Point]
    public let evaluations: [EvaluationRecord]
    public let costs: Costs

    enum CodingKeys: String, CodingKey {
        case version, bank, plan, cell, modelName = "model_name", taskName = "task_name"
        case settingName = "setting_name", seed, configuration, parameters
        case actingOperations = "acting_operations", learningOperations = "learning_operations"
        case stateBytes = "state_bytes", iterations, timesteps, curve, evaluations, costs
    }

    /// The evaluation on the task as trained.
    public var main: EvaluationRecord { evaluations[0] }

    public var flaw: String? {
        let isWhole =
            !evaluations.isEmpty && !curve.isEmpty
            && zip(curve, curve.dropFirst()).allSatisfy { $0.steps < $1.steps }
            && evaluations.allSatisfy { $0.blockMeans.count == EvaluationBank.blocks }
        guard isWhole else { return "a record without its evaluations" }
        // Tables subtract and round them.
        let counts = [parameters, stateBytes, iterations, timesteps] + curve.map(\.steps) + evaluations.map(\.trials)
        let numbers =
            [actingOperations, learningOperations] + curve.map(\.score)
            + evaluations.flatMap { [$0.meanTotalReward] + $0.blockMeans + $0.perEpisodeMean }
        let areUsable =
            counts.allSatisfy { (0...1 << 53).contains($0) } && numbers.allSatisfy { abs($0) <= 1e15 || $0.isNaN }
        return areUsable ? nil : "a record with numbers that no training gives"
    }
}
