import Foundation
import Interface
import Kernels
import Models
import Tasks

/// Plays trials as a policy does and looks into them: the work of one thread.
final class TrialInspector<Family: TaskFamily> {
    private let family: Family
    private let root: RandomSource
    private let advice: [ChoiceAdvice]
    private let moments: TrialMoments
    private let layout: ProbeLayout
    /// The policy, and its untrained twin.
    private let readers: [any HistoryReader]
    /// The policy with an empty memory.
    private let forgetful: any HistoryReader
    /// Trials side by side.
    private let laneCount: Int
    private let columns: StepColumns
    /// First steps of episode 2.
    private let startColumns: StepColumns
    private var lanes: [Lane] = []
    private var actions: [Int32]
    private var rewards: [Float]
    /// Values of all quantities of each lane [lanes, values]
    private var values: [Double]
    /// State, columns and 1 of each lane, of the policy and of its twin [2][lanes, width]
    private var rows: [[Double]] = []

    /// What is kept of a trial while it is played.
    private struct Lane {
        /// In its group, from 0.
        let number: Int
        /// Draws the policy's actions; draws for who gives advice.
        var choices, chance: RandomSource
        var probes: (any TrialProbes<Family.Member>)?
        var advisers: [any AdvisingPlayer]
        /// Steps of the episode so far, and its reward.
        var step = 0
        var reward = 0.0
        /// What the policy saw at the first step of the trial, and its distribution then.
        var firstInput: StepInput?
        var firstChoice: [Double] = []
        var outcome = TrialOutcome()
        /// Moments that it came to.
        var reached: Set<Int> = []

        /// From 0.
        var episode: Int { outcome.steps.count }
    }

    /// - Parameters:
    ///   - weights: θ of the policy [P]
    ///   - untrained: θ of its first values [P]
    ///   - root: member i is drawn from `root.split(i)`.
    init(
        _ family: Family, _ policy: any SequencePolicy, weights: Matrix, untrained: Matrix, layout: ProbeLayout,
        advice: [ChoiceAdvice], moments: TrialMoments, root: RandomSource
    ) {
        (self.family, self.root, self.layout, self.advice, self.moments) = (family, root, layout, advice, moments)
        // The same on every machine, and so few that their memories stay below a quarter of a gigabyte.
        let bytes = max(1, policy.memoryBytes(steps: family.maximumTrialSteps))
        let count = min(64, max(4, (256 << 20) / bytes))
        laneCount = count
        readers = [weights, untrained].map { policy.makeReader(weights: $0, family: family, lanes: count) }
        forgetful = policy.makeReader(weights: weights, family: family, lanes: count, steps: 1)
        columns = StepColumns(space: family.observation, rows: count)
        startColumns = StepColumns(space: family.observation, rows: count)
        actions = [Int32](repeating: 0, count: count)
        rewards = [Float](repeating: 0, count: count)
        values = [Double](repeating: 0, count: count * layout.valueCount)
        rows = [[Double]](repeating: [Double](repeating: 1, count: count * width), count: 2)
    }

    /// Numbers of a lane's state; 0: it cannot be read.
    var featureWidth: Int { readers[0].featureWidth }

    private var width: Int { featureWidth + layout.columnCount + 1 }

    /// Plays members and adds what is found to `tally`.
    /// - Parameter readouts: of the policy and of its twin, to be judged; nil: sums to fit them from are wanted.
    func run(_ members: Range<Int>, readouts: [LinearReadout]?, into tally: inout TrialTally) {
        for first in stride(from: members.lowerBound, to: members.upperBound, by: laneCount) {
            play(first..<min(first + laneCount, members.upperBound), readouts, &tally)
        }
    }

