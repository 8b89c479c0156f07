import Foundation
import Kernels
import TestSupport
import Testing

@testable import Tasks

@Suite struct MazeLayoutTests {
    @Test(arguments: [2, 3, 5, 9], MazeLayout.Generator.allCases)
    func isASpanningTree(_ size: Int, _ generator: MazeLayout.Generator) {
        for seed in 0..<20 {
            var random = RandomSource(seed: 3).split(size, seed)
            let layout = MazeLayout(size: size, generator: generator, random: &random)
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
        #expect(Set(counts.keys) == Set(MazeLayout.trees(size: 3)) && counts.count == 192)
        let statistic = counts.values.reduce(0) { $0 + ($1 - 100) * ($1 - 100) / 100 }
        #expect(statistic < 191 + 5 * 19.5, "χ² = \(statistic)")
    }

    /// The matrix-tree theorem counts 4 and 192.
    @Test func allTrees() {
        for (size, count) in [(2, 4), (3, 192)] {
            let trees = MazeLayout.trees(size: size)
            #expect(trees.count == count && Set(trees).count == count)
            #expect(trees.allSatisfy { $0.passages == size * size - 1 && !$0.distances(from: 0).contains(-1) })
        }
    }

    /// Every tree can grow at random, but not with the same chance: χ² against equal chances, mean 191 and deviation 19.5 if
    /// they were, is far beyond.
    @Test func prefersSomeTreesInRandomGrowth() {
        var random = RandomSource(seed: 18)
        var counts: [MazeLayout: Double] = [:]
        for _ in 0..<19_200 { counts[MazeLayout(size: 3, generator: .prim, random: &random), default: 0] += 1 }
        #expect(counts.count == 192)
        #expect(counts.values.reduce(0) { $0 + ($1 - 100) * ($1 - 100) / 100 } > 191 + 20 * 19.5)
    }

    /// Mean and deviation of the shortest way, in cells, between two different rooms, over all pairs in 2000 layouts.
    private func shortestWay(_ size: Int, _ generator: MazeLayout.Generator) -> (mean: Double, deviation: Double) {
        var (count, sum, squares) = (0.0, 0.0, 0.0)
        for index in 0..<2000 {
            var random = RandomSource(seed: 19).split(index)
            let layout = MazeLayout(size: size, generator: generator, random: &random)
            for start in 0..<layout.rooms {
                for (target, passages) in layout.distances(from: start).enumerated() where target != start {
                    let cells = 2 * Double(passages)
                    (count, sum, squares) = (count + 1, sum + cells, squares + cells * cells)
                }
            }
        }
        return (sum / count, (squares / count - sum * sum / count / count).squareRoot())
    }

    /// The published mazes' shortest ways take 5.6 cells of 3 × 3 rooms and 10.3 of 5 × 5, in the mean of 1000 mazes, each
    /// with one start and one target: known to four standard errors of such a mean and half of the last digit, and ours is
    /// known better than one of 2000 such mazes. Random growth keeps to both. Uniform trees have longer ways: those of 3 × 3
    /// rooms cannot be told apart from 5.6 by so few mazes, those of 5 × 5 can be from 10.3.
    @Test func randomGrowthHasThePublishedShortestWays() {
        for (size, published) in [(3, 5.6), (5, 10.3)] {
            let (grown, uniform) = (shortestWay(size, .prim), shortestWay(size, .wilson))
            func bound(_ deviation: Double) -> Double { 0.05 + 4 * deviation * (1 / 1000.0 + 1 / 2000.0).squareRoot() }
            #expect(abs(grown.mean - published) < bound(grown.deviation), "\(grown)")
            #expect(uniform.mean > grown.mean + 0.1)
            #expect((abs(uniform.mean - published) < bound(uniform.deviation)) == (size == 3), "\(uniform)")
        }
    }

    /// 40 walls between 5 × 5 rooms, of which a tree leaves 16: with chance 0.5 half of these go, within 4.5 deviations.
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
        let limits = [3, 5, 7, 9].map { size in
            Self.family { ($0.size, $0.trainingMazes, $0.holdOut) = (size, 0, .draws) }.maximumEpisodeSteps
        }
        #expect(limits == [63, 250, 563, 1000])
        let rooms = [3, 5, 7, 9, 63].map { size -> Int in
            var options = FirstPersonMaze.Options()
            options.size = size
            return options.rooms * options.rooms
        }
        #expect(rooms == [4, 9, 16, 25, 1024])
    }

