import Interface
import Kernels
import Tasks
import TestSupport
import Testing

/// What every task of the catalogue says of play, held against play.
@Suite struct TaskLawTests {
    /// A family of the catalogue with trials of three episodes.
    struct Case: Sendable, CustomStringConvertible {
        var family: any TaskFamily
        var description: String

        init(_ entry: TaskEntry, _ given: Values = [:]) {
            let options = Values(defaults: entry.options, given: (["episodes": 3] as Values).merging(given))
            family = entry.make(options)
            description = ([entry.name] + (given.isEmpty ? [] : [given.summary])).joined(separator: ", ")
        }
    }

    /// Each task by its defaults, and what is special of some.
    static let cases: [Case] =
        taskCatalogue.entries.map { Case($0) }
        + [
            ("bandit", ["prior": "beta22"]), ("bandit", ["arms": 2, "prior": "dependent"]),
            ("mdp", ["reachable-states": 3, "horizon": 4]), ("maze", ["maze-size": 3, "loops": 0.3]),
            ("maze", ["maze-size": 3, "step-length": 0.375, "turn-degrees": 30]),
        ].compactMap { name, given in taskCatalogue.entry(named: name).map { Case($0, given) } }

    private struct Episode {
        var steps = 0
        var reward = 0.0
        var succeeded = false
    }

    /// The trial of a member, step by step, without lanes.
    private func play<Family: TaskFamily>(_ family: Family, _ trial: RandomSource, _ player: any Player) -> [Episode] {
        var (player, streams) = (player, TrialStreams(trial))
        var member = family.sample(&streams.member)
        let columns = StepColumns(space: family.observation, rows: 1)
        let observation = columns.writer.observation(0)
        var index: Int32 = 0
        return (0..<family.episodes).map { number in
            member.reset(observation: observation, random: &streams.environment)
            if number == 0 { columns.writer.set(0, action: -1, reward: 0, episodeEnd: 0, stepIndex: 0) }
            var episode = Episode()
            var isOver = false
            while !isOver {
                let action = player.act(columns.inputs(from: 0, rows: 1)[0], random: &streams.actions)
                let transition = member.step(action: action, observation: observation, random: &streams.environment)
                index += 1
                columns.writer.set(
                    0, action: Int32(action), reward: transition.reward, episodeEnd: transition.endsEpisode ? 1 : 0,
                    stepIndex: index)
                episode.steps += 1
                episode.reward += Double(transition.reward)
                episode.succeeded = transition.terminated
                isOver = transition.endsEpisode
            }
            return episode
        }
    }

    private struct RandomPlayer: Player {
        let actions: Int
        mutating func act(_ input: StepView, random: inout RandomSource) -> Int { random.integer(below: actions) }
    }

    private let trials = (0..<200).map { RandomSource(seed: 91).split($0) }

    private func total(_ episodes: [Episode]) -> Double { episodes.reduce(0) { $0 + $1.reward } }

    /// On the same members, by more than five standard errors; and it earns what is said that it earns.
    @Test(arguments: cases) func theOracleBeatsRandomPlayAndEarnsWhatIsSaid(_ each: Case) throws {
        func check<Family: TaskFamily>(_ family: Family) throws {
            var (gained, missed, oracle) = ([Double](), [Double](), [Double]())
            for trial in trials {
                guard let oracle = family.makeOracle(trial: trial) else { continue }
                let earned = total(play(family, trial, oracle))
                gained.append(earned - total(play(family, trial, RandomPlayer(actions: family.actions))))
                if let promised = family.oracleReturn(of: family.member(of: trial)) {
                    oracle.append(promised)
                    missed.append(earned - promised)
                }
            }
            // A member has an oracle if another has one, and what it earns is known.
            #expect(gained.count == trials.count && missed.count == trials.count)
            let (gain, miss) = (Estimate(gained), Estimate(missed))
            #expect(gain.mean > 5 * gain.standardError, "\(gain)")
            // Rewards are Float32: where no chance is in them they add up to what is promised but for that.
            #expect(abs(miss.mean) <= 5 * miss.standardError + 1e-5, "\(miss)")
            if let exact = family.oracleReturn {
                let mean = Estimate(oracle)
                #expect(abs(mean.mean - exact) < 5 * mean.standardError, "\(mean), exact \(exact)")
            }
        }
        try check(each.family)
    }

