import Kernels
import Models
import Tasks
import Testing

@testable import Training

@Suite struct CriticTests {
    private func makeCritic(_ played: PlayedBatch, hidden: Int = 8) -> Critic {
        Critic(
            model: GRU(
                ModelSpecification(
                    observation: played.family.observation, actions: played.family.actions, outputs: 1, hidden: hidden,
                    headGain: 1, stepScale: Float(played.family.maximumTrialSteps))),
            random: RandomSource(seed: 17), workers: played.workers)
    }

    /// A batch with discounted returns as targets, and a critic that knows their scale.
    private func prepared(
        _ family: any TaskFamily = raggedFamily(), trials: Int = 60, threads: Int = 2
    ) -> (PlayedBatch, Critic) {
        let played = PlayedBatch(family, trials: trials, threads: threads)
        let critic = makeCritic(played)
        critic.scale.update(played.batch, discount: 0.99)
        critic.evaluate(played.batch)
        played.batch.estimateAdvantages(discount: 0.99, lambda: 0.3, targetLambda: 1, workers: played.workers)
        return (played, critic)
    }

    private func state(_ critic: Critic) -> [UInt32] {
        critic.parameters.bits + critic.optimizer.firstMoment.bits + critic.optimizer.secondMoment.bits
            + [UInt32(critic.optimizer.steps)]
    }

    /// The best constant at each step has loss 1 in units of the return's deviation and explains nothing. The member's
    /// number mod 3 and its lengths decide returns, so a critic that sees the history must do better: explain a third.
    @Test func aFitReducesTheLossOnAFixedBatch() throws {
        let (played, critic) = prepared()
        let settings = TrialRegression.Settings(epochs: 1, minibatches: 4, learningRate: 1e-2)
        let explainedBefore = critic.explainedVariance(played.batch)
        let first = try #require(critic.fit(played.batch, settings: settings, random: RandomSource(seed: 1)))
        var last = first
        for pass in 2..<120 {
            last = try #require(
                critic.fit(played.batch, settings: settings, random: RandomSource(seed: UInt64(pass))))
        }
        #expect(critic.optimizer.steps == 119 * 4)
        critic.evaluate(played.batch)
        let explained = critic.explainedVariance(played.batch)
        #expect(first > 0.5 && last < 0.5 * first, "loss \(first), then \(last)")
        #expect(explained > 1 / 3.0 && explained > explainedBefore, "explained \(explainedBefore), then \(explained)")
    }

    @Test func valuesAreInUnitsOfReward() {
        let (played, critic) = prepared()
        // A head of zeros predicts the mean return of each step exactly.
        for entry in critic.model.layout.entries where entry.name.hasPrefix("head.") {
            (critic.parameters.pointer + entry.offset).update(repeating: 0, count: entry.count)
        }
        critic.evaluate(played.batch)
        for shard in played.batch.shards {
            for row in 0..<shard.rows {
                #expect(shard.values[row] == critic.scale.means[Int(shard.stepIndices[row])])
            }
        }
        // The means were taken from these very returns, in Float32.
        #expect(abs(critic.explainedVariance(played.batch)) < 1e-5)
    }

    /// A fit whose loss is not finite is undone: parameters, moments and count, bit for bit.
    @Test(arguments: [Float.nan, .infinity]) func aFitThatIsNotFiniteIsUndone(_ target: Float) {
        let (played, critic) = prepared()
        let settings = TrialRegression.Settings(epochs: 2, minibatches: 4, learningRate: 1e-3)
        #expect(critic.fit(played.batch, settings: settings, random: RandomSource(seed: 1)) != nil)
        let before = state(critic)
        let healthy = played.batch.shards[1].targets[2]
        played.batch.shards[1].targets[2] = target
        #expect(critic.fit(played.batch, settings: settings, random: RandomSource(seed: 2)) == nil)
        #expect(state(critic) == before)
        played.batch.shards[1].targets[2] = healthy
        #expect(critic.fit(played.batch, settings: settings, random: RandomSource(seed: 2)) != nil)
        #expect(state(critic) != before)
    }

    @Test func noEpochsChangeNothing() {
        let (played, critic) = prepared()
        let before = state(critic)
        let settings = TrialRegression.Settings(epochs: 0, minibatches: 5, learningRate: 1e-3)
        #expect(critic.fit(played.batch, settings: settings, random: RandomSource(seed: 1)) == 0)
        #expect(state(critic) == before)
    }

    /// More minibatches than trials: one trial each.
    @Test func aMinibatchHasAtLeastOneTrial() {
        let (played, critic) = prepared(trials: 3)
        let settings = TrialRegression.Settings(epochs: 1, minibatches: 10, learningRate: 1e-3)
        #expect(critic.fit(played.batch, settings: settings, random: RandomSource(seed: 1)) != nil)
        #expect(critic.optimizer.steps == 3)
    }

    @Test func theBitsDoNotDependOnTheNumberOfThreads() {
        let states = [1, 2, 3].map { threads -> [UInt32] in
            let (played, critic) = prepared(BernoulliBandit(arms: 2, episodes: 5), trials: 700, threads: threads)
            let loss = critic.fit(
                played.batch, settings: TrialRegression.Settings(epochs: 2, minibatches: 2, learningRate: 1e-3),
                random: RandomSource(seed: 1))
            return state(critic) + [Float(loss ?? .nan).bitPattern]
        }
        #expect(states[0] == states[1] && states[0] == states[2])
    }
}

