import Foundation
import Interface
import Kernels
import Models

/// A trainer's state as one safetensors file.
///
/// Tensors: `policy.<name>` and `critic.<name>` under PyTorch's names and shapes, `exp_avg` and `exp_avg_sq` [P] of
/// `critic_optimizer` and of `policy_optimizer`, `learner.<name>.<tensor>` [P] of learners that keep a state of their own,
/// `return_scale.{means,squares,weights}` [T]. Counters and the configuration stand in the metadata.
/// Random streams are named by seed and iteration, so the counter is their state.
extension Trainer {
    public func checkpoint() throws -> SafetensorsFile {
        var tensors = Trainer.tensors("policy.", policy, parameters)
        tensors += Trainer.tensors("critic.", critic.model, critic.parameters)
        for (name, matrix) in optimizerState { tensors.append(.init(name, Trainer.floats(matrix))) }
        tensors.append(.init("return_scale.means", critic.scale.means))
        tensors.append(.init("return_scale.squares", critic.scale.squares))
        tensors.append(.init("return_scale.weights", critic.scale.weights))
        return SafetensorsFile(
            metadata: [
                "format": "rl2x-checkpoint-1", "version": Version.number, "iteration": String(iteration),
                "timesteps": String(timesteps), "critic_optimizer_steps": String(critic.optimizer.steps),
                "policy_optimizer_steps": String(actorCritic.policyOptimizer.steps),
                "configuration": configuration.yaml(),
            ], tensors: tensors)
    }

    private var optimizerState: [(String, Matrix)] {
        [
            ("critic_optimizer.exp_avg", critic.optimizer.firstMoment),
            ("critic_optimizer.exp_avg_sq", critic.optimizer.secondMoment),
            ("policy_optimizer.exp_avg", actorCritic.policyOptimizer.firstMoment),
            ("policy_optimizer.exp_avg_sq", actorCritic.policyOptimizer.secondMoment),
        ]
            + learners.sorted { $0.key < $1.key }.flatMap { learner, value in
                value.state.map { ("learner.\(learner).\($0.name)", $0.values) }
            }
    }

    /// Counters are added to: one that is near the end of its range would end the process.
    static let largestCounter = 1 << 53

    static func counter(_ name: String, in file: SafetensorsFile, path: String) throws -> Int {
        guard let value = file.metadata[name].flatMap({ Int($0) }), (0...largestCounter).contains(value) else {
            throw UserError("\(path): not a checkpoint of rl2x (no count '\(name)' in its metadata)")
        }
        return value
    }

    /// Takes the weights of another run, of policy and critic (of a published policy, which has no critic, the policy's
    /// alone), and counts its time steps. All else begins anew: the
    /// optimisers, whose moments are of other losses; what a learner keeps; the scale of returns, which the first batch
    /// gives; and the random streams, which go on where the parent's line has not drawn.
    ///
    /// The critic is told how long a trial has run as a share of the trial, so in longer trials the same weights see their
    /// time stretched.
    func begin(with parent: ParentRun) throws {
        let theta = try Trainer.values("policy.", policy, in: parent.checkpoint, path: parent.checkpointPath)
        let criticTheta =
            parent.hasCritic
            ? try Trainer.values("critic.", critic.model, in: parent.checkpoint, path: parent.checkpointPath) : nil
        parameters.copy(from: theta)
        if let criticTheta { critic.parameters.copy(from: criticTheta) }
        timesteps = parent.record.lineTimesteps
    }

    /// Takes the state of a checkpoint. Throws, before anything is changed, if it is not one of this configuration's.
    public func restore(_ file: SafetensorsFile, path: String) throws {
        func counter(_ name: String) throws -> Int { try Trainer.counter(name, in: file, path: path) }
        let (iterations, steps) = (try counter("iteration"), try counter("timesteps"))
        let optimizerSteps = try counter("critic_optimizer_steps")
        let policyOptimizerSteps = try counter("policy_optimizer_steps")
        let theta = try Trainer.values("policy.", policy, in: file, path: path)
        let criticTheta = try Trainer.values("critic.", critic.model, in: file, path: path)
        let moments = try optimizerState.map { name, matrix in
            try Trainer.tensor(name, shape: [matrix.count], in: file, path: path)
        }
        func column(_ name: String) throws -> [Float] {
            guard let tensor = file[name], tensor.shape.count == 1 else {
                throw UserError("\(path): not a checkpoint of rl2x (no tensor '\(name)')")
            }
            return try Trainer.finite(tensor, path: path)
        }
        var scale = ReturnScale()
        scale.means = try column("return_scale.means")
        scale.squares = try column("return_scale.squares")
        scale.weights = try column("return_scale.weights")
        guard scale.means.count == scale.squares.count, scale.means.count == scale.weights.count else {
            throw UserError("\(path): its return_scale tensors have different lengths")
        }

        (iteration, timesteps) = (iterations, steps)
        parameters.copy(from: theta)
        critic.parameters.copy(from: criticTheta)
        critic.optimizer.steps = optimizerSteps
        actorCritic.policyOptimizer.steps = policyOptimizerSteps
        for ((_, matrix), values) in zip(optimizerState, moments) { matrix.copy(from: values) }
        critic.scale = scale
    }

