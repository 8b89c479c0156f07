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
