import Foundation
import Interface

/// What can be asked of a memory in a maze of N × N cells and R × R rooms: where the target and the agent are, seen from above
/// and from the agent, and which passages are open.
///
/// **Seen.** Between two neighbouring rooms lies a cell that is a passage or wall, 2 R (R − 1) of them. One is seen from the
/// first step of the trial on at which a ray of a frame that the agent was shown enters it or ends on it, or at which the
/// agent's centre is in it. Frames after an episode's last action are not shown, and so do not count.
struct MazeProbes: TrialProbes {
    /// Turns are told apart as classes up to this number of headings; of more, the direction is asked for.
    private static let mostHeadings = 16

    private let raycaster: Raycaster
    private let motion: MazeMotion
    private let rooms: Int
    /// Numbers of the blocks between neighbouring rooms [2 R (R − 1)]
    private let passages: [Int]
    /// [(N + 2)²]
    private var isSeen: [Bool]

    init(_ family: FirstPersonMaze) {
        (raycaster, motion) = (family.raycaster, family.motion)
        let rooms = family.options.rooms
        let blocks = 2 * rooms + 1
        self.rooms = rooms
        passages = (0..<rooms * rooms).flatMap { room -> [Int] in
            let (column, row) = (room % rooms, room / rooms)
            let block = (2 * row + 1) * blocks + 2 * column + 1
            return (column < rooms - 1 ? [block + 1] : []) + (row < rooms - 1 ? [block + blocks] : [])
        }
        isSeen = [Bool](repeating: false, count: blocks * blocks)
    }

    private var cells: Int { 2 * rooms - 1 }

    var quantities: [ProbeQuantity] {
        [
            ProbeQuantity("target_room", "room of the target", .classes(rooms * rooms)),
            ProbeQuantity("target_position", "target: cells to the east, to the south", .vector(2)),
            ProbeQuantity(
                "target_from_start", "target as seen from the start pose: cells ahead, to the right", .vector(2)),
            ProbeQuantity("target_from_agent", "target as seen from the agent: cells ahead, to the right", .vector(2)),
            ProbeQuantity("agent_cell", "cell of the agent", .classes(cells * cells)),
            ProbeQuantity("agent_position", "agent: cells to the east, to the south", .vector(2)),
            motion.headings <= MazeProbes.mostHeadings
                ? ProbeQuantity("heading", "heading of the agent", .classes(motion.headings))
                : ProbeQuantity("heading", "heading of the agent: cosine, sine", .vector(2)),
            ProbeQuantity("passages_seen", "passages seen so far: open or wall", .statements(passages.count)),
        ]
    }

    mutating func observe(
        _ environment: FirstPersonMaze.Member, _ input: StepView, into values: UnsafeMutablePointer<Double>
    ) {
        let (world, pose, start) = (environment.world, environment.pose, environment.start)
        raycaster.visitBlocks(in: world, from: pose) { isSeen[$0] = true }
        var place = values
        func write(_ numbers: Double...) {
            for number in numbers {
                place.pointee = number
                place += 1
            }
        }
        let unit = Double(MazeScale.cell)
        let target = world.centre(of: world.target)
        /// Cells ahead and to the right of a pose, clockwise from its heading.
        func seen(from pose: MazePose) -> (ahead: Double, right: Double) {
            let angle = Double(pose.heading * motion.turn) * .pi / 180
            let (dx, dy) = (Double(target.x - pose.x) / unit, Double(target.y - pose.y) / unit)
            return (dx * cos(angle) + dy * sin(angle), dy * cos(angle) - dx * sin(angle))
        }
        write(Double(world.target))
        write(Double(target.x) / unit, Double(target.y) / unit)
        let (fromStart, fromAgent) = (seen(from: start), seen(from: pose))
        write(fromStart.ahead, fromStart.right)
        write(fromAgent.ahead, fromAgent.right)
        let (column, row) = (pose.x / MazeScale.cell, pose.y / MazeScale.cell)
        write(Double(row * cells + column))
        write(Double(pose.x) / unit, Double(pose.y) / unit)
        if motion.headings <= MazeProbes.mostHeadings {
            write(Double(pose.heading))
        } else {
            let angle = Double(pose.heading * motion.turn) * .pi / 180
            write(cos(angle), sin(angle))
        }
        for block in passages { write(isSeen[block] ? (world.solid[block] == 0 ? 1 : -1) : 0) }
    }
}
