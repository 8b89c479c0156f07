import Foundation
import Kernels
import Models
import Tasks
import Testing

@testable import Training

/// Several natural steps an iteration, each on its part of the trials.
@Suite struct TRPOUpdatesTests {
    private func bandit(trials: Int = 40, headGain: Float = 1, threads: Int = 2) -> PlayedBatch {
        let played = PlayedBatch(
            BernoulliBandit(arms: 3, episodes: 5), trials: trials, hidden: 8, headGain: headGain, threads: threads)
        played.setRandomAdvantages()
        return played
    }

    /// Advantages that are the same wherever the same arm was pulled: all parts have one direction to go.
    private func agree(_ played: PlayedBatch) {
        for shard in played.batch.shards {
            for row in 0..<shard.rows { shard.advantages.pointer[row] = shard.actions.pointer[row] == 0 ? 1.4 : -0.7 }
        }
    }

    /// log π(a | h) of every row and all its actions, in Float64.
    private func logProbabilities(_ played: PlayedBatch, _ parameters: [Float]) -> [[Double]] {
        let tape = played.workers.tapes[0]
        return parameters.withUnsafeBufferPointer { theta in
            played.batch.shards.flatMap { shard -> [[Double]] in
                tape.begin(parameters: theta.baseAddress!, recording: false)
                let output = tape.value(played.policy.unroll(shard.inputs, shape: shard.shape, tape: tape))
                return (0..<shard.rows).map { row in
                    let logits = (0..<shard.actionCount).map { Double(output[row * shard.actionCount + $0]) }
                    let total = log(logits.reduce(0) { $0 + exp($1) })
                    return logits.map { $0 - total }
                }
            }
        }
    }

    /// (1/N) Σ A π / π_old of some parameters, and the mean KL from the old ones to them.
    private func surrogate(
        _ played: PlayedBatch, from old: [Float], to new: [Float]
    ) -> (value: Double, divergence: Double) {
        let (before, after) = (logProbabilities(played, old), logProbabilities(played, new))
        var (value, divergence, row) = (0.0, 0.0, 0)
        for shard in played.batch.shards {
            for place in 0..<shard.rows {
                let action = Int(shard.actions.pointer[place])
                value += Double(shard.advantages.pointer[place]) * exp(after[row][action] - before[row][action])
                divergence += zip(before[row], after[row]).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
                row += 1
            }
        }
        return (value / Double(row), divergence / Double(row))
    }

    /// What is reported of the whole batch is what is found there: sums of N = 200 terms of Float32 logarithms of about 1.
    @Test(arguments: [2, 4, 40], [1.0, 0.5]) func whatIsAcceptedHoldsForTheWholeBatch(_ updates: Int, _ share: Double) {
        for maximumKL in [1e-3, 1e-2, 1e-1] {
            let played = bandit()
            let before = played.parameters.values
            let report = played.update(
                played.optimizer,
                .all(["updates": .integer(updates), "maximum-kl": .real(maximumKL), "fisher-share": .real(share)]))
            #expect(report.outcome == .accepted)
            let old = surrogate(played, from: before, to: before)
            let new = surrogate(played, from: before, to: played.parameters.values)
            #expect(new.value > old.value && new.divergence > 0 && new.divergence <= maximumKL * 1.001)
            #expect(abs(report.step.surrogateGain - (new.value - old.value)) < 200 * 0x1p-24)
            #expect(abs(report.actualKL - new.divergence) < 200 * 0x1p-24)
            let logs = logProbabilities(played, before)
            let entropy = logs.reduce(0) { $0 - $1.reduce(0) { $0 + exp($1) * $1 } } / Double(logs.count)
            #expect(abs(report.entropy - entropy) < 200 * 0x1p-24)
            #expect(report.step.predictedGain > 0 && report.step.predictedKL > 0)
            #expect(report.step.gradientNorm > 0 && report.step.residual < 1)
        }
    }

