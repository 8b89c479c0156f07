import Autodiff
import Foundation
import Interface
import Kernels
import Models
import Tasks
import Testing
import Training

@testable import Bench

/// Of four actions one is the goal. Two episodes of at most four steps; nothing is shown but that there is something.
private struct HiddenGoal: TaskFamily {
    /// Whether the goal ends an episode; else every one has four steps.
    var ends = true
    /// Whether the task states what may be read.
    var states = true
    /// Shows the number of the episode.
    var tells = false

    struct Member: Environment {
        let goal: Int
        let ends: Bool
        let tells: Bool
        var steps = 0
        var episode = 0

        mutating func reset(observation: ObservationWriter, random: inout RandomSource) {
            steps = 0
            observation.vector[0] = tells ? Float(episode) : 1
            episode += 1
        }

        mutating func step(action: Int, observation: ObservationWriter, random: inout RandomSource) -> Transition {
            steps += 1
            let isReached = action == goal
            let isOver = isReached && ends
            return Transition(reward: isReached ? 1 : 0, terminated: isOver, truncated: !isOver && steps == 4)
        }
    }

    struct Probes: TrialProbes {
        private var excluded: Set<Int> = []
        private var isFound = false

        var quantities: [ProbeQuantity] {
            [
                ProbeQuantity("goal", "the goal", .classes(4)),
                ProbeQuantity("known", "what is known of actions", .statements(4)),
                ProbeQuantity("numbers", "number of the goal, its square", .vector(2)),
            ]
        }

        mutating func observe(_ environment: Member, _ input: StepView, into values: UnsafeMutablePointer<Double>) {
            if input.previousAction >= 0 {
                if input.previousReward == 1 { isFound = true } else { excluded.insert(input.previousAction) }
            }
            values[0] = Double(environment.goal)
            for action in 0..<4 {
                let isGoal = action == environment.goal
                values[1 + action] = isFound ? (isGoal ? 1 : -1) : excluded.contains(action) ? -1 : 0
            }
            (values[5], values[6]) = (values[0], values[0] * values[0])
        }
    }

    var name: String { "hidden-goal" }
    var observation: ObservationSpace { .vector(width: 1) }
    var actions: Int { 4 }
    var episodes: Int { 2 }
    var maximumEpisodeSteps: Int { 4 }
    var measures: Set<Measure> { ends ? [.success, .length] : [] }

    func sample(_ random: inout RandomSource) -> Member {
        Member(goal: random.integer(below: 4), ends: ends, tells: tells)
    }
    func optimalActions(in environment: Member) -> [Int]? { [environment.goal] }
    func shortestEpisode(of member: Member) -> Int? { 1 }
    func makeProbes() -> (any TrialProbes<Member>)? { states ? Probes() : nil }
}

/// What a scripted policy may know of a trial: everything that it was told.
private struct History {
    var actions: [Int] = []
    var rewards: [Float] = []
    var ends: [Bool] = []

    /// The action that paid, if one did.
    var goal: Int? { zip(actions, rewards).first { $1 == 1 }?.0 }
    /// Steps of the episode so far.
    var step: Int { ends.reversed().prefix { !$0 }.count }
    var episode: Int { ends.count { $0 } }
}

/// A policy whose memory is the history, or nothing, and whose distributions and state are given functions of it.
private struct ScriptedPolicy: SequencePolicy {
    final class Memory: SequenceMemory {
        var histories: [History]
        init(lanes: Int) { histories = [History](repeating: History(), count: lanes) }
        var lanes: Int { histories.count }
        var bytesPerLane: Int { 64 }
        func reset(lane: Int) { histories[lane] = History() }
        func keep(lanes kept: [Int]) { histories = kept.map { histories[$0] } }
        func restart(lanes: Int) { histories = [History](repeating: History(), count: lanes) }
    }

    let respond: @Sendable (History) -> [Double]
    let state: @Sendable (History) -> [Double]
    var outputs: Int { 4 }
    var layout: ParameterLayout { ParameterLayout() }

    func makeMemory(lanes: Int, steps: Int) -> Memory { Memory(lanes: lanes) }

