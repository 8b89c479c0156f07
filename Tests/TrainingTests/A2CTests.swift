import Foundation
import Kernels
import Models
import Tasks
import Testing

@testable import Training

@Suite struct A2CTests {
    private func configuration() throws -> Configuration {
        var configuration = try Configuration.defaults(
            task: "bandit", model: "gru", taskOptions: ["arms": 2, "episodes": 5], modelOptions: ["hidden": 16], seed: 1
        )
        configuration.stages = [
            .complete(
                "a2c",
                [
                    "discount": 0.99, "gae-lambda": 0.3, "minibatches": 10, "learning-rate": 0.02,
                    "entropy-bonus": 0.02,
                ], iterations: 20, batchSteps: 5000)
        ]
        return configuration
    }

    /// Two arms, five pulls. Random play earns 2.5, knowing the member 10/3. The mean of 4000 trials has a standard error of
    /// at most 2.5 / √4000 (a total in [0, 5] deviates by at most 2.5): five of them above 2.5 are out of reach for a policy
    /// that learned nothing.
    @Test func learnsABandit() throws {
        let trainer = try Trainer(configuration(), threads: 2)
        var first = 0.0
        while !trainer.isFinished {
            let report = try trainer.step()
            if report.iteration == 0 { first = report.meanTotalReward }
            #expect(report.learner == "a2c" && report.outcome == .accepted && report.metrics["accepted"] == 1)
            // The mean entropy of two actions, while θ moves.
            #expect(try (0...log(2) + 1e-6).contains(#require(report.metrics["entropy"])))
        }
        #expect(abs(first - 2.5) < 5 * 2.5 / 1000.0.squareRoot(), "the first policy is close to uniform")
        let batch = TrialBatch(family: BernoulliBandit(arms: 2, episodes: 5), trials: 4000)
        batch.play(
            trainer.policy, parameters: UnsafePointer(trainer.parameters.pointer),
            root: Trainer.heldOutMembers(seed: 0), workers: trainer.actorCritic.workers)
        #expect(batch.meanTotalReward > 2.5 + 5 * 2.5 / 4000.0.squareRoot(), "\(batch.meanTotalReward)")
        #expect(batch.meanTotalReward < 10 / 3.0)
    }

    @Test func theBitsDoNotDependOnTheNumberOfThreads() throws {
        let states = try [1, 2, 3].map { threads -> Data in
            let trainer = try Trainer(configuration(), threads: threads)
            for _ in 0..<3 { _ = try trainer.step() }
            return try trainer.checkpoint().encoded()
        }
        #expect(states[0] == states[1] && states[0] == states[2])
    }

    @Test func aResumedRunHasTheBitsOfAnUninterruptedOne() throws {
        let straight = try Trainer(configuration(), threads: 1)
        for _ in 0..<4 { _ = try straight.step() }
        let broken = try Trainer(configuration(), threads: 3)
        for _ in 0..<2 { _ = try broken.step() }
        let bytes = try broken.checkpoint().encoded()
        let resumed = try Trainer(configuration(), threads: 2)
        try resumed.restore(SafetensorsFile(decoding: bytes, path: "memory"), path: "memory")
        for _ in 0..<2 { _ = try resumed.step() }
        #expect(try resumed.checkpoint().encoded() == straight.checkpoint().encoded())
    }

    /// Adam's first step is the rate times the sign of the gradient, that of (1/N) Σ A log π + β · (mean entropy). Its signs
    /// are told by central differences, of errors of the order of the step's square, 1e-4: numbers below a hundredth of the
    /// largest are left out.
    @Test func descendsThePolicyGradient() throws {
        let played = PlayedBatch(raggedFamily(), trials: 40, hidden: 4)
        played.setRandomAdvantages()
        let bonus = 0.1
        let before = played.parameters.values

        func objective(_ parameters: [Float]) -> Double {
            let tape = played.workers.tapes[0]
            var sum = 0.0
            parameters.withUnsafeBufferPointer { theta in
                for shard in played.batch.shards {
                    tape.begin(parameters: theta.baseAddress!, recording: false)
                    let output = tape.value(played.policy.unroll(shard.inputs, shape: shard.shape, tape: tape))
                    let outcomes = shard.actionCount
                    for row in 0..<shard.rows {
                        let logits = (0..<outcomes).map { Double(output[row * outcomes + $0]) }
                        let total = log(logits.reduce(0) { $0 + exp($1) })
                        let entropy = logits.reduce(0) { $0 - exp($1 - total) * ($1 - total) }
                        sum += Double(shard.advantages.pointer[row]) * (logits[Int(shard.actions[row])] - total)
                        sum += bonus * entropy
                    }
                }
            }
            return sum / Double(played.batch.rows)
        }

        let slopes = before.indices.map { index -> Double in
            var (above, below) = (before, before)
            above[index] += 0.01
            below[index] -= 0.01
            return (objective(above) - objective(below)) / Double(above[index] - below[index])
        }
        let update = A2C(played.makeActorCritic()).improve(
            played.batch, entropyBonus: Float(bonus),
            settings: TrialRegression.Settings(epochs: 1, minibatches: 1, learningRate: 1e-3),
            random: RandomSource(seed: 1))
        #expect(update.outcome == .accepted)
        let largest = slopes.map(abs).max()!
        var told = 0
        for (index, slope) in slopes.enumerated() where abs(slope) > 0.01 * largest {
            told += 1
            let step = Double(played.parameters.values[index] - before[index])
            #expect(abs(step - (slope > 0 ? 1e-3 : -1e-3)) < 1e-5, "parameter \(index): \(step), slope \(slope)")
        }
        #expect(told > before.count / 2)
    }
}
