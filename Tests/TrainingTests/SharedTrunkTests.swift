import Interface
import Kernels
import Models
import Tasks
import Testing

@testable import Training

/// A critic that has the policy's weights but for its head and the column that tells it the step.
@Suite struct SharedTrunkTests {
    private let played = PlayedBatch(raggedFamily(), trials: 40, hidden: 6)

    private func makeCritic(hidden: Int = 6) -> Critic {
        let critic = Critic(
            model: GRU(
                ModelSpecification(
                    observation: played.family.observation, actions: played.family.actions, outputs: 1, hidden: hidden,
                    headGain: 1, stepScale: Float(played.family.maximumTrialSteps))),
            random: RandomSource(seed: 17), workers: played.workers)
        critic.scale.update(played.batch, discount: 0.99)
        critic.evaluate(played.batch)
        played.batch.estimateAdvantages(discount: 0.99, lambda: 0.3, targetLambda: 1, workers: played.workers)
        return critic
    }

    private func trunk(_ critic: Critic) throws -> SharedTrunk {
        try #require(SharedTrunk(policy: played.policy.layout, critic: critic.model.layout))
    }

    /// Every weight of the policy's trunk stands in the critic's at its row and column; nothing else is touched.
    @Test func theTrunkIsAllButHeadAndStep() throws {
        let critic = makeCritic()
        let trunk = try trunk(critic)
        let before = [Float](UnsafeBufferPointer(start: critic.parameters.pointer, count: critic.parameters.columns))
        trunk.copy(from: UnsafePointer(played.parameters.pointer), to: critic.parameters.pointer)
        var touched = 0
        for entry in critic.model.layout.entries {
            let own = played.policy.layout.entries.first { $0.name == entry.name }
            let rows = entry.shape.count == 1 ? 1 : entry.shape[0]
            let columns = (entry.count / rows, (own?.count ?? 0) / rows)
            for row in 0..<rows {
                for column in 0..<columns.0 {
                    let place = entry.offset + row * columns.0 + column
                    if let own, !entry.name.hasPrefix("head."), column < columns.1 {
                        #expect(
                            critic.parameters.pointer[place]
                                == played.parameters.pointer[own.offset + row * columns.1 + column])
                        touched += 1
                    } else {
                        #expect(critic.parameters.pointer[place] == before[place], "\(entry.name)")
                    }
                }
            }
        }
        let heads = played.policy.layout.entries.filter { $0.name.hasPrefix("head.") }.reduce(0) { $0 + $1.count }
        #expect(touched == played.policy.layout.count - heads)
        #expect(SharedTrunk(policy: played.policy.layout, critic: makeCritic(hidden: 5).model.layout) == nil)
    }

    /// The gradient is that of −c · ½ mean (v − target)²: central differences along random directions of the policy's θ.
    @Test func theGradientIsThatOfTheValueLoss() throws {
        let critic = makeCritic()
        let trunk = try trunk(critic)
        let (weight, batch) = (0.7, played.batch)
        let gradient = Matrix(rows: 1, columns: played.parameters.columns)
        trunk.copy(from: UnsafePointer(played.parameters.pointer), to: critic.parameters.pointer)
        critic.addGradient(weight, batch.shards[...], rows: batch.rows, trunk: trunk, to: gradient)
        func loss(along direction: [Float], _ length: Float) -> Double {
            let moved = Matrix(rows: 1, columns: played.parameters.columns)
            moved.copy(from: UnsafePointer(played.parameters.pointer))
            for index in direction.indices { moved.pointer[index] += length * direction[index] }
            trunk.copy(from: UnsafePointer(moved.pointer), to: critic.parameters.pointer)
            critic.evaluate(batch)
            var sum = 0.0
            for shard in batch.shards {
                for row in 0..<shard.rows {
                    let deviation = critic.scale.deviation(shard.stepIndices[row])
                    let error = Double((shard.values.pointer[row] - shard.targets.pointer[row]) / deviation)
                    sum += error * error
                }
            }
            return -weight * 0.5 * sum / Double(batch.rows)
        }
        var random = RandomSource(seed: 4)
        for _ in 0..<5 {
            let direction = (0..<played.parameters.columns).map { _ in Float(random.normal()) }
            let slope = direction.indices.reduce(0.0) { $0 + Double(direction[$1] * gradient.pointer[$1]) }
            let step: Float = 1e-2
            let measured = (loss(along: direction, step) - loss(along: direction, -step)) / Double(2 * step)
            // Third derivatives leave step², rounding of a loss near 1 leaves 1e-7 / step.
            #expect(abs(measured - slope) < 0.01 * max(1, abs(slope)), "\(measured), \(slope)")
        }
    }

    /// After iterations of training the critic's trunk is the policy's, and its head and step column have learned.
    @Test func trainingKeepsThemOne() throws {
        let critic = makeCritic()
        let trunk = try trunk(critic)
        let actorCritic = ActorCritic(
            policy: played.policy, parameters: played.parameters, critic: critic, workers: played.workers)
        let learner = TRPO(actorCritic)
        let head = try #require(critic.model.layout.entries.first { $0.name == "head.weight" })
        let before = critic.parameters.bits
        for index in 0..<2 {
            var report = IterationReport(iteration: index, learner: "trpo", episodes: played.family.episodes)
            let iteration = Iteration(
                number: index, within: index, count: 2,
                options: Values(defaults: TRPO.options, given: ["value-weight": 0.5]), root: RandomSource(seed: 3))
            learner.iterate(iteration, on: played.batch, report: &report)
            #expect(report.outcome == .accepted)
        }
        let after = critic.parameters.bits
        trunk.copy(from: UnsafePointer(played.parameters.pointer), to: critic.parameters.pointer)
        #expect(critic.parameters.bits == after)
        #expect(after[head.offset..<head.offset + head.count] != before[head.offset..<head.offset + head.count])
    }

    @Test func aCriticOfAnotherWidthIsRefused() {
        var request = RunRequest(task: "bandit", model: "gru", learner: "trpo", seed: 0)
        request.settings = [.init("critic-hidden", "8"), .init("value-weight", "0.5")]
        let text = refusal { try request.resolve().validate() }
        #expect(text.contains("--critic-hidden 0"), "\(text)")
    }
}
