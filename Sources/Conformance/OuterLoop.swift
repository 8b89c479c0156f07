import Interface
import Kernels
import Models
import Tasks
import Training

/// A model on a task: what the RL² contract is judged of.
public struct TrialSetting {
    public let family: any TaskFamily
    public let policy: any SequencePolicy
    /// θ of the policy [P]
    public let policyParameters: [Float]
    public let critic: any SequencePolicy
    /// θ of the critic [P]
    public let criticParameters: [Float]
    /// Whole trials, at least 2.
    public let trials: Int
    /// Trial i draws from `TrialStreams(root.split(i))`.
    public let root: RandomSource
    /// γ inside a trial
    public let discount: Float
    /// λ of the advantages
    public let lambda: Float
    /// λ of the critic's targets
    public let targetLambda: Float
}

/// Trials as an outer loop played and judged them.
public struct JudgedTrials: Sendable {
    public struct Trial: Sendable {
        /// Its place in the order in which trials draw from the root.
        public var number: Int
        public var steps: [TrialStep]
        /// Advantages brought to mean 0 and deviation 1 over the batch [T].
        public var standardized: [Float]

        public init(number: Int, steps: [TrialStep], standardized: [Float]) {
            self.number = number
            self.steps = steps
            self.standardized = standardized
        }

        /// What the policy was given, by step.
        public var inputs: [StepInput] { steps.map(\.input) }
    }

    /// The trials of each shard, the longest first: those that were unrolled together.
    public var shards: [[Trial]]
    /// N: time steps over which means are taken.
    public var rows: Int
    /// Mean entropy of the policy, nats, as an update reports it.
    public var entropy: Double
    /// Mean return from step t: what the critic's network calls 0.
    public var returnMeans: [Float]
    /// What it calls 1.
    public var returnDeviations: [Float]
    /// The same trials were played twice, the second time with a memory that had been used, and were the same.
    public var repeats: Bool

    public init(
        shards: [[Trial]], rows: Int, entropy: Double, returnMeans: [Float], returnDeviations: [Float], repeats: Bool
    ) {
        self.shards = shards
        self.rows = rows
        self.entropy = entropy
        self.returnMeans = returnMeans
        self.returnDeviations = returnDeviations
        self.repeats = repeats
    }

    var trials: [Trial] { shards.flatMap(\.self) }
}

/// The third part of the contract, beside model and task: what plays trials and judges their steps. `TrainingLoop` is
/// rl2x's own; a test may put a broken one in its place.
public protocol OuterLoop: Sendable {
    func judge(_ setting: TrialSetting) -> JudgedTrials
}

/// The outer loop that trains: the rollout, packing, critic, advantages and update of Training.
public struct TrainingLoop: OuterLoop {
    public init() {}

    public func judge(_ setting: TrialSetting) -> JudgedTrials {
        let workers = Workers(threads: 1)
        let parameters = Matrix(rows: 1, columns: setting.policyParameters.count)
        parameters.copy(from: setting.policyParameters)
        let batch = TrialBatch(family: setting.family, trials: setting.trials)
        func play() -> [[TrialStep]] {
            batch.play(
                setting.policy, parameters: UnsafePointer(parameters.pointer), root: setting.root, workers: workers)
            return batch.shards.flatMap { shard in (0..<shard.lanes).map { shard.trial($0) } }
        }
        func played(_ trials: [[TrialStep]]) -> [[Int32]] { trials.map { $0.map(\.action) } }
        let once = played(play())
        let again = played(play())

        let critic = Critic(model: setting.critic, random: setting.root, workers: workers)
        critic.parameters.copy(from: setting.criticParameters)
        critic.scale.update(batch, discount: Double(setting.discount))
        critic.evaluate(batch)
        batch.estimateAdvantages(
            discount: setting.discount, lambda: setting.lambda, targetLambda: setting.targetLambda, workers: workers)
        let raw = batch.shards.map { shard in (0..<shard.lanes).map { shard.trial($0) } }
        batch.standardizeAdvantages(.batch)
        var clock = PhaseClock()
        var settings = TRPO.Settings(["conjugate-gradient-iterations": 1, "fisher-share": 1])
        settings.backtrackLimit = 0
        let actorCritic = ActorCritic(
            policy: setting.policy, parameters: parameters, critic: critic, workers: workers)
        let report = TRPO(actorCritic).update(batch, settings: settings, random: setting.root, clock: &clock)

        let shards = batch.shards.indices.map { index -> [JudgedTrials.Trial] in
            let shard = batch.shards[index]
            return (0..<shard.lanes).map { lane in
                JudgedTrials.Trial(
                    number: shard.numbers[lane], steps: raw[index][lane],
                    standardized: shard.trial(lane).map(\.advantage))
            }
        }
        let steps = critic.scale.means.indices.map { Int32($0) }
        return JudgedTrials(
            shards: shards, rows: batch.rows, entropy: report.entropy, returnMeans: steps.map(critic.scale.mean),
            returnDeviations: steps.map(critic.scale.deviation), repeats: once == again)
    }
}
