import Conformance
import Foundation
import Interface
import Kernels
import Models
import Testing

@testable import Training

/// A transformer as this library has trained and saved it, in `torch.nn.TransformerEncoder`.
@Suite struct TransformerInterchangeTests {
    /// Logits over trials of 100 steps. Python computes in float64, so the distance is our rounding alone: in each of two
    /// layers a number sums 24, 8, 100, 24, 24 and 96 others, and norms over 24.
    @Test(.enabled(if: Python.has("torch"), "there is no .venv with torch"))
    func pyTorchPlaysOurTransformer() throws {
        let (steps, lanes, heads) = (100, 3, 3)
        var random = RandomSource(seed: 67)
        let trials = TrialInputs(
            lengths: [Int](repeating: steps, count: lanes), observation: .vector(width: 0), actions: 5,
            random: &random)
        let (rows, shape) = trials.packed(trials.packingOrder())
        var configuration = try Configuration.defaults(
            task: "bandit", model: "transformer", modelOptions: ["heads": .integer(heads), "hidden": 24], seed: 6)
        configuration.stages = [
            .complete("trpo", ["gae-lambda": 0.5, "maximum-kl": 0.05], iterations: 3, batchSteps: 2000)
        ]
        let trainer = try Trainer(configuration, threads: 2)
        while !trainer.isFinished { _ = try trainer.step() }

        try withTemporaryDirectory { directory in
            func file(_ name: String) -> String { "\(directory)/\(name).safetensors" }
            func column(_ name: String, _ values: (StepInput) -> Float) -> SafetensorsFile.Tensor {
                .init(
                    name: name, shape: [steps, lanes],
                    values: (0..<steps).flatMap { step in trials.steps.map { values($0[step]) } })
            }
            try SafetensorsFile(tensors: [
                column("previous_actions") { Float($0.previousAction) },
                column("previous_rewards", \.previousReward), column("episode_ends", \.episodeEnd),
            ]).write(to: file("trials"))
            try trainer.checkpoint().write(to: file("checkpoint"))
            try Python.run(
                "pytorch_transformer.py", [file("trials"), file("logits"), file("checkpoint"), "\(heads)"])

            let theirs = try #require(try SafetensorsFile(contentsOf: file("logits"))["logits"])
            #expect(theirs.shape == [steps, lanes, 5])
            let policy = trainer.policy
            let ours = DifferentiableFunction(parameterCount: policy.layout.count) { tape in
                policy.unroll(rows.inputs, shape: shape, tape: tape)
            }.value(at: trainer.parameters.values)
            let error = relativeDistance(ours, from: theirs.values)
            #expect(error < roundingTolerance(depth: 2 * 324), "\(error)")
        }
    }
}
