import Autodiff
import Foundation
import Interface
import Kernels
import Models
import Tasks
import Testing

@testable import Training

/// The text of the `UserError` that a call must throw, which is one line.
func refusal(_ body: () throws -> Void) -> String {
    let error = #expect(throws: UserError.self) { try body() }
    let text = error?.description ?? ""
    #expect(!text.isEmpty && !text.contains { $0.isNewline }, "not one line: \(text)")
    return text
}

/// Likewise for reading a file.
func refusal(yaml: String) -> String { refusal { _ = try Configuration(yaml: yaml, path: "run.yaml") } }

@Suite struct ConfigurationTests {
    /// A configuration in which no value is the default one: a stage of PPO, then one of TRPO.
    private func unusual() throws -> Configuration {
        var configuration = try Configuration.defaults(
            task: "bandit", model: "gru", taskOptions: ["arms": 7, "episodes": 33],
            modelOptions: [
                "hidden": 31, "critic-hidden": 17, "reset-memory": "half", "chrono-t-max": 12, "chrono-share": 0.25,
                "input-gain": 2.5,
            ], seed: 123_456_789_012)
        configuration.stages = [
            .complete(
                "ppo",
                [
                    "discount": 0.987654321012345, "gae-lambda": 0, "maximum-kl": 1e-8, "critic-warmup": 2,
                    "advantage-scale": "step", "epochs": 2, "minibatches": 9, "learning-rate": 2.5e-4,
                    "learning-rate-kl": 0.02, "clip-range": 0.125, "trials-per-member": 3,
                ], taskOptions: ["episodes": 12], iterations: 3, batchSteps: 1001),
            .complete(
                "trpo",
                [
                    "gae-lambda": 0.3, "maximum-kl": 0.015, "final-maximum-kl": 0.004, "entropy-bonus": 0.25,
                    "final-entropy-bonus": 0.125, "conjugate-gradient-iterations": 13, "damping": 1.0e-7,
                    "preconditioning": 0.75, "relative-damping": 0.3, "fisher-share": 0.3, "critic-epochs": 0,
                    "critic-minibatches": 17, "critic-learning-rate": 3.3e-4, "critic-lambda": 0.95,
                ], iterations: 4, batchSteps: 2002),
        ]
        try configuration.validate()
        return configuration
    }

    /// The same configuration gives the same text, and the text the same configuration, to the last bit of every number.
    @Test func yamlReadsBackAsItWasWritten() throws {
        var precise = try unusual()
        precise.stages[1].learnerOptions["discount"] = .real(0.1 + 0.2)
        precise.stages[1].learnerOptions["damping"] = .real(0.1.nextUp)
        for configuration in [
            try unusual(), precise, try Configuration.defaults(task: "bandit", model: "gru"),
            try Configuration.defaults(task: "bandit", model: "gru", taskOptions: ["arms": 50, "episodes": 500]),
            try Configuration.defaults(task: "mdp", model: "transformer"),
            try Configuration.defaults(task: "maze", model: "lstm"),
            try Configuration.defaults(task: "maze", model: "elman", learner: "a2c"),
        ] {
            let text = configuration.yaml()
            let read = try Configuration(yaml: text, path: "run.yaml")
            #expect(read == configuration)
            #expect(read.yaml() == text)
        }
    }

    /// A stage may be of an easier task: the same spaces, other members.
    @Test func aStageHasOptionsOfItsOwn() throws {
        var configuration = try Configuration.defaults(task: "maze", model: "gru")
        var proper = configuration.stages[0]
        proper.taskOptions = [:]
        var easy = proper
        easy.taskOptions = ["maze-size": 3, "training-mazes": 0, "hold-out": "draws"]
        configuration.stages = [easy, proper]
        try configuration.validate()
        #expect(!configuration.isProper(easy) && configuration.isProper(proper))
        #expect(try Configuration(yaml: configuration.yaml(), path: "run.yaml") == configuration)
        let families = try configuration.stages.map { try configuration.makeFamily(stage: $0) }
        #expect(families[0].maximumEpisodeSteps < families[1].maximumEpisodeSteps)

        configuration.stages[0].taskOptions = ["maze-size": 4]
        #expect(refusal { try configuration.validate() }.contains("--maze-size is 4"))
        configuration.stages[0].taskOptions = ["maze": 3]
        #expect(refusal { try configuration.validate() }.contains("no option 'maze'"))
        configuration.stages[0].taskOptions = ["frame-width": 50]
        let text = refusal { try configuration.validate() }
        #expect(text.contains("frame-width 50") && text.contains("one observation space and one action space"))
    }

