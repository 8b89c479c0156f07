import Autodiff
import Foundation
import Interface
import Kernels
import Models

/// Fits a sequence model to something that is known of every row of a batch, by Adam on minibatches of whole trials: the
/// critic to its value targets, a policy's memory to the rewards that it saw, a policy to its surrogate.
public final class TrialRegression {
    public struct Settings: Sendable, Equatable {
        /// Passes over the batch.
        public var epochs: Int
        /// Adam steps an epoch; each takes as many whole trials.
        public var minibatches: Int
        public var learningRate: Double

        public init(epochs: Int, minibatches: Int, learningRate: Double) {
            self.epochs = epochs
            self.minibatches = minibatches
            self.learningRate = learningRate
        }

        /// Those of a learner's options `epochs`, `minibatches` and `learning-rate`, with a prefix to their names.
        public init(_ options: Values, prefix: String = "") {
            self.init(
                epochs: options.integer(prefix + "epochs"), minibatches: options.integer(prefix + "minibatches"),
                learningRate: options.real(prefix + "learning-rate"))
        }
    }

    /// The loss of a shard and its derivative.
    ///
    /// Given the shard, the model's outputs [N, outputs] and a weight (1 / rows of the minibatch), writes
    /// weight · d(½ loss)/d(output) to the seed [N, outputs], which is zero before, and returns the sum of the loss.
    public typealias Loss = (
        _ shard: ShardBatch, _ outputs: UnsafePointer<Float>, _ weight: Float, _ seed: UnsafeMutablePointer<Float>
    ) -> Double

    /// Adam's first and second moments [P] and the number of its steps.
    public let firstMoment: Matrix
    public let secondMoment: Matrix
    public internal(set) var steps = 0

    private let model: any SequencePolicy
    private let workers: Workers
    private let sums: ShardSums
    /// Where parameters and moments are kept while a fit may still fail.
    private let saved: [Matrix]
    private let minibatch = GatheredTrials()

    private static let beta1 = 0.9
    private static let beta2 = 0.999
    private static let epsilon = 1e-8

    public init(model: any SequencePolicy, workers: Workers) {
        self.model = model
        self.workers = workers
        let width = model.layout.count
        firstMoment = Matrix(rows: 1, columns: width)
        secondMoment = Matrix(rows: 1, columns: width)
        saved = (0..<3).map { _ in Matrix(rows: 1, columns: width) }
        sums = ShardSums(width: width)
    }

    /// Returns the mean loss a row over the last epoch, or nil if it was not finite; then parameters and moments are as
    /// before. Without epochs nothing is done and the loss is 0.
    /// - Parameters:
    ///   - trunk: weights of the policy's in a critic, which are left as they are.
    ///   - isEnough: whether no epoch shall follow one of that mean loss.
    public func fit(
        _ parameters: Matrix, to batch: TrialBatch, settings: Settings, random: RandomSource,
        leaving trunk: SharedTrunk? = nil, until isEnough: (Double) -> Bool = { _ in false }, loss: Loss
    ) -> Double? {
        let state = [parameters, firstMoment, secondMoment]
        for (copy, matrix) in zip(saved, state) { copy.copy(from: UnsafePointer(matrix.pointer)) }
        let savedSteps = steps
        var mean = 0.0
        for epoch in 0..<settings.epochs {
            var stream = random.split(epoch)
            let order = batch.sampleTrials(batch.trials, random: &stream)
            let count = min(settings.minibatches, batch.trials)
            var sum = 0.0
            for minibatch in 0..<count {
                let first = order.count * minibatch / count
                let last = order.count * (minibatch + 1) / count
                sum += step(
                    Array(order[first..<last]), of: batch, parameters, settings.learningRate, leaving: trunk, loss)
            }
            mean = sum / Double(count)
            guard mean.isFinite else {
                for (copy, matrix) in zip(saved, state) { matrix.copy(from: UnsafePointer(copy.pointer)) }
                steps = savedSteps
                return nil
            }
            if isEnough(mean) { break }
        }
        return mean
    }

    /// One Adam step; returns the mean loss a row.
    private func step(
        _ trials: [(shard: Int, lane: Int)], of batch: TrialBatch, _ parameters: Matrix, _ rate: Double,
        leaving trunk: SharedTrunk?, _ loss: Loss
    ) -> Double {
        minibatch.choose(trials, of: batch)
        workers.pool.run(minibatch.shards.count) { index, _ in minibatch.fill(index, from: batch) }
        let (gradient, mean) = gradient(of: loss, at: parameters, minibatch.shards, rows: minibatch.rows)
        trunk?.clear(gradient)
        descend(parameters, gradient, rate)
        return mean
    }

    /// The gradient [P] of half the mean loss of some rows, valid until the next one, and the mean loss.
    func gradient(
        of loss: Loss, at parameters: Matrix, _ shards: ArraySlice<ShardBatch>, rows: Int
    ) -> (UnsafeMutablePointer<Float>, meanLoss: Double) {
        let count = shards.count
        sums.prepare(count)
        let losses = Buffer<Double>(capacity: count)
        workers.pool.run(count) { index, worker in
            let shard = shards[shards.startIndex + index]
            let (tape, workspace) = (workers.tapes[worker], workers.workspaces[worker])
            tape.begin(parameters: parameters.pointer, recording: true)
            let output = model.unroll(shard.inputs, shape: shard.shape, tape: tape)
            tape.beginVJP(workspace: workspace)
            losses.pointer[index] = loss(shard, tape.value(output), 1 / Float(rows), workspace.cotangent(output))
            let slot = sums.slot(index)
            slot.update(repeating: 0, count: sums.width)
            tape.vjp(gradient: slot, workspace: workspace)
        }
        let sum = sums.reduce(count, pool: workers.pool)
        return (sum, (0..<count).reduce(0) { $0 + losses[$1] } / Double(rows))
    }

    private func descend(_ parameters: Matrix, _ gradient: UnsafePointer<Float>, _ rate: Double) {
        steps += 1
        let correction1 = 1 - pow(TrialRegression.beta1, Double(steps))
        let correction2 = (1 - pow(TrialRegression.beta2, Double(steps))).squareRoot()
        Elementwise.adam(
            parameters.columns, rate: Float(rate * correction2 / correction1), beta1: Float(TrialRegression.beta1),
            beta2: Float(TrialRegression.beta2), epsilon: Float(TrialRegression.epsilon * correction2),
            gradient: gradient, firstMoment: firstMoment.pointer, secondMoment: secondMoment.pointer,
            parameters: parameters.pointer)
    }
}
