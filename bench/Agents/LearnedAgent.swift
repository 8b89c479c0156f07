import Interface
import Kernels
import Models
import Tasks
import Training

/// A trained policy with frozen weights: what it learns of a member, its memory learns.
public struct LearnedAgent: Agent {
    public let name: String
    public let policy: any SequencePolicy
    /// θ [P]
    public let weights: Matrix
    public let choice: ActionChoice

    public init(name: String, policy: any SequencePolicy, weights: Matrix, choice: ActionChoice = .sampled) {
        self.name = name
        self.policy = policy
        self.weights = weights
        self.choice = choice
    }

    /// The policy of a run's latest checkpoint, or one that was published.
    ///
    /// - Throws: one line if there is no run, no checkpoint, or another architecture's.
    public init(_ run: RunDirectory, _ configuration: Configuration, choice: ActionChoice = .sampled) throws {
        let (file, path) = try run.readPolicy()
        let policy = try configuration.makePolicy()
        self.init(
            name: configuration.modelName, policy: policy,
            weights: try Trainer.policyParameters(of: policy, in: file, path: path), choice: choice)
    }

    /// The same weights in a task that `Configuration.playing` allows, whose actions may be more or fewer.
    public func playing(_ configuration: Configuration) throws -> LearnedAgent {
        guard try configuration.makeFamily().actions != policy.outputs else { return self }
        return LearnedAgent(name: name, policy: try configuration.makePolicy(), weights: weights, choice: choice)
    }

    public var parameters: String { choice == .sampled ? "" : "\(choice.rawValue) actions" }

    public func play(
        _ members: Range<Int>, of family: any TaskFamily, root: RandomSource, workers: Workers
    ) -> PlayedTrials {
        let batch = TrialBatch(family: family, trials: members.count)
        batch.play(
            policy, parameters: UnsafePointer(weights.pointer), root: root, first: members.lowerBound, choice: choice,
            workers: workers)
        return PlayedTrials(batch)
    }
}