    func step(_ inputs: StepInputs, memory: Memory, tape: Tape) -> Node {
        let lanes = inputs.rows
        let width = state(History()).count
        let (features, logits) = (
            tape.constant(rows: lanes, columns: width), tape.constant(rows: lanes, columns: outputs)
        )
        for lane in 0..<lanes {
            if inputs.previousActions[lane] >= 0 {
                memory.histories[lane].actions.append(Int(inputs.previousActions[lane]))
                memory.histories[lane].rewards.append(inputs.previousRewards[lane])
                memory.histories[lane].ends.append(inputs.episodeEnds[lane] == 1)
            }
            let history = memory.histories[lane]
            for (action, share) in respond(history).enumerated() {
                tape.mutableValue(logits)[lane * outputs + action] = Float(log(max(share, 1e-30)))
            }
            for (index, number) in state(history).enumerated() {
                tape.mutableValue(features)[lane * width + index] = Float(number)
            }
        }
        tape.features = features
        return logits
    }

    func unroll(_ inputs: StepInputs, shape: PackedShape, tape: Tape) -> Node {
        preconditionFailure("this policy only acts")
    }
}

private func only(_ action: Int) -> [Double] { (0..<4).map { $0 == action ? 1 : 0 } }

/// Tries actions 0, 1, 2, 3, and from then on takes the goal.
private let seeker: @Sendable (History) -> [Double] = { history in
    only(history.goal ?? history.actions.count % 4)
}

/// The goal, once it is known, what is excluded, and the number of steps, under an invertible map.
private let notes: @Sendable (History) -> [Double] = { history in
    let excluded = Set(zip(history.actions, history.rewards).filter { $1 == 0 }.map(\.0))
    let goal = (0..<4).map { history.goal == $0 ? 1.0 : 0 }
    let ruled = (0..<4).map { history.goal == nil && excluded.contains($0) ? 1.0 : 0 }
    let mixed = zip(goal, ruled).flatMap { (known: Double, out: Double) -> [Double] in [known + 2 * out, known - out] }
    return mixed + [Double(3 * history.actions.count - 2)]
}

private func analyse(
    _ policy: any SequencePolicy, weights: Matrix? = nil, _ family: any TaskFamily, trials: Int = 400, threads: Int = 2
) -> AnalysisRecord {
    AnalysisRecord(
        CellRecord.Subject(plan: "", cell: "", modelName: "it", taskName: family.name, settingName: ""),
        agent: LearnedAgent(
            name: "it", policy: policy, weights: weights ?? Matrix(rows: 1, columns: policy.layout.count)),
        family: family, configuration: "", trainingSeed: 3, trials: trials, seed: 1, workers: Workers(threads: threads))
}

private func goals(_ trials: Int) -> [Int] {
    let root = Trainer.heldOutMembers(seed: 1)
    return (0..<trials).map { HiddenGoal().member(of: root.split($0)).goal }
}

private func model(_ name: String, _ family: any TaskFamily, hidden: Int) throws -> any SequencePolicy {
    let entry = try #require(modelCatalogue.entry(named: name))
    return entry.make(
        ModelSpecification(
            observation: family.observation, actions: family.actions, outputs: family.actions, hidden: hidden,
            options: Values(defaults: entry.options), headGain: 0.01))
}

private let smallMaze: FirstPersonMaze = {
    var options = FirstPersonMaze.Options()
    (options.size, options.holdOut, options.trainingMazes) = (3, .draws, 0)
    (options.frameWidth, options.frameHeight) = (16, 13)
    return FirstPersonMaze(options)
}()

@Suite struct InsideTrialTests {
    /// A memory that holds what is asked for is read without error, where there is something to know: the goal from the step
    /// on after which it is known. Episodes have one length, so that all answers are as frequent at each step.
    @Test func whatAMemoryHoldsIsRead() throws {
        let record = analyse(ScriptedPolicy(respond: seeker, state: notes), HiddenGoal(ends: false))
        let inside = try #require(record.inside)
        #expect(inside.stateWidth == 9 && inside.readings.map(\.quantity) == ["goal", "known", "numbers"])
        #expect(inside.episodeRanges == [1, 2] && inside.stepRanges == [1, 2, 3, 4])
        #expect(inside.trials == [[200, 200, 200, 200], [200, 200, 200, 200]])
        let (goal, known, numbers) = (inside.readings[0], inside.readings[1], inside.readings[2])
        #expect(goal.measure == .accuracy && known.measure == .accuracy && numbers.measure == .explained)
        #expect(goal.trained.byEpisode[1] == 1 && goal.trained.byStep[1] == [1, 1, 1, 1] && goal.trained.atEnd[1] == 1)
        // Before the first action nothing is known, and the most frequent answer is the best.
        let guess = try #require(goal.baseline?.byStep[0][0])
        #expect(goal.trained.byStep[0][0] == guess && guess < 0.4)
        // After three tries the goal is known, or is what was not tried.
        let last = try #require(goal.trained.atEnd[0])
        #expect(last == 1)
        #expect(known.trained.all == 1 && known.trained.byStep[0][0] == nil)
        let base = try #require(known.baseline?.byEpisode[1])
        #expect(base > 0.6 && base < 0.9)
        #expect(try #require(numbers.trained.byEpisode[1]) > 0.999_99 && numbers.baseline == nil)
        // There are no weights: the twin is the policy.
        #expect(goal.untrained == goal.trained)
        #expect(inside.goal == nil && inside.successions.isEmpty && inside.forgetting == nil)
        #expect(inside.leftOut.isEmpty && record.bandit == nil)
    }

