/// Trials that are chosen from a batch, copied into shards of their own: for the Fisher product's sample and for
/// minibatches. The shards are kept and refilled; they grow when more is chosen than ever before.
final class GatheredTrials {
    private var kept: [ShardBatch] = []
    private var chosen: [(shard: Int, lane: Int)] = []
    /// The part of `chosen` that each shard holds.
    private var parts: [Range<Int>] = []

    /// Those that hold the chosen trials.
    private(set) var shards: ArraySlice<ShardBatch> = []
    /// Steps of all chosen trials.
    private(set) var rows = 0

    /// Cuts trials into shards, as those of a batch that have their mean length, and makes room for them; `fill` then fills
    /// shard by shard, by any thread. Trials of unequal length are dealt out so that shards have about as many steps each:
    /// threads wait for the one with the most.
    /// - Parameter trials: (shard, lane) of each in the batch, at least one.
    func choose(_ trials: [(shard: Int, lane: Int)], of batch: TrialBatch) {
        let lengths = trials.map { batch.shards[$0.shard].shape.length(lane: $0.lane) }
        rows = lengths.reduce(0, +)
        let sharding = Sharding(trials: trials.count, steps: (rows + trials.count - 1) / trials.count)
        let dealt = GatheredTrials.deal(lengths, over: sharding)
        chosen = dealt.joined().map { trials[$0] }
        parts.removeAll(keepingCapacity: true)
        for (index, places) in dealt.enumerated() {
            let first = parts.last?.upperBound ?? 0
            parts.append(first..<first + places.count)
            let needed = places.reduce(0) { $0 + lengths[$1] }
            if index < kept.count, kept[index].capacity >= needed, kept[index].space == batch.family.observation {
                continue
            }
            // Some room to spare: the next choice will be about as large. What is not used is never backed by pages.
            let shard = ShardBatch(space: batch.family.observation, actions: batch.family.actions, rows: 2 * needed)
            if index < kept.count { kept[index] = shard } else { kept.append(shard) }
        }
        shards = kept[..<parts.count]
    }

    /// Which trials each shard gets: in their order if all are as long, else the longest first, each to the shard that has
    /// the fewest steps by then.
    static func deal(_ lengths: [Int], over sharding: Sharding) -> [[Int]] {
        guard lengths.contains(where: { $0 != lengths[0] }) else {
            return (0..<sharding.count).map {
                Array(sharding.first($0)..<sharding.first($0) + sharding.lanes[$0])
            }
        }
        var shards = [(steps: Int, trials: [Int])](repeating: (0, []), count: sharding.count)
        for trial in lengths.indices.sorted(by: { (-lengths[$0], $0) < (-lengths[$1], $1) }) {
            let least = shards.indices.min { shards[$0].steps < shards[$1].steps }!
            shards[least].steps += lengths[trial]
            shards[least].trials.append(trial)
        }
        return shards.map(\.trials)
    }

    /// Copies the trials of one shard from the batch of which they were chosen, which is not kept: a batch is large, and a
    /// stage that has ended must not hold its own.
    func fill(_ index: Int, from batch: TrialBatch) { shards[index].gather(chosen[parts[index]], from: batch.shards) }
}
