import Autodiff
import Conformance
import Foundation
import Interface
import Kernels
import Models
import Tasks
import Testing

@testable import Training

/// A family whose trials differ in length: 3 episodes of 1 to 4 steps. One of its 3 actions pays 1, the others nothing.
func raggedFamily() -> ScriptedFamily { ScriptedFamily(episodes: 3, rewards: .plain) }

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
        _ family: any TaskFamily, trials: Int, hidden: Int = 4, headGain: Float = 1, memoryReset: MemoryReset = .none,
        seed: UInt64 = 1, threads: Int = 2, refillsLanes: Bool = false
    ) {
        self.family = family
        policy = GRU(
            ModelSpecification(
                observation: family.observation, actions: family.actions, outputs: family.actions, hidden: hidden,
                options: ["reset-memory": .word(memoryReset.rawValue)], headGain: headGain))
        parameters = Matrix(rows: 1, columns: policy.layout.count)
        parameters.copy(from: policy.layout.initialValues(RandomSource(seed: seed)))
        // Biases start at 0; a point where nothing is 0 tests more.
        var random = RandomSource(seed: seed).split(99)
        for index in 0..<parameters.count { parameters.pointer[index] += 0.1 * Float(random.normal()) }
        workers = Workers(threads: threads)
        batch = TrialBatch(family: family, trials: trials, refillsLanes: refillsLanes)
        batch.play(
            policy, parameters: UnsafePointer(parameters.pointer), root: RandomSource(seed: seed).split(7),
            workers: workers)
    }

    /// The policy beside a critic of its kind.
    func makeActorCritic() -> ActorCritic {
        let model = GRU(
            ModelSpecification(
                observation: family.observation, actions: family.actions, outputs: 1, hidden: 2, headGain: 1))
        return ActorCritic(
            policy: policy, parameters: parameters,
            critic: Critic(model: model, random: RandomSource(seed: 17), workers: workers), workers: workers)
    }

    /// Advantages that a batch may have: standard normal, the same for the same seed.
    func setRandomAdvantages(seed: UInt64 = 5) {
        var random = RandomSource(seed: seed)
        for shard in batch.shards {
            for row in 0..<shard.rows { shard.advantages.pointer[row] = Float(random.normal()) }
        }
    }

    /// One TRPO update.
    func update(_ optimizer: TRPO, _ settings: TRPO.Settings) -> PolicyUpdate {
        var clock = PhaseClock()
        return optimizer.update(batch, settings: settings, random: RandomSource(seed: 3), clock: &clock)
    }

    var optimizer: TRPO { TRPO(makeActorCritic()) }
}

extension TRPO.Settings {
    /// The defaults but for what is given, with the Fisher matrix of all trials unless a share is given.
    static func all(_ given: Values = [:], backtrackLimit: Int = 10) -> TRPO.Settings {
        var settings = TRPO.Settings((["fisher-share": 1] as Values).merging(given))
        settings.backtrackLimit = backtrackLimit
        return settings
    }
}

extension Stage {
    /// A stage with a learner's defaults but for what is given.
    static func complete(
        _ learner: String = "trpo", _ given: Values = [:], taskOptions: Values = [:], iterations: Int, batchSteps: Int
    ) -> Stage {
        let options = learnerCatalogue.entry(named: learner)?.options ?? []
        return Stage(
            taskOptions: taskOptions, learner: learner, learnerOptions: Values(defaults: options, given: given),
            iterations: iterations, batchSteps: batchSteps)
    }
}

extension PolicyUpdate {
    /// Of an update by TRPO.
    var step: NaturalStep { naturalStep! }
}

extension ShardBatch {
    /// All trials, in the order of lanes.
    var allTrials: [[TrialStep]] { (0..<lanes).map(trial) }
}

extension Matrix {
    var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

    /// As bits, because NaN ≠ NaN and 0 = −0.
    var bits: [UInt32] { values.map(\.bitPattern) }
}

/// Of the bytes of a file no single bit can be flipped unseen.
func expectFlippedBitsAreDetected(_ file: SafetensorsFile, sourceLocation: SourceLocation = #_sourceLocation) {
    let data = file.encoded()
    for index in data.indices {
        for bit in 0..<8 {
            var damaged = data
            damaged[index] ^= 1 << bit
            #expect(throws: FileError.self, "bit \(bit) of byte \(index)", sourceLocation: sourceLocation) {
                try SafetensorsFile(decoding: damaged, path: "test.safetensors")
            }
        }
    }
}

extension Configuration {
    /// A bandit of 2 arms and 5 pulls, a GRU of 8 units, seed 2, and one stage.
    static func tiny(_ learner: String, iterations: Int, batchSteps: Int) throws -> Configuration {
        var configuration = try Configuration.defaults(
            task: "bandit", model: "gru", taskOptions: ["arms": 2, "episodes": 5], modelOptions: ["hidden": 8], seed: 2)
        configuration.stages = [
            .complete(
                learner, ["discount": 0.99, "gae-lambda": 0.3], iterations: iterations, batchSteps: batchSteps)
        ]
        return configuration
    }
}
