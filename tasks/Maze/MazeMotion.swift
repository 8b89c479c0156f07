import Foundation

/// Where an agent stands and looks.
public struct MazePose: Sendable, Hashable {
    /// Lattice units to the east.
    public var x: Int
    /// Lattice units to the south.
    public var y: Int
    /// 0 ..< headings; heading h looks to h · turn degrees clockwise from the east, as seen from above.
    public var heading: Int

    public init(x: Int, y: Int, heading: Int) {
        self.x = x
        self.y = y
        self.heading = heading
    }
}

/// What an agent can do.
public enum MazeAction: Int, Sendable, CaseIterable {
    case forward, left, right
}

/// How an agent moves. The pose is a point of a lattice so fine that it looks continuous, so the poses that can be reached
/// are finite, states can be hashed, and no rounding ever enters.
///
/// - A turn changes the heading by a fixed angle.
/// - A step forward moves the body by the lattice vector nearest to `step` in its heading. Where a wall is in the way
///   the body slides: it takes that part of the step along one axis which is free, the larger first, or stays. That
///   counts as a hit.
/// - The body is a disc; its whole way is tested, so it passes through no wall and cuts no corner.
public struct MazeMotion: Sendable, Equatable {
    /// Degrees of a turn; divides 360.
    public let turn: Int
    /// Cells of a step forward.
    public let step: Double
    /// 360 / turn
    public let headings: Int
    /// What a step forward adds, for each heading.
    private let displacements: [SIMD2<Int>]

    /// - Parameters:
    ///   - step: in cells, 0.05 … 0.5.
    ///   - turn: degrees; must divide 360.
    public init(step: Double = 0.25, turn: Int = 90) {
        precondition(turn > 0 && 360 % turn == 0, "a turn of \(turn)° does not divide the circle")
        precondition(step >= 0.05 && step <= 0.5, "a step of \(step) cells")
        self.step = step
        self.turn = turn
        headings = 360 / turn
        displacements = (0..<headings).map { heading in
            let angle = Double(heading * turn) * Double.pi / 180
            // Halves are rounded away from zero, whatever rounding made of the cosine: opposite headings are opposite.
            func units(_ direction: Double) -> Int {
                Int((step * Double(MazeScale.cell) * direction * (1 + 1e-9)).rounded())
            }
            return SIMD2(units(cos(angle)), units(sin(angle)))
        }
    }

    /// The largest spacing of a lattice on which all moves from a point of it stay: the greatest common divisor of all
    /// displacements.
    public var spacing: Int {
        func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? abs(a) : divisor(b, a % b) }
        return displacements.reduce(0) { divisor(divisor($0, $1.x), $1.y) }
    }

    /// What an action did.
    public struct Outcome: Sendable, Equatable {
        public var pose: MazePose
        /// A wall was in the way.
        public var hitsWall: Bool
        /// The body met the target.
        public var reachesTarget: Bool
    }

    /// Takes an action in a maze.
    public func apply(_ action: MazeAction, to pose: MazePose, in world: MazeWorld) -> Outcome {
        var next = pose
        switch action {
        case .left:
            next.heading = pose.heading == 0 ? headings - 1 : pose.heading - 1
        case .right:
            next.heading = pose.heading == headings - 1 ? 0 : pose.heading + 1
        case .forward:
            return advance(pose, world)
        }
        return Outcome(pose: next, hitsWall: false, reachesTarget: false)
    }

    private func advance(_ pose: MazePose, _ world: MazeWorld) -> Outcome {
        let wanted = displacements[pose.heading]
        var taken = wanted
        let isClear = world.isClear(pose.x, pose.y, wanted.x, wanted.y)
        if !isClear {
            let (alongX, alongY) = (SIMD2(wanted.x, 0), SIMD2(0, wanted.y))
            let (larger, smaller) = abs(wanted.x) >= abs(wanted.y) ? (alongX, alongY) : (alongY, alongX)
            taken = .zero
            for part in [larger, smaller] where part != .zero && part != wanted {
                if world.isClear(pose.x, pose.y, part.x, part.y) {
                    taken = part
                    break
                }
            }
        }
        let reaches = world.targetBox.meetsDisc(MazeScale.body, from: pose.x, pose.y, by: taken.x, taken.y)
        return Outcome(
            pose: MazePose(x: pose.x + taken.x, y: pose.y + taken.y, heading: pose.heading), hitsWall: !isClear,
            reachesTarget: reaches)
    }
}
