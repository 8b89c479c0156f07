import Autodiff
import Foundation
import Kernels
import Models

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
    mutating func update(_ batch: TrialBatch, discount: Double) {
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

    func mean(_ step: Int32) -> Float { means[Int(step)] }

    /// Deviation of the return from step t, never so small that noise is blown up.
    func deviation(_ step: Int32) -> Float {
        let mean = means[Int(step)]
        return max(squares[Int(step)] - mean * mean, 0.01).squareRoot()
    }
}

/// The critic: a second sequence model of the policy's kind with one output, which sees the same history. It is fitted
/// by Adam to the value targets of each iteration.
public final class Critic {
    public struct Settings: Sendable, Equatable {
        /// Passes over the batch an iteration.
        public var epochs: Int
        /// Adam steps an epoch; each takes as many whole trials.
        public var minibatches: Int
        public var learningRate: Double

        public init(epochs: Int = 5, minibatches: Int = 5, learningRate: Double = 1e-3) {
            self.epochs = epochs
            self.minibatches = minibatches
            self.learningRate = learningRate
        }
    }

    public let model: any SequencePolicy
    /// θ of the critic [P]
    public let parameters: Matrix
    public var scale = ReturnScale()
    /// Adam's first and second moments [P] and the number of its steps.
    public let firstMoment: Matrix
    public let secondMoment: Matrix
    public internal(set) var optimizerSteps = 0

    private let workers: Workers
    private let sums: ShardSums
    private var minibatchShards: [ShardBatch] = []

    private static let beta1 = 0.9
    private static let beta2 = 0.999
    private static let epsilon = 1e-8

    public init(model: any SequencePolicy, random: RandomSource, workers: Workers) {
        precondition(model.outputs == 1, "a critic has one output")
        self.model = model
        self.workers = workers
        let width = model.layout.count
        parameters = Matrix(rows: 1, columns: width)
        parameters.copy(from: model.layout.initialValues(random))
        firstMoment = Matrix(rows: 1, columns: width)
        secondMoment = Matrix(rows: 1, columns: width)
        sums = ShardSums(width: width)
    }

    /// Writes V(history) of every row, in units of reward.
    public func evaluate(_ batch: TrialBatch) {
        workers.pool.run(batch.shards.count) { index, worker in
            let (shard, tape) = (batch.shards[index], workers.tapes[worker])
            tape.begin(parameters: parameters.pointer, recording: false)
            let output = tape.value(model.unroll(shard.inputs, shape: shard.shape, tape: tape))
            for row in 0..<shard.rows {
                let step = shard.stepIndices.pointer[row]
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
                    Int(shard.stepIndices.pointer[row]), Double(shard.targets.pointer[row]),
                    Double(shard.values.pointer[row]))
            }
        }
    }

    /// Fits the critic to the batch's targets. Returns the mean squared error in units of the return's deviation, over
    /// the last epoch, or nil if it was not finite; then parameters and optimiser are as before.
    public func fit(_ batch: TrialBatch, settings: Settings, random: RandomSource) -> Double? {
        let saved = [parameters, firstMoment, secondMoment].map { matrix in
            let copy = Matrix(rows: 1, columns: matrix.columns)
            copy.copy(from: UnsafePointer(matrix.pointer))
            return copy
        }
        let savedSteps = optimizerSteps
        var loss = 0.0
        for epoch in 0..<settings.epochs {
            var stream = random.split(epoch)
            let order = batch.sampleTrials(batch.trials, random: &stream)
            let count = min(settings.minibatches, batch.trials)
            var epochLoss = 0.0
            for minibatch in 0..<count {
                let first = order.count * minibatch / count
                let last = order.count * (minibatch + 1) / count
                epochLoss += step(Array(order[first..<last]), of: batch, rate: settings.learningRate)
            }
            loss = epochLoss / Double(count)
            guard loss.isFinite else {
                for (matrix, copy) in zip([parameters, firstMoment, secondMoment], saved) {
                    matrix.copy(from: UnsafePointer(copy.pointer))
                }
                optimizerSteps = savedSteps
                return nil
            }
        }
        return loss
    }

    /// One Adam step on ½ mean (v − target)², both in units of the return's deviation.
    private func step(_ trials: [(shard: Int, lane: Int)], of batch: TrialBatch, rate: Double) -> Double {
        let steps = batch.family.maximumTrialSteps
        let sharding = Sharding(trials: trials.count, steps: steps)
        prepareShards(sharding, batch)
        sums.prepare(sharding.count)
        let rows = trials.reduce(0) { $0 + batch.shards[$1.shard].shape.length(lane: $1.lane) }
        let weight = 1 / Float(rows)
        let losses = Buffer<Double>(capacity: sharding.count)
        workers.pool.run(sharding.count) { index, worker in
            let (shard, tape, workspace) = (minibatchShards[index], workers.tapes[worker], workers.workspaces[worker])
            let first = sharding.first(index)
            shard.gather(Array(trials[first..<first + sharding.lanes[index]]), from: batch.shards)
            tape.begin(parameters: parameters.pointer, recording: true)
            let output = model.unroll(shard.inputs, shape: shard.shape, tape: tape)
            tape.beginVJP(workspace: workspace)
            let (values, seed) = (tape.value(output), workspace.cotangent(output))
            var loss = 0.0
            for row in 0..<shard.rows {
                let step = shard.stepIndices.pointer[row]
                let target = (shard.targets.pointer[row] - scale.mean(step)) / scale.deviation(step)
                let error = values[row] - target
                seed[row] = weight * error
                loss += Double(error * error)
            }
            losses.pointer[index] = loss
            let slot = sums.slot(index)
            slot.update(repeating: 0, count: sums.width)
            tape.vjp(gradient: slot, workspace: workspace)
        }
        descend(sums.reduce(sharding.count, pool: workers.pool), rate: rate)
        return (0..<sharding.count).reduce(0) { $0 + losses[$1] } / Double(rows)
    }

    private func descend(_ gradient: UnsafePointer<Float>, rate: Double) {
        optimizerSteps += 1
        let correction1 = 1 - pow(Critic.beta1, Double(optimizerSteps))
        let correction2 = (1 - pow(Critic.beta2, Double(optimizerSteps))).squareRoot()
        Elementwise.adam(
            parameters.columns, rate: Float(rate * correction2 / correction1), beta1: Float(Critic.beta1),
            beta2: Float(Critic.beta2), epsilon: Float(Critic.epsilon * correction2), gradient: gradient,
            firstMoment: firstMoment.pointer, secondMoment: secondMoment.pointer, parameters: parameters.pointer)
    }

    private func prepareShards(_ sharding: Sharding, _ batch: TrialBatch) {
        let steps = batch.family.maximumTrialSteps
        let fits =
            minibatchShards.count >= sharding.count
            && zip(minibatchShards, sharding.lanes).allSatisfy { $0.laneCapacity >= $1 && $0.stepCapacity >= steps }
        guard !fits else { return }
        let roomy = Sharding(trials: sharding.lanes.reduce(0, +), steps: steps).lanes.map { $0 + 1 }
        minibatchShards = roomy.map {
            ShardBatch(
                space: batch.family.observation, actions: batch.family.actions, lanes: $0, steps: steps)
        }
    }
}
