import Interface
import Kernels
import Tasks
import Testing

@testable import Training

/// Rewards and values are dyadic numbers of few bits and γ, λ powers of ½, so that nothing is rounded and every
/// comparison is exact.
@Suite struct AdvantagesTests {
    private func estimate(
        _ lengths: [Int], rewards: [Float], values: [Float], discount: Float, lambda: Float
    ) -> [Float] {
        var advantages = [Float](repeating: .nan, count: rewards.count)
        Advantages.estimate(
            shape: PackedShape(lengths: lengths), rewards: rewards, values: values, discount: discount, lambda: lambda,
            advantages: &advantages)
        return advantages
    }

    /// Multiples of 1/8 in [−2, 2).
    private func dyadic(_ count: Int, _ random: inout RandomSource) -> [Float] {
        (0..<count).map { _ in Float(random.integer(below: 32) - 16) / 8 }
    }

    /// γ = ½, λ = ½. δ₂ = 3 − 2 = 1; δ₁ = 2 + ½·2 − 1 = 2; δ₀ = 1 + ½·1 − ½ = 1;
    /// A₂ = 1; A₁ = 2 + ¼·1 = 2.25; A₀ = 1 + ¼·2.25 = 1.5625.
    @Test func agreesWithAComputationByHand() {
        #expect(
            estimate([3], rewards: [1, 2, 3], values: [0.5, 1, 2], discount: 0.5, lambda: 0.5) == [1.5625, 2.25, 1])
        #expect(estimate([1], rewards: [-1], values: [0.25], discount: 0.5, lambda: 0.5) == [-1.25])
    }

    /// Two trials, of 3 steps and of 1. Rows: step 0 of both, then steps 1 and 2 of the first.
    @Test func readsPackedRows() {
        #expect(
            estimate([3, 1], rewards: [1, -1, 2, 3], values: [0.5, 0.25, 1, 2], discount: 0.5, lambda: 0.5)
                == [1.5625, -1.25, 2.25, 1])
    }

    @Test func withLambdaZeroItIsTheTemporalDifferenceError() {
        var random = RandomSource(seed: 1)
        let (rewards, values) = (dyadic(9, &random), dyadic(9, &random))
        let advantages = estimate([9], rewards: rewards, values: values, discount: 0.5, lambda: 0)
        for step in 0..<9 {
            let next = step < 8 ? values[step + 1] : 0
            #expect(advantages[step] == rewards[step] + 0.5 * next - values[step])
        }
    }

    /// Σ_{i ≥ t} γ^{i−t} r_i − V_t, to the end of the trial.
    @Test(arguments: [Float(0.5), 1]) func withLambdaOneItIsTheReturnMinusTheValue(_ discount: Float) {
        var random = RandomSource(seed: 2)
        let (rewards, values) = (dyadic(9, &random), dyadic(9, &random))
        let advantages = estimate([9], rewards: rewards, values: values, discount: discount, lambda: 1)
        for step in 0..<9 {
            var (total, factor): (Float, Float) = (0, 1)
            for later in step..<9 {
                total += factor * rewards[later]
                factor *= discount
            }
            #expect(advantages[step] == total - values[step])
        }
    }

    @Test func withDiscountZeroOnlyTheNextRewardCounts() {
        #expect(estimate([3], rewards: [1, 2, 3], values: [0.5, 1, 4], discount: 0, lambda: 1) == [0.5, 1, -1])
    }

    /// The same operations in the same order, so the same bits, whatever the numbers.
    @Test func packingDoesNotChangeATrialsAdvantages() {
        let lengths = [11, 7, 7, 4, 1]
        let shape = PackedShape(lengths: lengths)
        var random = RandomSource(seed: 3)
        let rewards = (0..<shape.rows).map { _ in Float(random.normal()) }
        let values = (0..<shape.rows).map { _ in Float(random.normal()) }
        let packed = estimate(lengths, rewards: rewards, values: values, discount: 0.99, lambda: 0.3)
        for (lane, length) in lengths.enumerated() {
            let rows = (0..<length).map { shape.row(step: $0, lane: lane) }
            let alone = estimate(
                [length], rewards: rows.map { rewards[$0] }, values: rows.map { values[$0] }, discount: 0.99,
                lambda: 0.3)
            #expect(alone == rows.map { packed[$0] })
        }
    }

    /// Every pull of a bandit ends an episode. With γ = λ = 1 the advantage still holds all rewards to the trial's end,
    /// and so does the critic's target.
    @Test func anEpisodesEndIsNoBoundary() {
        let played = PlayedBatch(BernoulliBandit(arms: 3, episodes: 6), trials: 5)
        for shard in played.batch.shards {
            for row in 0..<shard.rows {
                #expect(shard.endsEpisode.pointer[row] == 1)
                shard.values.pointer[row] = Float(row % 16) / 8
            }
        }
        played.batch.estimateAdvantages(discount: 1, lambda: 1, targetLambda: 1, workers: played.workers)
        for trial in played.batch.shards.flatMap(\.allTrials) {
            for (step, row) in trial.enumerated() {
                let total = trial[step...].reduce(0) { $0 + $1.reward }
                #expect(row.advantage == total - row.value)
                #expect(row.target == total)
            }
        }
    }

    /// λ of the critic's targets is a setting of its own, and the targets are in units of reward.
    @Test func targetsHaveTheirOwnLambda() {
        let played = PlayedBatch(raggedFamily(), trials: 6)
        for shard in played.batch.shards {
            for row in 0..<shard.rows { shard.values.pointer[row] = Float(row % 16) / 8 }
        }
        played.batch.estimateAdvantages(discount: 0.5, lambda: 0, targetLambda: 1, workers: played.workers)
        for trial in played.batch.shards.flatMap(\.allTrials) {
            var total: Float = 0
            for (step, row) in trial.enumerated().reversed() {
                let next = step + 1 < trial.count ? trial[step + 1].value : 0
                total = row.reward + 0.5 * total
                #expect(row.advantage == row.reward + 0.5 * next - row.value)
                #expect(row.target == total)
            }
        }
    }

    /// Mean 0 and deviation 1 over all N rows of all shards, or within each step; there are no other rows.
    ///
    /// A group of n rows is rounded to 2⁻²⁴ a row, relative to numbers of at most about 4: 4 · 2⁻²⁴ in the mean. The
    /// deviation has 1e-6 added before it divides.
    @Test(arguments: AdvantageScale.allCases) func standardizesOverTheRowsThatExist(_ scale: AdvantageScale) {
        let played = PlayedBatch(raggedFamily(), trials: 80)
        played.setRandomAdvantages()
        // Steps of different size and sign, as those of a long trial are.
        for shard in played.batch.shards {
            for row in 0..<shard.rows {
                let step = Float(shard.stepIndices[row])
                shard.advantages[row] = (shard.advantages[row] + 0.3) * (step - 2.5)
            }
        }
        let before = played.batch.shards.flatMap(\.allTrials).flatMap(\.self)
        played.batch.standardizeAdvantages(scale)
        let after = played.batch.shards.flatMap(\.allTrials).flatMap(\.self)
        let steps = Set(after.map(\.input.stepIndex))
        for group in scale == .step ? steps.sorted() : [-1] {
            let rows = after.indices.filter { group < 0 || after[$0].input.stepIndex == group }
            guard rows.count > 1 else { continue }
            let advantages = rows.map { Double(after[$0].advantage) }
            let count = Double(advantages.count)
            let mean = advantages.reduce(0, +) / count
            let variance = advantages.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
            #expect(abs(mean) < 4 * 0x1p-24, "group \(group)")
            #expect(abs(variance.squareRoot() - 1) < 1e-5, "group \(group)")
            // Monotone: who was better than others of the group still is.
            let order = rows.sorted { before[$0].advantage < before[$1].advantage }
            #expect(zip(order, order.dropFirst()).allSatisfy { after[$0].advantage <= after[$1].advantage })
        }
        #expect(after.count == played.batch.rows)
    }

    /// Where all advantages of a group are alike there is nothing to learn: 0, not noise blown up.
    @Test(arguments: AdvantageScale.allCases) func equalAdvantagesBecomeZero(_ scale: AdvantageScale) {
        let played = PlayedBatch(raggedFamily(), trials: 30)
        for shard in played.batch.shards { for row in 0..<shard.rows { shard.advantages[row] = 0.7 } }
        played.batch.standardizeAdvantages(scale)
        #expect(played.batch.shards.flatMap(\.allTrials).flatMap(\.self).allSatisfy { $0.advantage == 0 })
    }
}
