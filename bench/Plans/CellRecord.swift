import Foundation
import Kernels
import Training

/// What came of a cell: all that tables and reports are made of. Tables are a pure function of records.
public struct CellRecord: Codable, Sendable, Equatable {
    /// Version of the format that this build writes and reads.
    public static let version = 1

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

        enum CodingKeys: String, CodingKey {
            case name, taskOptions = "task_options", trials, meanTotalReward = "mean_total_reward"
            case standardError = "standard_error", perEpisodeMean = "per_episode_mean", blockMeans = "block_means"
            case random, optimum, informed, note
        }
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

    public func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(try encoder.encode(self) + Data("\n".utf8), to: path)
    }

    /// - Throws: one line if the record is damaged or of another version.
    public static func read(_ path: String) throws -> CellRecord {
        let data = try AtomicFile.read(path)
        struct Versions: Decodable { let version: Int, bank: Int }
        let advice = "delete it to have the cell done again"
        guard let versions = try? JSONDecoder().decode(Versions.self, from: data) else {
            throw UserError("\(path): not a record, or half of one; \(advice)")
        }
        guard versions.version == version, versions.bank == EvaluationBank.version else {
            throw UserError(
                "\(path): a record of version \(versions.version) on bank \(versions.bank); this build has version "
                    + "\(version) on bank \(EvaluationBank.version); \(advice)")
        }
        do {
            let record = try JSONDecoder().decode(CellRecord.self, from: data)
            guard !record.evaluations.isEmpty, !record.curve.isEmpty,
                zip(record.curve, record.curve.dropFirst()).allSatisfy({ $0.steps < $1.steps }),
                record.evaluations.allSatisfy({ $0.blockMeans.count == EvaluationBank.blocks })
            else { throw UserError("\(path): a record without its evaluations; \(advice)") }
            return record
        } catch let error as UserError {
            throw error
        } catch {
            throw UserError("\(path): not a record, or half of one; \(advice)")
        }
    }
}