    /// A memory that holds nothing reads what is most frequent, and of numbers the mean.
    @Test func aConstantMemoryReadsTheBaseline() throws {
        let policy = ScriptedPolicy(respond: seeker, state: { _ in [1, 0] })
        let inside = try #require(analyse(policy, HiddenGoal(ends: false)).inside)
        let goal = inside.readings[0]
        #expect(goal.trained == goal.baseline)
        let spread = try #require(goal.trained.all)
        #expect(spread > 0.15 && spread < 0.4)
        let explained = try #require(inside.readings[2].trained.byEpisode[1])
        #expect(explained <= 0 && explained > -0.1)
    }

    /// Who seeks and finds succeeds after every success; who gives one goal up fails after those successes alone.
    @Test func whatFollowsASuccessIsCounted() throws {
        let trials = 200
        let policy = ScriptedPolicy(
            respond: { history in
                if history.episode == 1, history.goal == 2 { return only(3) }
                if history.episode == 1, history.goal == 0, history.step < 2 { return only(1) }
                return seeker(history)
            }, state: notes)
        let inside = try #require(analyse(policy, HiddenGoal(), trials: trials).inside)
        let goals = goals(trials)
        let (twos, zeros) = (goals.count { $0 == 2 }, goals.count { $0 == 0 })
        let succession = try #require(inside.successions.first)
        #expect(inside.successions.count == 1 && succession.episode == 1)
        #expect(succession.afterSuccess == Proportion(trials - twos, of: trials))
        #expect(succession.afterFailure == Proportion(0, of: 0))
        let forgetting = try #require(inside.forgetting)
        #expect(forgetting.failed == Proportion(twos, of: trials))
        // Goal 0 took one step, then three.
        #expect(forgetting.slower == Proportion(zeros, of: trials))
        #expect(forgetting.trials.map(\.member) == Array(goals.indices.filter { goals[$0] == 2 }.prefix(3)))
        for trial in forgetting.trials {
            #expect(trial.steps == [3, 4] && trial.successes == [true, false] && trial.shortest == 1)
            #expect(trial.actions == [0, 1, 2, 3, 3, 3, 3])
        }
        let goal = try #require(inside.goal)
        #expect(goal.episodes.map(\.successRate) == [1, Double(trials - twos) / Double(trials)])
        #expect(goal.successThenFailure == Double(twos) / Double(trials))
    }

    /// Of those who fail in episode 1 none is counted as forgetful, and what they do then is counted apart.
    @Test func aFailureIsNotForgotten() throws {
        let policy = ScriptedPolicy(
            respond: { history in only(history.episode == 0 ? 0 : history.step % 4) }, state: notes)
        let inside = try #require(analyse(policy, HiddenGoal(), trials: 100).inside)
        let zeros = goals(100).count { $0 == 0 }
        #expect(inside.successions[0].afterFailure == Proportion(100 - zeros, of: 100 - zeros))
        #expect(inside.forgetting?.failed == Proportion(0, of: zeros) && inside.forgetting?.trials.isEmpty == true)
        #expect(inside.secondStarts.map(\.group) == [.succeeded, .failed])
        #expect(inside.secondStarts.map(\.trials) == [zeros, 100 - zeros])
    }

