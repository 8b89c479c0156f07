import Interface
import Kernels

/// B trials that are stepped in lockstep. This is where the RL² contract of a trial is kept, for every family:
///
/// - M is drawn when the trial begins and kept through its episodes.
/// - When an episode ends, the environment resets at once, and the next input holds the new episode's first observation
///   together with the last action, the last reward and d = 1: no step is spent on the boundary, no reward is lost.
/// - At the first step of a trial there is no previous action (−1), and reward and flag are 0.
public final class TrialLanes {
    private let environments: any EnvironmentLanes
    private let episodes: Int
    private let maximumEpisodeSteps: Int
    private var streams: [TrialStreams] = []
    private var episodesLeft: [Int] = []
    /// Step of the trial at which each lane's episode began.
    private var episodeStarts: [Int32] = []
    private var stepIndices: [Int32] = []
    private var transitions: [Transition] = []

    /// - Parameters:
    ///   - episodes: n, of every trial.
    ///   - maximumEpisodeSteps: upper bound of the steps of an episode.
    public init(environments: any EnvironmentLanes, episodes: Int, maximumEpisodeSteps: Int) {
        self.environments = environments
        self.episodes = episodes
        self.maximumEpisodeSteps = maximumEpisodeSteps
    }

    /// Lanes that still play.
    public var count: Int { streams.count }

    /// Begins trials, a lane for each of `streams`, and writes their first inputs to `inputs`.
    public func begin(_ streams: [TrialStreams], inputs: StepInputsWriter) {
        self.streams = streams
        episodesLeft = [Int](repeating: episodes, count: streams.count)
        episodeStarts = [Int32](repeating: 0, count: streams.count)
        stepIndices = [Int32](repeating: 0, count: streams.count)
        transitions = [Transition](repeating: Transition(reward: 0), count: streams.count)
        environments.begin(&self.streams, inputs: inputs)
        for lane in streams.indices { inputs.set(lane, action: -1, reward: 0, episodeEnd: 0, stepIndex: 0) }
    }

    /// Begins another trial in a lane whose trial is over, and writes its first input over the one that nobody reads.
    public func restart(_ lane: Int, _ stream: TrialStreams, inputs: StepInputsWriter) {
        precondition(isFinished(lane), "the trial in lane \(lane) is not over")
        streams[lane] = stream
        episodesLeft[lane] = episodes
        episodeStarts[lane] = 0
        stepIndices[lane] = 0
        transitions[lane] = Transition(reward: 0)
        environments.restart(lane, &streams[lane], inputs: inputs)
        inputs.set(lane, action: -1, reward: 0, episodeEnd: 0, stepIndex: 0)
    }

    /// Takes one action in each lane, in 0 ..< A, and writes the reward that each earned and the next inputs.
    ///
    /// `isFinished` then tells the lanes whose trial is over; nobody reads the inputs that follow there.
    public func step(
        _ actions: UnsafePointer<Int32>, rewards: UnsafeMutablePointer<Float>, inputs: StepInputsWriter
    ) {
        environments.step(
            actions, streams: &streams, episodesLeft: episodesLeft, transitions: &transitions, inputs: inputs)
        for lane in streams.indices {
            let transition = transitions[lane]
            stepIndices[lane] += 1
            if transition.endsEpisode {
                episodesLeft[lane] -= 1
                episodeStarts[lane] = stepIndices[lane]
            }
            rewards[lane] = transition.reward
            inputs.set(
                lane, action: actions[lane], reward: transition.reward, episodeEnd: transition.endsEpisode ? 1 : 0,
                stepIndex: stepIndices[lane])
        }
    }

