/// The scale of returns at each step of a trial. The critic predicts returns in these units, so that its network sees
/// targets of mean 0 and deviation 1 at every step, whatever the horizon.
///
/// Without it a critic spends its fit on the trend of the return over time and on its scale, which say nothing about
/// actions, and gets to the differences between histories late or never.
public struct ReturnScale: Sendable, Equatable {
    /// Mean return from step t [T]
    public internal(set) var means: [Float] = []
    /// Mean square of the return from step t [T]
    public internal(set) var squares: [Float] = []
    /// Effective number of returns behind them [T]
    public internal(set) var weights: [Float] = []

    /// Share of an earlier iteration's weight that is kept.
    static let memory = 0.5

    public init() {}

    /// Takes in the discounted returns of a batch: Σ_{i ≥ t} γ^{i−t} r_i to the end of the trial.
    public mutating func update(_ batch: TrialBatch, discount: Double) {
        let steps = batch.shards.map(\.shape.steps).max() ?? 0
        while means.count < steps {
            means.append(0)
            squares.append(0)
            weights.append(0)
        }
        var (sums, sumsOfSquares) = ([Double](repeating: 0, count: steps), [Double](repeating: 0, count: steps))
        var counts = [Double](repeating: 0, count: steps)
        for shard in batch.shards {
            var returns = [Double](repeating: 0, count: shard.lanes)
            for step in stride(from: shard.shape.steps - 1, through: 0, by: -1) {
                let first = shard.shape.offsets[step]
                for lane in 0..<shard.shape.lanesAtStep[step] {
                    returns[lane] = Double(shard.rewards.pointer[first + lane]) + discount * returns[lane]
                    sums[step] += returns[lane]
                    sumsOfSquares[step] += returns[lane] * returns[lane]
                }
                counts[step] += Double(shard.shape.lanesAtStep[step])
            }
        }
        for step in 0..<steps {
            let kept = Double(weights[step]) * ReturnScale.memory
            let total = kept + counts[step]
            means[step] = Float((Double(means[step]) * kept + sums[step]) / total)
            squares[step] = Float((Double(squares[step]) * kept + sumsOfSquares[step]) / total)
            weights[step] = Float(total)
        }
    }

    /// Mean return from step t.
    public func mean(_ step: Int32) -> Float { means[Int(step)] }

    /// Deviation of the return from step t, never so small that noise is blown up.
    public func deviation(_ step: Int32) -> Float {
        let mean = means[Int(step)]
        return max(squares[Int(step)] - mean * mean, 0.01).squareRoot()
    }
}
