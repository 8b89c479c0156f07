import Interface
import Kernels
import Models
import Tasks
import Testing
import Training

@testable import Bench

@Suite struct AgentTests {
    /// Random play earns n / 2; rewards are 0 and 1, every episode has one step.
    @Test func randomPlayIsTheFloor() {
        let family = BernoulliBandit(arms: 3, episodes: 20)
        let played = RandomAgent().play(
            0..<4000, of: family, root: Trainer.heldOutMembers(seed: 0), workers: Workers(threads: 2))
        #expect(played.trials == 4000 && played.episodes == 20)
        #expect(played.rewards.allSatisfy { $0 == 0 || $0 == 1 } && played.steps.allSatisfy { $0 == 1 })
        let summary = Summary(played.totalRewards)
        #expect(abs(summary.mean - 10) < 4 * summary.standardError)
        #expect(abs(played.episodeMeans.reduce(0, +) - summary.mean) < 1e-9)
    }

    /// Member i depends on neither the threads nor on which members are played beside it.
    @Test func membersAreTheSameHoweverTheyAreCut() {
        let family = BernoulliBandit(arms: 3, episodes: 7)
        let root = Trainer.heldOutMembers(seed: 5)
        let whole = RandomAgent().play(0..<100, of: family, root: root, workers: Workers(threads: 1))
        #expect(whole == RandomAgent().play(0..<100, of: family, root: root, workers: Workers(threads: 3)))
        let part = RandomAgent().play(37..<60, of: family, root: root, workers: Workers(threads: 2))
        #expect(part.totalRewards == Array(whole.totalRewards[37..<60]))
    }

    /// Common random numbers: an agent that draws much for itself meets the member and the luck of one that draws nothing,
    /// and so does a learned one that comes to the same actions.
    @Test func whatAnAgentDrawsChangesNothingOfItsMember() throws {
        let family = BernoulliBandit(arms: 2, episodes: 40)
        let root = Trainer.heldOutMembers(seed: 6)
        let workers = Workers(threads: 2)
        let thrifty = FixedArm(draws: 0).play(10..<200, of: family, root: root, workers: workers)
        let wasteful = FixedArm(draws: 7).play(10..<200, of: family, root: root, workers: workers)
        #expect(thrifty == wasteful)

        // All weights zero but the head's bias: arm 0 with probability 1 − e⁻¹⁰⁰.
        let entry = try #require(modelCatalogue.entry(named: "gru"))
        let policy = entry.make(
            ModelSpecification(
                observation: family.observation, actions: 2, outputs: 2, hidden: 3, options: [:], headGain: 0.01))
        let weights = Matrix(rows: 1, columns: policy.layout.count)
        let bias = try #require(policy.layout.entries.first { $0.name == "head.bias" })
        weights[0, bias.offset] = 100
        let learned = LearnedAgent(name: "gru-3", policy: policy, weights: weights)
            .play(10..<200, of: family, root: root, workers: workers)
        #expect(learned == thrifty)
    }

