import Kernels

/// How the trials of an iteration are cut into shards: a function of their number and length alone, never of the
/// machine, so that sums over shards have the same order everywhere.
public struct Sharding: Sendable, Equatable {
    /// Trials of each shard; they differ by at most one.
    public let lanes: [Int]

    /// Matrix products want many rows, the cache wants few: about 12 800 steps a shard, in 64 to 256 lanes.
    static let stepsPerShard = 12_800

    /// - Parameters:
    ///   - trials: trials in all, at least 1.
    ///   - steps: most steps of a trial.
    public init(trials: Int, steps: Int) {
        let wanted = min(256, max(64, Sharding.stepsPerShard / max(1, steps)))
        let needed = (trials + wanted - 1) / wanted
        // An even number divides well over two, four or more threads.
        let count = trials < 2 ? 1 : min(trials, max(2, (needed + 1) / 2 * 2))
        lanes = (0..<count).map { (trials * ($0 + 1)) / count - (trials * $0) / count }
    }

    public var count: Int { lanes.count }
    public var trials: Int { lanes.reduce(0, +) }

    /// Runs of shards that act together, up to 256 trials each: a step of acting is one product with all recurrent
    /// weights, which pays with many lanes, and needs none of the memory that bounds a shard.
    public var groups: [Range<Int>] {
        let needed = (trials + 255) / 256
        let count = min(self.count, max(2, (needed + 1) / 2 * 2))
        return (0..<count).map { self.count * $0 / count..<self.count * ($0 + 1) / count }
    }

    /// Most trials of a group.
    var largestGroup: Int { groups.map { lanes[$0].reduce(0, +) }.max() ?? 1 }

    /// First trial of a shard.
    public func first(_ shard: Int) -> Int { lanes.prefix(shard).reduce(0, +) }
}

/// One P-vector for each shard, and their sum in a fixed binary tree over shard numbers: ranks of a cluster could own
/// its subtrees without changing a bit.
final class ShardSums {
    let width: Int
    private var slots: [Matrix] = []

    init(width: Int) { self.width = width }

    func prepare(_ count: Int) {
        while slots.count < count { slots.append(Matrix(rows: 1, columns: width)) }
    }

    func slot(_ shard: Int) -> UnsafeMutablePointer<Float> { slots[shard].pointer }

    /// Adds slots 0 ..< count into slot 0, with each thread taking a stretch of the vector, and returns it.
    func reduce(_ count: Int, pool: WorkerPool) -> UnsafeMutablePointer<Float> {
        let stretch = 16_384
        pool.run((width + stretch - 1) / stretch) { index, _ in
            let first = index * stretch
            let length = min(stretch, width - first)
            var distance = 1
            while distance < count {
                for shard in stride(from: 0, to: count - distance, by: 2 * distance) {
                    Elementwise.addScaled(
                        length, 1, slots[shard + distance].pointer + first, to: slots[shard].pointer + first)
                }
                distance *= 2
            }
        }
        return slots[0].pointer
    }
}
