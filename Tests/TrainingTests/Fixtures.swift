import Autodiff
import Kernels
import Models
import Tasks

@testable import Training

/// A family whose trials differ in length: 3 episodes of 1 to 4 steps. A member is a number, which it shows; its
/// episodes' lengths follow from the number, so they are the same whatever a policy does.
///
/// Observation: (number / 1000, step / 4). Of its 3 actions the one that equals number mod 3 pays 1, the others nothing.
struct RaggedFamily: TaskFamily {
    var name: String { "ragged" }
    var observation: ObservationSpace { .vector(width: 2) }
    var actions: Int { 3 }
    var episodes: Int { 3 }
    var maximumEpisodeSteps: Int { 4 }

    func sample(_ random: inout RandomSource) -> Member { Member(number: random.integer(below: 1000)) }

    struct Member: Environment {
        let number: Int
        var episode = -1
        var step = 0

        mutating func reset(observation: ObservationWriter, random: inout RandomSource) {
            episode += 1
            step = 0
            show(observation)
        }

        mutating func step(action: Int, observation: ObservationWriter, random: inout RandomSource) -> Transition {
            let isOver = step == (number + 7 * episode) % 4
            step += 1
            show(observation)
            return Transition(reward: action == number % 3 ? 1 : 0, truncated: isOver)
        }

        private func show(_ observation: ObservationWriter) {
            observation.vector[0] = Float(number) / 1000
            observation.vector[1] = Float(step) / 4
        }
    }
}

/// A family, a small GRU for it, and a batch that it has played.
struct PlayedBatch {
    let family: any TaskFamily
    let policy: any SequencePolicy
    let parameters: Matrix
    let workers: Workers
    let batch: TrialBatch

    /// - Parameters:
    ///   - headGain: factor on the head's first weights; near 1 it makes a policy that is far from uniform.
    init(
        _ family: any TaskFamily, trials: Int, hidden: Int = 4, headGain: Float = 1, seed: UInt64 = 1, threads: Int = 2
    ) {
        self.family = family
        policy = GRU(
            ModelSpecification(
                observation: family.observation, actions: family.actions, outputs: family.actions, hidden: hidden,
                headGain: headGain))
        parameters = Matrix(rows: 1, columns: policy.layout.count)
        parameters.copy(from: policy.layout.initialValues(RandomSource(seed: seed)))
        // Biases start at 0; a point where nothing is 0 tests more.
        var random = RandomSource(seed: seed).split(99)
        for index in 0..<parameters.count { parameters.pointer[index] += 0.1 * Float(random.normal()) }
        workers = Workers(threads: threads)
        batch = TrialBatch(family: family, trials: trials)
        batch.play(
            policy, parameters: UnsafePointer(parameters.pointer), root: RandomSource(seed: seed).split(7),
            workers: workers)
    }

    /// Advantages that a batch may have: standard normal, the same for the same seed.
    func setRandomAdvantages(seed: UInt64 = 5) {
        var random = RandomSource(seed: seed)
        for shard in batch.shards {
            for row in 0..<shard.rows { shard.advantages.pointer[row] = Float(random.normal()) }
        }
    }

    /// One TRPO update.
    func update(_ optimizer: TRPO, _ settings: TRPO.Settings) -> TRPO.Report {
        var clock = PhaseClock()
        return optimizer.update(
            parameters: parameters, batch: batch, settings: settings, random: RandomSource(seed: 3), clock: &clock)
    }

    var optimizer: TRPO { TRPO(policy: policy, workers: workers) }
}

/// Everything that a batch holds of one step.
struct BatchRow: Equatable {
    var vector: [Float]
    var previousAction: Int32
    var previousReward: Float
    var episodeEnd: Float
    var stepIndex: Int32
    var action: Int32
    var reward: Float
    var endsEpisode: UInt8
    var logProbabilities: [Float]
    var value: Float
    var advantage: Float
    var target: Float
}

extension ShardBatch {
    func row(_ row: Int) -> BatchRow {
        BatchRow(
            vector: (0..<columns.vectorWidth).map { columns.vectors[row * columns.vectorWidth + $0] },
            previousAction: columns.previousActions[row], previousReward: columns.previousRewards[row],
            episodeEnd: columns.episodeEnds[row], stepIndex: stepIndices.pointer[row], action: actions.pointer[row],
            reward: rewards.pointer[row], endsEpisode: endsEpisode.pointer[row],
            logProbabilities: (0..<actionCount).map { logProbabilities.pointer[row * actionCount + $0] },
            value: values.pointer[row], advantage: advantages.pointer[row], target: targets.pointer[row])
    }

    /// The steps of the trial in a lane.
    func trial(_ lane: Int) -> [BatchRow] {
        (0..<shape.length(lane: lane)).map { row(shape.row(step: $0, lane: lane)) }
    }

    /// All trials, in the order of lanes.
    var allTrials: [[BatchRow]] { (0..<lanes).map(trial) }
}

extension Matrix {
    var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

    /// As bits, because NaN ≠ NaN and 0 = −0.
    var bits: [UInt32] { values.map(\.bitPattern) }
}
