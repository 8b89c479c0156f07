import Interface
import Kernels
import Models

/// Teaches a policy's memory before TRPO does.
///
/// The policy's output for an action that was taken is fitted to the reward that followed, on trials of random preferences.
/// What minimises the squared error is the posterior mean of that reward given the history, so the memory comes to hold
/// what the history says of every action, over the whole length of a trial, and the policy starts as a Boltzmann player
/// on these means. A policy gradient gives this signal too, but only through the few decisions that it would change: it
/// needs many times the steps. Nothing is used that RL² does not see: histories, actions, rewards.
final class RewardPrediction: Learner {
    static let entry = LearnerEntry(
        name: "reward_prediction",
        summary: "fits the policy's outputs to the rewards of random preferences, before RL²",
        options: supervisedOptions(learningRate: 6e-3), columns: ["accepted", "critic_loss"], isOuterLoop: false
    ) { RewardPrediction($0.actorCritic) }

    private let actorCritic: ActorCritic

    init(_ actorCritic: ActorCritic) { self.actorCritic = actorCritic }

    func iterate(_ iteration: Iteration, on batch: TrialBatch, report: inout IterationReport) {
        report.clock.measure(.rollout) {
            batch.playPreferences(
                RewardPrediction.preference, root: iteration.random(.trials), workers: actorCritic.workers)
        }
        let error = report.clock.measure(.critic) {
            RewardPrediction.fit(
                actorCritic.parameters, to: batch, by: actorCritic.policyOptimizer,
                settings: iteration.fadingSettings, random: iteration.random(.minibatches))
        }
        report.add(supervisedLoss: error)
        report.headline = "prediction error \(error.map { Display.fixed($0, 4) } ?? "undone") of the variance"
    }

    /// Spread of preferences: the favourite action of a trial is taken up to e⁴ times as often as the rarest.
    static let preference: Float = 4
    /// Logits of a difference of one standard deviation of the reward: how greedy the first policy is.
    static let logitsPerDeviation: Float = 5

    /// Fits `parameters` to a batch that was played by preferences. Returns the mean squared error in units of the reward's
    /// variance, or nil if it was not finite and was undone.
    static func fit(
        _ parameters: Matrix, to batch: TrialBatch, by regression: TrialRegression,
        settings: TrialRegression.Settings, random: RandomSource
    ) -> Double? {
        let (mean, deviation) = rewardMoments(batch)
        let factor = 1 / max(deviation, 1e-6)
        return regression.fit(parameters, to: batch, settings: settings, random: random) {
            shard, outputs, weight, seed in
            var loss = 0.0
            for row in 0..<shard.rows {
                let at = row * shard.actionCount + Int(shard.actions.pointer[row])
                let target = (shard.rewards.pointer[row] - mean) * factor
                let error = outputs[at] / logitsPerDeviation - target
                seed[at] = weight * error / logitsPerDeviation
                loss += Double(error * error)
            }
            return loss
        }
    }

    private static func rewardMoments(_ batch: TrialBatch) -> (mean: Float, deviation: Float) {
        var (sum, squares) = (0.0, 0.0)
        for shard in batch.shards {
            for row in 0..<shard.rows {
                let reward = Double(shard.rewards.pointer[row])
                sum += reward
                squares += reward * reward
            }
        }
        let mean = sum / Double(batch.rows)
        return (Float(mean), Float(max(0, squares / Double(batch.rows) - mean * mean).squareRoot()))
    }
}
