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

/// Plays whole trials of one shard in lockstep: the inner loop of RL², a forward pass and nothing else.
///
/// The environments write their observations straight into the batch. Lanes whose trial is over leave, so there is no
/// work on padding.
public enum Rollout {
    /// Fills `batch` with one trial for each of `streams`.
    /// - Parameters:
    ///   - parameters: θ [P]
    ///   - memory: lanes for the shard; restarted here, because trials begin here.
    ///   - tape: any tape of this thread; it does not record.
    public static func play<Policy: SequencePolicy>(
        _ policy: Policy, parameters: UnsafePointer<Float>, memory: Policy.Memory, lanes: TrialLanes,
        streams: [TrialStreams], choice: ActionChoice, into batch: ShardBatch, tape: Tape, scratch: RolloutScratch
    ) {
        let actionCount = batch.actionCount
        scratch.prepare(lanes: streams.count, actions: actionCount)
        memory.restart(lanes: streams.count)
        run(lanes: lanes, streams: streams, into: batch, scratch: scratch, keep: { memory.keep(lanes: $0) }) {
            row, actions in
            let alive = lanes.count
            tape.begin(parameters: parameters, recording: false)
            let logits = policy.step(batch.inputs(from: row, rows: alive), memory: memory, tape: tape)
            let logProbabilities = scratch.logProbabilities.pointer
            Categorical.logProbabilities(
                rows: alive, outcomes: actionCount, logits: tape.value(logits), into: logProbabilities)
            for lane in 0..<alive {
                let distribution = logProbabilities + lane * actionCount
                switch choice {
                case .sampled:
                    actions[lane] = Int32(
                        Categorical.sample(distribution, outcomes: actionCount, uniform: lanes.uniform(lane)))
                case .greedy:
                    actions[lane] = Int32(Categorical.mode(distribution, outcomes: actionCount))
                }
            }
        }
    }

    /// Plays with a random habit a trial: action a with probability ∝ exp(habit · u_a), u_a ~ U(0, 1) drawn once a trial.
    /// Some actions are then taken often and some rarely, which uniform play would never show.
    static func playHabits(
        _ habit: Float, lanes: TrialLanes, streams: [TrialStreams], into batch: ShardBatch, scratch: RolloutScratch
    ) {
        let actionCount = batch.actionCount
        scratch.prepare(lanes: streams.count, actions: actionCount)
        let habits = scratch.logProbabilities.pointer
        var begun = false
        run(
            lanes: lanes, streams: streams, into: batch, scratch: scratch,
            keep: { kept in
                for (place, lane) in kept.enumerated() where place != lane {
                    (habits + place * actionCount).update(from: habits + lane * actionCount, count: actionCount)
                }
            }
        ) { _, actions in
            let alive = lanes.count
            if !begun {
                for lane in 0..<alive {
                    for a in 0..<actionCount { habits[lane * actionCount + a] = habit * lanes.uniform(lane) }
                }
                Categorical.logProbabilities(rows: alive, outcomes: actionCount, logits: habits, into: habits)
                begun = true
            }
            for lane in 0..<alive {
                actions[lane] = Int32(
                    Categorical.sample(
                        habits + lane * actionCount, outcomes: actionCount, uniform: lanes.uniform(lane)))
            }
        }
    }

    /// Steps all lanes to the ends of their trials.
    /// - Parameters:
    ///   - keep: tells the player that only some lanes go on, in their order.
    ///   - act: writes an action for each lane that plays, given the first row of the step.
    private static func run(
        lanes: TrialLanes, streams: [TrialStreams], into batch: ShardBatch, scratch: RolloutScratch,
        keep: ([Int]) -> Void, act: (_ row: Int, _ actions: UnsafeMutablePointer<Int32>) -> Void
    ) {
        lanes.begin(streams, inputs: batch.inputsWriter(from: 0))
        var row = 0
        var step = 0
        while lanes.count > 0 {
            let alive = lanes.count
            let actions = batch.actions.pointer + row
            act(row, actions)
            let next = batch.inputsWriter(from: row + alive)
            lanes.step(actions, rewards: batch.rewards.pointer + row, inputs: next)
            var finished = 0
            for lane in 0..<alive {
                batch.endsEpisode.pointer[row + lane] = lanes.endedEpisode(lane) ? 1 : 0
                if lanes.isFinished(lane) {
                    scratch.lengths[scratch.alive[lane]] = step + 1
                    finished += 1
                }
            }
            row += alive
            step += 1
            if finished > 0 {
                let kept = (0..<alive).filter { !lanes.isFinished($0) }
                scratch.alive = kept.map { scratch.alive[$0] }
                lanes.keep(lanes: kept, inputs: next)
                keep(kept)
            }
        }
        batch.pack(lengths: scratch.lengths)
    }
}

/// What a rollout needs for its own time; one a thread.
public final class RolloutScratch {
    var logProbabilities = Buffer<Float>(capacity: 1)
    var lengths: [Int] = []
    /// Number, from the beginning, of the lane that is in each place now.
    var alive: [Int] = []

    public init() {}

    func prepare(lanes: Int, actions: Int) {
        if logProbabilities.capacity < lanes * actions { logProbabilities = Buffer(capacity: lanes * actions) }
        lengths = [Int](repeating: 0, count: lanes)
        alive = Array(0..<lanes)
    }
}
