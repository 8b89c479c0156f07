import Kernels

/// B trials that are stepped in lockstep. This is where the RL² contract of a trial is kept, for every family:
///
/// - M is drawn when the trial begins and kept through its episodes.
/// - When an episode ends, the environment resets at once, and the next input holds the new episode's first observation
///   together with the last action, the last reward and d = 1: no step is spent on the boundary, no reward is lost.
/// - At the first step of a trial there is no previous action (−1), and reward and flag are 0.
public protocol TrialLanes: AnyObject {
    /// Lanes that still play.
    var count: Int { get }
    /// Begins trials, a lane for each of `streams`, and writes their first inputs to `inputs`.
    func begin(_ streams: [TrialStreams], inputs: StepInputsWriter)
    /// Takes one action in each lane, in 0 ..< A, and writes the reward that each earned and the next inputs.
    ///
    /// `isFinished` then tells the lanes whose trial is over; nobody reads the inputs that follow there.
    func step(_ actions: UnsafePointer<Int32>, rewards: UnsafeMutablePointer<Float>, inputs: StepInputsWriter)
    /// Whether the trial in a lane is over.
    func isFinished(_ lane: Int) -> Bool
    /// Whether the last step in a lane ended an episode.
    func endedEpisode(_ lane: Int) -> Bool
    /// A uniform number in [0, 1) from the lane's action stream.
    func uniform(_ lane: Int) -> Float
    /// Keeps only some lanes, in their order, and moves their inputs in `inputs` to their new rows.
    func keep(lanes kept: [Int], inputs: StepInputsWriter)
}

/// Rows of inputs to be written: the mutable twin of `StepInputs`.
public struct StepInputsWriter: @unchecked Sendable {
    public let vectorWidth: Int
    public let imageBytes: Int
    public let vectors: UnsafeMutablePointer<Float>
    public let images: UnsafeMutablePointer<UInt8>
    public let previousActions: UnsafeMutablePointer<Int32>
    public let previousRewards: UnsafeMutablePointer<Float>
    public let episodeEnds: UnsafeMutablePointer<Float>
    public let stepIndices: UnsafeMutablePointer<Int32>

    public init(
        vectorWidth: Int, imageBytes: Int, vectors: UnsafeMutablePointer<Float>, images: UnsafeMutablePointer<UInt8>,
        previousActions: UnsafeMutablePointer<Int32>, previousRewards: UnsafeMutablePointer<Float>,
        episodeEnds: UnsafeMutablePointer<Float>, stepIndices: UnsafeMutablePointer<Int32>
    ) {
        self.vectorWidth = vectorWidth
        self.imageBytes = imageBytes
        self.vectors = vectors
        self.images = images
        self.previousActions = previousActions
        self.previousRewards = previousRewards
        self.episodeEnds = episodeEnds
        self.stepIndices = stepIndices
    }

    @inline(__always)
    func observation(_ row: Int) -> ObservationWriter {
        ObservationWriter(vector: vectors + row * vectorWidth, image: images + row * imageBytes)
    }

    @inline(__always)
    func set(_ row: Int, action: Int32, reward: Float, episodeEnd: Float, stepIndex: Int32) {
        previousActions[row] = action
        previousRewards[row] = reward
        episodeEnds[row] = episodeEnd
        stepIndices[row] = stepIndex
    }

    /// Copies a row over another.
    func move(_ source: Int, to destination: Int) {
        guard source != destination else { return }
        (vectors + destination * vectorWidth).update(from: vectors + source * vectorWidth, count: vectorWidth)
        (images + destination * imageBytes).update(from: images + source * imageBytes, count: imageBytes)
        set(
            destination, action: previousActions[source], reward: previousRewards[source],
            episodeEnd: episodeEnds[source], stepIndex: stepIndices[source])
    }
}

/// The lanes of any family: its environments side by side, with their streams and their place in the trial.
public final class LockstepLanes<Family: TaskFamily>: TrialLanes {
    private struct Lane {
        var environment: Family.Member
        var streams: TrialStreams
        var episodesLeft: Int
        var stepIndex: Int32
        var endedEpisode: Bool

        /// Takes an action; the observation that follows, of this episode or of the next, is written.
        mutating func step(_ action: Int32, observation: ObservationWriter) -> Transition {
            let transition = environment.step(
                action: Int(action), observation: observation, random: &streams.environment)
            stepIndex += 1
            endedEpisode = transition.endsEpisode
            if endedEpisode {
                episodesLeft -= 1
                if episodesLeft > 0 { environment.reset(observation: observation, random: &streams.environment) }
            }
            return transition
        }
    }

    private let family: Family
    private var lanes: [Lane] = []

    public init(family: Family, lanes: Int) {
        self.family = family
        self.lanes.reserveCapacity(lanes)
    }

    public var count: Int { lanes.count }

    public func begin(_ streams: [TrialStreams], inputs: StepInputsWriter) {
        lanes.removeAll(keepingCapacity: true)
        for (row, trial) in streams.enumerated() {
            var trial = trial
            var environment = family.sample(&trial.member)
            environment.reset(observation: inputs.observation(row), random: &trial.environment)
            inputs.set(row, action: -1, reward: 0, episodeEnd: 0, stepIndex: 0)
            lanes.append(
                Lane(
                    environment: environment, streams: trial, episodesLeft: family.episodes, stepIndex: 0,
                    endedEpisode: false))
        }
    }

    public func step(
        _ actions: UnsafePointer<Int32>, rewards: UnsafeMutablePointer<Float>, inputs: StepInputsWriter
    ) {
        for row in lanes.indices {
            let transition = lanes[row].step(actions[row], observation: inputs.observation(row))
            rewards[row] = transition.reward
            inputs.set(
                row, action: actions[row], reward: transition.reward, episodeEnd: transition.endsEpisode ? 1 : 0,
                stepIndex: lanes[row].stepIndex)
        }
    }

    public func isFinished(_ lane: Int) -> Bool { lanes[lane].episodesLeft == 0 }
    public func endedEpisode(_ lane: Int) -> Bool { lanes[lane].endedEpisode }
    public func uniform(_ lane: Int) -> Float { lanes[lane].streams.actions.uniform() }

    public func keep(lanes kept: [Int], inputs: StepInputsWriter) {
        for (place, lane) in kept.enumerated() where place != lane {
            lanes[place] = lanes[lane]
            inputs.move(lane, to: place)
        }
        lanes.removeLast(lanes.count - kept.count)
    }
}
