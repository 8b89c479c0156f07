import Foundation
import Interface
import Tasks
import Training

/// results.json of a published policy: what it plays, what it earned, how it was trained, and the digest of its weights.
public struct PolicyRecord: Codable, Sendable, Equatable {
    /// Version of the format that this build writes.
    public static let version = 1

    /// A player's mean total reward on the members of the evaluation.
    public struct Score: Codable, Sendable, Equatable {
        public let name: String
        public let meanReturn: Double
        public let standardError: Double

        enum CodingKeys: String, CodingKey {
            case name, meanReturn = "return", standardError = "standard_error"
        }
    }

    /// The same weights in float16 on the same members under the same chance.
    public struct HalfPrecision: Codable, Sendable, Equatable {
        public let meanReturn: Double
        /// Return in float16 less that in float32, and its 95 % interval.
        public let difference: Double
        public let lowerBound: Double
        public let upperBound: Double

        enum CodingKeys: String, CodingKey {
            case meanReturn = "return", difference, lowerBound = "lower_bound", upperBound = "upper_bound"
        }
    }

    public struct Training: Codable, Sendable, Equatable {
        public let seed: Int
        public let iterations: Int
        /// Time steps of the environment, those of the runs that it began with included; likewise seconds.
        public let steps: Int
        /// nil if they are not known.
        public let seconds: Double?
        public let threads: Int?
        public let processor: String?
        public let version: String?
        public let commit: String?
        /// As it was called; nil if that is not known.
        public let command: String?
    }

    /// First steps of one trial: what the policy was given, and its logits, for whoever loads the weights elsewhere.
    public struct Sample: Codable, Sendable, Equatable {
        /// Of the evaluation's members.
        public let member: Int
        /// s_t of vectors [T][width]
        public let vectors: [[Float]]?
        /// s_t of images, [height × width × channels] bytes each, in base64 [T]
        public let images: [String]?
        /// [height, width, channels]
        public let imageShape: [Int]?
        /// a_{t−1}, −1 at the first step [T]
        public let previousActions: [Int]
        /// [T]
        public let previousRewards: [Float]
        /// d_{t−1} [T]
        public let episodeEnds: [Float]
        /// [T][A]
        public let logits: [[Float]]

        enum CodingKeys: String, CodingKey {
            case member, vectors, images, imageShape = "image_shape", previousActions = "previous_actions"
            case previousRewards = "previous_rewards", episodeEnds = "episode_ends", logits
        }
    }

    public let formatVersion: Int
    public let name: String
    public let task: String
    public let taskOptions: Values
    public let model: String
    /// Such as "gru-256".
    public let modelName: String
    public let parameters: Int
    /// F32 or F16.
    public let weights: String
    /// SHA-256 of model.safetensors.
    public let sha256: String
    /// Of model.safetensors.
    public let bytes: Int

    /// Mean total reward of a trial, of sampled actions, of the weights as they are stored.
    public let meanReturn: Double
    public let standardError: Double
    public let members: Int
    public let evaluationSeed: Int
    public let random: Double?
    /// Of exact Bayes-optimal play; nil where it cannot be computed in a moment.
    public let optimum: Double?
    /// Of a player who knows the member.
    public let oracle: Double?
    /// The best of the task's classic agents, with their standard options; nil where there are none.
    public let classic: Score?
    /// Success and length, episode by episode; nil for tasks without a goal.
    public let goal: GoalEvaluation?
    /// nil if the weights cannot be stored so.
    public let halfPrecision: HalfPrecision?
    public let training: Training
    public let sample: Sample?

    enum CodingKeys: String, CodingKey {
        case formatVersion = "format_version", name, task, taskOptions = "task_options", model, modelName = "model_name"
        case parameters, weights, sha256, bytes, meanReturn = "return", standardError = "standard_error", members
        case evaluationSeed = "evaluation_seed", random, optimum, oracle, classic, goal
        case halfPrecision = "half_precision", training, sample
    }

    /// Reads that of a published policy.
    /// - Throws: one line if it cannot be read.
    public init(of run: RunDirectory) throws {
        let data = try AtomicFile.read(run.resultsPath)
        do { self = try JSONDecoder().decode(PolicyRecord.self, from: data) } catch {
            throw UserError("\(run.resultsPath): not the record of a published policy; export the run anew")
        }
        guard formatVersion == PolicyRecord.version else {
            throw UserError(
                "\(run.resultsPath): its format_version is \(formatVersion), and this rl2x reads \(PolicyRecord.version); "
                    + "export the run anew")
        }
    }

    init(
        name: String, configuration: Configuration, parameters: Int, weights: SafetensorsFile.ElementType, file: Data,
        evaluation: Evaluation, seed: Int, references: ReferenceReturns, random: Double?, classic: Score?,
        goal: GoalEvaluation?, halfPrecision: HalfPrecision?, training: Training, sample: Sample?
    ) {
        formatVersion = PolicyRecord.version
        self.name = name
        (task, taskOptions) = (configuration.task, configuration.taskOptions)
        (model, modelName, self.parameters) = (configuration.model, configuration.modelName, parameters)
        self.weights = weights.rawValue
        (sha256, bytes) = (SHA256.digest(of: file), file.count)
        (meanReturn, standardError) = (evaluation.totalRewards.mean, evaluation.totalRewards.standardError)
        (members, evaluationSeed) = (evaluation.trials, seed)
        self.random = random
        (optimum, oracle) = (references.optimum, references.oracle)
        (self.classic, self.goal, self.halfPrecision) = (classic, goal, halfPrecision)
        (self.training, self.sample) = (training, sample)
    }

    /// The task with the options that differ from their defaults, such as "bandit, episodes 100".
    public var taskTitle: String {
        let options = taskCatalogue.entry(named: task)?.options ?? []
        let kept = taskOptions.kept(by: options)
        let shown = kept.names.filter { name in
            guard let option = options.named(name) else { return true }
            // The size of a task is always told.
            return ["arms", "episodes", "maze-size", "states"].contains(name) || option.defaultValue != kept[name]
        }
        return ([task] + shown.compactMap { name in kept[name].map { "\(name) \($0)" } }).joined(separator: ", ")
    }

    /// As results.json has it.
    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }
}
