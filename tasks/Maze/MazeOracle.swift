/// Who knows the maze: the fewest actions from a pose to the target, under the real dynamics, by breadth-first search over
/// poses. Exact, because poses are whole numbers and a search meets every one of them that can be reached.
public struct MazeOracle: Sendable {
    public let motion: MazeMotion

    public init(_ motion: MazeMotion) { self.motion = motion }

    /// A shortest sequence of actions that ends at the target, or nil if none does. Of equals it is the first in the order
    /// forward, left, right, so it is the same at every call.
    public func path(in world: MazeWorld, from start: MazePose) -> [MazeAction]? {
        // Positions on the lattice of spacing g that holds the start, places × places, times headings.
        let spacing = motion.spacing
        let places = world.size * MazeScale.cell / spacing + 1
        let (originX, originY) = (start.x % spacing, start.y % spacing)
        func index(_ pose: MazePose) -> Int {
            ((pose.y - originY) / spacing * places + (pose.x - originX) / spacing) * motion.headings + pose.heading
        }
        // The action that first led to a pose, plus 1; 0: not met yet.
        var arrivals = [UInt8](repeating: 0, count: places * places * motion.headings)
        arrivals[index(start)] = 1
        var poses = [start]
        var parents: [Int32] = [-1]
        var next = 0
        while next < poses.count {
            for action in MazeAction.allCases {
                let outcome = motion.apply(action, to: poses[next], in: world)
                if outcome.reachesTarget { return actions(to: next, then: action, poses, parents, arrivals, index) }
                let place = index(outcome.pose)
                if arrivals[place] == 0 {
                    arrivals[place] = UInt8(action.rawValue + 1)
                    poses.append(outcome.pose)
                    parents.append(Int32(next))
                }
            }
            next += 1
        }
        return nil
    }

    private func actions(
        to last: Int, then final: MazeAction, _ poses: [MazePose], _ parents: [Int32], _ arrivals: [UInt8],
        _ index: (MazePose) -> Int
    ) -> [MazeAction] {
        var reversed = [final]
        var place = last
        while parents[place] >= 0 {
            reversed.append(MazeAction(rawValue: Int(arrivals[index(poses[place])]) - 1)!)
            place = Int(parents[place])
        }
        return reversed.reversed()
    }
}