@Suite struct ReturnScaleTests {
    /// A batch of one shard with these rewards, trial by trial, the longest first.
    private func batch(_ rewards: [[Float]]) -> TrialBatch {
        // Sharding cuts two trials or more into two shards; the trials are dealt over them in turn.
        let batch = TrialBatch(family: raggedFamily(), trials: rewards.count)
        var next = 0
        for (shard, count) in zip(batch.shards, batch.sharding.lanes) {
            let mine = Array(rewards[next..<next + count])
            next += count
            shard.setShape(lengths: mine.map(\.count))
            for (lane, trial) in mine.enumerated() {
                for (step, reward) in trial.enumerated() {
                    shard.rewards[shard.shape.row(step: step, lane: lane)] = reward
                    shard.columns.writer.stepIndices[shard.shape.row(step: step, lane: lane)] = Int32(step)
                }
            }
        }
        return batch
    }

    /// γ = ½. Returns of (1, 2, 4): 3, 4, 4; of (5): 5. Means 4, 4, 4; mean squares (9 + 25) / 2 = 17, 16, 16.
    @Test func isTheMeanAndSquareOfTheReturnAtEachStep() {
        var scale = ReturnScale()
        scale.update(batch([[1, 2, 4], [5]]), discount: 0.5)
        #expect(scale.means == [4, 4, 4])
        #expect(scale.squares == [17, 16, 16])
        #expect(scale.weights == [2, 1, 1])
        #expect(scale.mean(1) == 4)
        #expect(scale.deviation(0) == 1)
    }

    /// Where all returns are alike their deviation is 0; it counts as √0.01, so that noise is not blown up.
    @Test func theDeviationHasAFloor() {
        var scale = ReturnScale()
        scale.update(batch([[1, 2, 4], [5]]), discount: 0.5)
        #expect(scale.deviation(2) == Float(0.01).squareRoot())
    }

    /// What was before counts half: (2 · ½ · 4 + 2 · 7) / (2 · ½ + 2) = 6 at step 0.
    @Test func forgetsHalfAnIteration() {
        var scale = ReturnScale()
        scale.update(batch([[4], [4]]), discount: 1)
        scale.update(batch([[7], [7]]), discount: 1)
        #expect(scale.means == [6])
        // (1 · 16 + 2 · 49) / 3
        #expect(scale.squares == [38])
        #expect(scale.weights == [3])
        // Longer trials than before: new steps begin with what they bring, γ = 1: returns 3 and 2, then 1 and 2.
        scale.update(batch([[2, 1], [0, 2]]), discount: 1)
        #expect(scale.means.count == 2 && scale.means[1] == 1.5 && scale.weights[1] == 2)
        #expect(scale.means[0] == Float((1.5 * 6 + 5) / 3.5))
    }
}
