import Kernels
import Tasks
import Testing

/// The RL² contract of a trial (DESIGN section 3), line by line, on the lanes of a scripted family.
@Suite struct TrialContractTests {
    private static let episodes = 5
    private static let trials = 23

    private let family = ProbeFamily(episodes: episodes)
    private let streams = trialStreams(seed: 11, count: trials)

    private func action(_ trial: Int, _ step: Int) -> Int { (7 * trial + 3 * step) % 5 }

    private func play() -> [PlayedTrial] {
        playLockstep(family.makeLanes(streams.count), streams, rows: InputRows(lanes: streams.count)) {
            trial, step, _ in
            action(trial, step)
        }
    }

    /// What a trial must look like, written down from the family's script without any lanes.
    private func expected(_ trial: Int) -> PlayedTrial {
        var (memberStream, noise) = (streams[trial].member, streams[trial].environment)
        let member = memberStream.integer(below: 1000)
        var played = PlayedTrial()
        var (previousAction, previousReward, episodeEnd, index): (Int32, Float, Float, Int32) = (-1, 0, 0, 0)
        for episode in 0..<TrialContractTests.episodes {
            let length = ProbeFamily.length(member: member, episode: episode)
            // The noise of the observation that reset writes; that of a last step is drawn and replaced.
            var observed = noise.uniform()
            for step in 0..<length {
                played.inputs.append(
                    InputRow(
                        vector: [Float(member), Float(episode), Float(step), observed],
                        image: [UInt8(truncatingIfNeeded: member), UInt8(step)], previousAction: previousAction,
                        previousReward: previousReward, episodeEnd: episodeEnd, stepIndex: index))
                observed = noise.uniform()
                previousAction = Int32(action(trial, Int(index)))
                previousReward = ProbeFamily.reward(member: member, episode: episode, step: step)
                episodeEnd = step == length - 1 ? 1 : 0
                index += 1
                played.actions.append(previousAction)
                played.rewards.append(previousReward)
                played.endedEpisode.append(episodeEnd == 1)
                played.isFinished.append(episodeEnd == 1 && episode == TrialContractTests.episodes - 1)
            }
        }
        return played
    }

    /// Everything at once: each lane's trial is what it would be alone, while others leave before and after it.
    @Test func everyNumberOfEveryTrialIsWhatTheScriptSays() {
        let played = play()
        let lengths = Set(played.map(\.rewards.count))
        #expect(lengths.count > 3, "trials of one length would not try keep(lanes:): \(lengths)")
        for (trial, played) in played.enumerated() {
            #expect(played == expected(trial), "trial \(trial)")
        }
    }

    @Test func firstStepHoldsNoActionRewardOrFlag() {
        for trial in play() {
            let first = trial.inputs[0]
            #expect(first.previousAction == -1)
            #expect(first.previousReward == 0)
            #expect(first.episodeEnd == 0)
            #expect(first.stepIndex == 0)
            // And never again.
            #expect(trial.inputs.dropFirst().allSatisfy { $0.previousAction >= 0 && $0.previousReward != 0 })
        }
    }

    @Test func aMemberIsDrawnOnceATrialAndNotOnReset() {
        let trials = play()
        #expect(family.samples.value == streams.count)
        for (trial, played) in trials.enumerated() {
            var stream = streams[trial].member
            let member = Float(stream.integer(below: 1000))
            #expect(played.inputs.allSatisfy { $0.vector[0] == member })
            #expect(Set(played.inputs.map { $0.vector[1] }).count == TrialContractTests.episodes)
        }
    }

