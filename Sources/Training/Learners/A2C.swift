import Interface
import Kernels

/// Advantage actor-critic (Mnih et al. 2016, synchronous): Adam steps along the plain policy gradient
///
///     (1/N) Σ A ∇ log π_θ(a | h) + β · ∇ (mean entropy),
///
/// without a trust region. The worked example of how to add a learner: this file and a line in `learnerCatalogue`.
final class A2C: Learner {
    static let entry = LearnerEntry(
        name: "a2c", summary: "advantage actor-critic: Adam on the plain policy gradient",
        options: [
            Option("minibatches", 1...10_000, default: 1, help: "Adam steps of an iteration, on whole trials"),
            Option("learning-rate", 1e-8...1, default: 1e-3, help: "Adam's learning rate for the policy"),
        ] + ActorCritic.options, columns: ActorCritic.columns
    ) { A2C($0.actorCritic) }

    private let actorCritic: ActorCritic

    init(_ actorCritic: ActorCritic) { self.actorCritic = actorCritic }

    func iterate(_ iteration: Iteration, on batch: TrialBatch, report: inout IterationReport) {
        let options = iteration.options
        actorCritic.iterate(iteration, on: batch, report: &report) { clock in
            clock.measure(.gradient) {
                improve(
                    batch, entropyBonus: Float(iteration.linear("entropy-bonus")),
                    settings: TrialRegression.Settings(
                        epochs: 1, minibatches: options.integer("minibatches"),
                        learningRate: options.real("learning-rate")),
                    random: iteration.random(.policyMinibatches))
            }
        }
        if report.outcome == .notFinite {
            report.warnings.append("the update was not finite and was undone; lower --learning-rate")
        }
    }

    /// One pass over a batch whose advantages are known and standardised.
    func improve(
        _ batch: TrialBatch, entropyBonus: Float, settings: TrialRegression.Settings, random: RandomSource
    ) -> PolicyUpdate {
        let entropy = actorCritic.policyOptimizer.fit(
            actorCritic.parameters, to: batch, settings: settings, random: random
        ) { shard, logits, weight, seed in
            let (actions, entropy) = (shard.actionCount, shard.keepDistributions(logits: logits))
            let logProbabilities = UnsafePointer(shard.logProbabilities.pointer)
            for row in 0..<shard.rows {
                Categorical.addLogProbabilityGradient(
                    outcome: Int(shard.actions.pointer[row]), outcomes: actions,
                    logProbabilities: logProbabilities + row * actions,
                    weight: -weight * shard.advantages.pointer[row], to: seed + row * actions)
            }
            Categorical.addEntropyGradient(
                rows: shard.rows, outcomes: actions, logProbabilities: logProbabilities,
                weight: -weight * entropyBonus, to: seed)
            return entropy
        }
        var update = PolicyUpdate()
        update.outcome = entropy == nil ? .notFinite : .accepted
        update.entropy = entropy ?? 0
        update.actualKL = .nan
        return update
    }
}
