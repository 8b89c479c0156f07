import Foundation
import Kernels
import Tasks
import Testing

@testable import Training

/// A policy that is not finite would play, and be reported, like any other.
@Suite struct FiniteCheckpointTests {
    private func trainer(_ learner: String = "trpo") throws -> Trainer {
        var configuration = try Configuration.defaults(
            task: "bandit", model: "gru", taskOptions: ["arms": 2, "episodes": 5], modelOptions: ["hidden": 4])
        configuration.stages = [.complete(learner, iterations: 2, batchSteps: 100)]
        return try Trainer(configuration, threads: 1)
    }

    private func refusal(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return "nothing was refused"
    }

    /// Weights of policy and critic, the state of their optimisers, and the scale of returns: one number of each, wherever
    /// it lies.
    @Test(arguments: ["trpo", "ppo"], [Float.nan, .infinity, -.infinity])
    func noTensorMayHoldWhatIsNotFinite(_ learner: String, _ value: Float) throws {
        let trainer = try trainer(learner)
        _ = try trainer.step()
        let whole = try trainer.checkpoint()
        try trainer.restore(whole, path: "c")
        var checked: Set<String> = []
        for (index, tensor) in whole.tensors.enumerated() where !tensor.values.isEmpty {
            var tensors = whole.tensors
            var values = tensor.values
            values[values.count - 1] = value
            tensors[index] = .init(name: tensor.name, shape: tensor.shape, values: values)
            let file = SafetensorsFile(metadata: whole.metadata, tensors: tensors)
            let line = refusal { try trainer.restore(file, path: "c") }
            #expect(line.hasPrefix("c: '\(tensor.name)' holds numbers that are not finite"), "\(line)")
            let played = refusal {
                _ = try Trainer.policyParameters(of: trainer.policy, in: file, path: "c")
            }
            #expect(played.contains("not finite") == tensor.name.hasPrefix("policy."), "\(tensor.name): \(played)")
            checked.insert(String(tensor.name.prefix { $0 != "." }))
        }
        #expect(checked.isSuperset(of: ["policy", "critic", "critic_optimizer", "policy_optimizer", "return_scale"]))
        // What was refused left the trainer as it was.
        #expect(try trainer.checkpoint() == whole)
    }

    /// Counters are added to: at the end of their range that would end the process.
    @Test(arguments: ["iteration", "timesteps", "critic_optimizer_steps", "policy_optimizer_steps"])
    func countersKeepWithinTheirRange(_ name: String) throws {
        let trainer = try trainer()
        let whole = try trainer.checkpoint()
        for text in ["9223372036854775807", "99999999999999999999", "-1", "1e3", ""] {
            var metadata = whole.metadata
            metadata[name] = text
            let file = SafetensorsFile(metadata: metadata, tensors: whole.tensors)
            #expect(refusal { try trainer.restore(file, path: "c") }.contains("'\(name)'"), "\(text)")
        }
    }
}
