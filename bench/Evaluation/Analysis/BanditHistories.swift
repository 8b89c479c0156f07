import Interface
import Kernels
import Tasks

/// Trials of a bandit that were played: which arm was pulled and what it paid.
struct BanditHistories {
    /// k
    let arms: Int
    /// n
    let pulls: Int
    let lanes: Int
    /// [n, lanes]
    var actions: [Int32]
    /// 0 or 1 [n, lanes]
    var rewards: [Float]

    /// Plays members as a policy does that draws its actions: the play of `LearnedAgent`, kept pull by pull.
    ///
    /// - Parameter root: member i is drawn from `root.split(i)`.
    init(_ members: Range<Int>, of family: BernoulliBandit, root: RandomSource, played reader: any HistoryReader) {
        (arms, pulls, lanes) = (family.arms, family.episodes, members.count)
        actions = [Int32](repeating: 0, count: pulls * lanes)
        rewards = [Float](repeating: 0, count: pulls * lanes)
        let trials = family.makeLanes(lanes)
        let memory = StepColumns(space: family.observation, rows: lanes)
        let streams = members.map { TrialStreams(root.split($0)) }
        var choices = streams.map(\.actions)
        trials.begin(streams, inputs: memory.writer)
        reader.begin(lanes: lanes)
        for pull in 0..<pulls {
            reader.step(memory.inputs(from: 0, rows: lanes))
            let row = pull * lanes
            reader.logProbabilities.withUnsafeBufferPointer { distributions in
                for lane in 0..<lanes {
                    actions[row + lane] = Int32(
                        Categorical.sample(
                            distributions.baseAddress! + lane * arms, outcomes: arms, uniform: choices[lane].uniform()))
                }
            }
            actions.withUnsafeBufferPointer { actions in
                rewards.withUnsafeMutableBufferPointer { rewards in
                    trials.step(
                        actions.baseAddress! + row, rewards: rewards.baseAddress! + row, inputs: memory.writer)
                }
            }
        }
    }

    /// Shows the trials to a policy, whoever played them, and calls `visit` where it would choose pull 0, 1, ….
    ///
    /// - Parameter visit: is told the number of the pull and what is known of the arms before it.
    func show(to reader: any HistoryReader, _ visit: (_ pull: Int, _ counts: LaneCounts) -> Void) {
        let memory = StepColumns(space: .vector(width: 0), rows: lanes)
        let writer = memory.writer
        var counts = LaneCounts(lanes: lanes, arms: arms)
        reader.begin(lanes: lanes)
        for pull in 0..<pulls {
            for lane in 0..<lanes {
                writer.stepIndices[lane] = Int32(pull)
                guard pull > 0 else {
                    writer.previousActions[lane] = -1
                    continue
                }
                let (action, reward) = (actions[(pull - 1) * lanes + lane], rewards[(pull - 1) * lanes + lane])
                writer.previousActions[lane] = action
                writer.previousRewards[lane] = reward
                // A pull is an episode.
                writer.episodeEnds[lane] = 1
                counts.add(lane: lane, arm: Int(action), success: reward > 0.5)
            }
            reader.step(memory.inputs(from: 0, rows: lanes))
            visit(pull, counts)
        }
    }

    /// The same trials with other names of the arms.
    /// - Parameter names: what arm a of a lane is called now [lanes][k]
    func renamed(_ names: [[Int]]) -> BanditHistories {
        var result = self
        for place in actions.indices { result.actions[place] = Int32(names[place % lanes][Int(actions[place])]) }
        return result
    }

    /// The same trials, but that one pull paid what it did not.
    func flipped(pull: Int) -> BanditHistories {
        var result = self
        for place in pull * lanes..<(pull + 1) * lanes { result.rewards[place] = 1 - rewards[place] }
        return result
    }
}

/// Successes and failures of each arm in each lane.
struct LaneCounts {
    let arms: Int
    /// [lanes, k]
    private(set) var successes: [Int]
    private(set) var failures: [Int]

    init(lanes: Int, arms: Int) {
        self.arms = arms
        successes = [Int](repeating: 0, count: lanes * arms)
        failures = successes
    }

    mutating func add(lane: Int, arm: Int, success: Bool) {
        if success { successes[lane * arms + arm] += 1 } else { failures[lane * arms + arm] += 1 }
    }

    /// Of one lane [k].
    func successes(_ lane: Int) -> [Int] { Array(successes[lane * arms..<(lane + 1) * arms]) }
    func failures(_ lane: Int) -> [Int] { Array(failures[lane * arms..<(lane + 1) * arms]) }
}