    /// Every trial is in one part: 40 trials in 4 parts are 4 solutions of 10 products, and 3 trials are 3 parts at most.
    @Test func everyPartGivesAStep() {
        for (trials, updates, parts) in [(40, 1, 1), (40, 4, 4), (3, 256, 3)] {
            let played = bandit(trials: trials)
            let report = played.update(played.optimizer, .all(["updates": .integer(updates)]))
            #expect(report.outcome == .accepted && report.step.products == 10 * parts)
        }
    }

    /// One update is what it was before there were several: no part is copied, no ratio is taken.
    @Test func oneUpdateIsTheWholeBatchs() {
        for share in [1.0, 0.5] {
            let (one, other) = (bandit(), bandit())
            let advantages = one.batch.shards.map { $0.advantages.pointer[0] }
            var settings = TRPO.Settings.all(["fisher-share": .real(share)])
            #expect(settings.updates == 1)
            let report = one.update(one.optimizer, settings)
            settings.updates = 2
            #expect(report.outcome == .accepted && other.update(other.optimizer, settings).outcome == .accepted)
            #expect(one.parameters.bits != other.parameters.bits)
            #expect(one.batch.shards.map { $0.advantages.pointer[0] } == advantages)
            // A part is a copy: the batch that it is of is left as it was, but for the old policy's log-probabilities.
            #expect(other.batch.shards.map { $0.advantages.pointer[0] } == advantages)
        }
    }

    @Test(arguments: [1, 0.5]) func theBitsDoNotDependOnTheNumberOfThreads(_ fisherShare: Double) {
        let results = [1, 2, 3].map { threads -> [UInt32] in
            let played = bandit(trials: 700, threads: threads)
            #expect(played.batch.shards.count > 3)
            let report = played.update(played.optimizer, .all(["fisher-share": .real(fisherShare), "updates": 3]))
            #expect(report.outcome == .accepted)
            return played.parameters.bits + [Float(report.actualKL).bitPattern, Float(report.entropy).bitPattern]
        }
        #expect(results[0] == results[1] && results[0] == results[2])
    }

    /// An update leaves nothing behind that the next one reads: the second of one optimiser is the first of another.
    @Test func anUpdateFollowsFromItsBatchAlone() {
        let settings = TRPO.Settings.all(["updates": 3])
        let (used, fresh) = (bandit(), bandit())
        let optimizer = used.optimizer
        let before = used.parameters.values
        _ = used.update(optimizer, settings)
        used.parameters.copy(from: before)
        #expect(used.update(optimizer, settings).outcome == .accepted)
        #expect(fresh.update(fresh.optimizer, settings).outcome == .accepted)
        #expect(used.parameters.bits == fresh.parameters.bits)
    }

    /// Steps that all go one way are together longer than their shares of the trust region add up to: K steps of δ / K
    /// have a KL of about K δ. One try must be refused, several find a shorter way along the same line.
    @Test func aWholeWayThatIsTooLongIsShortenedOrUndone() {
        let one = bandit(trials: 400)
        agree(one)
        let before = one.parameters.values
        let refused = one.update(one.optimizer, .all(["updates": 4, "maximum-kl": 1e-2], backtrackLimit: 1))
        #expect(refused.outcome == .restored && refused.actualKL == 0)
        #expect(refused.step.predictedGain == 0 && refused.step.predictedKL == 0)
        #expect(one.parameters.values == before)

        let many = bandit(trials: 400)
        agree(many)
        let accepted = many.update(many.optimizer, .all(["updates": 4, "maximum-kl": 1e-2]))
        #expect(accepted.outcome == .accepted && accepted.step.backtracks > 0)
        #expect(accepted.actualKL <= 1e-2 && accepted.actualKL > 0.5e-2 && accepted.step.surrogateGain > 0)
    }

    @Test func partsOfWhichNoneImprovesLeaveTheParameters() {
        let played = bandit()
        let before = played.parameters.bits
        let report = played.update(played.optimizer, .all(["updates": 4, "maximum-kl": 0], backtrackLimit: 3))
        #expect(report.outcome == .restored && report.step.backtracks == 12)
        #expect(played.parameters.bits == before)
    }

