import Kernels
import Tasks

/// Who plays in stages of imitation.
public protocol Teacher: Sendable {
    /// A player for up to `lanes` trials of a family, used by one thread.
    func makePlayer(for family: any TaskFamily, lanes: Int) -> any LanePlayer
}

/// Chooses the actions of lanes that are stepped together, by whatever means.
public protocol LanePlayer: AnyObject {
    /// Trials begin, one for each stream of choices.
    func begin(_ streams: [RandomSource])
    /// Writes an action in 0 ..< A for each row of `inputs`.
    func act(_ inputs: StepInputs, into actions: UnsafeMutablePointer<Int32>)
    /// Keeps only some lanes, in their order: `kept` is increasing.
    func keep(lanes kept: [Int])
}

/// Supervised learning of a teacher's behaviour: whether an architecture *can* be an algorithm, apart from whether the
/// outer loop finds it (Duan et al. 2016, section 3.1: a policy trained on trajectories of the Gittins index reaches it).
enum Imitation {
    /// Fits the policy's distribution to the actions of a batch that a teacher played, by cross-entropy. Returns the mean
    /// of −log π(teacher's action), nats a step, or nil if it was not finite and was undone.
    static func fit(
        _ parameters: Matrix, to batch: TrialBatch, by regression: TrialRegression,
        settings: TrialRegression.Settings, random: RandomSource
    ) -> Double? {
        regression.fit(parameters, to: batch, settings: settings, random: random) { shard, logits, weight, seed in
            let (actions, logProbabilities) = (shard.actionCount, shard.logProbabilities.pointer)
            Categorical.logProbabilities(rows: shard.rows, outcomes: actions, logits: logits, into: logProbabilities)
            var loss = 0.0
            for row in 0..<shard.rows {
                let (at, action) = (row * actions, Int(shard.actions.pointer[row]))
                Categorical.addLogProbabilityGradient(
                    outcome: action, outcomes: actions, logProbabilities: logProbabilities + at, weight: -weight,
                    to: seed + at)
                loss -= Double(logProbabilities[at + action])
            }
            return loss
        }
    }
}
