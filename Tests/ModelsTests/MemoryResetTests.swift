import Autodiff
import Conformance
import Interface
import Kernels
import Models
import Testing

/// What memories forget when episodes end. That `unroll` is `step` in each mode, and that derivatives are exact, is in
/// `ModelLawTests`.
@Suite struct MemoryResetTests {
    static let lengths = [9, 4, 12, 9]

    /// - Parameter change: of θ, by the layout.
    static func model(
        _ entry: ModelEntry, _ reset: MemoryReset, _ options: Values = [:],
        change: (ParameterLayout, inout [Float]) -> Void = { _, _ in }
    ) -> ModelUnderTest {
        var random = RandomSource(seed: 71)
        let specification = ModelSpecification(
            observation: .vector(width: 2), actions: 3, outputs: 3, hidden: 8,
            options: Values(defaults: entry.options, given: options.merging(["reset-memory": .word(reset.rawValue)])),
            headGain: 1)
        let trials = TrialInputs(
            lengths: lengths, observation: .vector(width: 2), actions: 3, random: &random)
        let model = ModelUnderTest(entry.make(specification), trials: trials, noise: 0.2, random: &random)
        var parameters = model.parameters
        change(model.policy.layout, &parameters)
        return ModelUnderTest(model.policy, parameters: parameters, trials: trials)
    }

    @Test(arguments: modelCatalogue.entries, MemoryReset.allCases)
    func everyModelKnowsEveryMode(_ entry: ModelEntry, _ reset: MemoryReset) {
        #expect(Self.model(entry, reset).policy.memoryReset == reset)
    }

    /// `episode` is what a player does who makes the memory anew at each episode's first step.
    @Test(arguments: modelCatalogue.entries) func anEpisodeForgetsAll(_ entry: ModelEntry) {
        for options in ModelLawTests.settings[entry.name] ?? [[:]] {
            let expected = Self.model(entry, .none, options).stepped(resetting: .episodeEnds).joinedNumbers
            let model = Self.model(entry, .episode, options)
            #expect(relativeDistance(model.stepped().joinedNumbers, from: expected) < 1e-6, "\(options.summary)")
            #expect(relativeDistance(model.unrolled().joinedNumbers, from: expected) < 1e-5, "\(options.summary)")
        }
    }

    /// The modes are three functions, but for who has no memory.
    @Test(arguments: modelCatalogue.entries) func modesDiffer(_ entry: ModelEntry) {
        let outputs = MemoryReset.allCases.map { Self.model(entry, $0).unrolled() }
        let hasMemory = Self.model(entry, .none).policy.memoryBytes(steps: 12) > 0
        for (first, second) in [(0, 1), (0, 2), (1, 2)] {
            let distance = relativeDistance(outputs[first].joinedNumbers, from: outputs[second].joinedNumbers)
            #expect(hasMemory ? distance > 1e-3 : distance == 0, "\(distance)")
        }
        // Until an episode ends nothing is forgotten.
        let trials = Self.model(entry, .none).trials.steps
        for (trial, steps) in trials.enumerated() {
            let end = steps.firstIndex { $0.episodeEnd == 1 } ?? steps.count
            for step in 0..<end {
                #expect(outputs.allSatisfy { sameBits($0[trial][step], outputs[0][trial][step]) })
            }
        }
    }

    /// `half` of a recurrent model: somebody sets the second half of each state vector to 0 from outside.
    /// Where each action has a state of its own, half of each.
    @Test(arguments: ["gru", "lstm", "elman", "symmetric-gru", "symmetric-lstm"]) func halfOfTheStateIsSetToZero(
        _ name: String
    ) throws {
        let entry = try #require(modelCatalogue.entry(named: name))
        let model = Self.model(entry, .none)
        let trial = model.trials.steps[2]
        let policy = try #require(model.policy as? any RecurrentPolicy)
        func play<Policy: RecurrentPolicy>(_ policy: Policy) -> [Float] {
            let (memory, tape) = (policy.makeMemory(lanes: 1, steps: trial.count), Tape())
            return trial.flatMap { input -> [Float] in
                if input.episodeEnd == 1 {
                    for state in memory.states {
                        for unit in 0..<state.columns where unit % 8 >= 4 { state.pointer[unit] = 0 }
                    }
                }
                let rows = OwnedInputs([input], space: .vector(width: 2))
                return model.parameters.withUnsafeBufferPointer { theta in
                    tape.begin(parameters: theta.baseAddress!, recording: false)
                    let output = policy.step(rows.inputs, memory: memory, tape: tape)
                    return Array(UnsafeBufferPointer(start: tape.value(output), count: output.count))
                }
            }
        }
        #expect(trial.contains { $0.episodeEnd == 1 })
        let half = Self.model(entry, .half)
        #expect(relativeDistance(half.unrolled()[2].flatMap { $0 }, from: play(policy)) < 1e-6)
    }

    /// `half` of one attention layer: where only the second half of the heads reaches the output nothing is left of earlier
    /// episodes, where only the first half does nothing is forgotten.
    @Test(arguments: [false, true]) func halfOfTheHeadsForget(_ secondHalf: Bool) throws {
        let entry = try #require(modelCatalogue.entry(named: "transformer"))
        func model(_ reset: MemoryReset) -> ModelUnderTest {
            Self.model(entry, reset, ["layers": 1, "position": "alibi"]) { layout, parameters in
                let projection = layout.entries.first { $0.name.hasSuffix("out_proj.weight") }!
                for row in 0..<8 {
                    for column in secondHalf ? 0..<4 : 4..<8 { parameters[projection.offset + 8 * row + column] = 0 }
                }
            }
        }
        let (half, other) = (model(.half), model(secondHalf ? .episode : .none))
        #expect(relativeDistance(half.unrolled().joinedNumbers, from: other.unrolled().joinedNumbers) < 1e-6)
        #expect(relativeDistance(half.stepped().joinedNumbers, from: other.stepped().joinedNumbers) < 1e-6)
        let whole = model(secondHalf ? .none : .episode)
        #expect(relativeDistance(half.unrolled().joinedNumbers, from: whole.unrolled().joinedNumbers) > 1e-3)
    }

    @Test func halves() {
        #expect([0, 1, 7, 8].map { MemoryReset.half.firstForgetful(of: $0) } == [0, 0, 3, 4])
        #expect(MemoryReset.none.firstForgetful(of: 8) == 8 && MemoryReset.episode.firstForgetful(of: 8) == 0)
    }
}
