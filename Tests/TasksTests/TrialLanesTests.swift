import Conformance
import Interface
import Kernels
import Tasks
import TestSupport
import Testing

/// Lanes of a scripted family, by the script. (The RL² contract of the catalogue's families is in ConformanceTests.)
@Suite struct TrialLanesTests {
    private static let trials = 23
    private static let families = [ScriptedFamily(), ScriptedFamily(showsImages: true)]

    private let streams = trialStreams(seed: 11, count: trials)

    private func action(_ trial: Int, _ step: Int) -> Int { (7 * trial + 4 * step) % 3 }

    private func play(_ family: ScriptedFamily) -> [PlayedTrial] {
        let rows = InputRows(lanes: streams.count, family.observation)
        return playLockstep(family.makeLanes(streams.count), streams, rows: rows) { trial, step, _ in
            action(trial, step)
        }
    }

    /// What a trial must look like, written down from the family's script without any lanes.
    private func expected(_ family: ScriptedFamily, _ trial: Int) -> PlayedTrial {
        var (memberStream, chance) = (streams[trial].member, streams[trial].environment)
        let member = memberStream.integer(below: 1000)
        let isImage = family.observation != .vector(width: 4)
        var played = PlayedTrial()
        var (previousAction, previousReward, episodeEnd, index): (Int32, Float, Float, Int32) = (-1, 0, 0, 0)
        for episode in 0..<family.episodes {
            let start = chance.integer(below: 512)
            let length = ScriptedFamily.length(member: member, start: start)
            // The noise of the observation that reset writes; that of a last step is drawn and replaced.
            var noise = chance.uniform()
            for step in 0..<length {
                played.inputs.append(
                    StepInput(
                        vector: isImage
                            ? [] : ScriptedFamily.vector(member: member, start: start, step: step, noise: noise),
                        image: isImage ? ScriptedFamily.image(member: member, start: start, step: step) : [],
                        previousAction: previousAction, previousReward: previousReward, episodeEnd: episodeEnd,
                        stepIndex: index))
                noise = chance.uniform()
                previousAction = Int32(action(trial, Int(index)))
                previousReward = family.reward(
                    member: member, start: start, step: step, action: Int(previousAction))
                episodeEnd = step == length - 1 ? 1 : 0
                index += 1
                played.actions.append(previousAction)
                played.rewards.append(previousReward)
                played.endedEpisode.append(episodeEnd == 1)
                played.isFinished.append(episodeEnd == 1 && episode == family.episodes - 1)
            }
        }
        return played
    }

    /// Everything at once: each lane's trial is what it would be alone, while others leave before and after it.
    @Test(arguments: families) func everyNumberOfEveryTrialIsWhatTheScriptSays(_ family: ScriptedFamily) {
        let played = play(family)
        let lengths = Set(played.map(\.rewards.count))
        #expect(lengths.count > 3, "trials of one length would not try keep(lanes:): \(lengths)")
        for (trial, played) in played.enumerated() {
            #expect(played == expected(family, trial), "trial \(trial)")
            #expect(Set(played.rewards).count == played.rewards.count, "a reward was given twice")
        }
    }

    @Test(arguments: families) func beginStartsNewTrialsWhateverWentBefore(_ family: ScriptedFamily) {
        let lanes = family.makeLanes(4)
        let rows = InputRows(lanes: 4, family.observation)
        func play(_ streams: [TrialStreams]) -> [PlayedTrial] {
            playLockstep(lanes, streams, rows: rows) { trial, step, _ in action(trial, step) }
        }
        let first = play(Array(streams[0..<4]))
        // Broken off in the middle, after a lane was dropped.
        lanes.begin(Array(streams[4..<8]), inputs: rows.writer)
        var rewards = [Float](repeating: 0, count: 4)
        lanes.step([0, 1, 2, 0], rewards: &rewards, inputs: rows.writer)
        lanes.keep(lanes: [1, 3], inputs: rows.writer)
        #expect(lanes.count == 2)
        #expect(play(Array(streams[0..<4])) == first)
        #expect(play(Array(streams[0..<2])) == Array(first[0..<2]))
    }

