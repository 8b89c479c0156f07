/// A baseline that only a simulator can give: several trials of one member, under the same chance, differ in nothing but
/// the actions drawn. What they share (an easy member, a lucky streak) is noise to the policy's gradient, and the mean
/// advantage of the other trials of the group, at the same step, measures it.
///
/// The others' actions are drawn independently of a trial's own, given the member and its chance, so subtracting any
/// multiple of their mean leaves the gradient unbiased (a leave-one-out baseline: Kool, van Hoof, Welling 2019, over
/// common random numbers). The multiple is the regression coefficient of a trial's advantage on that mean, step by step:
/// 1 where the group shares its fate, 0 where its histories have parted.
enum ControlVariate {
    /// - Parameters:
    ///   - groups: trials of each group as (shard, lane).
    ///   - shards: their advantages are changed.
    static func subtract(groups: [[(shard: Int, lane: Int)]], shards: [ShardBatch]) {
        let steps = shards.map(\.shape.steps).max() ?? 0
        var moments = [Moments](repeating: Moments(), count: steps)
        forEach(groups, shards) { step, advantage, others in moments[step].add(advantage.pointee, others) }
        let lines = moments.map { (slope: $0.slope, mean: $0.meanOfOthers) }
        forEach(groups, shards) { step, advantage, others in
            advantage.pointee -= lines[step].slope * (others - lines[step].mean)
        }
    }

    /// Calls `body(step, advantage, mean of the others)` for every step of every trial that has company at that step.
    /// The means are those from before the call, whatever it changes.
    private static func forEach(
        _ groups: [[(shard: Int, lane: Int)]], _ shards: [ShardBatch],
        _ body: (Int, UnsafeMutablePointer<Float>, Float) -> Void
    ) {
        for group in groups {
            let lengths = group.map { shards[$0.shard].shape.length(lane: $0.lane) }
            for step in 0..<(lengths.max() ?? 0) {
                var (sum, count): (Float, Float) = (0, 0)
                for (place, length) in zip(group, lengths) where length > step {
                    sum += advantage(place, step, shards).pointee
                    count += 1
                }
                guard count > 1 else { break }
                for (place, length) in zip(group, lengths) where length > step {
                    let own = advantage(place, step, shards)
                    body(step, own, (sum - own.pointee) / (count - 1))
                }
            }
        }
    }

    private static func advantage(
        _ place: (shard: Int, lane: Int), _ step: Int, _ shards: [ShardBatch]
    ) -> UnsafeMutablePointer<Float> {
        let shard = shards[place.shard]
        return shard.advantages.pointer + shard.shape.row(step: step, lane: place.lane)
    }

    /// Sums of a regression of y on x.
    private struct Moments {
        private var (count, x, y, xx, xy) = (0.0, 0.0, 0.0, 0.0, 0.0)

        mutating func add(_ advantage: Float, _ others: Float) {
            let (a, o) = (Double(advantage), Double(others))
            count += 1
            x += o
            y += a
            xx += o * o
            xy += o * a
        }

        var meanOfOthers: Float { count > 0 ? Float(x / count) : 0 }

        /// In 0 … 1: more would be noise of the estimate.
        var slope: Float {
            guard count > 1 else { return 0 }
            let variance = xx / count - (x / count) * (x / count)
            let covariance = xy / count - (x / count) * (y / count)
            return variance > 0 ? Float(min(1, max(0, covariance / variance))) : 0
        }
    }
}
