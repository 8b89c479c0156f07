import Kernels
import Testing

@testable import Training

@Suite struct ShardingTests {
    @Test(arguments: [1, 2, 5, 10, 50, 100, 500, 3000])
    func cutsAllTrialsIntoBalancedShards(_ steps: Int) {
        for trials in Array(1...300) + [511, 512, 513, 1000, 2500, 10_001] {
            let sharding = Sharding(trials: trials, steps: steps)
            let lanes = sharding.lanes
            #expect(lanes.reduce(0, +) == trials)
            #expect(lanes.max()! - lanes.min()! <= 1 && lanes.min()! >= 1, "\(trials) trials of \(steps): \(lanes)")
            #expect(trials == 1 || sharding.count % 2 == 0, "\(trials) trials of \(steps): \(sharding.count) shards")
            // Big enough for fast matrix products, once there is enough for two shards; small enough for the cache.
            #expect(lanes.max()! <= 256)
            #expect(trials < 256 || lanes.min()! >= 32, "\(trials) trials of \(steps): \(lanes)")
            var first = 0
            for (shard, count) in lanes.enumerated() {
                if shard < 5 || shard == lanes.count - 1 { #expect(sharding.first(shard) == first) }
                first += count
            }
        }
    }

    /// The fixed tree, written out for five shards: ((0 + 1) + (2 + 3)) + 4. Any number of threads gives its bits.
    @Test(arguments: [1, 2, 3]) func sumsInAFixedTree(_ threads: Int) {
        // More than two stretches, the last of them short.
        let width = 2 * 16_384 + 77
        let pool = WorkerPool(threads: threads)
        defer { pool.stop() }
        let sums = ShardSums(width: width)
        sums.prepare(5)
        var random = RandomSource(seed: 4)
        let vectors = (0..<5).map { _ in (0..<width).map { _ in random.uniform() - 0.5 } }
        for (shard, vector) in vectors.enumerated() { sums.slot(shard).update(from: vector, count: width) }
        let result = sums.reduce(5, pool: pool)
        var wrong = 0
        for index in 0..<width {
            let left = (vectors[0][index] + vectors[1][index]) + (vectors[2][index] + vectors[3][index])
            if result[index] != left + vectors[4][index] { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test func sumsOneShard() {
        let pool = WorkerPool(threads: 1)
        let sums = ShardSums(width: 3)
        sums.prepare(4)
        sums.slot(0).update(from: [1, 2, 3], count: 3)
        sums.slot(1).update(from: [50, 50, 50], count: 3)
        let result = sums.reduce(1, pool: pool)
        #expect((0..<3).map { result[$0] } == [1, 2, 3])
    }

    /// Threads wait for the shard with the most steps: no shard has more than another plus its own last trial, and trials of
    /// one length stay as they were chosen.
    @Test func trialsOfUnequalLengthAreDealtOutEvenly() {
        var random = RandomSource(seed: 5)
        for trials in [1, 2, 8, 31, 400] {
            let sharding = Sharding(trials: trials, steps: 500)
            let lengths = (0..<trials).map { _ in 20 + Int(random.uniform() * 480) }
            let dealt = GatheredTrials.deal(lengths, over: sharding)
            #expect(dealt.joined().sorted() == Array(0..<trials))
            #expect(dealt.count == sharding.count && dealt.allSatisfy { !$0.isEmpty })
            let steps = dealt.map { $0.reduce(0) { $0 + lengths[$1] } }
            for (shard, own) in zip(dealt, steps) {
                #expect(own - lengths[shard.last!] <= steps.min()!, "\(trials) trials: \(steps)")
            }
            let equal = GatheredTrials.deal([Int](repeating: 7, count: trials), over: sharding)
            #expect(Array(equal.joined()) == Array(0..<trials) && equal.map(\.count) == sharding.lanes)
        }
    }
}