    /// The first step of episode 2 beside that of episode 1: with a memory, and with one that was emptied but is told of
    /// the last action and reward.
    @Test func theSecondStartIsComparedWithTheFirst() throws {
        let uniform = [0.25, 0.25, 0.25, 0.25]
        let policy = ScriptedPolicy(
            respond: { history in
                // Knows the goal when at least one step lies behind the one that paid, or tries all.
                guard let goal = history.goal else {
                    return history.actions.isEmpty ? uniform : only(history.actions.count % 4)
                }
                return history.actions.count > 1 ? only(goal) : uniform
            }, state: notes)
        let inside = try #require(analyse(policy, HiddenGoal(), trials: 400).inside)
        let start = try #require(inside.secondStarts.first { $0.group == .succeeded })
        let optimal = try #require(start.optimal)
        // One step of memory is left to the control: it never knows more than that step.
        #expect(start.resetDistance.mean == 0 && optimal.reset.count == optimal.first.count)
        #expect(optimal.reset.total == start.trials && optimal.second.total == start.trials)
        // Total variation of the uniform distribution and a certain action, where the first action was not the goal.
        let found = Double(optimal.second.count) / Double(start.trials)
        #expect(found > 0.65 && abs(optimal.secondProbability.mean - start.distance.mean - 0.25) < 1e-5)
        #expect(abs(optimal.firstProbability.mean - 0.25) < 1e-6 && optimal.chance.mean == 0.25)
        // The mode of equals is action 0, and who has that goal succeeds only by chance.
        #expect(optimal.first.count == optimal.reset.count && optimal.first.count < start.trials / 5)
    }

    @Test func anotherFirstViewIsNotCompared() throws {
        let policy = ScriptedPolicy(respond: seeker, state: notes)
        let inside = try #require(analyse(policy, HiddenGoal(tells: true), trials: 100).inside)
        #expect(inside.secondStarts.isEmpty && inside.leftOut.count == 1 && inside.leftOut[0].contains("100 trials"))
    }

    /// A task that states nothing, as that of another package may, still has its successes and starts.
    @Test func aTaskNeedNotStateAnything() throws {
        let policy = ScriptedPolicy(respond: seeker, state: notes)
        let record = analyse(policy, HiddenGoal(states: false), trials: 100)
        let inside = try #require(record.inside)
        #expect(inside.readings.isEmpty && inside.secondStarts.count == 1 && inside.forgetting != nil)
        #expect(inside.leftOut == ["read-outs: task 'hidden-goal' states nothing that could be read from a memory"])
        #expect(!AnalysisPage(record).markdown.contains("read from its memory\n"))
    }

    /// The analysis plays what an evaluation plays, in every architecture, whatever the number of threads.
    @Test(arguments: ["gru", "lstm", "transformer", "elman", "feedforward"]) func itIsThePolicysOwnPlay(_ name: String)
        throws
    {
        let families: [any TaskFamily] = [smallMaze, TabularMDP(states: 3, actions: 2, horizon: 3, episodes: 3)]
        for family in families {
            let policy = try model(name, family, hidden: 16)
            let weights = Trainer.firstParameters(of: policy, seed: 3)
            let records = [1, 3].map { analyse(policy, weights: weights, family, trials: 50, threads: $0) }
            #expect(try records[0].encoded() == records[1].encoded())
            let played = Evaluation(
                LearnedAgent(name: "", policy: policy, weights: weights), family: family, members: 0..<50, seed: 1,
                workers: Workers(threads: 1))
            #expect(zip(records[0].episodes.mean, played.episodeMeans).allSatisfy { abs($0 - $1) < 1e-9 })
            let inside = try #require(records[0].inside)
            let width = name == "lstm" ? 32 : 16
            #expect(inside.stateWidth == width && inside.readings.count == (family is FirstPersonMaze ? 8 : 2))
            // Here "trained" and "untrained" are the same.
            #expect(inside.readings.allSatisfy { $0.trained == $0.untrained })
        }
    }