    /// What a user makes of it by hand: comments, another order, flow style.
    @Test func readsWhatAPersonWrites() throws {
        let configuration = try unusual()
        var text = configuration.yaml().replacing(
            "task_options:\n  arms: 7\n  episodes: 33\n  prior: uniform\n", with: "")
        #expect(!text.contains("arms"))
        text = text.replacing("seed: 123456789012\n", with: "")
        text = "# a short run\n\ntask_options: {episodes: 33, arms: 7}\n" + text + "seed:  123456789012 # of the run\n"
        #expect(try Configuration(yaml: text, path: "run.yaml") == configuration)
    }

    /// What is left out has its default: a whole file, a stage's options, an option.
    @Test func whatIsLeftOutHasItsDefault() throws {
        let defaults = try Configuration.defaults(task: "mdp", model: "lstm", seed: 3)
        #expect(try Configuration(yaml: "{task: mdp, model: lstm, seed: 3}", path: "run.yaml") == defaults)
        let text = """
            task: bandit
            task_options: {arms: 9}
            model_options: {hidden: 40}
            learner_options: {gae_lambda: 0.25}
            iterations: 7
            batch_steps: 900
            """
        var expected = try Configuration.defaults(
            task: "bandit", model: "gru", taskOptions: ["arms": 9], modelOptions: ["hidden": 40])
        for index in expected.stages.indices {
            expected.stages[index].learnerOptions["gae-lambda"] = 0.25
            expected.stages[index].batchSteps = 900
        }
        expected.iterations = 7
        #expect(try Configuration(yaml: text, path: "run.yaml") == expected)

        let staged = try Configuration(
            yaml: """
                stages:
                - {learner: ppo, iterations: 3, batch_steps: 500, learner_options: {maximum_kl: 0.05, epochs: 5}}
                - {learner: a2c, iterations: 2, batch_steps: 500, task_options: {episodes: 4}}
                """, path: "run.yaml")
        #expect(
            staged.stages == [
                .complete("ppo", ["maximum-kl": 0.05, "epochs": 5], iterations: 3, batchSteps: 500),
                .complete("a2c", taskOptions: ["episodes": 4], iterations: 2, batchSteps: 500),
            ])
        #expect(staged.stages[0].learnerOptions.real("final-maximum-kl") == 0.05, "the end follows the start")
        try staged.validate()
    }

    @Test func refusesAnUnknownKey() throws {
        let text = try unusual().yaml()
        let root = refusal(yaml: text + "learning_rate: 1\n")
        #expect(root.hasPrefix("run.yaml:") && root.contains("unknown key 'learning_rate' in the configuration"))
        let stage = refusal(yaml: text.replacing("batch_steps: 1001", with: "batch_step: 1001"))
        #expect(stage.hasPrefix("run.yaml:") && stage.contains("unknown key 'batch_step' in stages[1]"))
        let options = refusal(yaml: text.replacing("clip_range:", with: "clip:"))
        #expect(options.hasPrefix("run.yaml:") && options.contains("learner 'ppo' has no option 'clip'"))
        // An option of the other stage's learner is none of this one's.
        let other = refusal(yaml: text.replacing("clip_range:", with: "damping:"))
        #expect(other.contains("learner 'ppo' has no option 'damping'"))
        #expect(refusal(yaml: text.replacing("arms:", with: "legs:")).contains("task 'bandit' has no option 'legs'"))
        #expect(
            refusal(yaml: text.replacing("  hidden:", with: "  heads:")).contains("model 'gru' has no option 'heads'"))
    }

    /// The line of a mistake is told.
    @Test func errorsNameTheLine() throws {
        let lines = try unusual().yaml().split(separator: "\n").map(String.init)
        let number = try #require(lines.firstIndex(of: "    clip_range: 0.125"))
        var wrong = lines
        wrong[number] = "    clip_range: wide"
        #expect(
            refusal(yaml: wrong.joined(separator: "\n"))
                == "run.yaml:\(number + 1): clip_range is wide: choose a number in 0.001 … 10")
    }

    @Test func aMemoryForgetsNothingUnlessItIsTold() throws {
        let text = try unusual().yaml()
        #expect(text.contains("  reset_memory: half\n"))
        let plain = try Configuration(yaml: text.replacing("  reset_memory: half\n", with: ""), path: "run.yaml")
        #expect(plain.memoryReset == .none)
        #expect(try plain.makePolicy().memoryReset == .none)
        let new = try Configuration(yaml: text, path: "run.yaml")
        #expect(try new.makePolicy().memoryReset == .half && new.makeCritic().memoryReset == .half)
        #expect(
            refusal(yaml: text.replacing("reset_memory: half", with: "reset_memory: most")).contains(
                "reset_memory is most"))
    }

    /// Biases of the update gate are logarithms of time scales: of those of a trial, unless another horizon is told.
    @Test func timeScalesAreSpreadOverTheMemorysHorizon() throws {
        func largestScale(_ steps: Int?) throws -> Float {
            let configuration = try Configuration.defaults(
                task: "bandit", model: "gru", taskOptions: ["episodes": 50],
                modelOptions: steps.map { ["chrono-t-max": .integer($0)] } ?? [:])
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
    @Test(arguments: modelCatalogue.names) func theInputGainIsAFactorOnTheWeightsThatReadFeatures(model: String) throws
    {
        func values(_ gain: Double) throws -> (layout: ParameterLayout, values: [Float]) {
            let configuration = try Configuration.defaults(
                task: "bandit", model: model, modelOptions: ["input-gain": .real(gain)])
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
        var configuration = try Configuration.defaults(
            task: "bandit", model: "transformer", modelOptions: ["heads": 1, "reset-memory": "episode"])
        #expect(try configuration.makePolicy().memoryReset == .episode)
        configuration.modelOptions["reset-memory"] = "half"
        #expect(
            refusal { _ = try configuration.makePolicy() }.hasPrefix("--reset-memory is half, and model 'transformer'"))
    }

    @Test func theCriticIsAsWideAsThePolicyUnlessItIsTold() throws {
        var configuration = try unusual()
        #expect(configuration.criticHidden == 17 && configuration.hidden == 31)
        configuration.modelOptions["critic-hidden"] = 0
        #expect(configuration.criticHidden == 31)
        configuration.hidden = 12
        #expect(configuration.criticHidden == 12 && configuration.modelName == "gru-12")
    }

    /// Of a stage nobody can know the learner, the length or the size of its batches.
    @Test func refusesAKeyThatIsMissing() throws {
        let text = try unusual().yaml()
        for (line, key) in [
            ("- learner: ppo\n  iterations: 3\n", "learner"), ("  iterations: 3\n", "iterations"),
            ("  batch_steps: 1001\n", "batch_steps"),
        ] {
            #expect(text.contains(line))
            let without = text.replacing(line, with: line.hasPrefix("-") ? "- iterations: 3\n" : "")
            let message = refusal(yaml: without)
            #expect(message.hasPrefix("run.yaml:") && message.hasSuffix("stages[1] has no '\(key)'"), "\(message)")
        }
    }

    @Test func refusesAValueOfAnotherKind() throws {
        let text = try unusual().yaml()
        #expect(refusal(yaml: text.replacing("  hidden: 31", with: "  hidden: wide")).contains("hidden is wide"))
        #expect(refusal(yaml: text.replacing("  hidden: 31", with: "  hidden: [31]")).contains("hidden"))
        #expect(refusal(yaml: text.replacing("batch_steps: 1001", with: "batch_steps: 1.5")).contains("batch_steps"))
        #expect(refusal(yaml: text.replacing("batch_steps: 1001", with: "batch_steps: ")).contains("batch_steps"))
        #expect(
            refusal(yaml: text.replacing("seed: 123456789012", with: "seed: 99999999999999999999")).contains("seed"))
        #expect(refusal(yaml: text.replacing("learner: ppo", with: "learner: pro")).contains("unknown learner 'pro'"))
        #expect(refusal(yaml: text.replacing("version: 2", with: "version: 3")).contains("version 3"))
    }

    @Test(arguments: ["", "gru", "- a\n- b\n", "a: [", "\u{0}", "hidden: 1\nhidden: 2\n", "{{{", "a: &a [*a]"])
    func refusesWhatIsNoConfiguration(_ text: String) {
        #expect(refusal(yaml: text).hasPrefix("run.yaml:"))
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
                let text = refusal { try configuration.validate() }
                #expect(text.hasPrefix("--\(name) is \(value)"), "\(text)")
            }
        }
        func expectOption(
            _ path: WritableKeyPath<Configuration, OptionValue?>, _ name: String, good: [OptionValue],
            bad: [OptionValue]
        ) throws {
            var configuration = base
            for value in good {
                configuration[keyPath: path] = value
                try configuration.validate()
            }
            for value in bad {
                configuration[keyPath: path] = value
                let text = refusal { try configuration.validate() }
                #expect(text.hasPrefix("--\(name) is \(value): choose"), "\(text)")
            }
            configuration[keyPath: path] = nil
            #expect(refusal { try configuration.validate() }.contains("no value for '\(name)'"))
        }
        func expectModel(_ name: String, good: [OptionValue], bad: [OptionValue]) throws {
            try expectOption(\.modelOptions[name], name, good: good, bad: bad)
        }
        func expectStage(_ stage: Int, _ name: String, good: [OptionValue], bad: [OptionValue]) throws {
            try expectOption(\.stages[stage].learnerOptions[name], name, good: good, bad: bad)
        }
        let (nan, infinity) = (OptionValue.real(.nan), OptionValue.real(.infinity))
        try expectModel("hidden", good: [1, 8192], bad: [0, -1, 8193, .integer(.max)])
        try expectModel("critic-hidden", good: [0, 8192], bad: [-1, 8193])
        try expectModel("chrono-share", good: [0, 1], bad: [-0.1, 1.1, nan])
        try expectModel("chrono-t-max", good: [0, 1_000_000], bad: [-1, 1_000_001, 0.5])
        try expectModel("input-gain", good: [0.01, 100], bad: [0, 101, nan])
        try expect(\.seed, "seed", good: [0, .max], bad: [-1, .min])
        try expect(\.stages[0].iterations, "iterations", good: [1, 10_000_000], bad: [0, -3, 10_000_001])
        try expect(\.stages[1].batchSteps, "batch-steps", good: [1, 100_000_000], bad: [0, -1, .max])
        try expectStage(1, "conjugate-gradient-iterations", good: [1, 1000], bad: [0, 1001])
        try expectStage(1, "damping", good: [0, 10], bad: [-1e-9, 10.1, nan, infinity])
        try expectStage(1, "relative-damping", good: [0, 100], bad: [-1e-9, 101, nan])
        try expectStage(1, "preconditioning", good: [0, 1], bad: [-1e-9, 1.1, nan])
        try expectStage(1, "fisher-share", good: [0.001, 1], bad: [0, 1.1, nan])
        for stage in [0, 1] {
            try expectStage(stage, "critic-epochs", good: [0, 100], bad: [-1, 101])
            try expectStage(stage, "critic-minibatches", good: [1, 10_000], bad: [0, 10_001])
            try expectStage(stage, "critic-learning-rate", good: [1e-8, 1], bad: [0, -1, 2, nan])
            try expectStage(stage, "critic-lambda", good: [0, 1], bad: [-0.1, 1.1, nan])
            try expectStage(stage, "discount", good: [0, 1], bad: [-0.1, 1.01, nan])
            try expectStage(stage, "gae-lambda", good: [0, 1], bad: [-0.1, 1.01, nan])
            try expectStage(stage, "maximum-kl", good: [1e-8, 10], bad: [0, -1, 11, nan, infinity])
            try expectStage(stage, "final-maximum-kl", good: [1e-8, 10], bad: [0, -1, 11, nan, infinity])
            try expectStage(stage, "critic-warmup", good: [0, 1_000_000], bad: [-1, 1_000_001])
            try expectStage(stage, "entropy-bonus", good: [0, 10], bad: [-0.1, 11, nan])
            try expectStage(stage, "final-entropy-bonus", good: [0, 10], bad: [-0.1, 11, nan])
            try expectStage(stage, "trials-per-member", good: [1, 1024], bad: [0, 1025])
            try expectStage(stage, "advantage-scale", good: ["batch", "step"], bad: ["trial"])
        }
        try expectStage(0, "epochs", good: [1, 1000], bad: [0, 1001])
        try expectStage(0, "minibatches", good: [1, 10_000], bad: [0, 10_001])
        try expectStage(0, "learning-rate", good: [1e-8, 1], bad: [0, 2, nan])
        try expectStage(0, "clip-range", good: [0.001, 10], bad: [0, 11, nan])
        try expectOption(\.taskOptions["arms"], "arms", good: [2, 1000], bad: [0, 1, -4, 1001])
        var configuration = base
        for episodes in [1, 10_000] {
            configuration.stages[0].taskOptions["episodes"] = .integer(episodes)
            try configuration.validate()
        }
        for episodes in [0, -1, 10_001] {
            configuration.stages[0].taskOptions["episodes"] = .integer(episodes)
            #expect(refusal { try configuration.validate() }.hasPrefix("--episodes is \(episodes)"))
        }
    }

    @Test func refusesUnknownNamesAndOptions() throws {
        var configuration = try unusual()
        configuration.model = "perceptron"
        #expect(refusal { try configuration.validate() }.hasPrefix("unknown model 'perceptron': choose one of gru"))
        #expect(throws: UserError.self) { try configuration.makePolicy() }
        configuration = try unusual()
        configuration.task = "chess"
        #expect(refusal { try configuration.validate() }.hasPrefix("unknown task 'chess': choose one of bandit"))
        #expect(throws: UserError.self) { try configuration.makeFamily() }
        #expect(throws: UserError.self) { try Configuration.defaults(task: "chess", model: "gru") }
        configuration = try unusual()
        configuration.stages[1].learner = "dqn"
        #expect(refusal { try configuration.validate() }.hasPrefix("unknown learner 'dqn': choose one of trpo"))
        #expect(throws: UserError.self) { try Configuration.defaults(task: "bandit", model: "gru", learner: "dqn") }
        configuration = try unusual()
        configuration.taskOptions["legs"] = 3
        #expect(refusal { try configuration.validate() } == "task 'bandit' has no option 'legs'")
        configuration = try unusual()
        configuration.modelOptions["heads"] = 3
        #expect(refusal { try configuration.validate() } == "model 'gru' has no option 'heads'")
        configuration = try unusual()
        configuration.stages[0].learnerOptions["damping"] = 0.1
        #expect(refusal { try configuration.validate() } == "learner 'ppo' has no option 'damping'")
        configuration = try unusual()
        configuration.stages = []
        #expect(refusal { try configuration.validate() }.contains("stages"))
    }

    /// Time is estimated, and a limit of time steps turned into iterations, by the steps of each stage's batches.
    @Test func stepsAreCountedByStage() throws {
        var configuration = try unusual()
        let stages = configuration.stages
        let first = stages[0].iterations
        let end = configuration.scheduledIterations
        #expect(configuration.batchSteps(in: 0..<first) == Double(first * stages[0].batchSteps))
        let all = stages.reduce(0) { $0 + $1.iterations * $1.batchSteps }
        #expect(configuration.batchSteps(in: 0..<end) == Double(all))
        let beyond = configuration.batchSteps(in: end..<end + 3)
        #expect(beyond == Double(3 * stages[stages.count - 1].batchSteps))
        #expect(configuration.start(ofStage: 0) == 0 && configuration.start(ofStage: 1) == first)
        let full = configuration
        for (steps, iterations) in [(1, 1), (all, end), (all + 1, end + 1)] {
            configuration.timestepLimit = steps
            #expect(configuration.iterations == iterations && configuration.stages == stages)
            #expect(configuration.continues(full) && configuration != full)
            #expect(try Configuration(yaml: configuration.yaml(), path: "run.yaml") == configuration)
        }
        configuration.iterations = end
        #expect(configuration == full)
    }

    /// Where a training stops is no part of its schedule: fewer iterations leave all stages as they are, and more go on with
    /// the values with which the last stage ends.
    @Test func iterationsStopOrGoOnAndLeaveTheSchedule() throws {
        let full = try unusual()
        for wanted in [1, 3, 4, 7, 8, 100] {
            var configuration = full
            configuration.iterations = wanted
            #expect(configuration.iterations == wanted && configuration.scheduledIterations == 7)
            #expect(configuration.stages == full.stages)
            #expect(configuration.continues(full) && full.continues(configuration))
            #expect((configuration == full) == (wanted == 7))
            try configuration.validate()
            #expect(try Configuration(yaml: configuration.yaml(), path: "run.yaml") == configuration)
        }
        let options = Values(
            defaults: TRPO.options,
            given: ["maximum-kl": 0.01, "final-maximum-kl": 0.001, "entropy-bonus": 0.04, "final-entropy-bonus": 0])
        let beyond = Iteration(number: 99, within: 99, count: 5, options: options, root: RandomSource(seed: 1))
        #expect(abs(beyond.geometric("maximum-kl") - 0.001) < 1e-15)
        #expect(beyond.linear("entropy-bonus") == 0 && beyond.shareLeft > 0)
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
        func iterations(_ given: Values, count: Int = 5) -> [Iteration] {
            let options = Values(defaults: TRPO.options, given: given)
            return (0..<count).map {
                Iteration(number: 7 + $0, within: $0, count: count, options: options, root: RandomSource(seed: 1))
            }
        }
        let falling: Values = [
            "maximum-kl": 0.16, "final-maximum-kl": 0.01, "entropy-bonus": 0.04, "final-entropy-bonus": 0,
        ]
        let expected = [(0.16, 0.04), (0.08, 0.03), (0.04, 0.02), (0.02, 0.01), (0.01, 0)]
        for (iteration, expected) in zip(iterations(falling), expected) {
            #expect(abs(iteration.geometric("maximum-kl") - expected.0) < 1e-12)
            #expect(abs(iteration.linear("entropy-bonus") - expected.1) < 1e-12)
        }
        for iteration in iterations(["maximum-kl": 0.16, "entropy-bonus": 0.04]) {
            #expect(iteration.geometric("maximum-kl") == 0.16 && iteration.linear("entropy-bonus") == 0.04)
        }
        let single = iterations(falling, count: 1)[0]
        #expect(
            single.geometric("maximum-kl") == 0.16 && single.linear("entropy-bonus") == 0.04,
            "of a single iteration the first value counts")
        for (iteration, left) in zip(iterations([:]), [1, 0.8, 0.6, 0.4, 0.2]) {
            #expect(abs(iteration.shareLeft - left) < 1e-12)
        }
    }

    /// Long MDPs first teach the memory, one more state at a time, then play the task proper; short ones only play.
    @Test func theDefaultOfLongMDPsTeachesTheMemoryFirst() throws {
        func defaults(_ options: Values) throws -> Configuration {
            let configuration = try Configuration.defaults(task: "mdp", model: "gru", taskOptions: options)
            try configuration.validate()
            let last = try #require(configuration.stages.last)
            #expect(last.learner == "trpo" && last.taskOptions.isEmpty)
            return configuration
        }
        func predicting(_ configuration: Configuration) -> [Stage] {
            configuration.stages.filter { $0.learner == "reward_prediction" }
        }
        func reachable(_ configuration: Configuration) -> [OptionValue?] {
            predicting(configuration).map { $0.taskOptions["reachable-states"] }
        }
        let paper = try defaults([:])
        #expect(reachable(paper) == [2, 3, 4, 5, 6, 7, 8, 9, nil])
        #expect(paper.modelOptions["chrono-t-max"] == 1 && paper.modelOptions["input-gain"] == 6.0)
        #expect(try reachable(defaults(["reachable-states": 4])) == [2, 3, nil])
        #expect(try reachable(defaults(["states": 2, "episodes": 10])).isEmpty, "no easier MDP than of two states")
        #expect(try reachable(defaults(["episodes": 2])).isEmpty)
        let large = try defaults(["states": 64, "episodes": 100])
        let sizes = predicting(large).map {
            $0.taskOptions["reachable-states"] == nil ? 64 : $0.taskOptions.integer("reachable-states")
        }
        #expect(sizes.dropLast().allSatisfy { $0 < 64 } && sizes.last == 64 && sizes == sizes.sorted())
        #expect(predicting(large).allSatisfy { $0.taskOptions["episodes"] == 10 })
    }

    @Test func defaultsAreValidForTheWholeRangeOfTasks() throws {
        for episodes in [1, 10, 15, 16, 100, 500, 10_000] {
            for arms in [2, 50, 1000] {
                let configuration = try Configuration.defaults(
                    task: "bandit", model: "gru", taskOptions: ["arms": .integer(arms), "episodes": .integer(episodes)])
                try configuration.validate()
                #expect(configuration.stages.last?.taskOptions == [:], "the last stage plays the task proper")
            }
        }
    }

    /// Every task, model and outer loop of the catalogues go together.
    @Test(arguments: taskCatalogue.names, modelCatalogue.names)
    func defaultsAreValidForEveryModelAndLearner(task: String, model: String) throws {
        for learner in [nil] + learnerCatalogue.entries.filter(\.isOuterLoop).map(\.name) {
            let configuration = try Configuration.defaults(task: task, model: model, learner: learner)
            try configuration.validate()
            let last = try #require(configuration.stages.last)
            #expect(configuration.isProper(last) && (learner == nil || last.learner == learner))
        }
    }
}
