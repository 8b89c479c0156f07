import Foundation
import Interface
import Kernels
import Models
import Tasks
import Testing

@testable import Training

@Suite struct PPOTests {
    private func played(threads: Int = 2) -> PlayedBatch {
        let played = PlayedBatch(raggedFamily(), trials: 40, hidden: 8, threads: threads)
        played.setRandomAdvantages()
        return played
    }

    /// - Parameter rate: Adam's at this trust region.
    private func update(
        _ actorCritic: ActorCritic, _ played: PlayedBatch, epochs: Int = 3, minibatches: Int = 4, rate: Double = 1e-3,
        rateKL: Double? = nil, maximumKL: Double = 10, entropyBonus: Double = 0
    ) -> PolicyUpdate {
        var clock = PhaseClock()
        let options = Values(
            defaults: PPO.options,
            given: [
                "epochs": .integer(epochs), "minibatches": .integer(minibatches), "learning-rate": .real(rate),
                "learning-rate-kl": .real(rateKL ?? maximumKL),
            ])
        return PPO(actorCritic).update(
            played.batch, options: options, maximumKL: maximumKL, entropyBonus: entropyBonus,
            random: RandomSource(seed: 4), clock: &clock)
    }

    /// Equation 7 of the paper with an entropy bonus, summed over the rows of a shard, in Float64.
    private func objective(_ shard: ShardBatch, logits: [Double], clipRange: Double, entropyBonus: Double) -> Double {
        let outcomes = shard.actionCount
        return (0..<shard.rows).reduce(0) { sum, row in
            let own = logits[row * outcomes..<(row + 1) * outcomes]
            let total = log(own.reduce(0) { $0 + exp($1) })
            let action = Int(shard.actions.pointer[row])
            let old = Double(shard.logProbabilities.pointer[row * outcomes + action])
            let (ratio, advantage) = (
                exp(logits[row * outcomes + action] - total - old), Double(shard.advantages.pointer[row])
            )
            let clipped = min(max(ratio, 1 - clipRange), 1 + clipRange)
            let entropy = own.reduce(0) { $0 - exp($1 - total) * ($1 - total) }
            return sum + min(ratio * advantage, clipped * advantage) + entropyBonus * entropy
        }
    }

    /// The seed is minus the derivative of the objective, of rows inside the range and beyond it on either side.
    @Test(arguments: [0, 0.3]) func theGradientIsThatOfTheClippedSurrogate(_ entropyBonus: Double) {
        let played = played()
        var random = RandomSource(seed: 8)
        var beyond = 0
        for shard in played.batch.shards {
            let outcomes = shard.actionCount
            let logits = (0..<shard.rows * outcomes).map { _ in Float(random.normal()) }
            let others = (0..<shard.rows * outcomes).map { logits[$0] + 0.3 * Float(random.normal()) }
            Categorical.logProbabilities(
                rows: shard.rows, outcomes: outcomes, logits: others, into: shard.logProbabilities.pointer)
            var seed = [Float](repeating: 0, count: logits.count)
            _ = PPO.descend(
                shard, logits, clipRange: 0.2, entropyBonus: Float(entropyBonus), weight: 0.5, seed: &seed)
            let point = logits.map(Double.init)
            for index in logits.indices {
                func value(_ change: Double) -> Double {
                    var moved = point
                    moved[index] += change
                    return objective(shard, logits: moved, clipRange: 0.2, entropyBonus: entropyBonus)
                }
                let slope = (value(1e-5) - value(-1e-5)) / 2e-5
                #expect(abs(Double(seed[index]) + 0.5 * slope) < 1e-4, "\(seed[index]) for \(-0.5 * slope)")
            }
            for row in 0..<shard.rows where entropyBonus == 0 {
                if (0..<outcomes).allSatisfy({ seed[row * outcomes + $0] == 0 }) { beyond += 1 }
            }
        }
        #expect(entropyBonus > 0 || beyond > 10, "only \(beyond) rows beyond the range")
    }

    /// The returned KL is that of the definition.
    @Test func divergenceIsFromTheOldPolicyToTheNew() {
        let played = played()
        let shard = played.batch.shards[0]
        var random = RandomSource(seed: 9)
        let logits = (0..<shard.rows * shard.actionCount).map { _ in Float(random.normal()) }
        var uniform = [Float](repeating: -log(Float(shard.actionCount)), count: logits.count)
        shard.logProbabilities.pointer.update(from: &uniform, count: uniform.count)
        var seed = [Float](repeating: 0, count: logits.count)
        let divergence = PPO.descend(shard, logits, clipRange: 0.2, entropyBonus: 0, weight: 1, seed: &seed)
        var expected = 0.0
        for row in 0..<shard.rows {
            let own = logits[row * shard.actionCount..<(row + 1) * shard.actionCount].map(Double.init)
            let total = log(own.reduce(0) { $0 + exp($1) })
            for logit in own { expected += (-log(Double(own.count)) - logit + total) / Double(own.count) }
        }
        #expect(abs(divergence - expected) < 1e-4 * expected)
    }