    @Test func equalAdvantagesHaveNothingToImprove() {
        let played = bandit()
        for shard in played.batch.shards { for row in 0..<shard.rows { shard.advantages.pointer[row] = 2 } }
        played.batch.standardizeAdvantages(.batch)
        let before = played.parameters.bits
        let report = played.update(played.optimizer, .all(["updates": 4]))
        #expect(report.outcome == .restored && report.actualKL == 0)
        #expect(played.parameters.bits == before)
    }

    /// The part that holds it gives no step, and the whole way, to which the others lead, is not taken either.
    @Test(arguments: [Float.nan, .infinity, -.infinity], [1.0, 0.3])
    func anAdvantageThatIsNotFiniteLeavesTheParameters(_ value: Float, _ fisherShare: Double) {
        let played = bandit()
        let shard = played.batch.shards[1]
        shard.advantages.pointer[shard.rows - 1] = value
        let before = played.parameters.bits
        let report = played.update(
            played.optimizer, .all(["updates": 3, "fisher-share": .real(fisherShare)]))
        #expect(report.outcome == .notFinite)
        #expect(played.parameters.bits == before)
    }

    /// The gradient where π has left the policy that played is that of (1/N) Σ A π / π_old there: central differences in a
    /// direction, whose error falls with the square of the step of .01, and Float32's rounding over it.
    @Test func theGradientOfAMovedPolicyIsThatOfTheSurrogate() {
        let played = bandit()
        let actorCritic = played.makeActorCritic()
        _ = actorCritic.rememberDistributions(played.batch)
        let old = played.parameters.values
        var random = RandomSource(seed: 31)
        let moved = old.map { $0 + 0.05 * Float(random.normal()) }
        let direction = old.map { _ in Float(random.normal()) }
        func shifted(_ length: Float) -> [Float] { zip(moved, direction).map { $0 + length * $1 } }
        let slope =
            (surrogate(played, from: old, to: shifted(0.01)).value
                - surrogate(played, from: old, to: shifted(-0.01)).value) / 0.02
        let sums = ShardSums(width: old.count)
        let surrogate = Surrogate(policy: played.policy, workers: played.workers, sums: sums)
        let gradient = Matrix(rows: 1, columns: old.count)
        _ = moved.withUnsafeBufferPointer {
            surrogate.computeGradient(
                at: $0.baseAddress!, played.batch.shards[...], rows: played.batch.rows, entropyBonus: 0, hasMoved: true,
                records: nil, into: gradient)
        }
        let told = zip(gradient.values, direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        #expect(abs(slope) > 0.05 && abs(told / slope - 1) < 0.02, "\(told), differences say \(slope)")
    }

    private func learned(updates: Int, seed: Int) throws -> Double {
        var configuration = try Configuration.defaults(
            task: "bandit", model: "gru", taskOptions: ["arms": 3, "episodes": 6], modelOptions: ["hidden": 16],
            seed: seed)
        configuration.stages = [
            .complete(
                "trpo", ["gae-lambda": 0.5, "maximum-kl": 0.02, "updates": .integer(updates)], iterations: 12,
                batchSteps: 3000)
        ]
        let trainer = try Trainer(configuration, threads: 2)
        var rewards: [Double] = []
        while !trainer.isFinished { rewards.append(try trainer.step().meanTotalReward) }
        return rewards.suffix(4).reduce(0, +) / 4
    }

    /// Random play earns 3.000 of 6 pulls. Four batches of 500 trials of deviation 1.6 tell a mean to .036, and the difference
    /// of four seeds' means to .025: both learn, and four updates no less than one, within four such errors.
    @Test func severalUpdatesLearnABanditNoLess() throws {
        let seeds = 1...4
        let one = try seeds.map { try learned(updates: 1, seed: $0) }.reduce(0, +) / 4
        let four = try seeds.map { try learned(updates: 4, seed: $0) }.reduce(0, +) / 4
        #expect(four > 3.3 && four > one - 0.1, "four \(four), one \(one)")
    }
}
