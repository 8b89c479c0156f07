import Autodiff
import Foundation
import Kernels
import Models
import Testing

@testable import Training

@Suite struct ConfigurationTests {
    /// A configuration in which no value is the default one.
    private func unusual() throws -> Configuration {
        var configuration = try Configuration.standard(
            task: "bandit", model: "gru", taskOptions: ["arms": 7, "episodes": 33], seed: 123_456_789_012)
        configuration.hidden = 31
        configuration.memoryReset = .half
        (configuration.memoryHorizon, configuration.slowUnits) = (12, 0.25)
        configuration.inputGain = 2.5
        configuration.stages = [
            Configuration.Stage(
                iterations: 3, batchSteps: 1001, episodes: 12, discount: 0.987654321012345, gaeLambda: 0,
                maximumKL: 1e-8),
            Configuration.Stage(
                iterations: 4, batchSteps: 2002, episodes: nil, discount: 1, gaeLambda: 0.3, maximumKL: 0.015),
        ]
        (configuration.stages[1].entropyBonus, configuration.stages[1].finalEntropyBonus) = (0.25, 0.125)
        configuration.stages[0].criticWarmup = 2
        configuration.ppo = PPO.Settings(epochs: 2, minibatches: 9, learningRate: 2.5e-4, clipRange: 0.125)
        configuration.conjugateGradientIterations = 13
        configuration.damping = 1.0e-7
        (configuration.preconditioning, configuration.relativeDamping) = (0.75, 0.3)
        configuration.fisherShare = 0.3
        configuration.criticEpochs = 0
        configuration.criticMinibatches = 17
        configuration.criticLearningRate = 3.3e-4
        configuration.criticLambda = 0.95
        configuration.stages[0].advantageScale = .step
        try configuration.validate()
        return configuration
    }

    private func error(_ body: () throws -> Void) -> String {
        let error = #expect(throws: UserError.self) { try body() }
        let text = error?.description ?? ""
        #expect(!text.contains { $0.isNewline }, "not one line: \(text)")
        return text
    }

    private func error(yaml: String) -> String { error { _ = try Configuration(yaml: yaml, path: "run.yaml") } }

    /// Exact for numbers of up to 15 digits, which is what Yams writes; a session trains on what it has written (see
    /// `TrainingSessionTests`).
    @Test func yamlReadsBackAsItWasWritten() throws {
        for configuration in [
            try unusual(), try Configuration.standard(task: "bandit", model: "gru"),
            try Configuration.standard(task: "bandit", model: "gru", taskOptions: ["arms": 50, "episodes": 500]),
        ] {
            let text = try configuration.yaml()
            let read = try Configuration(yaml: text, path: "run.yaml")
            #expect(read == configuration)
            #expect(try read.yaml() == text)
        }
    }

    /// A stage may be of an easier task: the same spaces, other members.
    @Test func aStageHasOptionsOfItsOwn() throws {
        var configuration = try Configuration.standard(task: "maze", model: "gru")
        var proper = configuration.stages[0]
        proper.taskOptions = nil
        var easy = proper
        easy.taskOptions = ["maze-size": 3]
        configuration.stages = [easy, proper]
        try configuration.validate()
        #expect(try Configuration(yaml: configuration.yaml(), path: "run.yaml") == configuration)
        let families = try configuration.stages.map { try configuration.makeFamily(stage: $0) }
        #expect(families[0].maximumEpisodeSteps < families[1].maximumEpisodeSteps)

        configuration.stages[0].taskOptions = ["maze-size": 4]
        #expect(error { try configuration.validate() }.contains("--maze-size is 4"))
        configuration.stages[0].taskOptions = ["maze": 3]
        #expect(error { try configuration.validate() }.contains("no option 'maze'"))
        configuration.stages[0].taskOptions = ["frame-width": 50]
        #expect(error { try configuration.validate() }.contains("one observation and one action space"))
    }

