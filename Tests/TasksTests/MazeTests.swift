import Foundation
import Kernels
import TestSupport
import Testing

@testable import Tasks

@Suite struct MazeLayoutTests {
    @Test(arguments: [2, 3, 5, 9]) func isASpanningTree(_ size: Int) {
        for seed in 0..<20 {
            var random = RandomSource(seed: 3).split(size, seed)
            let layout = MazeLayout(size: size, random: &random)
            #expect(layout.passages == size * size - 1)
            #expect(layout.distances(from: 0).allSatisfy { $0 >= 0 }, "a room cannot be reached")
        }
    }

    /// The 3 × 3 grid has 192 spanning trees. Wilson's algorithm draws each with the same chance: χ² of 19 200 draws has 191
    /// degrees of freedom, mean 191 and deviation 19.5; it is below mean + 5 deviations.
    @Test func everyTreeIsEquallyLikely() {
        var random = RandomSource(seed: 8)
        var counts: [MazeLayout: Double] = [:]
        for _ in 0..<19_200 { counts[MazeLayout(size: 3, random: &random), default: 0] += 1 }
        #expect(counts.count == 192)
        let statistic = counts.values.reduce(0) { $0 + ($1 - 100) * ($1 - 100) / 100 }
        #expect(statistic < 191 + 5 * 19.5, "χ² = \(statistic)")
    }

    /// 40 walls inside a 5 × 5 maze, of which a tree leaves 16: with chance 0.5 half of these go, within 4.5 deviations.
    @Test func loopsTakeWallsAway() {
        var random = RandomSource(seed: 9)
        let extra = (0..<200).map { _ in MazeLayout(size: 5, loops: 0.5, random: &random).passages - 24 }
        let error = Double(extra.reduce(0, +) - 1600)
        let deviation = (200 * 16 * 0.25).squareRoot()
        #expect(abs(error) < 4.5 * deviation)
        #expect(MazeLayout(size: 5, loops: 1, random: &random).passages == 40)
    }

    /// One in five, within 4.5 deviations.
    @Test func aFifthOfAllLayoutsIsHeldOut() {
        var random = RandomSource(seed: 10)
        let count = (0..<4000).count { _ in MazeLayout(size: 5, random: &random).isHeldOut }
        let deviation = (4000 * 0.16).squareRoot()
        #expect(abs(Double(count - 800)) < 4.5 * deviation)
    }
}

@Suite struct FirstPersonMazeTests {
    private static func family(_ change: (inout FirstPersonMaze.Options) -> Void = { _ in }) -> FirstPersonMaze {
        var options = FirstPersonMaze.Options()
        change(&options)
        return FirstPersonMaze(options)
    }

    private func members(_ family: FirstPersonMaze, seed: UInt64, _ count: Int) -> [FirstPersonMaze.Member] {
        (0..<count).map { index in
            var stream = RandomSource(seed: seed).split(index)
            return family.sample(&stream)
        }
    }

    @Test func describesItself() {
        let family = Self.family()
        #expect(family.observation == .image(height: 30, width: 40, channels: 3))
        #expect(family.actions == 3 && family.episodes == 2)
        let limits = [3, 5, 7, 9].map { size in Self.family { $0.size = size }.maximumEpisodeSteps }
        #expect(limits == [63, 250, 563, 1000])
        for (size, turn) in [(1, 30), (4, 30), (0, 30), (5, 7), (5, 0)] {
            var options = FirstPersonMaze.Options()
            (options.size, options.turn) = (size, turn)
            #expect(options.objection != nil)
        }
    }

    /// Whatever the seeds and however many mazes there are to train on.
    @Test(arguments: [(3, 0), (3, 1000), (5, 0), (5, 1000)]) func noTestMazeIsATrainingMaze(_ size: Int, _ count: Int) {
        let family = Self.family { ($0.size, $0.trainingMazes) = (size, count) }
        let seen = Set(members(family, seed: 1, 600).map(\.world.layout))
        let unseen = Set(members(family.heldOut(), seed: 1, 600).map(\.world.layout))
        #expect(seen.isDisjoint(with: unseen))
        #expect(seen.allSatisfy { !$0.isHeldOut } && unseen.allSatisfy(\.isHeldOut))
        #expect(size == 3 || unseen.count > 590)
    }

    @Test func theTrainingSetIsTheSameForAllSeeds() {
        let family = Self.family { $0.trainingMazes = 7 }
        let one = Set(members(family, seed: 1, 300).map(\.world.layout))
        #expect(one.count == 7)
        #expect(one == Set(members(family, seed: 2, 300).map(\.world.layout)))
    }