    /// Whether the trial in a lane is over.
    public func isFinished(_ lane: Int) -> Bool { episodesLeft[lane] == 0 }
    /// Most steps of a trial.
    public var longestTrial: Int { episodes * maximumEpisodeSteps }
    /// Most steps that the trial in a lane can still take.
    public func longestRest(_ lane: Int) -> Int {
        episodesLeft[lane] * maximumEpisodeSteps - Int(stepIndices[lane] - episodeStarts[lane])
    }
    /// Whether the last step in a lane ended an episode.
    public func endedEpisode(_ lane: Int) -> Bool { transitions[lane].endsEpisode }
    /// Whether the last step in a lane reached a terminal state.
    public func terminated(_ lane: Int) -> Bool { transitions[lane].terminated }

    /// Keeps only some lanes, in their order, and moves their inputs in `inputs` to their new rows.
    public func keep(lanes kept: [Int], inputs: StepInputsWriter) {
        for (place, lane) in kept.enumerated() where place != lane {
            streams[place] = streams[lane]
            episodesLeft[place] = episodesLeft[lane]
            episodeStarts[place] = episodeStarts[lane]
            stepIndices[place] = stepIndices[lane]
            transitions[place] = transitions[lane]
            inputs.move(lane, to: place)
        }
        let gone = streams.count - kept.count
        streams.removeLast(gone)
        episodesLeft.removeLast(gone)
        episodeStarts.removeLast(gone)
        stepIndices.removeLast(gone)
        transitions.removeLast(gone)
        environments.keep(lanes: kept)
    }
}

/// The environments of a family side by side: the one part of a rollout that differs between families, crossed once a
/// step.
public protocol EnvironmentLanes: AnyObject {
    /// Draws a member for each lane from its member stream, and writes the first observations.
    func begin(_ streams: inout [TrialStreams], inputs: StepInputsWriter)
    /// Draws another member for one lane, from that trial's streams, and writes its first observation.
    func restart(_ lane: Int, _ stream: inout TrialStreams, inputs: StepInputsWriter)
    /// Takes an action in each lane. Where that ends an episode and another is left (`episodesLeft` > 1), starts it.
    func step(
        _ actions: UnsafePointer<Int32>, streams: inout [TrialStreams], episodesLeft: [Int],
        transitions: inout [Transition], inputs: StepInputsWriter)
    /// Keeps only some lanes, in their order.
    func keep(lanes kept: [Int])
}

/// An array of environments, one a lane.
public final class EnvironmentArray<Family: TaskFamily>: EnvironmentLanes {
    private let family: Family
    private var environments: [Family.Member] = []

    public init(family: Family, lanes: Int) {
        self.family = family
        environments.reserveCapacity(lanes)
    }

    /// The environment of a lane as it is now, to be looked at.
    public subscript(lane: Int) -> Family.Member { environments[lane] }

    public func begin(_ streams: inout [TrialStreams], inputs: StepInputsWriter) {
        environments.removeAll(keepingCapacity: true)
        for lane in streams.indices { environments.append(member(for: lane, &streams[lane], inputs)) }
    }

    public func restart(_ lane: Int, _ stream: inout TrialStreams, inputs: StepInputsWriter) {
        environments[lane] = member(for: lane, &stream, inputs)
    }

    private func member(for lane: Int, _ stream: inout TrialStreams, _ inputs: StepInputsWriter) -> Family.Member {
        var environment = family.sample(&stream.member)
        environment.reset(observation: inputs.observation(lane), random: &stream.environment)
        return environment
    }

    public func step(
        _ actions: UnsafePointer<Int32>, streams: inout [TrialStreams], episodesLeft: [Int],
        transitions: inout [Transition], inputs: StepInputsWriter
    ) {
        Family.step(
            &environments, actions, streams: &streams, episodesLeft: episodesLeft, transitions: &transitions,
            inputs: inputs)
    }

    public func keep(lanes kept: [Int]) {
        for (place, lane) in kept.enumerated() where place != lane { environments[place] = environments[lane] }
        environments.removeLast(environments.count - kept.count)
    }
}

extension StepInputsWriter {
    /// Where the environment of a lane writes its observation.
    @inline(__always)
    public func observation(_ row: Int) -> ObservationWriter {
        ObservationWriter(vector: vectors + row * vectorWidth, image: images + row * imageBytes)
    }
}