    /// What a user makes of it by hand: comments, another order, flow style.
    @Test func readsWhatAPersonWrites() throws {
        let configuration = try unusual()
        var text = try configuration.yaml().replacing("hidden: 31\n", with: "")
        text = text.replacing("task_options:\n  arms: 7\n  episodes: 33\n  prior: uniform\n", with: "")
        text = "# a short run\n\ntask_options: {episodes: 33, arms: 7}\n" + text + "hidden:  31 # units\n"
        #expect(try Configuration(yaml: text, path: "run.yaml") == configuration)
    }

    @Test func refusesAnUnknownKey() throws {
        let text = try unusual().yaml()
        #expect(error(yaml: text + "learning_rate: 1\n").hasPrefix("run.yaml: unknown key 'learning_rate'"))
        let stage = text.replacing("maximum_kl:", with: "maximum_kL:")
        #expect(error(yaml: stage).hasPrefix("run.yaml: unknown key 'maximum_kL' in a stage"))
        let ppo = text.replacing("clip_range:", with: "clip:")
        #expect(error(yaml: ppo).hasPrefix("run.yaml: unknown key 'clip' in ppo"))
    }

    /// As a run writes it that was trained before there were memories that forget.
    @Test func aMemoryForgetsNothingUnlessItIsTold() throws {
        let text = try unusual().yaml()
        #expect(text.contains("memory_reset: half\n"))
        let old = try Configuration(yaml: text.replacing("memory_reset: half\n", with: ""), path: "run.yaml")
        #expect(old.memoryReset == .none)
        #expect(try old.makePolicy().memoryReset == .none)
        let new = try Configuration(yaml: text, path: "run.yaml")
        #expect(try new.makePolicy().memoryReset == .half && new.makeCritic().memoryReset == .half)
        #expect(error(yaml: text.replacing("reset: half", with: "reset: most")).contains("'memory_reset'"))
    }

    /// Biases of the update gate are logarithms of time scales: of those of a trial, unless another horizon is told.
    @Test func timeScalesAreSpreadOverTheMemorysHorizon() throws {
        func largestScale(_ horizon: Int?) throws -> Float {
            var configuration = try Configuration.standard(task: "bandit", model: "gru", taskOptions: ["episodes": 50])
            configuration.memoryHorizon = horizon
            let again = try Configuration(yaml: configuration.yaml(), path: "run.yaml")
            #expect(again == configuration)
            let policy = try again.makePolicy()
            let place = try #require(policy.layout.entries.first { $0.name == "gru.bias_hh_l0" })
            let values = policy.layout.initialValues(RandomSource(seed: 1))
            return try #require(values[place.offset..<place.offset + place.count].map { exp($0) }.max())
        }
        #expect(try (45...50).contains(largestScale(nil)))
        #expect(try (900...1000).contains(largestScale(1000)))
        #expect(try largestScale(1) == 1)
    }

    /// Every architecture's first reading of the features starts as many times as large as is told, and nothing else does.
    @Test(arguments: ModelCatalogue.names) func theInputGainIsAFactorOnTheWeightsThatReadFeatures(model: String) throws
    {
        func values(_ gain: Double) throws -> (layout: ParameterLayout, values: [Float]) {
            var configuration = try Configuration.standard(task: "bandit", model: model)
            configuration.inputGain = gain
            let again = try Configuration(yaml: configuration.yaml(), path: "run.yaml")
            #expect(again == configuration)
            let layout = try again.makePolicy().layout
            return (layout, layout.initialValues(RandomSource(seed: 1)))
        }
        let (plain, scaled) = try (values(1), values(4))
        let changed = plain.layout.entries.filter { entry in
            let places = entry.offset..<entry.offset + entry.count
            if plain.values[places] == scaled.values[places] { return false }
            return zip(plain.values[places], scaled.values[places]).allSatisfy { abs(4 * $0 - $1) <= 1e-5 * abs($1) }
        }
        #expect(changed.count == 1, "\(changed.map(\.name))")
        let same = plain.layout.entries.filter { entry in
            let places = entry.offset..<entry.offset + entry.count
            return plain.values[places] == scaled.values[places]
        }
        #expect(same.count == plain.layout.entries.count - 1)
    }

