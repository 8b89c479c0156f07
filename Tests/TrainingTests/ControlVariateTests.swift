import Kernels
import Tasks
import Testing

@testable import Training

@Suite struct GroupBaselineTests {
    /// Shards with trials of the given lengths, one a lane, and a group for every `size` of them.
    private func batch(_ lengths: [Int], size: Int) -> (shard: ShardBatch, groups: [[(shard: Int, lane: Int)]]) {
        let shard = ShardBatch(space: .vector(width: 0), actions: 2, rows: lengths.reduce(0, +))
        shard.setShape(lengths: lengths)
        let groups = stride(from: 0, to: lengths.count, by: size).map { first in
            (first..<min(first + size, lengths.count)).map { (shard: 0, lane: $0) }
        }
        return (shard, groups)
    }

    /// Advantages of a group's trials are what they share and what is their own, both of deviation 1. Of three others the
    /// mean predicts a trial's with slope c = 1 / (1 + 1/3), and leaves 2 − c of its variance of 2.
    @Test func takesAwayWhatAGroupShares() {
        let (count, size) = (40_000, 4)
        let (shard, groups) = batch([Int](repeating: 1, count: count), size: size)
        var random = RandomSource(seed: 1)
        for group in groups {
            let shared = random.normal()
            for place in group { shard.advantages[place.lane] = Float(3 + shared + random.normal()) }
        }
        ControlVariate.subtract(groups: groups, shards: [shard])
        let values = (0..<count).map { Double(shard.advantages[$0]) }
        let mean = values.reduce(0, +) / Double(count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
        // The mean of all, 3, stays: it is the mean of groups' means, of deviation √(1.25 / 10 000). The variance of a
        // variance is about 2 σ⁴ / n, for the 10 000 groups at least: 5 deviations are 0.09.
        #expect(abs(mean - 3) < 5 * (1.25 / 10_000).squareRoot())
        #expect(abs(variance - (2 - 0.75)) < 0.09, "\(variance)")
    }

    /// Where a group shares nothing, nearly nothing is taken away: the slope is 0 but for the noise of its estimate.
    @Test func leavesWhatIsIndependent() {
        let (shard, groups) = batch([Int](repeating: 1, count: 10_000), size: 2)
        var random = RandomSource(seed: 2)
        let before = (0..<10_000).map { _ in Float(random.normal()) }
        for lane in 0..<10_000 { shard.advantages[lane] = before[lane] }
        ControlVariate.subtract(groups: groups, shards: [shard])
        // 5 000 pairs: the slope's deviation is 1/√5000, 5 of them 0.07; numbers are below 5.
        for lane in 0..<10_000 { #expect(abs(shard.advantages[lane] - before[lane]) < 0.07 * 5) }
    }

    /// A trial that goes on when the others of its group are over keeps its advantages.
    @Test func aTrialWithoutCompanyIsLeftAlone() {
        let (shard, groups) = batch([3, 2, 2, 2], size: 2)
        for row in 0..<shard.rows { shard.advantages[row] = Float(row * row) }
        ControlVariate.subtract(groups: groups, shards: [shard])
        #expect(shard.advantages[8] == 64)
    }

    /// With one member for all trials of a group and the same chance, the same actions have the same rewards; the
    /// members of different groups differ.
    @Test func trialsOfAGroupShareMemberAndChance() {
        let family = BernoulliBandit(arms: 2, episodes: 40)
        let played = PlayedBatch(family, trials: 1)
        let batch = TrialBatch(family: family, trials: 240, trialsPerMember: 3)
        batch.play(
            played.policy, parameters: UnsafePointer(played.parameters.pointer), root: RandomSource(seed: 3),
            workers: played.workers)
        let trials = batch.shards.flatMap(\.allTrials)
        var (same, sameElsewhere, pairs) = (0, 0, 0)
        for group in 0..<79 {
            for step in 0..<40 {
                let (a, b, other) = (trials[3 * group][step], trials[3 * group + 1][step], trials[3 * group + 3][step])
                guard a.action == b.action else { continue }
                pairs += 1
                if a.reward == b.reward { same += 1 }
                if other.action == a.action, other.reward == a.reward { sameElsewhere += 1 }
            }
            #expect(trials[3 * group].map(\.action) != trials[3 * group + 1].map(\.action), "actions are drawn apart")
        }
        #expect(pairs > 1000 && same == pairs)
        #expect(Double(sameElsewhere) < 0.5 * Double(pairs))
    }

    /// The baseline of a trial does not correlate with what its own actions were: the gradient stays unbiased.
    @Test func theBaselineIsIndependentOfOnesOwnActions() {
        let family = BernoulliBandit(arms: 2, episodes: 3)
        let played = PlayedBatch(family, trials: 1, headGain: 0)
        let batch = TrialBatch(family: family, trials: 40_000, trialsPerMember: 4)
        batch.play(
            played.policy, parameters: UnsafePointer(played.parameters.pointer), root: RandomSource(seed: 4),
            workers: played.workers)
        batch.estimateAdvantages(discount: 1, lambda: 1, targetLambda: 1, workers: played.workers)
        var sums = [Double](repeating: 0, count: 3)
        var squares = sums
        for shard in batch.shards {
            for row in 0..<shard.rows {
                let step = Int(shard.stepIndices[row])
                // Values are 0, so targets are the raw advantages.
                let baseline = Double(shard.targets[row] - shard.advantages[row])
                let product = baseline * (shard.actions[row] == 0 ? 0.5 : -0.5)
                sums[step] += product
                squares[step] += product * product
            }
        }
        for step in 0..<3 {
            // Products of a group are correlated, at most perfectly: four times the variance.
            #expect(squares[step] > 1000)
            #expect(abs(sums[step]) < 5 * (4 * squares[step]).squareRoot(), "step \(step)")
        }
    }
}
