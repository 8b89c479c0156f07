import Autodiff
import Interface
import Kernels
import Models
import Tasks

/// How actions are chosen from the policy's distribution.
public enum ActionChoice: String, Sendable, Codable, CaseIterable {
    /// Drawn from it.
    case sampled
    /// Its most probable action; the first of equals.
    case greedy
}

/// The trials that a rollout plays: one a lane to begin with, and others that lanes may go on with whose trial is over.
public struct TrialQueue {
    /// What the first trials are called in their batch.
    public let numbers: [Int]
    /// Streams of the trial of a number.
    public let streams: (_ number: Int) -> TrialStreams
    /// Number of the trial that is begun as the i-th after the first ones, from 0; nil: lanes whose trial is over leave.
    public let further: ((_ index: Int) -> Int)?

    public init(
        numbers: [Int], streams: @escaping (_ number: Int) -> TrialStreams, further: ((_ index: Int) -> Int)? = nil
    ) {
        self.numbers = numbers
        self.streams = streams
        self.further = further
    }
}

/// Chooses the actions of trials that are stepped together: a policy, random preferences, classic players, oracles. Used by one
/// thread.
public protocol LanePlayer: AnyObject {
    /// Trials begin, one a lane.
    func begin(_ trials: [TrialStreams])
    /// Another trial begins in a lane whose trial is over.
    func restart(lane: Int, _ trial: TrialStreams)
    /// Writes an action in 0 ..< A for each row of `inputs`.
    func act(_ inputs: StepInputs, into actions: UnsafeMutablePointer<Int32>)
    /// Keeps only some lanes, in their order: `kept` is increasing.
    func keep(lanes kept: [Int])
}

/// Plays whole trials in lockstep: the inner loop of RL², a forward pass and nothing else.
///
/// Environments write their observations straight into the record, where the policy reads them. A lane whose trial is over
/// is refilled with another, as long as all together are sure to take no more steps than the first trials could at their
/// longest; then lanes leave. So a record is never overrun, no trial is cut, and there is no work on padding.
public enum Rollout {
    /// Plays the trials of `queue`.
    /// - Parameter record: filled anew.
    public static func play(
        _ player: any LanePlayer, lanes: TrialLanes, queue: TrialQueue, into record: RolloutBuffer
    ) {
        let columns = record.columns
        let trials = queue.numbers.map(queue.streams)
        record.begin(queue.numbers)
        player.begin(trials)
        lanes.begin(trials, inputs: columns.writer)
        var (row, refilled) = (0, 0)
        while lanes.count > 0 {
            let alive = lanes.count
            let actions = columns.actions.pointer + row
            player.act(columns.inputs(from: row, rows: alive), into: actions)
            let next = columns.writer.from(row + alive)
            lanes.step(actions, rewards: columns.rewards.pointer + row, inputs: next)
            record.place(from: row)
            var finished = 0
            for lane in 0..<alive {
                columns.endsEpisode.pointer[row + lane] = lanes.endedEpisode(lane) ? 1 : 0
                columns.isTerminal.pointer[row + lane] = lanes.terminated(lane) ? 1 : 0
                if lanes.isFinished(lane) { finished += 1 }
            }
            row += alive
            if finished > 0, let further = queue.further {
                // Steps that those who play may still take: what is left beyond them is free for other trials.
                var free =
                    queue.numbers.count * lanes.longestTrial - row
                    - (0..<alive).reduce(0) { $0 + lanes.longestRest($1) }
                for lane in 0..<alive where lanes.isFinished(lane) && free >= lanes.longestTrial {
                    let number = further(refilled)
                    let trial = queue.streams(number)
                    lanes.restart(lane, trial, inputs: next)
                    record.restart(lane, number)
                    player.restart(lane: lane, trial)
                    free -= lanes.longestTrial
                    refilled += 1
                    finished -= 1
                }
            }
            if finished > 0 {
                let kept = (0..<alive).filter { !lanes.isFinished($0) }
                record.keep(lanes: kept)
                lanes.keep(lanes: kept, inputs: next)
                player.keep(lanes: kept)
            }
        }
    }
}