    private func objection(_ change: (inout FirstPersonMaze.Options) -> Void) -> String {
        var options = FirstPersonMaze.Options()
        change(&options)
        let text = options.objection ?? ""
        #expect(!text.contains("\n"))
        return text
    }

    @Test func whatCannotBeIsRefused() {
        for size in [-1, 0, 1, 2, 4, 6, 62] {
            let text = objection { $0.size = size }
            #expect(text.contains("--maze-size is \(size)") && text.contains("odd and at least 3"), "\(text)")
        }
        for turn in [0, 7] { #expect(objection { $0.turn = turn }.contains("--turn-degrees is \(turn)")) }
        // 192 layouts and 4, times the ordered pairs of 9 rooms and 4.
        let all = 192 * 9 * 8
        #expect(objection { ($0.trainingMazes, $0.holdOut) = (all, .draws) } == "")
        #expect(objection { ($0.trainingMazes, $0.holdOut) = (all + 1, .draws) }.contains("there are \(all) mazes"))
        #expect(
            objection { ($0.size, $0.holdOut) = (3, .draws) }.contains(
                "--training-mazes is 1000: at --maze-size 3 with"))
        #expect(objection { ($0.size, $0.holdOut, $0.trainingMazes) = (3, .draws, 48) } == "")
        #expect(objection { ($0.size, $0.holdOut, $0.trainingMazes) = (3, .draws, 49) }.contains("there are 48 mazes"))
        // A fifth or so of the layouts is held out.
        let trained = MazeLayout.trees(size: 3).count { !$0.isHeldOut } * 72
        #expect(trained > all * 7 / 10 && trained < all * 9 / 10)
        #expect(objection { $0.trainingMazes = trained } == "")
        #expect(objection { $0.trainingMazes = trained + 1 }.contains("there are \(trained) mazes"))
        // With loops, or of more rooms, there are more than anybody can ask for.
        #expect(objection { ($0.trainingMazes, $0.loops) = (1_000_000, 0.1) } == "")
        #expect(objection { ($0.trainingMazes, $0.size) = (1_000_000, 7) } == "")
        // Without a wall between rooms there is one layout, which is either held out or not.
        #expect(objection { $0.loops = 1 }.contains("--hold-out layouts"))
        #expect(objection { ($0.loops, $0.size) = (1, 9) }.contains("--hold-out draws"))
        #expect(objection { ($0.loops, $0.holdOut) = (1, .draws) } == "")
        let isDivided = Set(MazeLayout.trees(size: 2).map(\.isHeldOut)).count == 2
        #expect(objection { ($0.size, $0.trainingMazes) = (3, 0) }.isEmpty == isDivided)
    }

    /// Start and target of a maze and its walls: what a training set has so many of.
    private struct Maze: Hashable {
        let layout: MazeLayout
        let start: MazePose
        let target: Int

        init(_ member: FirstPersonMaze.Member) {
            (layout, start, target) = (member.world.layout, member.start, member.world.target)
        }
    }

    /// Whatever the seeds and however many mazes there are to train on.
    @Test(arguments: [(5, 0), (5, 1000), (9, 0), (9, 1000)]) func noTestMazeIsATrainingMaze(_ size: Int, _ count: Int) {
        let family = Self.family { ($0.size, $0.trainingMazes) = (size, count) }
        let seen = Set(members(family, seed: 1, 600).map(\.world.layout))
        let unseen = Set(members(family.heldOut(), seed: 1, 600).map(\.world.layout))
        #expect(seen.isDisjoint(with: unseen))
        #expect(seen.allSatisfy { !$0.isHeldOut } && unseen.allSatisfy(\.isHeldOut))
        #expect(size == 5 || unseen.count > 590)
    }

    /// As published: layouts are held out as little as they are trained on, but what is played are other mazes. The
    /// training set of 7 is found by 300 draws but for a chance of 7 (6/7)³⁰⁰ < 10⁻¹⁸.
    @Test func otherDrawsOfTheSameMazesCanBeHeldOut() {
        let family = Self.family { ($0.trainingMazes, $0.holdOut) = (1000, .draws) }
        let (seen, unseen) = (members(family, seed: 1, 2000), members(family.heldOut(), seed: 1, 2000))
        let layouts = Set(seen.map(\.world.layout))
        // Of 192 layouts 1000 mazes have all but 192 (191/192)¹⁰⁰⁰ ≈ 1.
        #expect(layouts.count > 180 && layouts.contains(where: \.isHeldOut) && layouts.contains { !$0.isHeldOut })
        #expect(unseen.count { layouts.contains($0.world.layout) } > 1900)
        // 13 824 mazes with four headings each: about 1000 / 55 296 of the others are among those of the set.
        let training = Set(seen.map(Maze.init))
        #expect(unseen.count { training.contains(Maze($0)) } < 100)
        #expect(family.heldOut().isHeldOut && !family.isHeldOut)
    }

