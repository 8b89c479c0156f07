import Conformance
import Foundation
import Interface
import Kernels
import Models
import TestSupport
import Testing

/// Whole models against PyTorch in float64; Tests/AutodiffTests/golden/make_goldens.py made the numbers.
@Suite struct ModelGoldenTests {
    /// What a trial shows, [steps, lanes] each.
    struct Inputs: Decodable {
        var steps: Int
        var lanes: Int
        var observations: [Float]
        var previousActions: [Int32]
        var previousRewards: [Float]
        var episodeEnds: [Float]

        var shape: PackedShape { PackedShape(lengths: [Int](repeating: steps, count: lanes)) }

        /// The rows of all trials, with `observed` numbers in an observation.
        func rows(observed: Int) -> OwnedInputs {
            OwnedInputs(
                (0..<steps * lanes).map { row in
                    StepInput(
                        vector: Array(observations[observed * row..<observed * (row + 1)]), image: [],
                        previousAction: previousActions[row], previousReward: previousRewards[row],
                        episodeEnd: episodeEnds[row], stepIndex: Int32(row / lanes))
                }, space: .vector(width: observed))
        }
    }

    static func inputs(_ name: String) throws -> Inputs {
        struct File: Decodable { var inputs: Inputs }
        return try decoder.decode(File.self, from: Golden.data(name)).inputs
    }

    static let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }()

    /// The catalogue's recurrent models, encoder and head included, against `torch.nn.GRU`, `LSTM` and `RNN` and
    /// `torch.nn.Linear` with the same names, shapes and order of parameters, over trials of 6 steps in five lanes.
    @Test(arguments: [
        ("gru", "gru_policy", 1), ("lstm", "lstm_policy", 1), ("elman", "elman_policy", 1),
        ("gru", "gru_two_layers_policy", 2), ("lstm", "lstm_two_layers_policy", 2),
    ]) func recurrentPolicy(_ name: String, _ file: String, _ layers: Int) throws {
        let (golden, inputs) = try (Golden(file), Self.inputs(file))
        let specification = ModelSpecification(
            observation: .vector(width: 2), actions: 3, outputs: 3, hidden: 4,
            options: layers == 1 ? [:] : ["layers": .integer(layers)], headGain: 1)
        let policy = try #require(modelCatalogue.entry(named: name)).make(specification)
        #expect(policy.layout.entries.map(\.name) == golden.operands.map(\.name))
        #expect(policy.layout.entries.map(\.shape) == golden.operands.map(\.shape))

        let rows = inputs.rows(observed: 2)
        let errors = golden.errors { policy.unroll(rows.inputs, shape: inputs.shape, tape: $0) }
        // Each of six steps sums 7 + 4 numbers in a layer.
        #expect(errors.largest < roundingTolerance(depth: layers * 6 * 11), "\(errors)")
    }

    /// A model of residual layers: its width and options, where they differ from 4 and two layers of feed-forward width 2.
    struct Stack: Sendable, CustomStringConvertible {
        var name: String
        var width = 4
        var options: Values = [:]
        /// Numbers that the results sum one after the other.
        var depth: Int
        var description: String { name }
    }

    static let stacks = [
        // Two layers of products over 7, 4, 4, 4 and 8 numbers, norms over 4 and means over 6 steps.
        Stack(name: "min-gru", depth: 2 * 45), Stack(name: "min-lstm", depth: 2 * 45),
        Stack(name: "linear-attention", options: ["heads": 2], depth: 2 * 60),
        // The norms of short vectors lose some.
        Stack(
            name: "delta-net", width: 8,
            options: ["heads": 2, "layers": 1, "feed-forward": 1, "convolution": 3], depth: 400),
        // Sums over 6 steps, 6 states and 4 features are of numbers that cancel in part.
        Stack(name: "lru", options: ["state-size": 3], depth: 2 * 100),
        // Two layers of products over 7, 4, 8, 1 and 8 numbers, a convolution over 3 and states over 6 steps.
        Stack(name: "mamba", options: ["state-size": 3, "convolution": 3], depth: 2 * 80),
        // Sums of up to 20 numbers in four layers one after the other, and attention over 7.
        Stack(name: "snail", options: ["reach": 4], depth: 4 * 40 + 40),
        Stack(name: "xlstm", width: 8, options: ["heads": 2, "layers": 1, "feed-forward": 1], depth: 400),
    ]

    /// Layers, against the published formulas or another implementation of the mixers, PyTorch's norms, convolutions and linear
    /// maps, over trials of 6 steps in three lanes.
    @Test(arguments: stacks) func stackPolicy(_ stack: Stack) throws {
        let (golden, inputs) = try (Golden(stack.name + "_policy"), Self.inputs(stack.name + "_policy"))
        let entry = try #require(modelCatalogue.entry(named: stack.name))
        let given = entry.options.named("feed-forward") == nil ? Values() : ["feed-forward": 2]
        let policy = entry.make(
            ModelSpecification(
                observation: .vector(width: 2), actions: 3, outputs: 3, hidden: stack.width,
                options: Values(defaults: entry.options, given: given.merging(stack.options)), headGain: 1))
        #expect(policy.layout.entries.map(\.name) == golden.operands.map(\.name))
        #expect(policy.layout.entries.map(\.shape) == golden.operands.map(\.shape))
        let rows = inputs.rows(observed: 2)
        let errors = golden.errors { policy.unroll(rows.inputs, shape: inputs.shape, tape: $0) }
        #expect(errors.largest < roundingTolerance(depth: stack.depth), "\(errors)")
    }

    /// The transformer, against `torch.nn.TransformerEncoder` over the first token and five steps, in three lanes; and GTrXL
    /// against the published gates.
    @Test(arguments: [
        // Two layers of products over 6, 3, 6, 6, 6 and 12 numbers, norms over 6 and a softmax over 6; or one of more.
        Stack(name: "transformer", width: 6, options: ["heads": 2, "feed-forward": 2], depth: 2 * 60),
        Stack(
            name: "gtrxl", width: 8,
            options: ["heads": 2, "feed-forward": 1, "layers": 1, "attention-window": 3], depth: 2 * 60),
    ]) func transformerPolicy(_ model: Stack) throws {
        let (golden, inputs) = try (Golden(model.name + "_policy"), Self.inputs(model.name + "_policy"))
        let entry = try #require(modelCatalogue.entry(named: model.name))
        let policy = entry.make(
            ModelSpecification(
                observation: .vector(width: 1), actions: 4, outputs: 4, hidden: model.width,
                options: Values(defaults: entry.options, given: model.options), headGain: 1))
        #expect(policy.layout.entries.map(\.name) == golden.operands.map(\.name))
        #expect(policy.layout.entries.map(\.shape) == golden.operands.map(\.shape))
        let rows = inputs.rows(observed: 1)
        let errors = golden.errors { policy.unroll(rows.inputs, shape: inputs.shape, tape: $0) }
        #expect(errors.largest < roundingTolerance(depth: model.depth), "\(errors)")
    }
}
