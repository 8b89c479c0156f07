import Kernels
import Tasks

/// Memory for the inputs of some lanes; filled with rubbish, so that what is never written is seen.
public final class InputRows {
    public let writer: StepInputsWriter
    private let capacity: Int

    public init(lanes: Int, _ space: ObservationSpace) {
        capacity = max(lanes, 1)
        let (vectorWidth, imageBytes) = (space.vectorWidth, space.imageBytes)
        func block<Element>(_ count: Int, _ rubbish: Element) -> UnsafeMutablePointer<Element> {
            let pointer = UnsafeMutablePointer<Element>.allocate(capacity: max(count, 1))
            pointer.initialize(repeating: rubbish, count: max(count, 1))
            return pointer
        }
        writer = StepInputsWriter(
            vectorWidth: vectorWidth, imageBytes: imageBytes, vectors: block(capacity * vectorWidth, -7),
            images: block(capacity * imageBytes, 77), previousActions: block(capacity, 77),
            previousRewards: block(capacity, -7), episodeEnds: block(capacity, -7), stepIndices: block(capacity, 77))
    }

    deinit {
        writer.vectors.deallocate()
        writer.images.deallocate()
        writer.previousActions.deallocate()
        writer.previousRewards.deallocate()
        writer.episodeEnds.deallocate()
        writer.stepIndices.deallocate()
    }

    public subscript(row: Int) -> StepInput {
        precondition(row < capacity)
        let (width, bytes) = (writer.vectorWidth, writer.imageBytes)
        return StepInput(
            vector: (0..<width).map { writer.vectors[row * width + $0] },
            image: (0..<bytes).map { writer.images[row * bytes + $0] },
            previousAction: writer.previousActions[row], previousReward: writer.previousRewards[row],
            episodeEnd: writer.episodeEnds[row], stepIndex: writer.stepIndices[row])
    }
}

/// A trial as it was played: what the policy was given, did and got at each step.
public struct PlayedTrial: Equatable {
    public var inputs: [StepInput] = []
    public var actions: [Int32] = []
    public var rewards: [Float] = []
    public var endedEpisode: [Bool] = []
    public var isFinished: [Bool] = []

    public init() {}

    public var totalReward: Double { rewards.reduce(0) { $0 + Double($1) } }
}

/// Plays trials in lockstep to their ends, with lanes leaving as their trials end, as a rollout does.
///
/// - Parameters:
///   - choose: (trial, step, its inputs) to an action.
/// - Returns: the trials in the order of `streams`.
public func playLockstep(
    _ lanes: TrialLanes, _ streams: [TrialStreams], rows: InputRows,
    choose: (_ trial: Int, _ step: Int, _ input: StepInput) -> Int
) -> [PlayedTrial] {
    var trials = [PlayedTrial](repeating: PlayedTrial(), count: streams.count)
    var alive = Array(streams.indices)
    var step = 0
    lanes.begin(streams, inputs: rows.writer)
    while lanes.count > 0 {
        var actions: [Int32] = []
        for (lane, trial) in alive.enumerated() {
            let input = rows[lane]
            trials[trial].inputs.append(input)
            actions.append(Int32(choose(trial, step, input)))
        }
        var rewards = [Float](repeating: .nan, count: alive.count)
        lanes.step(actions, rewards: &rewards, inputs: rows.writer)
        for (lane, trial) in alive.enumerated() {
            trials[trial].actions.append(actions[lane])
            trials[trial].rewards.append(rewards[lane])
            trials[trial].endedEpisode.append(lanes.endedEpisode(lane))
            trials[trial].isFinished.append(lanes.isFinished(lane))
        }
        let kept = alive.indices.filter { !lanes.isFinished($0) }
        if kept.count < alive.count { lanes.keep(lanes: kept, inputs: rows.writer) }
        alive = kept.map { alive[$0] }
        step += 1
    }
    return trials
}

/// The streams of trials 0 ..< count of a seed, as a rollout makes them.
public func trialStreams(seed: UInt64, count: Int) -> [TrialStreams] {
    let root = RandomSource(seed: seed)
    return (0..<count).map { TrialStreams(root.split($0)) }
}