    /// Mazes, not layouts, are what there are so many of: at most N, which differ in start and target too.
    @Test(arguments: FirstPersonMaze.HoldOut.allCases)
    func theTrainingSetIsTheSameForAllSeeds(_ holdOut: FirstPersonMaze.HoldOut) {
        let family = Self.family { ($0.trainingMazes, $0.holdOut) = (7, holdOut) }
        let one = Set(members(family, seed: 1, 300).map(Maze.init))
        #expect(one.count == 7)
        #expect(one == Set(members(family, seed: 2, 300).map(Maze.init)))
        let other = Set(members(family.heldOut(), seed: 1, 300).map(Maze.init))
        #expect(other.count > 250 && other.isDisjoint(with: one))
        let all = Self.family { ($0.trainingMazes, $0.holdOut) = (0, holdOut) }
        #expect(Set(members(all, seed: 1, 300).map(Maze.init)).count > 250)
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
            let room = world.room(at: member.start)
            #expect(room != world.target && world.layout.distances(from: room)[world.target] >= 1)
            member.reset(observation: writer, random: &nothing)
            let first = Array(UnsafeBufferPointer(start: buffer, count: 3600))
            for _ in 0..<20 { _ = member.step(action: 0, observation: writer, random: &nothing) }
            member.reset(observation: writer, random: &nothing)
            #expect(member.pose == member.start && member.world === world)
            #expect(first == Array(UnsafeBufferPointer(start: buffer, count: 3600)))
        }
    }

    /// All 72 ordered pairs of different rooms begin as many trials: χ² of 7200 draws has 71 degrees of freedom, mean 71 and
    /// deviation 11.9.
    @Test func pairsOfRoomsAreEquallyLikely() {
        let family = Self.family { $0.trainingMazes = 0 }
        var counts = [Double](repeating: 0, count: 81)
        for member in members(family, seed: 23, 7200) {
            counts[member.world.room(at: member.start) * 9 + member.world.target] += 1
        }
        #expect((0..<9).allSatisfy { counts[10 * $0] == 0 })
        let pairs = counts.indices.filter { $0 % 10 != 0 }.map { counts[$0] }
        let statistic = pairs.reduce(0) { $0 + ($1 - 100) * ($1 - 100) / 100 }
        #expect(pairs.count == 72 && statistic < 71 + 5 * 11.9, "χ² = \(statistic)")
    }

    /// Who only turns earns −0.04 a step until the time limit.
    @Test func timeLimitAndRewards() {
        let family = Self.family { ($0.size, $0.trainingMazes, $0.holdOut) = (3, 0, .draws) }
        let rows = InputRows(lanes: 1, family.observation)
        let trial = playLockstep(family.makeLanes(1), trialStreams(seed: 1, count: 1), rows: rows) { _, _, _ in 1 }[0]
        #expect(trial.rewards.count == 126 && trial.rewards.allSatisfy { $0 == -0.04 })
        #expect(trial.endedEpisode.indices.filter { trial.endedEpisode[$0] } == [62, 125])
        #expect(trial.inputs[63].episodeEnd == 1 && trial.inputs[63].image == trial.inputs[0].image)
    }

    /// The scripted player: it follows the oracle's path, and every episode ends at the target in just so many steps.
    @Test(arguments: [5, 9]) func theOraclesPathIsPlayed(_ size: Int) throws {
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
        let family = Self.family()
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

    /// What the defaults were chosen for: 23.0 with deviation 12.6 between mazes, so the mean of 400 lies within 2.5 of it
    /// by four standard errors. Random play reaches the target in one episode of seven, within 4.5 deviations of 400.
    @Test func shortestPathsAreTwentyToThirtySteps() throws {
        let family = Self.family()
        let oracle = MazeOracle(family.motion)
        let drawn = members(family, seed: 13, 400)
        let lengths = try drawn.map { Double(try #require(oracle.path(in: $0.world, from: $0.start)).count) }
        let mean = lengths.reduce(0, +) / 400
        #expect(mean > 20.5 && mean < 25.5, "\(mean)")
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
        #expect(abs(Double(reached) - 400 / 7) < 4.5 * (400.0 * 6 / 49).squareRoot(), "\(reached) of 400")
    }
}