    private func play(_ members: Range<Int>, _ readouts: [LinearReadout]?, _ tally: inout TrialTally) {
        let environments = EnvironmentArray(family: family, lanes: members.count)
        let trials = TrialLanes(
            environments: environments, episodes: family.episodes, maximumEpisodeSteps: family.maximumEpisodeSteps)
        begin(members, trials)
        var outcomes = [TrialOutcome](repeating: TrialOutcome(), count: members.count)
        while trials.count > 0 {
            let inputs = columns.inputs(from: 0, rows: trials.count)
            for reader in readers { reader.step(inputs) }
            observe(environments, inputs)
            lookAtStarts(environments, inputs, &tally)
            ask(inputs, &tally)
            act()
            trials.step(actions, rewards: &rewards, inputs: columns.writer)
            judge(trials, readouts, &tally)
            let kept = advance(trials, &outcomes)
            if kept.count < trials.count {
                trials.keep(lanes: kept, inputs: columns.writer)
                for reader in readers { reader.keep(lanes: kept) }
                lanes = kept.map { lanes[$0] }
            }
        }
        tally.outcomes += outcomes
    }

    private func begin(_ members: Range<Int>, _ trials: TrialLanes) {
        let streams = members.map { TrialStreams(root.split($0)) }
        trials.begin(streams, inputs: columns.writer)
        for reader in readers { reader.begin(lanes: members.count) }
        lanes = zip(members, streams).enumerated().map { number, trial in
            Lane(
                // No member has the number of the second stream.
                number: number, choices: trial.1.actions, chance: root.split(-1, trial.0),
                probes: layout.places.isEmpty ? nil : family.makeProbes(), advisers: advice.map { $0.makePlayer() })
        }
    }

    /// π(· | history) of a lane [A]
    private func distribution(_ lane: Int, of reader: any HistoryReader) -> [Double] {
        reader.logProbabilities[lane * family.actions..<(lane + 1) * family.actions].map { exp(Double($0)) }
    }

    /// Draws the policy's actions as `LearnedAgent` does.
    private func act() {
        readers[0].logProbabilities.withUnsafeBufferPointer { distributions in
            for lane in lanes.indices {
                actions[lane] = Int32(
                    Categorical.sample(
                        distributions.baseAddress! + lane * family.actions, outcomes: family.actions,
                        uniform: lanes[lane].choices.uniform()))
            }
        }
    }

    /// Takes note of what a step brought; returns the lanes whose trial goes on.
    private func advance(_ trials: TrialLanes, _ outcomes: inout [TrialOutcome]) -> [Int] {
        for lane in lanes.indices {
            lanes[lane].outcome.actions.append(Int(actions[lane]))
            lanes[lane].step += 1
            lanes[lane].reward += Double(rewards[lane])
            guard trials.endedEpisode(lane) else { continue }
            lanes[lane].outcome.rewards.append(lanes[lane].reward)
            lanes[lane].outcome.steps.append(lanes[lane].step)
            lanes[lane].outcome.successes.append(trials.terminated(lane))
            (lanes[lane].step, lanes[lane].reward) = (0, 0)
            guard trials.isFinished(lane) else { continue }
            if !lanes[lane].outcome.isForgetful { lanes[lane].outcome.actions = [] }
            outcomes[lanes[lane].number] = lanes[lane].outcome
        }
        return lanes.indices.filter { !trials.isFinished($0) }
    }

    // MARK: Looking

    /// Values of the quantities at this step, beside what the readers' states are.
    private func observe(_ environments: EnvironmentArray<Family>, _ inputs: StepInputs) {
        guard featureWidth > 0, !layout.places.isEmpty else { return }
        let (features, width) = (featureWidth, width)
        values.withUnsafeMutableBufferPointer { values in
            for lane in lanes.indices {
                lanes[lane].probes?.observe(
                    environments[lane], inputs[lane], into: values.baseAddress! + lane * layout.valueCount)
            }
            for reader in readers.indices {
                rows[reader].withUnsafeMutableBufferPointer { rows in
                    readers[reader].writeFeatures(to: rows.baseAddress!, stride: width)
                    for lane in lanes.indices {
                        let value = values.baseAddress! + lane * layout.valueCount
                        let column = rows.baseAddress! + lane * width + features
                        for place in layout.places {
                            place.quantity.encode(value + place.value, into: column + place.column)
                        }
                    }
                }
            }
        }
    }

