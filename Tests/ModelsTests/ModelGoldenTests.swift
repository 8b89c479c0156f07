import Conformance
import Foundation
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
    }

    static let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }()

    /// The catalogue's recurrent models, encoder and head included, against `torch.nn.GRU`, `LSTM` and `RNN` and
    /// `torch.nn.Linear` with the same names, shapes and order of parameters, over trials of 6 steps in five lanes.
    @Test(arguments: ["gru", "lstm", "elman"]) func recurrentPolicy(_ name: String) throws {
        struct File: Decodable { var inputs: Inputs }
        let golden = try Golden(name + "_policy")
        let inputs = try Self.decoder.decode(File.self, from: Golden.data(name + "_policy")).inputs
        let specification = ModelSpecification(
            observation: .vector(width: 2), actions: 3, outputs: 3, hidden: 4, headGain: 1)
        let policy = try #require(ModelCatalogue.entry(named: name)).make(specification)
        #expect(policy.layout.entries.map(\.name) == golden.operands.map(\.name))
        #expect(policy.layout.entries.map(\.shape) == golden.operands.map(\.shape))

        let rows = OwnedInputs(
            (0..<inputs.steps * inputs.lanes).map { row in
                StepInput(
                    vector: Array(inputs.observations[2 * row..<2 * row + 2]), image: [],
                    previousAction: inputs.previousActions[row], previousReward: inputs.previousRewards[row],
                    episodeEnd: inputs.episodeEnds[row], stepIndex: Int32(row / inputs.lanes))
            })
        let shape = PackedShape(lengths: [Int](repeating: inputs.steps, count: inputs.lanes))
        let errors = golden.errors { policy.unroll(rows.inputs, shape: shape, tape: $0) }
        // Each of six steps sums 7 + 4 numbers.
        #expect(errors.largest < roundingTolerance(depth: 6 * 11), "\(errors)")
    }
}
