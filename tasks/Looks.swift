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

/// A member from above, in units of its own: x grows to the east, y to the south.
public struct FloorPlan: Sendable, Equatable {
    /// A rectangle of whole units.
    public struct Box: Sendable, Equatable {
        public let x: Range<Int>
        public let y: Range<Int>

        public init(x: Range<Int>, y: Range<Int>) { (self.x, self.y) = (x, y) }
    }

    /// Where an agent stands, and where it looks: degrees clockwise from the east.
    public struct Place: Sendable, Equatable {
        public let x: Int
        public let y: Int
        public let degrees: Int

        public init(x: Int, y: Int, degrees: Int) { (self.x, self.y, self.degrees) = (x, y, degrees) }
    }

    /// Units a side, from 0.
    public let side: Int
    /// Units of a cell: what a picture's scale is about.
    public let cell: Int
    public let walls: [Box]
    public let targets: [Box]
    /// Radius of the agent's body.
    public let bodyRadius: Int

    public init(side: Int, cell: Int, walls: [Box], targets: [Box], bodyRadius: Int) {
        self.side = side
        self.cell = cell
        self.walls = walls
        self.targets = targets
        self.bodyRadius = bodyRadius
    }
}
