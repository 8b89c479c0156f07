/// A member in which each choice's worth can be written down: what a replay shows beside what a policy did. A bandit is an
/// MDP of one state and one step.
public struct ChoiceTable: Sendable, Equatable {
    /// Mean reward of each action [S][A]
    public let meanRewards: [[Double]]
    /// What the oracle does at each step of an episode [T][S]; the first of equals.
    public let bestActions: [[Int]]
    /// What a mean reward is believed to be before anything is seen, and how many rewards that belief weighs as much as:
    /// after n rewards of sum Σ the posterior mean is (weight · mean + Σ) / (weight + n).
    public let priorMean: Double
    public let priorWeight: Double

    public init(meanRewards: [[Double]], bestActions: [[Int]], priorMean: Double, priorWeight: Double) {
        self.meanRewards = meanRewards
        self.bestActions = bestActions
        self.priorMean = priorMean
        self.priorWeight = priorWeight
    }
}
