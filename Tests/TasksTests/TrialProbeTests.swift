import Foundation
import Interface
import Kernels
import Testing

@testable import Tasks

/// A trial of random actions, with what the task's probes tell at each step.
private func follow<Family: TaskFamily>(
    _ family: Family, _ trial: RandomSource,
    visit: (_ environment: Family.Member, _ input: StepView, _ values: [Double]) -> Void
) {
    guard var probes = family.makeProbes() else { return }
    let environments = EnvironmentArray(family: family, lanes: 1)
    let lanes = TrialLanes(
        environments: environments, episodes: family.episodes, maximumEpisodeSteps: family.maximumEpisodeSteps)
    let columns = StepColumns(space: family.observation, rows: 1)
    var (random, reward) = (trial.split(99), Float(0))
    lanes.begin([TrialStreams(trial)], inputs: columns.writer)
    var values = [Double](repeating: .nan, count: probes.quantities.reduce(0) { $0 + $1.valueCount })
    while !lanes.isFinished(0) {
        let input = columns.inputs(from: 0, rows: 1)[0]
        probes.observe(environments[0], input, into: &values)
        visit(environments[0], input, values)
        lanes.step([Int32(random.integer(below: family.actions))], rewards: &reward, inputs: columns.writer)
    }
}

@Suite struct TrialProbeTests {
    /// Classes are numbers of classes, statements −1, 0 or 1, all values are finite, and names are told apart.
    @Test(arguments: TaskLawTests.cases) func valuesAreOfTheirKinds(_ each: TaskLawTests.Case) {
        func check<Family: TaskFamily>(_ family: Family) {
            guard let quantities = family.makeProbes()?.quantities else { return }
            #expect(Set(quantities.map(\.name)).count == quantities.count)
            follow(family, RandomSource(seed: 5)) { _, _, values in
                var place = 0
                for quantity in quantities {
                    let own = values[place..<place + quantity.valueCount]
                    place += quantity.valueCount
                    switch quantity.kind {
                    case .classes(let count):
                        #expect(own.allSatisfy { $0 == $0.rounded() && (0..<Double(count)).contains($0) })
                    case .vector: #expect(own.allSatisfy { $0.isFinite })
                    case .statements: #expect(own.allSatisfy { [-1, 0, 1].contains($0) })
                    }
                }
            }
        }
        check(each.family)
    }

    /// The oracle's first action is one of those that who knows the member may take.
    @Test(arguments: TaskLawTests.cases) func optimalActionsHoldTheOracles(_ each: TaskLawTests.Case) {
        func check<Family: TaskFamily>(_ family: Family) {
            let columns = StepColumns(space: family.observation, rows: 1)
            for number in 0..<20 {
                let trial = RandomSource(seed: 6).split(number)
                var streams = TrialStreams(trial)
                var member = family.sample(&streams.member)
                member.reset(observation: columns.writer.observation(0), random: &streams.environment)
                columns.writer.set(0, action: -1, reward: 0, episodeEnd: 0, stepIndex: 0)
                guard let optimal = family.optimalActions(in: member), var oracle = family.makeOracle(for: member)
                else { continue }
                let first = oracle.act(columns.inputs(from: 0, rows: 1)[0], random: &streams.actions)
                #expect(optimal.contains(first), "\(optimal) without \(first)")
            }
        }
        check(each.family)
    }

    /// A tree of 3 × 3 rooms whose passages are known:
    ///
    ///     0 - 1 - 2
    ///     |
    ///     3 - 4 - 5
    ///     |
    ///     6 - 7 - 8
    private let comb = MazeLayout(size: 3) { room, other in
        other - room == 1 || room % 3 == 0
    }

    private func family(turn: Int = 90) -> FirstPersonMaze {
        var options = FirstPersonMaze.Options()
        (options.holdOut, options.turn) = (.draws, turn)
        return FirstPersonMaze(options)
    }

    private func values(_ member: FirstPersonMaze.Member, _ probes: inout MazeProbes) -> [Double] {
        let blank = StepColumns(space: .vector(width: 0), rows: 1)
        var values = [Double](repeating: .nan, count: probes.quantities.reduce(0) { $0 + $1.valueCount })
        probes.observe(member, blank.inputs(from: 0, rows: 1)[0], into: &values)
        return values
    }

