import Interface
import Kernels

/// Everything that a batch holds of one step, as a value: for analysis and tests. Training reads the arrays.
public struct TrialStep: Sendable, Equatable {
    /// What the policy was given.
    public var input: StepInput
    /// a_t
    public var action: Int32
    /// r_t, the reward of a_t
    public var reward: Float
    /// a_t ended an episode.
    public var endsEpisode: Bool
    /// log π_old(· | history) [A]
    public var logProbabilities: [Float]
    /// V(history) in units of reward
    public var value: Float
    public var advantage: Float
    /// What the critic is fitted to.
    public var target: Float

    public init(
        input: StepInput, action: Int32, reward: Float, endsEpisode: Bool, logProbabilities: [Float] = [],
        value: Float = 0, advantage: Float = 0, target: Float = 0
    ) {
        self.input = input
        self.action = action
        self.reward = reward
        self.endsEpisode = endsEpisode
        self.logProbabilities = logProbabilities
        self.value = value
        self.advantage = advantage
        self.target = target
    }
}

extension ShardBatch {
    /// The steps of the trial in a lane.
    public func trial(_ lane: Int) -> [TrialStep] {
        (0..<shape.length(lane: lane)).map { step(row: shape.row(step: $0, lane: lane)) }
    }

    private func step(row: Int) -> TrialStep {
        func slice<Element>(_ buffer: Buffer<Element>, _ width: Int) -> [Element] {
            Array(UnsafeBufferPointer(start: buffer.pointer + row * width, count: width))
        }
        return TrialStep(
            input: inputs.value(row), action: actions[row], reward: rewards[row], endsEpisode: endsEpisode[row] == 1,
            logProbabilities: slice(logProbabilities, actionCount), value: values[row], advantage: advantages[row],
            target: targets[row])
    }
}