    /// Fits or judges read-outs at the step that was taken.
    private func judge(_ trials: TrialLanes, _ readouts: [LinearReadout]?, _ tally: inout TrialTally) {
        guard featureWidth > 0, !layout.places.isEmpty else { return }
        let (width, columns) = (width, layout.columnCount)
        let moments = lanes.indices.map {
            self.moments.places(
                episode: lanes[$0].episode, step: lanes[$0].step, isLast: trials.endedEpisode($0))
        }
        for reader in readers.indices {
            rows[reader].withUnsafeBufferPointer { rows in
                values.withUnsafeBufferPointer { values in
                    guard let readouts else {
                        tally.readouts[reader].add(lanes.count, rows.baseAddress!)
                        guard reader == 0 else { return }
                        for lane in lanes.indices {
                            for (index, place) in layout.places.enumerated() {
                                tally.scores[index].fit(
                                    values.baseAddress! + lane * layout.valueCount + place.value, at: moments[lane])
                            }
                        }
                        return
                    }
                    let read = readouts[reader].read(lanes.count, rows.baseAddress!, stride: width)
                    read.withUnsafeBufferPointer { read in
                        for lane in lanes.indices {
                            for (index, place) in layout.places.enumerated() {
                                tally.scores[index].judge(
                                    reader, values.baseAddress! + lane * layout.valueCount + place.value,
                                    read: read.baseAddress! + lane * columns + place.column, at: moments[lane])
                            }
                        }
                    }
                }
            }
        }
        guard readouts != nil else { return }
        for lane in lanes.indices {
            for place in moments[lane] where lanes[lane].reached.insert(place).inserted { tally.reached[place] += 1 }
        }
    }

    /// First steps: of episode 1 they are kept, of episode 2 compared with those.
    private func lookAtStarts(
        _ environments: EnvironmentArray<Family>, _ inputs: StepInputs, _ tally: inout TrialTally
    ) {
        guard family.episodes > 1 else { return }
        var begun: [Int] = []
        for lane in lanes.indices where lanes[lane].step == 0 && lanes[lane].episode < 2 {
            let input = inputs.value(lane)
            if lanes[lane].episode == 0 {
                lanes[lane].firstInput = input
                lanes[lane].firstChoice = distribution(lane, of: readers[0])
            } else if let first = lanes[lane].firstInput {
                lanes[lane].firstInput = nil
                guard input.vector == first.vector, input.image == first.image else {
                    tally.otherStarts += 1
                    continue
                }
                startColumns.writer.write(input, to: begun.count)
                begun.append(lane)
            }
        }
        guard !begun.isEmpty else { return }
        forgetful.begin(lanes: begun.count)
        forgetful.step(startColumns.inputs(from: 0, rows: begun.count))
        for (row, lane) in begun.enumerated() {
            let group: InsideTrial.SecondStart.Group =
                !family.measures.contains(.success) ? .any : lanes[lane].outcome.successes[0] ? .succeeded : .failed
            tally.secondStarts[group, default: SecondStartSums()].add(
                first: lanes[lane].firstChoice, second: distribution(lane, of: readers[0]),
                reset: distribution(row, of: forgetful), optimal: family.optimalActions(in: environments[lane]))
        }
    }

    /// What classic agents would do here.
    private func ask(_ inputs: StepInputs, _ tally: inout TrialTally) {
        guard !advice.isEmpty else { return }
        for lane in lanes.indices {
            let chosen = distribution(lane, of: readers[0])
            let mode = mostProbable(chosen)
            let episode = lanes[lane].episode
            var chance = lanes[lane].chance
            defer { lanes[lane].chance = chance }
            for rule in advice.indices {
                let allowed = lanes[lane].advisers[rule].bestActions(inputs[lane], random: &chance)
                tally.mode[rule][episode].add(allowed.contains(mode) ? 1 : 0)
                tally.probability[rule][episode].add(allowed.reduce(0) { $0 + chosen[$1] })
                tally.chance[rule][episode].add(Double(allowed.count) / Double(family.actions))
            }
        }
    }
}