    /// A lane that moves to another place takes its stream of actions along, and one that begins anew has the new trial's.
    @Test func lanesTakeTheirActionStreamsAlong() {
        let trials = (0..<6).map { TrialStreams(RandomSource(seed: 12).split($0)) }
        var sources = trials.map(\.actions)
        let rows = StepColumns(space: .vector(width: 0), rows: 5)
        let lanes = PlayerLanes { _ in RandomAgent.TrialPlayer(actions: 1 << 20) }
        func acts(as trials: [Int], sourceLocation: SourceLocation = #_sourceLocation) {
            var actions = [Int32](repeating: -1, count: trials.count)
            lanes.act(rows.inputs(from: 0, rows: trials.count), into: &actions)
            #expect(
                actions == trials.map { Int32(sources[$0].integer(below: 1 << 20)) }, sourceLocation: sourceLocation)
        }
        lanes.begin(Array(trials[0..<5]))
        acts(as: [0, 1, 2, 3, 4])
        lanes.keep(lanes: [0, 3, 4])
        acts(as: [0, 3, 4])
        lanes.restart(lane: 1, trials[5])
        acts(as: [0, 5, 4])
        lanes.keep(lanes: [1])
        acts(as: [5])
    }

    @Test func evaluationAddsUpItsChunks() {
        // 12 000 trials of 40 steps are more than a chunk.
        let family = BernoulliBandit(arms: 2, episodes: 40)
        let workers = Workers(threads: 2)
        let evaluation = Evaluation(FixedArm(draws: 0), family: family, members: 5..<12_005, seed: 3, workers: workers)
        let whole = FixedArm(draws: 0).play(
            5..<12_005, of: family, root: Trainer.heldOutMembers(seed: 3), workers: workers)
        #expect(evaluation.trials == 12_000 && evaluation.totals == whole.totalRewards)
        for (one, two) in zip(evaluation.episodeMeans, whole.episodeMeans) { #expect(abs(one - two) < 1e-12) }
    }

    // MARK: The oracle

    /// Who knows the member earns what that is worth, within five standard errors of the difference member by member; and
    /// over all members what the formula says, where there is one.
    @Test(
        arguments: [
            BernoulliBandit(arms: 4, episodes: 20), BernoulliBandit(arms: 3, episodes: 20, prior: .beta(shape: 2)),
            BernoulliBandit(arms: 2, episodes: 20, prior: .dependent), TabularMDP(episodes: 3),
            TabularMDP(states: 5, actions: 3, horizon: 4, episodes: 2, reachableStates: 3),
        ] as [any TaskFamily]) func theOracleEarnsTheInformedReward(_ family: any TaskFamily) throws
    {
        #expect(OracleAgent.objection(family) == nil)
        let played = Evaluation(
            OracleAgent(), family: family, members: 0..<3000, seed: 2, workers: Workers(threads: 2))
        let references = ReferenceReturns(of: family, members: 0..<3000, seed: 2)
        let regret = try #require(references.regret(of: played))
        #expect(abs(regret.mean) < 5 * regret.standardError, "\(regret.mean) ± \(regret.standardError)")
        let oracle = try #require(references.oracle)
        #expect(abs(played.totalRewards.mean - oracle) < 5 * played.totalRewards.standardError)
        #expect((family.oracleReturn ?? oracle) == oracle)
    }

    /// There is no chance in a maze: the oracle reaches the target in every episode, in the fewest steps, and earns what
    /// such a path pays but for the rounding of Float32.
    @Test(arguments: [3, 5]) func theOracleOfAMazeIsExact(_ size: Int) throws {
        var options = FirstPersonMaze.Options()
        (options.size, options.episodes) = (size, 3)
        let (family, workers) = (FirstPersonMaze(options), Workers(threads: 2))
        let played = Evaluation(OracleAgent(), family: family, members: 0..<60, seed: 3, workers: workers)
        let root = Trainer.heldOutMembers(seed: 3)
        let oracle = try #require(family.heldOut().oracleReturns(trials: (0..<60).map { root.split($0) }))
        for (total, promised) in zip(played.totals, oracle) { #expect(abs(total - promised) < 1e-5) }
        let shortest = GoalEvaluation.shortest(0..<60, of: family, seed: 3, workers: workers)
        for (index, steps) in played.episodeSteps.enumerated() { #expect(Int(steps) == shortest[index / 3]) }
        let goal = try #require(GoalEvaluation(played, of: family, shortest: shortest))
        #expect(goal.episodes.allSatisfy { $0.successRate == 1 && $0.lengthOverShortest == 1 })
        #expect(goal.successThenFailure == 0 && goal.improved == 1)
        #expect(goal.episodes.map(\.length) == [Double?](repeating: goal.shortest, count: 3))
    }

    /// A task with nobody who knows has none, and says so.
    @Test func aFamilyWithoutAnOracleIsRefused() throws {
        let family = Unknown()
        #expect(OracleAgent.objection(family)?.contains("'unknown' has no oracle") == true)
        #expect { try makeTeacher(named: "oracle", for: family) } throws: { "\($0)".contains("has no oracle") }
        #expect(try makeTeacher(named: "random", for: family) is RandomAgent)
    }

    // MARK: The catalogue

    /// Every agent of the catalogue plays its task, above the floor, and says what its settings are.
    @Test(arguments: taskCatalogue.names) func everyAgentOfTheCataloguePlays(_ task: String) throws {
        let entry = try #require(taskCatalogue.entry(named: task))
        let family = entry.make(Values(defaults: entry.options, given: ["episodes": 10]))
        let workers = Workers(threads: 2)
        let entries = AgentCatalogue.entries(of: task)
        #expect(Set(entries.map(\.name)).count == entries.count)
        #expect(entries.prefix(2).map(\.name) == ["random", "oracle"])
        for agent in entries where agent.objection(family) == nil {
            for option in agent.options { #expect(option.accepted(option.defaultValue) != nil) }
            for tried in agent.grid {
                let option = try #require(agent.options.first { $0.name == tried.option })
                #expect(!tried.values.isEmpty && tried.values.allSatisfy { option.accepted($0) == $0 })
            }
            let result = Evaluation(
                agent.makeAgent(), family: family, members: 0..<200, seed: 1, workers: workers)
            let again = Evaluation(
                agent.makeAgent(), family: family, members: 0..<200, seed: 1, workers: Workers(threads: 1))
            #expect(result.totals == again.totals, "\(agent.name) depends on the threads")
        }
    }

    @Test func requestsNameAgentsAndTheirOptions() throws {
        let request = try AgentRequest("gittins:rule=exact:discount=0.9", task: "bandit")
        #expect(request.agent.parameters == "exact, β = 0.9")
        #expect(request.settings == [["rule": "exact", "discount": 0.9]])
        let many = try AgentRequest("ucb1:c=0.1/1", task: "bandit")
        #expect(many.wantsTuning && many.settings == [["c": 0.1], ["c": 1.0]])
        #expect(try AgentRequest("gittins:discount=0.9", task: "bandit").settings.count == 2)
    }

    @Test(arguments: [
        ("ucb2", "ucb2"), ("", "''"), ("ucb1:k=2", "'k'"), ("ucb1:c", "'c'"), ("ucb1:c=-1", "c is -1"),
        ("ucb1:c=", "no values of c"), ("ucb1:c=/", "no values of c"), ("ucb1:c=1:c=2", "twice"),
        ("gittins:rule=guess", "guess"), ("random:c=1", "'c'"),
    ]) func wrongRequestsAreTold(_ text: String, _ words: String) {
        let error = #expect(throws: UserError.self) { try AgentRequest(text, task: "bandit") }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    /// The best of a grid, on the members that it was told.
    @Test func tuningTakesTheBest() throws {
        let family = BernoulliBandit(arms: 5, episodes: 100)
        let workers = Workers(threads: 2)
        let request = try AgentRequest("ucb1:c=0.2/3/10", task: "bandit")
        let tuned = request.tuned(for: family, members: 500..<1000, seed: 0, workers: workers)
        #expect(tuned.parameters == "c = 0.2")
    }
}

/// One arm that nobody knows anything of.
private struct Unknown: TaskFamily {
    var name: String { "unknown" }
    var observation: ObservationSpace { .vector(width: 0) }
    var actions: Int { 1 }
    var episodes: Int { 1 }
    var maximumEpisodeSteps: Int { 1 }

    func sample(_ random: inout RandomSource) -> Member { Member() }

    struct Member: Environment {
        mutating func reset(observation: ObservationWriter, random: inout RandomSource) {}
        mutating func step(action: Int, observation: ObservationWriter, random: inout RandomSource) -> Transition {
            Transition(reward: 0, terminated: true)
        }
    }
}

/// Always pulls arm 0, and draws some numbers of its own for nothing.
private struct FixedArm: ClassicAgent {
    let draws: Int

    var name: String { "Fixed" }
    var parameters: String { "" }

    func makePlayer(for family: any TaskFamily) -> TrialPlayer { TrialPlayer(draws: draws) }

    struct TrialPlayer: Player {
        let draws: Int

        mutating func act(_ input: StepView, random: inout RandomSource) -> Int {
            for _ in 0..<draws { _ = random.next() }
            return 0
        }
    }
}
