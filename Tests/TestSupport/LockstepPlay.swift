import Interface
import Kernels
import Tasks

/// Memory for the inputs of some lanes; filled with rubbish, so that what is never written is seen.
public final class InputRows {
    private let columns: StepColumns
    private let capacity: Int

    public init(lanes: Int, _ space: ObservationSpace) {
        capacity = max(lanes, 1)
        columns = StepColumns(space: space, rows: capacity)
        let rubbish = StepInput(
            vector: Array(repeating: -7, count: space.vectorWidth),
            image: Array(repeating: 77, count: space.imageBytes),
            previousAction: 77, previousReward: -7, episodeEnd: -7, stepIndex: 77)
        for row in 0..<capacity { writer.write(rubbish, to: row) }
    }

    public var writer: StepInputsWriter { columns.writer }

    public subscript(row: Int) -> StepInput {
        precondition(row < capacity)
        return columns.inputs(from: row, rows: 1).value(0)
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
