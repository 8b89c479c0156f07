import Kernels
import Tasks

/// Some whole trials, packed: sorted by length, longest first, time-major (see `PackedShape`). The unit of work of a
/// thread, refilled every iteration.
///
/// Arrays of N rows: row (t, b) holds what the policy was given at step t of trial b, what it did, and what it got.
public final class ShardBatch: @unchecked Sendable {
    public let space: ObservationSpace
    /// A
    public let actionCount: Int
    /// Most trials that it holds.
    public let laneCapacity: Int
    /// Most steps of a trial that it holds.
    public let stepCapacity: Int
    public private(set) var shape = PackedShape()
    /// Number, in the order in which they began, of the trial in each lane.
    private(set) var trialOfLane: [Int] = []

    let vectorWidth: Int
    let imageBytes: Int
    let vectors: Buffer<Float>  // [N, O]
    let images: Buffer<UInt8>  // [N, height · width · channels]
    let previousActions: Buffer<Int32>  // [N]
    let previousRewards: Buffer<Float>  // [N]
    let episodeEnds: Buffer<Float>  // [N]
    let stepIndices: Buffer<Int32>  // [N]
    /// a_t [N]
    let actions: Buffer<Int32>
    /// r_t [N], the reward of a_t
    let rewards: Buffer<Float>
    /// 1 where a_t ended an episode [N]
    let endsEpisode: Buffer<UInt8>
    /// log π_old(· | history) [N, A]
    let logProbabilities: Buffer<Float>
    /// V(history) [N] in units of reward
    let values: Buffer<Float>
    /// GAE [N], raw
    let advantages: Buffer<Float>
    /// advantages + values [N]
    let targets: Buffer<Float>