    /// From the middle room 4 to the west one sees room 3 and nothing of the other rows; the walls beside room 4 close the
    /// view. Passages in order: east and south of room 0, of room 1, and so on.
    @Test func whatIsSeenInAMazeIsWhatRaysMeet() {
        let family = family()
        let world = MazeWorld(comb, target: 8)
        let (x, y) = world.centre(of: 4)
        // Heading 2 looks west.
        let member = FirstPersonMaze.Member(family, world, start: MazePose(x: x, y: y, heading: 2))
        var probes = MazeProbes(family)
        let values = values(member, &probes)
        #expect(values[0] == 8)
        // The target is two cells to the east and two to the south: behind, and to the left.
        #expect(Array(values[1..<3]) == [4.5, 4.5])
        for range in [3..<5, 5..<7] {
            #expect(zip(values[range], [-2, -2]).allSatisfy { abs($0 - $1) < 1e-12 })
        }
        #expect(values[7] == 12 && Array(values[8..<10]) == [2.5, 2.5] && values[10] == 2)
        let seen = Array(values[11...])
        #expect(seen.count == 12)
        // East and south of room 0, of 1, south of 2, east and south of 3, of 4, south of 5, east of 6, of 7. Within 45 degrees
        // of the west rays leave room 4 by its western side alone: through the passage to room 3, and those of them that are
        // flat enough from there to the north and to the south.
        #expect(seen == [0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0])
        // From room 3 to the east one looks through rooms 4 and 5 too: the walls beside room 4 are met at a slope.
        let west = world.centre(of: 3)
        let after = FirstPersonMaze.Member(family, world, start: MazePose(x: west.x, y: west.y, heading: 0))
        #expect(Array(self.values(after, &probes)[11...]) == [0, 1, 0, -1, -1, 1, 1, 1, -1, -1, 0, 0])
    }

    /// What was seen stays seen, episodes' ends or not; answers are the layout's; who turns about sees its neighbours.
    @Test func whatWasSeenInAMazeStaysSeen() {
        let family = family()
        var (last, ended, count) = ([Double](repeating: 0, count: 12), 0, 0)
        follow(family, RandomSource(seed: 3)) { environment, input, values in
            let seen = Array(values[11...])
            #expect(zip(last, seen).allSatisfy { $0 == 0 || $0 == $1 })
            if input.endsEpisode { ended += 1 }
            var place = 0
            for room in 0..<9 {
                for (other, isThere) in [(room + 1, room % 3 < 2), (room + 3, room < 6)] where isThere {
                    #expect(seen[place] == 0 || (seen[place] > 0) == environment.world.layout.joins(room, other))
                    place += 1
                }
            }
            (last, count) = (seen, count + 1)
        }
        #expect(ended == 1 && count > 20 && last.count { $0 != 0 } > 6)
    }

    /// Where both ways about are as long, both turns are optimal; ahead lies only one way.
    @Test func bothTurnsAboutAreOptimal() {
        let (family, world) = (family(), MazeWorld(comb, target: 5))
        let (x, y) = world.centre(of: 3)
        for (heading, actions) in [(0, [0]), (1, [1]), (2, [1, 2]), (3, [2])] {
            let member = FirstPersonMaze.Member(family, world, start: MazePose(x: x, y: y, heading: heading))
            #expect(family.optimalActions(in: member) == actions, "heading \(heading)")
        }
    }

    /// With many headings the direction is asked for.
    @Test func manyHeadingsAreADirection() throws {
        for (turn, kind) in [(30, ProbeQuantity.Kind.classes(12)), (15, .vector(2))] {
            let heading = try #require(MazeProbes(family(turn: turn)).quantities.first { $0.name == "heading" })
            #expect(heading.kind == kind)
        }
    }

    /// Against sums over all that was seen.
    @Test func meansAndCountsOfAnMDPAreThoseOfItsHistory() {
        let family = TabularMDP(states: 4, actions: 3, horizon: 6, episodes: 5)
        var (sums, counts) = ([Double](repeating: 0, count: 12), [Double](repeating: 0, count: 12))
        var (state, steps) = (0, 0)
        follow(family, RandomSource(seed: 4)) { _, input, values in
            if input.previousAction >= 0 {
                sums[input.previousAction * 4 + state] += Double(input.previousReward)
                counts[input.previousAction * 4 + state] += 1
            }
            state = (0..<4).first { input.vector[$0] == 1 } ?? 0
            for pair in 0..<12 {
                #expect(abs(values[pair] - (1 + sums[pair]) / (1 + counts[pair])) < 1e-12)
                #expect(values[12 + pair] == counts[pair])
            }
            steps += 1
        }
        #expect(steps == 30 && counts.reduce(0, +) == 29)
    }
}