    /// Random play earns what is said that it earns; who knows the family lies between that and who knows the member.
    @Test(arguments: cases) func landmarksAreInOrder(_ each: Case) throws {
        func check<Family: TaskFamily>(_ family: Family) throws {
            let earned = Estimate(trials.map { total(play(family, $0, RandomPlayer(actions: family.actions))) })
            if let random = family.randomReturn {
                #expect(abs(earned.mean - random) < 5 * earned.standardError, "\(earned), exact \(random)")
            }
            guard let optimum = family.optimalReturn else { return }
            let oracle = Estimate(try #require(family.oracleReturns(trials: trials)))
            #expect(optimum > earned.mean - 5 * earned.standardError)
            #expect(optimum < (family.oracleReturn ?? oracle.mean + 5 * oracle.standardError))
        }
        try check(each.family)
    }

    /// Of a task with a goal: the oracle reaches it in every episode in the fewest steps, and nobody else in fewer.
    @Test(arguments: cases) func theShortestEpisodeIsAttainedAndNoneIsShorter(_ each: Case) throws {
        func check<Family: TaskFamily>(_ family: Family) throws {
            #expect(family.measures.contains(.success) || !family.measures.contains(.length))
            for trial in trials.prefix(60) {
                let shortest = family.shortestEpisode(of: family.member(of: trial))
                #expect((shortest != nil) == family.measures.contains(.length))
                guard let shortest else { continue }
                #expect(shortest >= 1 && shortest <= family.maximumEpisodeSteps)
                let oracle = try #require(family.makeOracle(trial: trial))
                for episode in play(family, trial, oracle) { #expect(episode.succeeded && episode.steps == shortest) }
                for episode in play(family, trial, RandomPlayer(actions: family.actions)) where episode.succeeded {
                    #expect(episode.steps >= shortest)
                }
            }
        }
        try check(each.family)
    }

    /// A task that says nothing of its training is trained by the length of its trials: on shorter ones first if it has an
    /// option for that, else on the whole ones.
    @Test(arguments: [false, true]) func aTaskNeedNotSayHowItIsTrained(_ hasOption: Bool) {
        let options = hasOption ? [Option("episodes", 1...1000, default: 100, help: "")] : []
        let entry = TaskEntry(name: "mine", summary: "", options: options) { _ in BernoulliBandit(episodes: 100) }
        let traits = ModelTraits(hidden: 64, predictionRate: 1e-3)
        let values = Values(defaults: options)
        let stages = entry.training(values, traits).stages
        let known = TrainingDefaults.byTrialLength(episodes: 100, stepsPerEpisode: 1, model: traits).stages
        #expect(stages.map(\.taskOptions) == known.map { hasOption ? $0.taskOptions : [:] })
        #expect(stages.map(\.learnerOptions) == known.map(\.learnerOptions))
        #expect(stages.map(\.batchSteps) == known.map(\.batchSteps))
        #expect(stages.count == 5 && stages.contains { !$0.taskOptions.isEmpty } == hasOption)
        for stage in stages {
            #expect(throws: Never.self) { try values.merging(stage.taskOptions).check(options, of: "") }
        }
    }

    /// Tables of choices have a row for each state and a plan for each step; places lie on their plan.
    @Test(arguments: cases) func whatCanBeLookedAtIsWhole(_ each: Case) throws {
        func check<Family: TaskFamily>(_ family: Family) throws {
            for trial in trials.prefix(20) {
                let member = family.member(of: trial)
                if let table = family.choices(of: member) {
                    let states = table.meanRewards.count
                    #expect(states > 0 && table.meanRewards.allSatisfy { $0.count == family.actions })
                    #expect(table.bestActions.count == family.maximumEpisodeSteps)
                    #expect(
                        table.bestActions.allSatisfy {
                            $0.count == states && $0.allSatisfy((0..<family.actions).contains)
                        })
                    #expect(table.priorWeight > 0)
                }
                if let plan = family.floorPlan(of: member) {
                    let place = family.place(of: member)
                    #expect(place.x > 0 && place.y > 0 && place.x < plan.side && place.y < plan.side)
                    #expect((0..<360).contains(place.degrees) && !plan.targets.isEmpty)
                    for box in plan.walls {
                        #expect(!(box.x.contains(place.x) && box.y.contains(place.y)), "the agent stands in a wall")
                    }
                }
            }
        }
        try check(each.family)
    }
}