    /// At a termination and at a time limit alike.
    @Test func lastRewardAndFlagComeWithTheNewEpisodesFirstObservation() {
        var (terminations, timeLimits) = (0, 0)
        for played in play() {
            let member = Int(played.inputs[0].vector[0])
            for (index, input) in played.inputs.enumerated().dropFirst() {
                let episode = Int(input.vector[1])
                let isFirstOfEpisode = Int(played.inputs[index - 1].vector[1]) == episode - 1
                #expect(input.episodeEnd == (isFirstOfEpisode ? 1 : 0))
                #expect(input.previousReward == played.rewards[index - 1])
                #expect(input.previousAction == played.actions[index - 1])
                guard isFirstOfEpisode else { continue }
                #expect(input.vector[2] == 0)
                let last = ProbeFamily.length(member: member, episode: episode - 1) - 1
                #expect(
                    input.previousReward == ProbeFamily.reward(member: member, episode: episode - 1, step: last))
                if ProbeFamily.isTruncated(member: member, episode: episode - 1) {
                    timeLimits += 1
                } else {
                    terminations += 1
                }
            }
        }
        #expect(terminations > 10 && timeLimits > 10, "\(terminations) terminations, \(timeLimits) time limits")
    }

    @Test func noStepIsSpentOnABoundary() {
        for played in play() {
            let member = Int(played.inputs[0].vector[0])
            let steps = (0..<TrialContractTests.episodes).reduce(0) {
                $0 + ProbeFamily.length(member: member, episode: $1)
            }
            #expect(played.rewards.count == steps)
            #expect(played.inputs.map(\.stepIndex) == (0..<Int32(steps)).map { $0 })
            #expect(played.endedEpisode.count { $0 } == TrialContractTests.episodes)
            #expect(played.isFinished.dropLast().allSatisfy { !$0 } && played.isFinished.last == true)
            #expect(Set(played.rewards).count == steps, "a reward was given twice")
        }
    }

    /// Playing lanes one by one gives the same as playing them side by side.
    @Test func noLaneSeesAnother() {
        let together = play()
        for trial in streams.indices {
            let alone = playLockstep(family.makeLanes(1), [streams[trial]], rows: InputRows(lanes: 1)) { _, step, _ in
                action(trial, step)
            }
            #expect(alone == [together[trial]])
        }
    }

    @Test func beginStartsNewTrialsWhateverWentBefore() {
        let lanes = family.makeLanes(4)
        let rows = InputRows(lanes: 4)
        func play(_ streams: [TrialStreams]) -> [PlayedTrial] {
            playLockstep(lanes, streams, rows: rows) { trial, step, _ in action(trial, step) }
        }
        let first = play(Array(streams[0..<4]))
        // Broken off in the middle, after a lane was dropped.
        lanes.begin(Array(streams[4..<8]), inputs: rows.writer)
        var rewards = [Float](repeating: 0, count: 4)
        lanes.step([0, 1, 2, 3], rewards: &rewards, inputs: rows.writer)
        lanes.keep(lanes: [1, 3], inputs: rows.writer)
        #expect(lanes.count == 2)
        #expect(play(Array(streams[0..<4])) == first)
        #expect(play(Array(streams[0..<2])) == Array(first[0..<2]))
    }

    /// A lane that moves to another place takes its action stream along.
    @Test func uniformNumbersAreThoseOfTheTrialsActionStream() {
        let lanes = family.makeLanes(5)
        let rows = InputRows(lanes: 5)
        lanes.begin(Array(streams[0..<5]), inputs: rows.writer)
        var sources = streams[0..<5].map(\.actions)
        for lane in 0..<5 { #expect(lanes.uniform(lane) == sources[lane].uniform()) }
        lanes.keep(lanes: [0, 3, 4], inputs: rows.writer)
        for (place, trial) in [0, 3, 4].enumerated() {
            #expect(rows[place].vector[0] == expected(trial).inputs[0].vector[0])
            #expect(lanes.uniform(place) == sources[trial].uniform())
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

    /// What holds for every family that can be asked for by name.
    @Test(arguments: TaskCatalogue.names) func everyFamilyKeepsTheContract(_ name: String) throws {
        let entry = try #require(TaskCatalogue.entry(named: name))
        let family = entry.make(OptionValues(standard: entry.options))
        #expect(family.name == name)
        let (vectorWidth, imageBytes) =
            switch family.observation {
            case .vector(let width): (width, 0)
            case .image: (0, family.observation.count)
            }
        func play() -> [PlayedTrial] {
            let streams = trialStreams(seed: 3, count: 9)
            let rows = InputRows(lanes: 9, vectorWidth: vectorWidth, imageBytes: imageBytes)
            var random = RandomSource(seed: 4)
            return playLockstep(family.makeLanes(9), streams, rows: rows) { _, _, _ in
                random.integer(below: family.actions)
            }
        }
        let played = play()
        #expect(played == play(), "the same seed, the same trials")
        for trial in played {
            #expect(trial.rewards.count <= family.maximumTrialSteps)
            #expect(trial.endedEpisode.count { $0 } == family.episodes)
            for (index, input) in trial.inputs.enumerated() {
                #expect(input.stepIndex == Int32(index))
                #expect(input.previousAction == (index == 0 ? -1 : trial.actions[index - 1]))
                #expect(input.previousReward == (index == 0 ? 0 : trial.rewards[index - 1]))
                #expect(input.episodeEnd == (index > 0 && trial.endedEpisode[index - 1] ? 1 : 0))
            }
        }
    }
}
