import Kernels
import Testing

@testable import Tasks

@Suite struct MazeWorldTests {
    /// A border of wall, rooms at every second cell, walls and passages between them that are a cell thick, pillars.
    @Test func wallsAreCells() {
        var random = RandomSource(seed: 24)
        for size in [2, 3, 5] {
            let world = MazeWorld(MazeLayout(size: size, loops: 0.2, random: &random), target: 1)
            #expect(world.size == 2 * size - 1 && world.blocks == 2 * size + 1)
            for y in 0..<world.blocks {
                for x in 0..<world.blocks {
                    let isBorder = x == 0 || y == 0 || x == world.blocks - 1 || y == world.blocks - 1
                    let room = (y - 1) / 2 * size + (x - 1) / 2
                    let isOpen: Bool
                    switch (x % 2, y % 2) {
                    case (1, 1): isOpen = true
                    case (0, 1): isOpen = !isBorder && world.layout.joins(room, room + 1)
                    case (1, 0): isOpen = !isBorder && world.layout.joins(room, room + size)
                    default: isOpen = false
                    }
                    #expect(world.isSolid(x, y) == !isOpen, "\((x, y))")
                }
            }
            for room in 0..<world.layout.rooms {
                let (x, y) = world.centre(of: room)
                #expect(x == 128 * (room % size) + 32 && y == 128 * (room / size) + 32)
                #expect(world.room(at: MazePose(x: x, y: y, heading: 0)) == room)
                // One cell away on each side are a wall or a passage, two away the next room.
                #expect(MazeWorld.block(x) == 2 * (room % size) + 1 && MazeWorld.block(y) == 2 * (room / size) + 1)
            }
            #expect(MazeWorld.line(1) == 0 && MazeWorld.line(2) == 64)
            let plan = world.floorPlan
            #expect(plan.walls.count == world.solid.count { $0 == 1 } && plan.side == 64 * world.blocks)
        }
    }
}

extension MazeWorld {
    /// The room whose cell holds a pose.
    func room(at pose: MazePose) -> Int {
        let (column, row) = (pose.x / MazeScale.cell, pose.y / MazeScale.cell)
        precondition(column % 2 == 0 && row % 2 == 0, "\(pose) is in no room")
        return row / 2 * layout.size + column / 2
    }
}

@Suite struct MazeMotionTests {
    /// Against the smallest of the distances at 2000 places of the way; nearer than that to the radius nothing is claimed.
    @Test func aDiscMeetsABoxWhereItComesTooNear() {
        var random = RandomSource(seed: 15)
        func number(_ range: Int) -> Int { random.integer(below: 2 * range + 1) - range }
        var met = 0
        for _ in 0..<4000 {
            let box = SolidBox(x0: number(15), y0: number(15), x1: 16 + random.integer(below: 20), y1: 16)
            let (x, y, dx, dy, radius) = (number(50), number(50), number(40), number(40), 1 + random.integer(below: 12))
            let distance = (0...2000).map { place -> Double in
                let t = Double(place) / 2000
                let (px, py) = (Double(x) + t * Double(dx), Double(y) + t * Double(dy))
                let (qx, qy) = (
                    min(max(px, Double(box.x0)), Double(box.x1)), min(max(py, Double(box.y0)), Double(box.y1))
                )
                return ((px - qx) * (px - qx) + (py - qy) * (py - qy)).squareRoot()
            }.min()!
            // Between two places the way comes nearer by at most half their distance.
            guard abs(distance - Double(radius)) > 0.02 else { continue }
            #expect(box.meetsDisc(radius, from: x, y, by: dx, dy) == (distance < Double(radius)))
            if distance < Double(radius) { met += 1 }
        }
        #expect(met > 500)
    }

    @Test(arguments: [(0.375, 30), (0.5, 45), (0.5, 15), (0.05, 120), (0.3, 90)])
    func nobodyPassesAWall(_ step: Double, _ turn: Int) {
        let motion = MazeMotion(step: step, turn: turn)
        for seed in 0..<10 {
            var random = RandomSource(seed: 16).split(seed)
            let world = MazeWorld(MazeLayout(size: 5, loops: 0.1, random: &random), target: 12)
            var pose = MazePose(x: 32, y: 32, heading: 0)
            var (column, row) = (1, 1)
            for _ in 0..<2000 {
                let action: MazeAction = random.integer(below: 2) == 0 ? .forward : .right
                pose = motion.apply(action, to: pose, in: world).pose
                #expect(world.isClear(pose.x, pose.y, 0, 0), "the body stands in a wall")
                let (nextColumn, nextRow) = (MazeWorld.block(pose.x), MazeWorld.block(pose.y))
                #expect(!world.isSolid(nextColumn, nextRow))
                // A long step may cut through a room's corner from one passage to the next.
                let distance = abs(nextColumn - column) + abs(nextRow - row)
                let hasCorner = !world.isSolid(nextColumn, row) || !world.isSolid(column, nextRow)
                #expect(
                    distance <= 1
                        || distance == 2 && abs(nextColumn - column) == 1 && hasCorner,
                    "from \((column, row)) to \(pose)")
                (column, row) = (nextColumn, nextRow)
            }
        }
    }

    /// Turning all the way round comes back; opposite headings have opposite steps; poses stay on the lattice.
    @Test(arguments: [15, 20, 30, 45, 90]) func headings(_ turn: Int) {
        let motion = MazeMotion(step: 0.5, turn: turn)
        let world = MazeWorld(MazeLayout(size: 3) { _, _ in true }, target: 0)
        let start = MazePose(x: 160, y: 160, heading: 1)
        var pose = start
        for _ in 0..<motion.headings { pose = motion.apply(.left, to: pose, in: world).pose }
        #expect(pose == start)
        guard motion.headings % 2 == 0 else { return }
        let there = motion.apply(.forward, to: start, in: world).pose
        for _ in 0..<motion.headings / 2 { pose = motion.apply(.right, to: pose, in: world).pose }
        let back = motion.apply(.forward, to: pose, in: world).pose
        #expect(there.x + back.x == 320 && there.y + back.y == 320)
        #expect((there.x - 160) % motion.spacing == 0 && (there.y - 160) % motion.spacing == 0)
    }

    /// East along a wall to the south at an angle: the part along the wall is taken, and it counts as a hit.
    @Test func slidesAlongWalls() {
        let world = MazeWorld(MazeLayout(size: 3) { room, other in other == room + 1 }, target: 2)
        let motion = MazeMotion(step: 0.375, turn: 30)
        let slid = motion.apply(.forward, to: MazePose(x: 32, y: 48, heading: 1), in: world)
        #expect(slid.hitsWall && slid.pose == MazePose(x: 53, y: 48, heading: 1))
        let stopped = motion.apply(.forward, to: MazePose(x: 32, y: 48, heading: 3), in: world)
        #expect(stopped.hitsWall && stopped.pose == MazePose(x: 32, y: 48, heading: 3))
        let free = motion.apply(.forward, to: MazePose(x: 32, y: 32, heading: 0), in: world)
        #expect(!free.hitsWall && free.pose == MazePose(x: 56, y: 32, heading: 0))
    }
}
