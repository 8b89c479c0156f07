import Foundation
import Kernels
import Models

/// Proximal policy optimisation (Schulman et al. 2017, equation 7) for sequence policies: some epochs of Adam that maximise
///
///     (1/N) Σ min(ρ A, clip(ρ, 1 − ε, 1 + ε) A) + β · (mean entropy),   ρ = π_θ(a | h) / π_old(a | h),
///
/// on minibatches of whole trials, each unrolled from its start. No epoch follows one in which the mean KL(π_old ‖ π_θ)
/// passed δ.
public final class PPO {
    public struct Settings: Sendable, Equatable, Codable {
        /// Passes over the batch, if the trust region lets them.
        public var epochs: Int
        /// Adam steps an epoch; each takes as many whole trials.
        public var minibatches: Int
        /// Adam's rate where δ is that of the run's first stage. It goes with √δ, since the KL of a step goes with its square.
        public var learningRate: Double
        /// ε: how far a ratio may go from 1 before its row has no gradient any more.
        public var clipRange: Double

        public init(epochs: Int = 3, minibatches: Int = 8, learningRate: Double = 5e-4, clipRange: Double = 0.2) {
            self.epochs = epochs
            self.minibatches = minibatches
            self.learningRate = learningRate
            self.clipRange = clipRange
        }

        public enum CodingKeys: String, CodingKey, CaseIterable {
            case epochs, minibatches, learningRate = "learning_rate", clipRange = "clip_range"
        }

        /// Reads settings; those that are left out have their standard values.
        public init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            let standard = Settings()
            self.init(
                epochs: try values.decodeIfPresent(Int.self, forKey: .epochs) ?? standard.epochs,
                minibatches: try values.decodeIfPresent(Int.self, forKey: .minibatches) ?? standard.minibatches,
                learningRate: try values.decodeIfPresent(Double.self, forKey: .learningRate) ?? standard.learningRate,
                clipRange: try values.decodeIfPresent(Double.self, forKey: .clipRange) ?? standard.clipRange)
        }
    }

    private let policy: any SequencePolicy
    private let workers: Workers
    /// The policy's Adam.
    private let regression: TrialRegression

    public init(policy: any SequencePolicy, regression: TrialRegression, workers: Workers) {
        self.policy = policy
        self.regression = regression
        self.workers = workers
    }

    /// One update of θ from a batch whose advantages are known and standardised.
    ///
    /// - Parameters:
    ///   - rate: Adam's, in place of `settings.learningRate`.
    ///   - maximumKL: δ, nats a step.
    ///   - entropyBonus: β
    public func update(
        parameters: Matrix, batch: TrialBatch, settings: Settings, rate: Double, maximumKL: Double,
        entropyBonus: Double, random: RandomSource, clock: inout PhaseClock
    ) -> PolicyUpdate {
        clock.measure(.gradient) {
            var update = PolicyUpdate()
            update.entropy = rememberDistributions(parameters.pointer, batch)
            let divergence = regression.fit(
                parameters, to: batch,
                settings: TrialRegression.Settings(
                    epochs: settings.epochs, minibatches: settings.minibatches, learningRate: rate), random: random,
                until: { $0 > maximumKL }
            ) { shard, logits, weight, seed in
                PPO.descend(
                    shard, logits, clipRange: Float(settings.clipRange), entropyBonus: Float(entropyBonus),
                    weight: weight, seed: seed)
            }
            update.outcome = divergence == nil ? .notFinite : .accepted
            update.actualKL = divergence ?? 0
            return update
        }
    }

    /// Writes log π_old of every row into the batch; returns its mean entropy, nats.
    private func rememberDistributions(_ parameters: UnsafePointer<Float>, _ batch: TrialBatch) -> Double {
        let count = batch.shards.count
        let entropies = Buffer<Double>(capacity: count)
        workers.pool.run(count) { index, worker in
            let (shard, tape) = (batch.shards[index], workers.tapes[worker])
            tape.begin(parameters: parameters, recording: false)
            let logits = policy.unroll(shard.inputs, shape: shard.shape, tape: tape)
            entropies[index] = shard.keepDistributions(logits: tape.value(logits))
        }
        return (0..<count).reduce(0) { $0 + entropies[$1] } / Double(batch.rows)
    }

    /// Writes weight · d(−objective)/d(logits) of a shard to the seed [N, A], which is zero before; returns
    /// Σ KL(π_old ‖ π_θ).
    static func descend(
        _ shard: ShardBatch, _ logits: UnsafePointer<Float>, clipRange: Float, entropyBonus: Float, weight: Float,
        seed: UnsafeMutablePointer<Float>
    ) -> Double {
        let (rows, outcomes) = (shard.rows, shard.actionCount)
        let old = UnsafePointer(shard.logProbabilities.pointer)
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: rows * outcomes) { buffer in
            let new = buffer.baseAddress!  // [N, A]
            Categorical.logProbabilities(rows: rows, outcomes: outcomes, logits: logits, into: new)
            for row in 0..<rows {
                let (at, action) = (row * outcomes, Int(shard.actions.pointer[row]))
                let advantage = shard.advantages.pointer[row]
                let ratio = expf(new[at + action] - old[at + action])
                // Beyond the range the minimum is the clipped term, which does not depend on θ.
                let isClipped = advantage > 0 ? ratio > 1 + clipRange : ratio < 1 - clipRange
                guard !isClipped else { continue }
                Categorical.addLogProbabilityGradient(
                    outcome: action, outcomes: outcomes, logProbabilities: new + at,
                    weight: -weight * advantage * ratio, to: seed + at)
            }
            if entropyBonus > 0 {
                Categorical.addEntropyGradient(
                    rows: rows, outcomes: outcomes, logProbabilities: new, weight: -weight * entropyBonus, to: seed)
            }
            return Categorical.divergenceSum(rows: rows, outcomes: outcomes, old: old, new: new)
        }
    }
}