    /// Who remembers can be read for what happened; who sees one step cannot.
    @Test func aMemoryHoldsCountsOfAnMDP() throws {
        let family = TabularMDP(states: 2, actions: 2, horizon: 3, episodes: 6)
        func counts(_ name: String) throws -> Double {
            let policy = try model(name, family, hidden: 32)
            let inside = try #require(
                analyse(policy, weights: Trainer.firstParameters(of: policy, seed: 3), family, trials: 300).inside)
            #expect(inside.readings.map(\.quantity) == ["posterior_mean_reward", "visit_count"])
            return try #require(inside.readings[1].trained.byEpisode[5])
        }
        #expect(try counts("gru") > counts("feedforward") + 0.3)
    }

    /// Uniform play agrees with a rule as often as chance; players of the task stand beside it, and who knows the member.
    @Test func uniformPlayAgreesAsChanceDoes() throws {
        let family = TabularMDP(states: 3, actions: 4, horizon: 2, episodes: 10)
        let policy = ScriptedPolicy(respond: { _ in [0.25, 0.25, 0.25, 0.25] }, state: { _ in [1] })
        let record = analyse(policy, family, trials: 300)
        let inside = try #require(record.inside)
        #expect(inside.agreement.map { String($0.rule.prefix(3)) } == ["Gre", "BEB"])
        for agreement in inside.agreement {
            #expect(zip(agreement.probability, agreement.chance).allSatisfy { abs($0 - $1) < 1e-6 })
            #expect(agreement.chance[0] > agreement.chance[9] && agreement.chance[9] > 0.25)
        }
        #expect(inside.players.count == 2 && inside.differences.map(\.player) == inside.players.map(\.name))
        let oracle = try #require(inside.oracle)
        let own = record.episodes.mean.reduce(0, +)
        #expect(abs(own - 20) < 1.5 && oracle > own + 5)
        let greedy = try #require(inside.differences.last)
        #expect(greedy.player.hasPrefix("Greedy") && greedy.difference.mean < -3 * greedy.difference.standardError)
        #expect(inside.secondStarts.map(\.group) == [.any] && inside.secondStarts[0].distance.mean == 0)
    }

    /// Quantities of too many numbers are left out, and the rest is read.
    @Test func tooManyNumbersAreLeftOut() {
        var lines: [String] = []
        let layout = ProbeLayout(
            [
                ProbeQuantity("a", "a", .vector(3)), ProbeQuantity("b", "too much", .classes(5000)),
                ProbeQuantity("c", "c", .classes(4)),
            ]
        ) { lines.append($0) }
        #expect(layout.places.map(\.quantity.name) == ["a", "c"] && layout.places.map(\.value) == [0, 4])
        #expect(layout.places.map(\.column) == [0, 3] && layout.columnCount == 7 && layout.valueCount == 5)
        #expect(lines.count == 1 && lines[0].contains("too much"))
    }

    /// The page is made of the record alone; a record that lacks a part cannot be read.
    @Test func aRecordHoldsAllThatAPageShows() throws {
        let path = NSTemporaryDirectory() + "rl2x-inside-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let families: [(any TaskFamily, [String])] = [
            (
                smallMaze,
                [
                    "Success, and what follows it", "Does it forget?", "read from its memory", "Episode 2, by step",
                    "first action of episode 2", "passages seen so far",
                ]
            ),
            (
                TabularMDP(states: 3, actions: 2, horizon: 3, episodes: 20),
                [
                    "beside classic agents", "read from its memory", "episode 11–20", "Which rule does it follow?",
                    "who knows the member",
                ]
            ),
        ]
        for (family, words) in families {
            let policy = try model("gru", family, hidden: 4)
            let record = analyse(
                policy, weights: Trainer.firstParameters(of: policy, seed: 1), family, trials: 60)
            try record.write(to: path)
            let again = try AnalysisRecord.read(path)
            #expect(again == record && AnalysisPage(again).markdown == AnalysisPage(record).markdown)
            let page = AnalysisPage(record).markdown
            for word in words { #expect(page.contains(word), "\(word)") }
            #expect(!page.contains("nan"))
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let damage = text.replacingOccurrences(of: "\"second_starts\"", with: "\"second\"")
            try Data(damage.utf8).write(to: URL(fileURLWithPath: path))
            #expect { try AnalysisRecord.read(path) } throws: { "\($0)".contains("half of one") }
        }
    }
}

@Suite struct FoldedReadoutTests {
    private func sums(_ rows: [[Double]], features: Int) -> ReadoutSums {
        var sums = ReadoutSums(features: features, targets: rows[0].count - features)
        (rows.flatMap { $0 + [1] }).withUnsafeBufferPointer { sums.add(rows.count, $0.baseAddress!) }
        return sums
    }