    @Test func aSingleHeadHasNoHalf() throws {
        var configuration = try Configuration.standard(
            task: "bandit", model: "transformer", modelOptions: ["heads": 1])
        configuration.memoryReset = .episode
        #expect(try configuration.makePolicy().memoryReset == .episode)
        configuration.memoryReset = .half
        #expect(
            error { _ = try configuration.makePolicy() }.hasPrefix("--reset-memory is half, and model 'transformer'"))
    }

    @Test func refusesAKeyThatIsMissing() throws {
        let text = try unusual().yaml()
        for key in ["hidden", "seed", "critic_lambda", "fisher_share"] {
            let lines = text.split(separator: "\n").filter { !$0.hasPrefix("\(key):") }
            #expect(error(yaml: lines.joined(separator: "\n")) == "run.yaml: the key '\(key)' is missing")
        }
    }

    @Test func refusesAValueOfAnotherKind() throws {
        let text = try unusual().yaml()
        #expect(error(yaml: text.replacing("hidden: 31", with: "hidden: wide")).contains("'hidden'"))
        #expect(error(yaml: text.replacing("hidden: 31", with: "hidden: [31]")).contains("'hidden'"))
        #expect(error(yaml: text.replacing("batch_steps: 1001", with: "batch_steps: 1.5")).contains("batch_steps"))
        #expect(error(yaml: text.replacing("batch_steps: 1001", with: "batch_steps: ")).contains("batch_steps"))
        #expect(
            error(yaml: text.replacing("seed: 123456789012", with: "seed: 99999999999999999999")).contains("seed"))
    }

    @Test(arguments: ["", "gru", "- a\n- b\n", "a: [", "\u{0}", "hidden: 1\nhidden: 2\n", "{{{", "a: &a [*a]"])
    func refusesWhatIsNoConfiguration(_ text: String) {
        #expect(error(yaml: text).hasPrefix("run.yaml: "))
    }

    /// Each value at the ends of its range is taken, just beyond them it is refused by its name.
    @Test func refusesValuesOutOfRange() throws {
        let base = try unusual()
        func expect<Value>(
            _ path: WritableKeyPath<Configuration, Value>, _ name: String, good: [Value], bad: [Value]
        ) throws {
            var configuration = base
            for value in good {
                configuration[keyPath: path] = value
                try configuration.validate()
            }
            for value in bad {
                configuration[keyPath: path] = value
                let text = error { try configuration.validate() }
                #expect(text.hasPrefix("--\(name)") && text.contains("\(value)"), "\(text)")
            }
        }
        try expect(\.hidden, "hidden", good: [1, 8192], bad: [0, -1, 8193, .max])
        try expect(\.slowUnits, "slow-units", good: [0, 1], bad: [-0.1, 1.1, .nan])
        try expect(\.seed, "seed", good: [0, .max], bad: [-1, .min])
        try expect(
            \.conjugateGradientIterations, "conjugate-gradient-iterations", good: [1, 1000], bad: [0, 1001])
        try expect(\.damping, "damping", good: [0, 10], bad: [-1e-9, 10.1, .nan, .infinity])
        try expect(\.relativeDamping, "relative-damping", good: [0, 100], bad: [-1e-9, 101, .nan])
        try expect(\.fisherShare, "fisher-share", good: [0.001, 1], bad: [0, 1.1, .nan])
        try expect(\.criticEpochs, "critic-epochs", good: [0, 100], bad: [-1, 101])
        try expect(\.criticMinibatches, "critic-minibatches", good: [1, 10_000], bad: [0, 10_001])
        try expect(\.criticLearningRate, "critic-learning-rate", good: [1e-8, 1], bad: [0, -1, 2, .nan])
        try expect(\.criticLambda, "critic-lambda", good: [0, 1], bad: [-0.1, 1.1, .nan])
        try expect(\.stages[0].iterations, "iterations", good: [1, 10_000_000], bad: [0, -3, 10_000_001])
        try expect(\.stages[1].batchSteps, "batch-steps", good: [1, 100_000_000], bad: [0, -1, .max])
        try expect(\.stages[0].episodes, "episodes", good: [nil, 1, 10_000], bad: [])
        try expect(\.stages[1].discount, "discount", good: [0, 1], bad: [-0.1, 1.01, .nan])
        try expect(\.stages[1].gaeLambda, "gae-lambda", good: [0, 1], bad: [-0.1, 1.01, .nan])
        try expect(\.stages[0].maximumKL, "maximum-kl", good: [1e-8, 10], bad: [0, -1, 11, .nan, .infinity])
        try expect(\.stages[0].criticWarmup, "critic-warmup", good: [0, 1_000_000], bad: [-1, 1_000_001])
        try expect(\.stages[1].entropyBonus, "entropy-bonus", good: [0, 10], bad: [-0.1, 11, .nan])
        var configuration = base
        for (settings, name) in [
            (PPO.Settings(epochs: 0), "ppo-epochs"), (PPO.Settings(minibatches: 0), "ppo-minibatches"),
            (PPO.Settings(learningRate: .nan), "ppo-learning-rate"), (PPO.Settings(clipRange: 0), "ppo-clip-range"),
        ] {
            configuration.ppo = settings
            #expect(error { try configuration.validate() }.hasPrefix("--\(name) is"))
        }
        configuration = base
        for episodes in [0, -1, 10_001] {
            configuration.stages[0].episodes = episodes
            #expect(error { try configuration.validate() }.hasPrefix("--episodes (of a stage) is \(episodes)"))
        }
        configuration = base
        for bonus in [-0.1, 11, .nan] {
            configuration.stages[1].finalEntropyBonus = bonus
            #expect(error { try configuration.validate() }.hasPrefix("--final-entropy-bonus is \(bonus)"))
        }
        configuration = base
        for arms in [0, 1, -4, 1001] {
            configuration.taskOptions["arms"] = .integer(arms)
            #expect(error { try configuration.validate() }.hasPrefix("--arms is \(arms)"))
        }
    }

    @Test func refusesUnknownNamesAndOptions() throws {
        var configuration = try unusual()
        configuration.model = "perceptron"
        #expect(error { try configuration.validate() }.hasPrefix("unknown model 'perceptron': choose one of gru"))
        #expect(throws: UserError.self) { try configuration.makePolicy() }
        configuration = try unusual()
        configuration.task = "chess"
        #expect(error { try configuration.validate() }.hasPrefix("unknown task 'chess': choose one of bandit"))
        #expect(throws: UserError.self) { try configuration.makeFamily() }
        #expect(throws: UserError.self) { try Configuration.standard(task: "chess", model: "gru") }
        configuration = try unusual()
        configuration.taskOptions["legs"] = 3
        #expect(error { try configuration.validate() } == "task 'bandit' has no option 'legs'")
        configuration = try unusual()
        configuration.taskOptions["arms"] = nil
        #expect(error { try configuration.validate() }.contains("'arms'"))
        configuration = try unusual()
        configuration.stages = []
        #expect(error { try configuration.validate() }.contains("stages"))
    }

    /// Stages of 3 and 4 iterations: a smaller number cuts, a larger one extends the last stage, none remains empty.
    @Test func setIterationsCutsOrExtendsTheSchedule() throws {
        for (wanted, stages) in [(1, [1]), (3, [3]), (4, [3, 1]), (7, [3, 4]), (8, [3, 5]), (100, [3, 97])] {
            var configuration = try unusual()
            configuration.setIterations(wanted)
            #expect(configuration.stages.map(\.iterations) == stages)
            #expect(configuration.iterations == wanted)
            try configuration.validate()
        }
        let full = try unusual()
        var cut = full
        cut.setIterations(5)
        #expect(cut.stages[0] == full.stages[0])
        // The second differs in its number of iterations only.
        cut.stages[1].iterations = full.stages[1].iterations
        #expect(cut == full)
    }

    @Test func stagesFollowOneAnother() throws {
        let configuration = try unusual()
        #expect((0..<9).map { configuration.place(of: $0).stage } == [0, 0, 0, 1, 1, 1, 1, 1, 1])
        #expect((0..<9).map { configuration.place(of: $0).within } == [0, 1, 2, 0, 1, 2, 3, 4, 5])
        #expect(try configuration.makeFamily(stage: configuration.stages[0]).episodes == 12)
        #expect(try configuration.makeFamily(stage: configuration.stages[1]).episodes == 33)
        #expect(try configuration.makeFamily().episodes == 33)
    }

    /// The trust region shrinks geometrically, the entropy bonus linearly, from the first iteration of a stage to its last.
    @Test func whatChangesWithinAStageEndsWhereItShould() {
        var stage = Configuration.Stage(
            iterations: 5, batchSteps: 1, discount: 1, gaeLambda: 1, maximumKL: 0.16, finalMaximumKL: 0.01,
            entropyBonus: 0.04, finalEntropyBonus: 0)
        for (within, expected) in [(0.16, 0.04), (0.08, 0.03), (0.04, 0.02), (0.02, 0.01), (0.01, 0)].enumerated() {
            #expect(abs(stage.maximumKL(within: within) - expected.0) < 1e-12)
            #expect(abs(stage.entropyBonus(within: within) - expected.1) < 1e-12)
        }
        (stage.finalMaximumKL, stage.finalEntropyBonus) = (nil, nil)
        #expect((0..<5).allSatisfy { stage.maximumKL(within: $0) == 0.16 && stage.entropyBonus(within: $0) == 0.04 })
        (stage.finalEntropyBonus, stage.iterations) = (0, 1)
        #expect(stage.entropyBonus(within: 0) == 0.04, "of a single iteration the first value counts")
    }

    /// Long MDPs first teach the memory, one more state at a time, then play the task proper; short ones only play.
    @Test func theDefaultOfLongMDPsTeachesTheMemoryFirst() throws {
        func standard(_ options: OptionValues) throws -> Configuration {
            let configuration = try Configuration.standard(task: "mdp", model: "gru", taskOptions: options)
            try configuration.validate()
            let last = try #require(configuration.stages.last)
            #expect(last.kind == .improvement && last.episodes == nil && last.taskOptions == nil)
            return configuration
        }
        func reachable(_ configuration: Configuration) -> [Int?] {
            configuration.stages.filter { $0.kind == .rewardPrediction }.map {
                $0.taskOptions?.integer("reachable-states")
            }
        }
        let paper = try standard([:])
        #expect(reachable(paper) == [2, 3, 4, 5, 6, 7, 8, 9, nil])
        #expect(paper.memoryHorizon == 1 && paper.inputGain == 6)
        #expect(try reachable(standard(["reachable-states": 4])) == [2, 3, nil])
        #expect(try reachable(standard(["states": 2, "episodes": 10])).isEmpty, "no easier MDP than of two states")
        #expect(try reachable(standard(["episodes": 2])).isEmpty)
        let large = try standard(["states": 64, "episodes": 100])
        #expect(reachable(large).compactMap(\.self).allSatisfy { $0 < 64 })
        #expect(large.stages.filter { $0.kind == .rewardPrediction }.allSatisfy { $0.episodes == 10 })
    }

    @Test func defaultsAreValidForTheWholeRangeOfTasks() throws {
        for episodes in [1, 10, 15, 16, 100, 500, 10_000] {
            for arms in [2, 50, 1000] {
                let configuration = try Configuration.standard(
                    task: "bandit", model: "gru", taskOptions: ["arms": .integer(arms), "episodes": .integer(episodes)])
                try configuration.validate()
                #expect(configuration.stages.last?.episodes == nil, "the last stage plays the task proper")
            }
        }
    }
}
