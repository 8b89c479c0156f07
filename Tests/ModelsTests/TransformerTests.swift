import Autodiff
import Conformance
import Foundation
import Interface
import Kernels
import Models
import Testing

/// What holds of a transformer beyond the laws of every model.
@Suite struct TransformerTests {
    static func entry() throws -> ModelEntry { try #require(modelCatalogue.entry(named: "transformer")) }

    static func model(
        _ options: Values, lengths: [Int], hidden: Int = 8, seed: UInt64 = 61
    ) throws -> ModelUnderTest {
        let entry = try entry()
        var random = RandomSource(seed: seed)
        let specification = ModelSpecification(
            observation: .vector(width: 2), actions: 3, outputs: 3, hidden: hidden,
            options: Values(defaults: entry.options, given: options), headGain: 1)
        let trials = TrialInputs(
            lengths: lengths, observation: .vector(width: 2), actions: 3, random: &random)
        return ModelUnderTest(entry.make(specification), trials: trials, noise: 0.2, random: &random)
    }

    /// A layer with a context of W steps forgets what is older; L layers reach L (W − 1) steps back and not one further.
    /// In a second layer the oldest step counts only through what the first made of it, but it counts.
    @Test(arguments: [(1, 1), (1, 4), (2, 3), (3, 2)])
    func contextEndsWhereItShould(_ layers: Int, _ context: Int) throws {
        let length = 70 + context
        let model = try Self.model(
            ["layers": .integer(layers), "attention-window": .integer(context)], lengths: [length])
        var random = RandomSource(seed: 62)
        for step in [0, 1, 30, 63] {
            let changed = model.with(model.trials.changed(trial: 0, steps: step..<step + 1, random: &random))
            for (before, after) in [(model.unrolled(), changed.unrolled()), (model.stepped(), changed.stepped())] {
                let last = step + layers * (context - 1)
                for other in step..<length {
                    #expect(sameBits(before[0][other], after[0][other]) == (other > last), "\(step) in \(other)")
                }
            }
        }
    }

    /// A context as long as the trial is the whole trial.
    @Test(arguments: ["none", "rotary", "alibi"])
    func contextOfATrialIsTheWhole(_ position: String) throws {
        let lengths = [90, 70, 90]
        let whole = try Self.model(["position": .word(position)], lengths: lengths)
        let window = try Self.model(["position": .word(position), "attention-window": 90], lengths: lengths)
        #expect(relativeDistance(window.unrolled().joinedNumbers, from: whole.unrolled().joinedNumbers) < 1e-6)
        #expect(sameBits(window.stepped().joinedNumbers, whole.stepped().joinedNumbers))
    }

    /// Without a position encoding, earlier steps are a set: swapping what two of them showed does not matter to later
    /// ones, as a layer sees it. With any encoding it does.
    @Test(arguments: ["none", "sinusoidal", "rotary", "alibi"])
    func orderCountsWhereItIsEncoded(_ position: String) throws {
        let model = try Self.model(["layers": 1, "position": .word(position)], lengths: [12])
        // The step count is an input of its own: all but the last step pretend to be of the same number.
        var same = model.trials
        if position == "none" { for step in 0..<11 { same.steps[0][step].stepIndex = 0 } }
        var swapped = same
        swapped.steps[0].swapAt(3, 7)
        (swapped.steps[0][3].stepIndex, swapped.steps[0][7].stepIndex) = (
            same.steps[0][3].stepIndex, same.steps[0][7].stepIndex
        )
        let distance = relativeDistance(
            model.with(swapped).unrolled()[0][11], from: model.with(same).unrolled()[0][11])
        #expect((distance < 1e-6) == (position == "none"), "\(distance)")
    }

    /// Lanes may be at different steps of their trials, and lanes that end give up their place without moving others.
    @Test func lanesMayBeginAnewOneByOne() throws {
        let model = try Self.model(["attention-window": 3, "position": "alibi"], lengths: [9, 9, 9])
        let order = [0, 1, 2]
        let expected = model.unrolled()
        func run<Policy: SequencePolicy>(_ policy: Policy) {
            let (memory, tape) = (policy.makeMemory(lanes: 3, steps: 9), Tape())
            // Lane 1 begins its trial anew when the others have done five steps.
            var begun = [0, 0, 0]
            for step in 0..<9 {
                if step == 5 {
                    memory.reset(lane: 1)
                    begun[1] = 5
                }
                let rows = OwnedInputs(
                    order.map { model.trials.steps[$0][step - begun[$0]] }, space: model.trials.observation)
                model.parameters.withUnsafeBufferPointer { theta in
                    tape.begin(parameters: theta.baseAddress!, recording: false)
                    let output = policy.step(rows.inputs, memory: memory, tape: tape)
                    let numbers = Array(UnsafeBufferPointer(start: tape.value(output), count: output.count))
                    for lane in order {
                        let row = Array(numbers[3 * lane..<3 * lane + 3])
                        #expect(relativeDistance(row, from: expected[lane][step - begun[lane]]) < 1e-5)
                    }
                }
            }
        }
        run(model.policy)
    }

    /// The last maps of the 2L sublayers start smaller, so that the stream's variance does not grow with depth.
    @Test(arguments: [1, 4])
    func outputProjectionsStartScaled(_ layers: Int) throws {
        let model = try Self.model(["layers": .integer(layers)], lengths: [2], hidden: 64)
        let values = model.policy.layout.initialValues(RandomSource(seed: 3))
        for entry in model.policy.layout.entries where entry.name.hasPrefix("transformer.layers.") {
            let numbers = Array(values[entry.offset..<entry.offset + entry.count])
            let fans = entry.shape.count == 2 ? Float(entry.shape[0] + entry.shape[1]) : 0
            switch entry.name.split(separator: ".").suffix(2).joined(separator: ".") {
            case "out_proj.weight", "linear2.weight":
                let bound = (6 / fans / Float(2 * layers)).squareRoot()
                #expect(numbers.allSatisfy { abs($0) <= bound } && numbers.contains { abs($0) > 0.98 * bound })
            case "linear1.weight":
                #expect(numbers.contains { abs($0) > 0.98 * (6 / fans).squareRoot() })
            case "norm1.weight", "norm2.weight": #expect(numbers.allSatisfy { $0 == 1 })
            default: if entry.shape.count == 1 { #expect(numbers.allSatisfy { $0 == 0 }) }
            }
        }
    }

    /// 2 layers · (keys and values) · slots · width · 4 bytes, slots being the first token and the steps that are kept,
    /// in sixteens.
    @Test func bytesOfALane() throws {
        func bytes(_ options: Values, steps: Int) throws -> Int {
            func of<Policy: SequencePolicy>(_ policy: Policy) -> Int {
                policy.makeMemory(lanes: 3, steps: steps).bytesPerLane
            }
            return of(try Self.model(options, lengths: [1]).policy)
        }
        #expect(try bytes([:], steps: 15) == 2 * 2 * 16 * 8 * 4)
        #expect(try bytes([:], steps: 100) == 2 * 2 * 112 * 8 * 4)
        #expect(try bytes(["attention-window": 20], steps: 100) == 2 * 2 * 32 * 8 * 4)
        #expect(try bytes(["attention-window": 20, "layers": 3], steps: 7) == 3 * 2 * 16 * 8 * 4)
    }

    @Test func objections() throws {
        let entry = try Self.entry()
        func objection(_ width: Int, _ options: Values) -> String? {
            entry.objection(width, Values(defaults: entry.options, given: options))
        }
        #expect(objection(128, [:]) == nil && objection(128, ["position": "rotary"]) == nil)
        #expect(try #require(objection(130, [:])).contains("--heads"))
        #expect(objection(12, ["position": "alibi"]) == nil)
        #expect(try #require(objection(12, ["position": "rotary"])).contains("--position"))
    }

    /// A trial that outruns its memory ends the program instead of forgetting its beginning.
    @Test func trialsThatOutrunTheMemoryAreRefused() async {
        await #expect(processExitsWith: .failure) {
            let cache = KeyValueCache(layers: 1, lanes: 1, steps: 2, heads: 1, width: 1)
            var (rows, output): ([Float], [Float]) = ([0, 0, 0], [0])
            var scratch = [Float](repeating: 0, count: cache.scratchCount)
            for _ in 0..<3 {
                cache.attend(layer: 0, &rows, scratch: &scratch, into: &output)
                cache.advance()
            }
        }
    }
}