    /// θ of a policy out of a checkpoint, for playing without a trainer.
    public static func policyParameters(
        of policy: any SequencePolicy, in file: SafetensorsFile, path: String
    ) throws -> Matrix {
        let matrix = Matrix(rows: 1, columns: policy.layout.count)
        matrix.copy(from: try values("policy.", policy, in: file, path: path))
        return matrix
    }

    /// The policy alone out of a checkpoint: what is published. Its tensors keep their names; the metadata count the
    /// training's iterations and time steps.
    ///
    /// - Parameters:
    ///   - type: how the values are stored.
    ///   - configuration: what config.yaml beside it holds.
    /// - Throws: one line if the checkpoint is not one of this policy.
    public static func policyFile(
        from checkpoint: SafetensorsFile, path: String, policy: any SequencePolicy, configuration: Configuration,
        type: SafetensorsFile.ElementType
    ) throws -> SafetensorsFile {
        let (iterations, steps) = (
            try counter("iteration", in: checkpoint, path: path), try counter("timesteps", in: checkpoint, path: path)
        )
        let tensors = try policy.layout.entries.map {
            let values = try tensor("policy." + $0.name, shape: $0.shape, in: checkpoint, path: path)
            return SafetensorsFile.Tensor(name: "policy." + $0.name, shape: $0.shape, values: values).converted(
                to: type)
        }
        return SafetensorsFile(
            metadata: [
                "format": "rl2x-policy-1", "version": Version.number, "iteration": "\(iterations)",
                "timesteps": "\(steps)", "configuration": configuration.yaml(),
            ], tensors: tensors)
    }

    // MARK: Tensors

    private static func floats(_ matrix: Matrix) -> [Float] {
        Array(UnsafeBufferPointer(start: matrix.pointer, count: matrix.count))
    }

    private static func tensors(
        _ prefix: String, _ model: any SequencePolicy, _ parameters: Matrix
    ) -> [SafetensorsFile.Tensor] {
        model.layout.entries.map {
            let values = UnsafeBufferPointer(start: parameters.pointer + $0.offset, count: $0.count)
            return SafetensorsFile.Tensor(name: prefix + $0.name, shape: $0.shape, values: Array(values))
        }
    }

    private static func values(
        _ prefix: String, _ model: any SequencePolicy, in file: SafetensorsFile, path: String
    ) throws -> [Float] {
        let names = Set(model.layout.entries.map { prefix + $0.name })
        if let other = file.tensors.first(where: { $0.name.hasPrefix(prefix) && !names.contains($0.name) }) {
            throw UserError(
                "\(path): a checkpoint of another architecture (it holds '\(other.name)'); use the run's own config.yaml"
            )
        }
        return try model.layout.entries.flatMap {
            try tensor(prefix + $0.name, shape: $0.shape, in: file, path: path)
        }
    }

    private static func tensor(
        _ name: String, shape: [Int], in file: SafetensorsFile, path: String
    ) throws -> [Float] {
        guard let tensor = file[name] else {
            throw UserError(
                "\(path): a checkpoint of another architecture (no tensor '\(name)'); use the run's own config.yaml")
        }
        guard tensor.shape == shape else {
            throw UserError(
                "\(path): a checkpoint of another size ('\(name)' is \(tensor.shape), the configuration wants \(shape))"
            )
        }
        return try finite(tensor, path: path)
    }

    /// A policy that is not finite would play, and be reported, like any other.
    private static func finite(_ tensor: SafetensorsFile.Tensor, path: String) throws -> [Float] {
        guard tensor.values.allSatisfy(\.isFinite) else {
            throw UserError(
                "\(path): '\(tensor.name)' holds numbers that are not finite: the file is damaged or the training "
                    + "diverged; use another checkpoint")
        }
        return tensor.values
    }
}

extension SafetensorsFile.Tensor {
    fileprivate init(_ name: String, _ values: [Float]) { self.init(name: name, shape: [values.count], values: values) }
}