    @Test func anUpdateMovesInsideTheTrustRegion() {
        let played = played()
        let (before, actorCritic) = (played.parameters.bits, played.makeActorCritic())
        let report = update(actorCritic, played)
        #expect(report.outcome == .accepted && played.parameters.bits != before)
        #expect(actorCritic.policyOptimizer.steps == 12)
        #expect(report.actualKL > 0 && report.actualKL < 0.1)
        #expect(report.entropy > 0 && report.entropy <= log(3) + 1e-6)
    }

    /// The first epoch leaves so small a region, and no other follows.
    @Test func noEpochFollowsOneThatLeftTheTrustRegion() {
        let played = played()
        let actorCritic = played.makeActorCritic()
        let report = update(actorCritic, played, epochs: 50, maximumKL: 1e-9)
        #expect(actorCritic.policyOptimizer.steps == 4 && report.actualKL > 1e-9)
    }

    /// A trust region four times as large as the one that a rate belongs to doubles the rate, bit for bit.
    @Test func theRateGoesWithTheRootOfTheTrustRegion() {
        let bits = [(1e-3, 2.5), (2e-3, 10)].map { rate, rateKL -> [UInt32] in
            let played = played()
            _ = update(played.makeActorCritic(), played, rate: rate, rateKL: rateKL, maximumKL: 10)
            return played.parameters.bits
        }
        #expect(bits[0] == bits[1])
    }

    @Test func whatIsNotFiniteIsUndone() {
        let played = played()
        played.batch.shards[1].advantages.pointer[3] = .nan
        let (before, actorCritic) = (played.parameters.bits, played.makeActorCritic())
        #expect(update(actorCritic, played).outcome == .notFinite)
        #expect(played.parameters.bits == before && actorCritic.policyOptimizer.steps == 0)
        #expect(actorCritic.policyOptimizer.firstMoment.values.allSatisfy { $0 == 0 })
    }

    /// Without advantages the entropy bonus alone acts.
    @Test func theEntropyBonusRaisesEntropy() {
        let played = played()
        for shard in played.batch.shards { shard.advantages.pointer.update(repeating: 0, count: shard.rows) }
        let actorCritic = played.makeActorCritic()
        let first = update(actorCritic, played, epochs: 20, rate: 1e-2, entropyBonus: 1).entropy
        let second = update(actorCritic, played, epochs: 1).entropy
        #expect(second > first && second > 0.99 * log(3), "\(first), then \(second)")
    }

    private func configuration() throws -> Configuration {
        var configuration = try Configuration.defaults(
            task: "bandit", model: "gru", taskOptions: ["arms": 3, "episodes": 6], modelOptions: ["hidden": 16], seed: 2
        )
        configuration.stages = [
            .complete(
                "ppo",
                [
                    "gae-lambda": 0.5, "maximum-kl": 0.02, "final-maximum-kl": 0.005, "epochs": 4, "minibatches": 8,
                    "learning-rate": 3e-3, "learning-rate-kl": 0.02,
                ], iterations: 30, batchSteps: 3000)
        ]
        return configuration
    }

    /// Random play earns 3.000 of 6 pulls, two arms tried and the better one kept about 3.7; a mean of five batches of 500
    /// trials has a standard error of .03.
    @Test func banditsAreLearned() throws {
        let trainer = try Trainer(configuration(), threads: 2)
        var rewards: [Double] = []
        while !trainer.isFinished { rewards.append(try trainer.step().meanTotalReward) }
        let last = rewards.suffix(5).reduce(0, +) / 5
        #expect(last > 3.45, "\(rewards)")
    }

    @Test func theBitsDoNotDependOnThreadsAndSurviveAResume() throws {
        let configuration = try configuration()
        let straight = try Trainer(configuration, threads: 1)
        for _ in 0..<4 { _ = try straight.step() }
        let broken = try Trainer(configuration, threads: 3)
        for _ in 0..<2 { _ = try broken.step() }
        let resumed = try Trainer(configuration, threads: 2)
        try resumed.restore(broken.checkpoint(), path: "checkpoint")
        for _ in 0..<2 { _ = try resumed.step() }
        #expect(resumed.parameters.bits == straight.parameters.bits)
        #expect(
            resumed.actorCritic.policyOptimizer.secondMoment.bits
                == straight.actorCritic.policyOptimizer.secondMoment.bits)
    }
}