    /// A trial that is begun in a lane while others play is the trial that it is alone, and disturbs none of them.
    @Test(arguments: families) func aRefilledLanePlaysAWholeTrial(_ family: ScriptedFamily) {
        let lanes = family.makeLanes(4)
        let rows = InputRows(lanes: 4, family.observation)
        lanes.begin(Array(streams[0..<4]), inputs: rows.writer)
        var (trials, steps, next) = ([0, 1, 2, 3], [0, 0, 0, 0], 4)
        var inputs = trials.map { _ in [StepInput]() }
        var played: [Int: [StepInput]] = [:]
        while lanes.count > 0 {
            for lane in 0..<lanes.count {
                inputs[lane].append(rows[lane])
                let rest = expected(family, trials[lane]).rewards.count - steps[lane]
                #expect(lanes.longestRest(lane) >= rest && lanes.longestRest(lane) <= family.maximumTrialSteps)
            }
            let actions = (0..<lanes.count).map { Int32(action(trials[$0], steps[$0])) }
            var rewards = [Float](repeating: 0, count: lanes.count)
            lanes.step(actions, rewards: &rewards, inputs: rows.writer)
            for lane in 0..<lanes.count {
                steps[lane] += 1
                guard lanes.isFinished(lane) else { continue }
                played[trials[lane]] = inputs[lane]
                guard next < 12 else { continue }
                lanes.restart(lane, streams[next], inputs: rows.writer)
                (trials[lane], steps[lane], inputs[lane]) = (next, 0, [])
                next += 1
            }
            let kept = (0..<lanes.count).filter { !lanes.isFinished($0) }
            lanes.keep(lanes: kept, inputs: rows.writer)
            (trials, steps, inputs) = (kept.map { trials[$0] }, kept.map { steps[$0] }, kept.map { inputs[$0] })
        }
        #expect(played.count == 12)
        for (trial, inputs) in played { #expect(inputs == expected(family, trial).inputs, "trial \(trial)") }
    }

    /// A lane that moves to another place takes its inputs along.
    @Test(arguments: families) func lanesThatAreKeptTakeTheirInputsAlong(_ family: ScriptedFamily) {
        let lanes = family.makeLanes(5)
        let rows = InputRows(lanes: 5, family.observation)
        lanes.begin(Array(streams[0..<5]), inputs: rows.writer)
        lanes.keep(lanes: [0, 3, 4], inputs: rows.writer)
        for (place, trial) in [0, 3, 4].enumerated() {
            #expect(rows[place] == expected(family, trial).inputs[0])
        }
        lanes.keep(lanes: [], inputs: rows.writer)
        #expect(lanes.count == 0)
    }

    @Test func theThreeStreamsOfATrialAreDifferent() {
        var streams = TrialStreams(RandomSource(seed: 5).split(3))
        let draws: [[UInt32]] = [
            (0..<4).map { _ in streams.member.next() }, (0..<4).map { _ in streams.environment.next() },
            (0..<4).map { _ in streams.actions.next() },
        ]
        #expect(Set(draws).count == 3)
    }

    /// Same seed, same trials, within the bounds that the family states.
    @Test(arguments: taskCatalogue.names) func everyFamilyStatesItsBounds(_ name: String) throws {
        let entry = try #require(taskCatalogue.entry(named: name))
        let family = entry.make(Values(defaults: entry.options))
        #expect(family.name == name)
        func play() -> [PlayedTrial] {
            let rows = InputRows(lanes: 9, family.observation)
            var random = RandomSource(seed: 4)
            return playLockstep(family.makeLanes(9), trialStreams(seed: 3, count: 9), rows: rows) { _, _, _ in
                random.integer(below: family.actions)
            }
        }
        let played = play()
        #expect(played == play())
        for trial in played {
            #expect(trial.rewards.count <= family.maximumTrialSteps)
            #expect(trial.endedEpisode.count { $0 } == family.episodes)
        }
    }
}
