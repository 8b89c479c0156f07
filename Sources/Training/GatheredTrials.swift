/// Trials that are chosen from a batch, copied into shards of their own: for the Fisher product's sample and for
/// minibatches. The shards are kept and refilled; they grow when more is chosen than ever before.
final class GatheredTrials {
    private var kept: [ShardBatch] = []
    /// Those that hold the chosen trials.
    private(set) var shards: ArraySlice<ShardBatch> = []

    /// How trials are cut, for `gather`: as those of a batch that have their mean length.
    static func sharding(_ trials: [(shard: Int, lane: Int)], of batch: TrialBatch) -> Sharding {
        let rows = GatheredTrials.rows(trials, of: batch)
        return Sharding(trials: trials.count, steps: (rows + trials.count - 1) / trials.count)
    }

    /// Steps of some trials.
    static func rows(_ trials: some Sequence<(shard: Int, lane: Int)>, of batch: TrialBatch) -> Int {
        trials.reduce(0) { $0 + batch.shards[$1.shard].shape.length(lane: $1.lane) }
    }

    /// Makes room for trials that are cut by `sharding`; `fill` then fills shard by shard, by any thread.
    func prepare(_ trials: [(shard: Int, lane: Int)], _ sharding: Sharding, of batch: TrialBatch) {
        for index in 0..<sharding.count {
            let first = sharding.first(index)
            let rows = GatheredTrials.rows(trials[first..<first + sharding.lanes[index]], of: batch)
            if index < kept.count, kept[index].capacity >= rows, kept[index].space == batch.family.observation {
                continue
            }
            // Some room to spare: the next choice will be about as large. What is not used is never backed by pages.
            let shard = ShardBatch(space: batch.family.observation, actions: batch.family.actions, rows: 2 * rows)
            if index < kept.count { kept[index] = shard } else { kept.append(shard) }
        }
        shards = kept[..<sharding.count]
    }

    /// Copies the trials of one shard.
    func fill(_ index: Int, _ trials: [(shard: Int, lane: Int)], _ sharding: Sharding, of batch: TrialBatch) {
        let first = sharding.first(index)
        shards[index].gather(Array(trials[first..<first + sharding.lanes[index]]), from: batch.shards)
    }
}
