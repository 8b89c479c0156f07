import Foundation
import Interface
import Kernels
import Models

/// Proximal policy optimisation (Schulman et al. 2017, equation 7) for sequence policies: some epochs of Adam that maximise
///
///     (1/N) Σ min(ρ A, clip(ρ, 1 − ε, 1 + ε) A) + β · (mean entropy),   ρ = π_θ(a | h) / π_old(a | h),
///
/// on minibatches of whole trials, each unrolled from its start. No epoch follows one in which the mean KL(π_old ‖ π_θ)
/// passed δ.
public final class PPO: Learner {
    public static let options =
        TrustRegion.options + [
            Option("epochs", 1...1000, default: 3, help: "Epochs over a batch, while the trust region lets them"),
            Option("minibatches", 1...10_000, default: 8, help: "Adam steps of each epoch, on whole trials"),
            Option(
                "learning-rate", 1e-8...1, default: 5e-4,
                help: "Adam's learning rate for the policy where --maximum-kl equals --learning-rate-kl"),
            Option(
                "learning-rate-kl", 1e-8...10, default: 0.01,
                help: "Trust region to which --learning-rate belongs: the rate goes with √(maximum KL)"),
            Option("clip-range", 0.001...10, default: 0.2, help: "How far a probability ratio may go from 1"),
        ] + ActorCritic.options

    static let entry = LearnerEntry(
        name: "ppo", summary: "proximal policy optimisation: epochs of Adam on the clipped surrogate", options: options,
        columns: ["actual_kl"] + ActorCritic.columns
    ) { PPO($0.actorCritic) }

    private let actorCritic: ActorCritic

    public init(_ actorCritic: ActorCritic) { self.actorCritic = actorCritic }

    public func iterate(_ iteration: Iteration, on batch: TrialBatch, report: inout IterationReport) {
        actorCritic.iterate(iteration, on: batch, report: &report) { clock in
            update(
                batch, options: iteration.options, maximumKL: iteration.geometric("maximum-kl"),
                entropyBonus: iteration.linear("entropy-bonus"), random: iteration.random(.policyMinibatches),
                clock: &clock)
        }
        if report.outcome == .notFinite {
            report.warnings.append(
                "the update was not finite and was undone; lower --maximum-kl or --learning-rate")
        }
    }

    /// One update of θ from a batch whose advantages are known and standardised.
    ///
    /// - Parameters:
    ///   - options: a value for each of `PPO.options`.
    ///   - maximumKL: δ, nats a step.
    ///   - entropyBonus: β
    public func update(
        _ batch: TrialBatch, options: Values, maximumKL: Double, entropyBonus: Double, random: RandomSource,
        clock: inout PhaseClock
    ) -> PolicyUpdate {
        // The KL of a step goes with its square.
        var settings = TrialRegression.Settings(options)
        settings.learningRate *= (maximumKL / options.real("learning-rate-kl")).squareRoot()
        let clipRange = Float(options.real("clip-range"))
        return clock.measure(.gradient) {
            var update = PolicyUpdate()
            update.entropy = actorCritic.rememberDistributions(batch)
            let divergence = actorCritic.policyOptimizer.fit(
                actorCritic.parameters, to: batch, settings: settings, random: random, until: { $0 > maximumKL }
            ) { shard, logits, weight, seed in
                PPO.descend(
                    shard, logits, clipRange: clipRange, entropyBonus: Float(entropyBonus), weight: weight, seed: seed)
            }
            update.outcome = divergence == nil ? .notFinite : .accepted
            update.actualKL = divergence ?? 0
            return update
        }
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