    /// - Parameters:
    ///   - lanes: most trials that it will hold.
    ///   - steps: most steps of a trial.
    public init(space: ObservationSpace, actions actionCount: Int, lanes: Int, steps: Int) {
        self.space = space
        self.actionCount = actionCount
        laneCapacity = lanes
        stepCapacity = steps
        switch space {
        case .vector(let width): (vectorWidth, imageBytes) = (width, 0)
        case .image: (vectorWidth, imageBytes) = (0, space.count)
        }
        // One more block of lanes: the rollout writes the inputs of step T, which nobody reads.
        let rows = lanes * (steps + 1)
        vectors = Buffer(capacity: rows * vectorWidth)
        images = Buffer(capacity: rows * imageBytes)
        previousActions = Buffer(capacity: rows)
        previousRewards = Buffer(capacity: rows)
        episodeEnds = Buffer(capacity: rows)
        stepIndices = Buffer(capacity: rows)
        actions = Buffer(capacity: rows)
        rewards = Buffer(capacity: rows)
        endsEpisode = Buffer(capacity: rows)
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
    public var inputs: StepInputs { inputs(from: 0, rows: rows) }

    func inputs(from row: Int, rows: Int) -> StepInputs {
        StepInputs(
            rows: rows, vectors: vectors.pointer + row * vectorWidth, images: images.pointer + row * imageBytes,
            previousActions: previousActions.pointer + row, previousRewards: previousRewards.pointer + row,
            episodeEnds: episodeEnds.pointer + row, stepIndices: stepIndices.pointer + row)
    }

    func inputsWriter(from row: Int) -> StepInputsWriter {
        StepInputsWriter(
            vectorWidth: vectorWidth, imageBytes: imageBytes, vectors: vectors.pointer + row * vectorWidth,
            images: images.pointer + row * imageBytes, previousActions: previousActions.pointer + row,
            previousRewards: previousRewards.pointer + row, episodeEnds: episodeEnds.pointer + row,
            stepIndices: stepIndices.pointer + row)
    }

    func setShape(lengths: [Int]) { shape.set(lengths: lengths) }

    /// Fills this batch with chosen trials of others: for minibatches of the critic and for the Fisher product's sample.
    ///
    /// - Parameter trials: (shard, lane) of each trial, in any order.
    func gather(_ trials: [(shard: Int, lane: Int)], from shards: [ShardBatch]) {
        let sorted = trials.map { (trial: $0, length: shards[$0.shard].shape.length(lane: $0.lane)) }
            .sorted { ($1.length, $0.trial.shard, $0.trial.lane) < ($0.length, $1.trial.shard, $1.trial.lane) }
        setShape(lengths: sorted.map(\.length))
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
        if vectorWidth > 0 {
            (vectors.pointer + row * vectorWidth).update(
                from: source.vectors.pointer + from * vectorWidth, count: vectorWidth)
        }
        if imageBytes > 0 {
            (images.pointer + row * imageBytes).update(
                from: source.images.pointer + from * imageBytes, count: imageBytes)
        }
        (logProbabilities.pointer + row * actionCount).update(
            from: source.logProbabilities.pointer + from * actionCount, count: actionCount)
        previousActions.pointer[row] = source.previousActions.pointer[from]
        previousRewards.pointer[row] = source.previousRewards.pointer[from]
        episodeEnds.pointer[row] = source.episodeEnds.pointer[from]
        stepIndices.pointer[row] = source.stepIndices.pointer[from]
        actions.pointer[row] = source.actions.pointer[from]
        rewards.pointer[row] = source.rewards.pointer[from]
        endsEpisode.pointer[row] = source.endsEpisode.pointer[from]
        values.pointer[row] = source.values.pointer[from]
        advantages.pointer[row] = source.advantages.pointer[from]
        targets.pointer[row] = source.targets.pointer[from]
    }

    /// Brings rows that were written in the order in which lanes *began* into packed order.
    ///
    /// - Parameter lengths: steps of each lane, in the order in which they began; at step t the rows held the lanes
    ///   that were alive, in that order.
    func pack(lengths: [Int]) {
        let order = lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
        setShape(lengths: order.map { lengths[$0] })
        trialOfLane = order
        guard order != Array(lengths.indices) else { return }
        for step in 0..<shape.steps {
            let alive = lengths.indices.filter { lengths[$0] > step }
            var place = [Int](repeating: 0, count: lengths.count)
            for (index, lane) in alive.enumerated() { place[lane] = index }
            let sources = order.prefix(alive.count).map { place[$0] }
            let first = shape.offsets[step]
            permute(vectors.pointer + first * vectorWidth, sources, width: vectorWidth)
            permute(images.pointer + first * imageBytes, sources, width: imageBytes)
            permute(previousActions.pointer + first, sources, width: 1)
            permute(previousRewards.pointer + first, sources, width: 1)
            permute(episodeEnds.pointer + first, sources, width: 1)
            permute(stepIndices.pointer + first, sources, width: 1)
            permute(actions.pointer + first, sources, width: 1)
            permute(rewards.pointer + first, sources, width: 1)
            permute(endsEpisode.pointer + first, sources, width: 1)
        }
    }

    private func permute<Element>(_ rows: UnsafeMutablePointer<Element>, _ sources: [Int], width: Int) {
        guard width > 0 else { return }
        let copy = Array(UnsafeBufferPointer(start: rows, count: sources.count * width))
        copy.withUnsafeBufferPointer { old in
            for (row, source) in sources.enumerated() {
                (rows + row * width).update(from: old.baseAddress! + source * width, count: width)
            }
        }
    }

    // MARK: Sums over trials

    /// Σ r over all rows.
    var totalReward: Double { (0..<rows).reduce(0.0) { $0 + Double(rewards.pointer[$1]) } }

    /// Calls `body(lane, episode, reward, steps)` for every finished episode.
    public func forEachEpisode(_ body: (_ lane: Int, _ episode: Int, _ reward: Double, _ steps: Int) -> Void) {
        for lane in 0..<lanes {
            var (episode, reward, steps) = (0, 0.0, 0)
            for step in 0..<shape.length(lane: lane) {
                let row = shape.row(step: step, lane: lane)
                reward += Double(rewards.pointer[row])
                steps += 1
                if endsEpisode.pointer[row] == 1 {
                    body(lane, episode, reward, steps)
                    (episode, reward, steps) = (episode + 1, 0, 0)
                }
            }
        }
    }
}
