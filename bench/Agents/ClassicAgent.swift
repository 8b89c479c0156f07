import Kernels
import Tasks
import Training

/// A learning algorithm that was designed: told what kind of task it plays, not which member.
///
/// To add one: a file with a `Player`, the agent that makes it, and a line in `AgentCatalogue`. Playing is the same for
/// all: members, chance and inputs are those that a learned policy is given, by the same code (`TrialLanes`).
public protocol ClassicAgent: Agent {
    associatedtype TrialPlayer: Player

    /// A player that has seen nothing yet; each trial is played by a copy of it. What it must know of the family it is
    /// told here: the number of actions, episodes and steps.
    func makePlayer(for family: any TaskFamily) -> TrialPlayer
}

/// The learner of one trial, from its first step to its last. A value: what it learned is what it holds.
public protocol Player: Sendable {
    /// Chooses an action in 0 ..< A.
    /// - Parameters:
    ///   - input: what every policy is told: of the previous step the action, reward and whether it ended an episode, and
    ///     the observation. A reward belongs to `input.previousAction` also where `input.endsEpisode`.
    ///   - random: the trial's own stream for choices; nothing else draws from it.
    mutating func act(_ input: PlayerInput, random: inout RandomSource) -> Int
}

/// What a player is given at a step: a row of `StepInputs`. The memory behind it is another's; it holds for the call.
public struct PlayerInput {
    /// s_t [width], for observations that are vectors.
    public let vector: UnsafePointer<Float>
    /// s_t [height × width × channels], for images.
    public let image: UnsafePointer<UInt8>
    /// a_{t−1}; −1 at the first step of a trial.
    public let previousAction: Int
    /// r_{t−1}; 0 at the first step of a trial.
    public let previousReward: Float
    /// d_{t−1}: the previous action ended an episode, and `vector` or `image` is the first observation of the next.
    public let endsEpisode: Bool
    /// Steps since the trial began: 0, 1, …
    public let stepIndex: Int

    @inline(__always)
    init(_ inputs: StepInputsWriter, row: Int) {
        vector = UnsafePointer(inputs.vectors + row * inputs.vectorWidth)
        image = UnsafePointer(inputs.images + row * inputs.imageBytes)
        previousAction = Int(inputs.previousActions[row])
        previousReward = inputs.previousRewards[row]
        endsEpisode = inputs.episodeEnds[row] == 1
        stepIndex = Int(inputs.stepIndices[row])
    }

    /// - Parameters:
    ///   - vectorWidth: of a row of `inputs.vectors`; `imageBytes` likewise.
    @inline(__always)
    init(_ inputs: StepInputs, row: Int, vectorWidth: Int, imageBytes: Int) {
        vector = inputs.vectors + row * vectorWidth
        image = inputs.images + row * imageBytes
        previousAction = Int(inputs.previousActions[row])
        previousReward = inputs.previousRewards[row]
        endsEpisode = inputs.episodeEnds[row] == 1
        stepIndex = Int(inputs.stepIndices[row])
    }
}

extension ClassicAgent {
    /// Trials in fixed groups, each stepped in lockstep by one thread, so that an existential is crossed once a step of a
    /// group and nothing is allocated after its first.
    public func play(
        _ members: Range<Int>, of family: any TaskFamily, root: RandomSource, workers: Workers
    ) -> PlayedTrials {
        let episodes = family.episodes
        var played = PlayedTrials(trials: members.count, episodes: episodes)
        let fresh = makePlayer(for: family)
        let group = 16
        played.rewards.withUnsafeMutableBufferPointer { rewards in
            played.steps.withUnsafeMutableBufferPointer { steps in
                workers.pool.run((members.count + group - 1) / group) { index, _ in
                    let first = index * group
                    let count = min(group, members.count - first)
                    let streams = (first..<first + count).map {
                        TrialStreams(root.split(members.lowerBound + $0))
                    }
                    playLockstep(
                        fresh, family, streams, rewards: rewards.baseAddress! + first * episodes,
                        steps: steps.baseAddress! + first * episodes)
                }
            }
        }
        return played
    }

    /// Plays a trial for each of `streams` to its end.
    /// - Parameters:
    ///   - rewards: [trials, episodes], zeros; likewise `steps`.
    private func playLockstep(
        _ fresh: TrialPlayer, _ family: any TaskFamily, _ streams: [TrialStreams],
        rewards: UnsafeMutablePointer<Double>, steps: UnsafeMutablePointer<Int32>
    ) {
        let actionCount = family.actions
        let lanes = family.makeLanes(streams.count)
        let memory = LaneInputs(lanes: streams.count, family.observation)
        let inputs = memory.writer
        var players = [TrialPlayer](repeating: fresh, count: streams.count)
        var sources = streams.map(\.actions)
        // Where in `rewards` the episode of each lane is added up.
        var places = streams.indices.map { $0 * family.episodes }
        var actions = [Int32](repeating: 0, count: streams.count)
        var earned = [Float](repeating: 0, count: streams.count)
        lanes.begin(streams, inputs: inputs)
        while lanes.count > 0 {
            let alive = lanes.count
            for lane in 0..<alive {
                let action = players[lane].act(PlayerInput(inputs, row: lane), random: &sources[lane])
                precondition(action >= 0 && action < actionCount, "\(name) chose action \(action)")
                actions[lane] = Int32(action)
            }
            lanes.step(actions, rewards: &earned, inputs: inputs)
            var finished = 0
            for lane in 0..<alive {
                rewards[places[lane]] += Double(earned[lane])
                steps[places[lane]] += 1
                if lanes.endedEpisode(lane) { places[lane] += 1 }
                if lanes.isFinished(lane) { finished += 1 }
            }
            if finished > 0 {
                let kept = (0..<alive).filter { !lanes.isFinished($0) }
                for (place, lane) in kept.enumerated() where place != lane {
                    players.swapAt(place, lane)
                    sources[place] = sources[lane]
                    places[place] = places[lane]
                }
                lanes.keep(lanes: kept, inputs: inputs)
            }
        }
    }
}
