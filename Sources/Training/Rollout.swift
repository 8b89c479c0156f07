import Autodiff
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

/// Plays whole trials in lockstep: the inner loop of RL², a forward pass and nothing else.
///
/// Environments write their observations straight into the record, where the policy reads them. A lane whose trial is over
/// is refilled with another, as long as all together are sure to take no more steps than the first trials could at their
/// longest; then lanes leave. So a record is never overrun, no trial is cut, and there is no work on padding.
public enum Rollout {
    /// Plays the trials of `queue`.
    /// - Parameters:
    ///   - parameters: θ [P]
    ///   - memory: lanes for the first of them; restarted here, because trials begin here.
    ///   - record: filled anew.
    ///   - tape: any tape of this thread; it does not record.
    public static func play<Policy: SequencePolicy>(
        _ policy: Policy, parameters: UnsafePointer<Float>, memory: Policy.Memory, lanes: TrialLanes,
        queue: TrialQueue, choice: ActionChoice, into record: RolloutRecord, tape: Tape
    ) {
        let (outcomes, distributions) = (policy.outputs, record.logProbabilities.pointer)
        memory.restart(lanes: queue.numbers.count)
        run(
            lanes: lanes, queue: queue, into: record, restart: { memory.reset(lane: $0) },
            keep: { memory.keep(lanes: $0) }
        ) { row, actions in
            let alive = lanes.count
            tape.begin(parameters: parameters, recording: false)
            let logits = policy.step(record.columns.inputs(from: row, rows: alive), memory: memory, tape: tape)
            Categorical.logProbabilities(
                rows: alive, outcomes: outcomes, logits: tape.value(logits), into: distributions)
            for lane in 0..<alive {
                let distribution = distributions + lane * outcomes
                switch choice {
                case .sampled:
                    actions[lane] = Int32(
                        Categorical.sample(distribution, outcomes: outcomes, uniform: lanes.uniform(lane)))
                case .greedy:
                    actions[lane] = Int32(Categorical.mode(distribution, outcomes: outcomes))
                }
            }
        }
    }

    /// Plays with a random habit a trial: action a with probability ∝ exp(habit · u_a), u_a ~ U(0, 1) drawn once a trial.
    /// Some actions are then taken often and some rarely, which uniform play would never show.
    static func playHabits(
        _ habit: Float, actions outcomes: Int, lanes: TrialLanes, queue: TrialQueue, into record: RolloutRecord
    ) {
        precondition(queue.further == nil, "habits are drawn once, for the trials that begin together")
        let habits = record.logProbabilities.pointer
        var begun = false
        run(
            lanes: lanes, queue: queue, into: record,
            keep: { kept in
                for (place, lane) in kept.enumerated() where place != lane {
                    (habits + place * outcomes).update(from: habits + lane * outcomes, count: outcomes)
                }
            }
        ) { _, actions in
            let alive = lanes.count
            if !begun {
                for lane in 0..<alive {
                    for a in 0..<outcomes { habits[lane * outcomes + a] = habit * lanes.uniform(lane) }
                }
                Categorical.logProbabilities(rows: alive, outcomes: outcomes, logits: habits, into: habits)
                begun = true
            }
            for lane in 0..<alive {
                actions[lane] = Int32(
                    Categorical.sample(habits + lane * outcomes, outcomes: outcomes, uniform: lanes.uniform(lane)))
            }
        }
    }

    /// Plays trials as somebody else chooses.
    static func play(_ player: any LanePlayer, lanes: TrialLanes, queue: TrialQueue, into record: RolloutRecord) {
        precondition(queue.further == nil, "a player of lanes begins all its trials together")
        player.begin(queue.numbers.map { queue.streams($0).actions })
        run(lanes: lanes, queue: queue, into: record, keep: player.keep) { row, actions in
            player.act(record.columns.inputs(from: row, rows: lanes.count), into: actions)
        }
    }

    /// Steps all lanes to the ends of their trials.
    /// - Parameters:
    ///   - restart: tells the player that another trial begins in a lane.
    ///   - keep: tells the player that only some lanes go on, in their order.
    ///   - act: writes an action for each lane that plays, given the first row of the step.
    private static func run(
        lanes: TrialLanes, queue: TrialQueue, into record: RolloutRecord, restart: (_ lane: Int) -> Void = { _ in },
        keep: ([Int]) -> Void, act: (_ row: Int, _ actions: UnsafeMutablePointer<Int32>) -> Void
    ) {
        let columns = record.columns
        record.begin(queue.numbers)
        lanes.begin(queue.numbers.map(queue.streams), inputs: columns.inputsWriter(from: 0))
        var (row, refilled) = (0, 0)
        while lanes.count > 0 {
            let alive = lanes.count
            let actions = columns.actions.pointer + row
            act(row, actions)
            let next = columns.inputsWriter(from: row + alive)
            lanes.step(actions, rewards: columns.rewards.pointer + row, inputs: next)
            record.place(from: row)
            var finished = 0
            for lane in 0..<alive {
                columns.endsEpisode.pointer[row + lane] = lanes.endedEpisode(lane) ? 1 : 0
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
                    lanes.restart(lane, queue.streams(number), inputs: next)
                    record.restart(lane, number)
                    restart(lane)
                    free -= lanes.longestTrial
                    refilled += 1
                    finished -= 1
                }
            }
            if finished > 0 {
                let kept = (0..<alive).filter { !lanes.isFinished($0) }
                record.keep(lanes: kept)
                lanes.keep(lanes: kept, inputs: next)
                keep(kept)
            }
        }
    }
}