    @Test func startAndTargetLieApartAndStay() {
        let family = Self.family()
        var nothing = RandomSource(seed: 0)
        let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: 3600)
        defer { buffer.deallocate() }
        let vector = UnsafeMutablePointer<Float>.allocate(capacity: 1)
        defer { vector.deallocate() }
        let writer = ObservationWriter(vector: vector, image: buffer)
        for var member in members(family, seed: 4, 100) {
            let world = member.world
            let room = member.start.y / MazeScale.room * 5 + member.start.x / MazeScale.room
            #expect(world.layout.distances(from: room)[world.target] >= 3)
            member.reset(observation: writer, random: &nothing)
            let first = Array(UnsafeBufferPointer(start: buffer, count: 3600))
            for _ in 0..<20 { _ = member.step(action: 0, observation: writer, random: &nothing) }
            member.reset(observation: writer, random: &nothing)
            #expect(member.pose == member.start && member.world === world)
            #expect(first == Array(UnsafeBufferPointer(start: buffer, count: 3600)))
        }
    }

    /// Who only turns earns −0.04 a step until the time limit.
    @Test func timeLimitAndRewards() {
        let family = Self.family { $0.size = 3 }
        let rows = InputRows(lanes: 1, family.observation)
        let trial = playLockstep(family.makeLanes(1), trialStreams(seed: 1, count: 1), rows: rows) { _, _, _ in 1 }[0]
        #expect(trial.rewards.count == 126 && trial.rewards.allSatisfy { $0 == -0.04 })
        #expect(trial.endedEpisode.indices.filter { trial.endedEpisode[$0] } == [62, 125])
        #expect(trial.inputs[63].episodeEnd == 1 && trial.inputs[63].image == trial.inputs[0].image)
    }

    /// The scripted player: it follows the oracle's path, and every episode ends at the target in just so many steps.
    @Test(arguments: [3, 5]) func theOraclesPathIsPlayed(_ size: Int) throws {
        let family = Self.family { $0.size = size }
        let streams = trialStreams(seed: 6, count: 40)
        let oracle = MazeOracle(family.motion)
        let paths = try streams.map { trial in
            var stream = trial.member
            let member = family.sample(&stream)
            return try #require(oracle.path(in: member.world, from: member.start))
        }
        let rows = InputRows(lanes: streams.count, family.observation)
        let played = playLockstep(family.makeLanes(streams.count), streams, rows: rows) { trial, step, _ in
            paths[trial][step % paths[trial].count].rawValue
        }
        for (trial, path) in zip(played, paths) {
            #expect(trial.rewards.count == 2 * path.count)
            let ends = [path.count - 1, 2 * path.count - 1]
            for (step, reward) in trial.rewards.enumerated() {
                #expect(ends.contains(step) ? reward > 0.9 : reward < 0)
            }
        }
    }

    /// No path is shorter: layers of a search that keeps whole poses in sets, and nothing else.
    @Test func noPathIsShorterThanTheOracles() throws {
        let family = Self.family { $0.size = 3 }
        for member in members(family, seed: 12, 10) {
            let path = try #require(MazeOracle(family.motion).path(in: member.world, from: member.start))
            var (seen, layer): (Set<MazePose>, Set<MazePose>) = ([member.start], [member.start])
            var (steps, isReached) = (0, false)
            while !isReached {
                var next: Set<MazePose> = []
                for pose in layer {
                    for action in MazeAction.allCases {
                        let outcome = family.motion.apply(action, to: pose, in: member.world)
                        if outcome.reachesTarget { isReached = true }
                        if seen.insert(outcome.pose).inserted { next.insert(outcome.pose) }
                    }
                }
                (layer, steps) = (next, steps + 1)
            }
            #expect(path.count == steps)
        }
    }

    /// What the defaults were chosen for: 26 with deviation 12 between mazes, so the mean of 400 lies within 2.4 of it by
    /// four standard errors. Random play reaches the target in one episode of 25.
    @Test func shortestPathsAreTwentyToThirtySteps() throws {
        let family = Self.family()
        let oracle = MazeOracle(family.motion)
        let drawn = members(family, seed: 13, 400)
        let lengths = try drawn.map { Double(try #require(oracle.path(in: $0.world, from: $0.start)).count) }
        let mean = lengths.reduce(0, +) / 400
        #expect(mean > 23.6 && mean < 28.4, "\(mean)")
        var random = RandomSource(seed: 14)
        let reached = drawn.count { member in
            var pose = member.start
            return (0..<family.maximumEpisodeSteps).contains { _ in
                let action = MazeAction(rawValue: random.integer(below: 3))!
                let outcome = family.motion.apply(action, to: pose, in: member.world)
                pose = outcome.pose
                return outcome.reachesTarget
            }
        }
        #expect(reached > 1 && reached < 33, "\(reached) of 400")
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
            var room = 0
            for _ in 0..<2000 {
                let action: MazeAction = random.integer(below: 2) == 0 ? .forward : .right
                pose = motion.apply(action, to: pose, in: world).pose
                #expect(world.isClear(pose.x, pose.y, 0, 0), "the body stands in a wall")
                let next = pose.y / MazeScale.room * 5 + pose.x / MazeScale.room
                #expect(next == room || world.layout.joins(room, next), "from room \(room) to \(next)")
                room = next
            }
            #expect(room >= 0)
        }
    }

    /// Turning all the way round comes back; opposite headings have opposite steps; poses stay on the lattice.
    @Test(arguments: [15, 20, 30, 45, 90]) func headings(_ turn: Int) {
        let motion = MazeMotion(step: 0.5, turn: turn)
        let world = MazeWorld(MazeLayout(size: 3) { _, _ in true }, target: 0)
        let start = MazePose(x: 96, y: 96, heading: 1)
        var pose = start
        for _ in 0..<motion.headings { pose = motion.apply(.left, to: pose, in: world).pose }
        #expect(pose == start)
        guard motion.headings % 2 == 0 else { return }
        let there = motion.apply(.forward, to: start, in: world).pose
        for _ in 0..<motion.headings / 2 { pose = motion.apply(.right, to: pose, in: world).pose }
        let back = motion.apply(.forward, to: pose, in: world).pose
        #expect(there.x + back.x == 192 && there.y + back.y == 192)
        #expect((there.x - 96) % motion.spacing == 0 && (there.y - 96) % motion.spacing == 0)
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
