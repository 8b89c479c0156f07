import Foundation
import Interface
import Kernels
import Tasks

/// Some whole trials, packed: sorted by length, longest first, time-major (see `PackedShape`). The unit of work of a
/// thread, refilled every iteration.
///
/// Arrays of N rows: row (t, b) holds what the policy was given at step t of trial b, what it did, and what it got.
public final class ShardBatch {
    public let space: ObservationSpace
    /// A
    public let actionCount: Int
    /// Most rows that it holds.
    public let capacity: Int
    public private(set) var shape = PackedShape()
    /// What the trial in each lane is called in its batch [lanes]; of gathered trials, nothing.
    public private(set) var numbers: [Int] = []

    /// What was given, done and got.
    let columns: StepColumns
    /// log π_old(· | history) [N, A]
    public let logProbabilities: Buffer<Float>
    /// V(history) [N] in units of reward
    public let values: Buffer<Float>
    /// GAE [N], raw
    public let advantages: Buffer<Float>
    /// advantages + values [N]
    public let targets: Buffer<Float>

    /// - Parameter rows: most time steps that it will hold, of all its trials together.
    public init(space: ObservationSpace, actions actionCount: Int, rows: Int) {
        self.space = space
        self.actionCount = actionCount
        capacity = rows
        columns = StepColumns(space: space, rows: rows)
        logProbabilities = Buffer(capacity: rows * actionCount)
        values = Buffer(capacity: rows)
        advantages = Buffer(capacity: rows)
        targets = Buffer(capacity: rows)
    }

    /// N
    public var rows: Int { shape.rows }

    /// Trials.
    public var lanes: Int { shape.lanes }

    /// All N rows, as a policy reads them.
    public var inputs: StepInputs { columns.inputs(from: 0, rows: rows) }

    /// a_t [N]
    public var actions: Buffer<Int32> { columns.actions }
    /// r_t [N], the reward of a_t
    public var rewards: Buffer<Float> { columns.rewards }
    /// 1 where a_t ended an episode [N]
    public var endsEpisode: Buffer<UInt8> { columns.endsEpisode }
    /// Steps since the trial began [N]
    public var stepIndices: UnsafePointer<Int32> { inputs.stepIndices }

    func setShape(lengths: [Int]) {
        shape.set(lengths: lengths)
        precondition(rows <= capacity, "\(rows) steps in a batch of \(capacity)")
    }

    /// Fills this batch with chosen trials of others: for minibatches of the critic and for the Fisher product's sample.
    ///
    /// - Parameter trials: (shard, lane) of each trial, in any order.
    func gather(_ trials: some Sequence<(shard: Int, lane: Int)>, from shards: [ShardBatch]) {
        let sorted = trials.map { (trial: $0, length: shards[$0.shard].shape.length(lane: $0.lane)) }
            .sorted { ($1.length, $0.trial.shard, $0.trial.lane) < ($0.length, $1.trial.shard, $1.trial.lane) }
        setShape(lengths: sorted.map(\.length))
        numbers.removeAll(keepingCapacity: true)
        for step in 0..<shape.steps {
            for lane in 0..<shape.lanesAtStep[step] {
                let trial = sorted[lane].trial
                let source = shards[trial.shard]
                copyRow(
                    source.shape.row(step: step, lane: trial.lane), of: source, to: shape.row(step: step, lane: lane))
            }
        }
    }

    private func copyRow(_ from: Int, of source: ShardBatch, to row: Int) {
        columns.copyRows(from, of: source.columns, to: row)
        (logProbabilities.pointer + row * actionCount).update(
            from: source.logProbabilities.pointer + from * actionCount, count: actionCount)
        values.pointer[row] = source.values.pointer[from]
        advantages.pointer[row] = source.advantages.pointer[from]
        targets.pointer[row] = source.targets.pointer[from]
    }

    /// Takes some of the trials that were played, in packed order: longest first, of equals the one that began first.
    func take(_ trials: Range<Int>, of record: RolloutBuffer) {
        let order = trials.sorted { (record.lengths[$1], $0) < (record.lengths[$0], $1) }
        setShape(lengths: order.map { record.lengths[$0] })
        numbers = order.map { record.numbers[$0] }
        var rows = order.map { record.firstRow(of: $0) }
        for step in 0..<shape.steps {
            let (first, alive) = (shape.offsets[step], shape.lanesAtStep[step])
            // Neighbours mostly stay neighbours: they are copied together.
            var lane = 0
            while lane < alive {
                let source = rows[lane]
                var count = 1
                while lane + count < alive, rows[lane + count] == source + count { count += 1 }
                columns.copyRows(source, of: record.columns, to: first + lane, count: count)
                lane += count
            }
            let next = step + 1 < shape.steps ? shape.lanesAtStep[step + 1] : 0
            for lane in 0..<next { rows[lane] = record.nextRow(after: rows[lane]) }
        }
    }

    /// Takes a policy's logits [N, A] for the distributions that its rows were drawn from; returns Σ of their entropies.
    public func keepDistributions(logits: UnsafePointer<Float>) -> Double {
        Categorical.logProbabilities(
            rows: rows, outcomes: actionCount, logits: logits, into: logProbabilities.pointer)
        return Categorical.entropySum(
            rows: rows, outcomes: actionCount, logProbabilities: logProbabilities.pointer)
    }

    /// The same, of a policy that is not the one that played: advantages are multiplied by how much likelier their actions
    /// have become.
    func reweight(logits: UnsafePointer<Float>) -> Double {
        func logProbability(_ row: Int) -> Float {
            logProbabilities.pointer[row * actionCount + Int(actions.pointer[row])]
        }
        // Where nothing is divided by a number near 0, since only differences of logarithms are taken.
        for row in 0..<rows { values.pointer[row] = logProbability(row) }
        let entropy = keepDistributions(logits: logits)
        for row in 0..<rows { advantages.pointer[row] *= expf(logProbability(row) - values.pointer[row]) }
        return entropy
    }

    // MARK: Sums over trials

    /// Σ r over all rows.
    var totalReward: Double { (0..<rows).reduce(0.0) { $0 + Double(rewards.pointer[$1]) } }

    /// Calls `body(lane, episode, reward, steps, whether it reached a terminal state)` for every finished episode.
    public func forEachEpisode(
        _ body: (_ lane: Int, _ episode: Int, _ reward: Double, _ steps: Int, _ isTerminal: Bool) -> Void
    ) {
        for lane in 0..<lanes {
            var (episode, reward, steps) = (0, 0.0, 0)
            for step in 0..<shape.length(lane: lane) {
                let row = shape.row(step: step, lane: lane)
                reward += Double(rewards.pointer[row])
                steps += 1
                if endsEpisode.pointer[row] == 1 {
                    body(lane, episode, reward, steps, columns.isTerminal.pointer[row] == 1)
                    (episode, reward, steps) = (episode + 1, 0, 0)
                }
            }
        }
    }
}