    @Test func squaredErrorsAreThoseOfTheRows() {
        var random = RandomSource(seed: 5)
        let rows = (0..<40).map { _ in (0..<5).map { _ in random.normal() } }
        let readout = LinearReadout(sums(Array(rows[..<20]), features: 3))
        let tested = Array(rows[20...])
        let read = (tested.flatMap { $0 + [1] }).withUnsafeBufferPointer {
            readout.read(20, $0.baseAddress!, stride: 6)
        }
        let errors = readout.squaredErrors(on: sums(tested, features: 3))
        for target in 0..<2 {
            let wanted = (0..<20).reduce(0.0) { sum, row in
                let error = tested[row][3 + target] - read[row * 2 + target]
                return sum + error * error
            }
            #expect(abs(errors[target] - wanted) < 1e-9 * wanted)
        }
    }

    /// Rows that repeat are few in truth: the penalty that is chosen reads noise less than the standard one does, and what is
    /// linear without noise as well.
    @Test func thePenaltyIsChosenForEachGroup() {
        var random = RandomSource(seed: 6)
        // 20 features, 40 trials a fold, each 30 rows of the same: a target that a feature tells, and noise.
        func fold(_ random: inout RandomSource) -> ReadoutSums {
            let trials = (0..<40).map { _ -> [Double] in
                let features = (0..<20).map { _ in random.normal() }
                return features + [2 * features[3] + 1, random.normal()]
            }
            return sums(trials.flatMap { [[Double]](repeating: $0, count: 30) }, features: 20)
        }
        let folds = (0..<4).map { _ in fold(&random) }
        let tested = fold(&random)
        let total = folds.dropFirst().reduce(into: folds[0]) { $0.add($1) }
        let standard = LinearReadout(total).squaredErrors(on: tested)
        let chosen = LinearReadout(folds: folds, groups: [0..<1, 1..<2]).squaredErrors(on: tested)
        #expect(abs(chosen[0] - standard[0]) < 1e-6 && chosen[0] < 1e-3)
        #expect(chosen[1] < 0.97 * standard[1])
        // With one fold there is nothing to choose by.
        #expect(LinearReadout(folds: [total], groups: [0..<2]).squaredErrors(on: tested) == standard)
    }

    @Test func aReadOutOfTheStepAloneExplainsNothing() {
        var errors = ReadoutErrors(steps: 2, targets: 1)
        for value in [0.0, 2] { errors.add(step: 0, target: 0, value: value, read: 1) }
        for value in [10.0, 12, 14] { errors.add(step: 1, target: 0, value: value, read: 12) }
        #expect(errors.explained(targets: 0..<1, withinEach: [0, 1]) == 0)
        #expect((errors.explained(targets: 0..<1, steps: 0..<2) ?? 0) > 0.9)
        #expect(errors.explained(targets: 0..<1, withinEach: []) == nil)
    }
}

@Suite struct ProportionTests {
    /// Wilson's interval of 0, 5 and 10 of 10, as tables have it.
    @Test func wilsonsInterval() {
        for (count, lower, upper) in [(0, 0, 0.2775), (5, 0.2366, 0.7634), (10, 0.7225, 1.0)] {
            let share = Proportion(count, of: 10)
            #expect(abs((share.lower ?? -1) - lower) < 1e-4 && abs((share.upper ?? -1) - upper) < 1e-4)
        }
        #expect(Proportion(0, of: 0).share == nil && Proportion(0, of: 0).lower == nil)
    }

    @Test func rangesHoldAllNumbersOnce() {
        #expect(NumberRanges(upTo: 3).titles == ["1", "2", "3"])
        let ranges = NumberRanges(upTo: 250)
        #expect(
            ranges.titles == ["1", "2", "3–5", "6–10", "11–20", "21–50", "51–100", "101–200", "201–250"])
        #expect([1, 2, 3, 5, 6, 250, 900].map(ranges.index) == [0, 1, 2, 2, 3, 8, 8])
        let moments = TrialMoments(episodes: 2, steps: 20)
        let places = (0..<2).flatMap { episode in
            (0..<20).map { moments.places(episode: episode, step: $0, isLast: false) }
        }
        #expect(places.allSatisfy { $0.count == 1 } && Set(places.flatMap(\.self)).count == moments.count - 2)
        #expect(moments.places(episode: 1, step: 19, isLast: true) == [moments.place(1, 4), moments.end(1)])
    }
}
