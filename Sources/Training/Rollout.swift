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

/// Plays whole trials in lockstep: the inner loop of RL², a forward pass and nothing else.
///
/// Environments write their observations straight into the record, where the policy reads them. Lanes whose trial is over
/// leave, so there is no work on padding.
public enum Rollout {
    /// Plays one trial for each of `streams`.
    /// - Parameters:
    ///   - parameters: θ [P]
    ///   - memory: lanes for all of them; restarted here, because trials begin here.
    ///   - record: filled anew.
    ///   - tape: any tape of this thread; it does not record.
    public static func play<Policy: SequencePolicy>(
        _ policy: Policy, parameters: UnsafePointer<Float>, memory: Policy.Memory, lanes: TrialLanes,
        streams: [TrialStreams], choice: ActionChoice, into record: RolloutRecord, tape: Tape
    ) {
        let (outcomes, distributions) = (policy.outputs, record.logProbabilities.pointer)
        memory.restart(lanes: streams.count)
        run(lanes: lanes, streams: streams, into: record, keep: { memory.keep(lanes: $0) }) { row, actions in
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
        _ habit: Float, actions outcomes: Int, lanes: TrialLanes, streams: [TrialStreams], into record: RolloutRecord
    ) {
        let habits = record.logProbabilities.pointer
        var begun = false
        run(
            lanes: lanes, streams: streams, into: record,
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

    /// Plays one trial for each of `streams` as somebody else chooses.
    static func play(
        _ player: any LanePlayer, lanes: TrialLanes, streams: [TrialStreams], into record: RolloutRecord
    ) {
        player.begin(streams.map(\.actions))
        run(lanes: lanes, streams: streams, into: record, keep: player.keep) { row, actions in
            player.act(record.columns.inputs(from: row, rows: lanes.count), into: actions)
        }
    }

    /// Steps all lanes to the ends of their trials.
    /// - Parameters:
    ///   - keep: tells the player that only some lanes go on, in their order.
    ///   - act: writes an action for each lane that plays, given the first row of the step.
    private static func run(
        lanes: TrialLanes, streams: [TrialStreams], into record: RolloutRecord, keep: ([Int]) -> Void,
        act: (_ row: Int, _ actions: UnsafeMutablePointer<Int32>) -> Void
    ) {
        let columns = record.columns
        record.begin(trials: streams.count)
        lanes.begin(streams, inputs: columns.inputsWriter(from: 0))
        var row = 0
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
            if finished > 0 {
                let kept = (0..<alive).filter { !lanes.isFinished($0) }
                record.keep(lanes: kept)
                lanes.keep(lanes: kept, inputs: next)
                keep(kept)
            }
        }
    }
}
