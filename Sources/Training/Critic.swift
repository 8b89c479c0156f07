import Kernels
import Models

/// The critic: a second sequence model of the policy's kind with one output, which sees the same history. It is fitted
/// by Adam to the value targets of each iteration.
public final class Critic {
    public let model: any SequencePolicy
    /// θ of the critic [P]
    public let parameters: Matrix
    public var scale = ReturnScale()
    /// Adam's state.
    public let optimizer: TrialRegression

    private let workers: Workers

    public init(model: any SequencePolicy, random: RandomSource, workers: Workers) {
        precondition(model.outputs == 1, "a critic has one output")
        self.model = model
        self.workers = workers
        parameters = Matrix(rows: 1, columns: model.layout.count)
        parameters.copy(from: model.layout.initialValues(random))
        optimizer = TrialRegression(model: model, workers: workers)
    }

    /// Writes V(history) of every row, in units of reward.
    public func evaluate(_ batch: TrialBatch) {
        workers.pool.run(batch.shards.count) { index, worker in
            let (shard, tape) = (batch.shards[index], workers.tapes[worker])
            tape.begin(parameters: parameters.pointer, recording: false)
            let output = tape.value(model.unroll(shard.inputs, shape: shard.shape, tape: tape))
            for row in 0..<shard.rows {
                let step = shard.stepIndices[row]
                shard.values.pointer[row] = scale.mean(step) + scale.deviation(step) * output[row]
            }
        }
    }

    /// Share of the variance of the targets within a step, over trials, that V explains: 1 − Σ (R − V)² / Σ (R − R̄_t)².
    /// The variance over time is not counted: the mean return of each step explains it.
    public func explainedVariance(_ batch: TrialBatch) -> Double {
        let steps = batch.shards.map(\.shape.steps).max() ?? 0
        var (sums, counts) = ([Double](repeating: 0, count: steps), [Double](repeating: 0, count: steps))
        forEachRow(batch) { step, target, _ in
            sums[step] += target
            counts[step] += 1
        }
        var (residual, total) = (0.0, 0.0)
        forEachRow(batch) { step, target, value in
            let mean = sums[step] / counts[step]
            residual += (target - value) * (target - value)
            total += (target - mean) * (target - mean)
        }
        return total > 0 ? 1 - residual / total : 0
    }

    private func forEachRow(_ batch: TrialBatch, _ body: (_ step: Int, _ target: Double, _ value: Double) -> Void) {
        for shard in batch.shards {
            for row in 0..<shard.rows {
                body(
                    Int(shard.stepIndices[row]), Double(shard.targets.pointer[row]),
                    Double(shard.values.pointer[row]))
            }
        }
    }

    /// Fits the critic to the batch's targets, on ½ mean (v − target)² with both in units of the return's deviation.
    /// Returns the mean of (v − target)² over the last epoch, or nil if it was not finite; then all is as before.
    /// - Parameter trunk: weights of the policy's, which are left as they are.
    public func fit(
        _ batch: TrialBatch, settings: TrialRegression.Settings, random: RandomSource, leaving trunk: SharedTrunk? = nil
    ) -> Double? {
        optimizer.fit(parameters, to: batch, settings: settings, random: random, leaving: trunk, loss: loss)
    }

    /// Adds to a gradient of the policy's that of −weight · ½ mean (v − target)² over some rows, as far as the critic's
    /// weights are the policy's.
    func addGradient(
        _ weight: Double, _ shards: ArraySlice<ShardBatch>, rows: Int, trunk: SharedTrunk, to gradient: Matrix
    ) {
        let own = optimizer.gradient(of: loss, at: parameters, shards, rows: rows)
        trunk.add(-Float(weight), own.0, to: gradient.pointer)
    }

    /// The mean of (v − target)² over some rows, with the policy's weights in the trunk.
    func meanLoss(
        _ shards: ArraySlice<ShardBatch>, rows: Int, trunk: SharedTrunk, policy: UnsafePointer<Float>
    ) -> Double {
        trunk.copy(from: policy, to: parameters.pointer)
        let losses = Buffer<Double>(capacity: shards.count)
        let loss = loss
        workers.pool.run(shards.count) { index, worker in
            let (shard, tape) = (shards[shards.startIndex + index], workers.tapes[worker])
            tape.begin(parameters: parameters.pointer, recording: false)
            let output = model.unroll(shard.inputs, shape: shard.shape, tape: tape)
            // The seed is written over the values, and thrown away.
            losses.pointer[index] = loss(shard, tape.value(output), 0, tape.mutableValue(output))
        }
        return (0..<shards.count).reduce(0) { $0 + losses[$1] } / Double(rows)
    }

    /// Of (v − target)² of a shard's rows.
    private var loss: TrialRegression.Loss {
        let scale = scale
        return { shard, values, weight, seed in
            var loss = 0.0
            for row in 0..<shard.rows {
                let step = shard.stepIndices[row]
                let target = (shard.targets.pointer[row] - scale.mean(step)) / scale.deviation(step)
                let error = values[row] - target
                seed[row] = weight * error
                loss += Double(error * error)
            }
            return loss
        }
    }
}
