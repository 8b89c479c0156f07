import Autodiff
import Foundation
import Kernels
import Models

/// The Fisher matrix of a policy on the trials of a batch, or on a share of them, as products, with its diagonal as a
/// preconditioner.
///
///     F v = (1/N) Jᵀ (diag p − p pᵀ) J v
///
/// where J is the Jacobian of all logits: one pushforward, one small kernel, one pullback over a record that was made
/// once. No second derivatives, no finite differences.
final class FisherMatrix {
    /// What is added to F.
    struct Damping {
        /// Times the identity.
        var absolute: Float = 0
        /// Times the preconditioner's matrix M.
        var relative: Float = 0
    }

    private let policy: any SequencePolicy
    private let workers: Workers
    private let sums: ShardSums
    private let sample = GatheredTrials()
    private var tapes: [Tape] = []
    /// The trials on which F is measured, and their steps N.
    private(set) var shards: ArraySlice<ShardBatch> = []
    private(set) var rows = 0
    /// Diagonal of M⁻¹ [P]; ones: no preconditioner.
    let preconditioner: Matrix

    /// - Parameter sums: of P-vectors; the matrix and who else uses them take turns.
    init(policy: any SequencePolicy, workers: Workers, sums: ShardSums) {
        self.policy = policy
        self.workers = workers
        self.sums = sums
        preconditioner = Matrix(rows: 1, columns: sums.width)
        preconditioner.fill(1)
    }

    /// Bytes of the records.
    var recordBytes: Int { tapes.reduce(0) { $0 + $1.bytes } }

    // MARK: On which trials

    /// F is to be of these shards, whose unrolling is recorded by the caller, on one tape a shard.
    @discardableResult
    func take(_ shards: ArraySlice<ShardBatch>, rows: Int) -> [Tape] {
        (self.shards, self.rows) = (shards, rows)
        sums.prepare(shards.count)
        while tapes.count < shards.count { tapes.append(Tape()) }
        return tapes
    }

    /// F is to be of some trials of the batch: whole trials, because subsampling time steps would cut a recurrent history.
    /// - Parameters:
    ///   - parameters: θ [P]
    ///   - hasMoved: θ is another than the one whose log-probabilities the batch holds.
    func record(
        _ trials: [(shard: Int, lane: Int)], of batch: TrialBatch, parameters: UnsafePointer<Float>, hasMoved: Bool
    ) {
        sample.choose(trials, of: batch)
        take(sample.shards, rows: sample.rows)
        workers.pool.run(shards.count) { index, _ in
            sample.fill(index, from: batch)
            let (shard, tape) = (shards[shards.startIndex + index], tapes[index])
            tape.begin(parameters: parameters, recording: true)
            let logits = policy.unroll(shard.inputs, shape: shard.shape, tape: tape)
            tape.output = logits
            if hasMoved { _ = shard.keepDistributions(logits: tape.value(logits)) }
        }
    }

    // MARK: Products

    /// (F + damping) v; the result lives until the next product.
    func product(_ vector: UnsafePointer<Float>, damping: Damping = Damping()) -> UnsafePointer<Float> {
        let weight = 1 / Float(rows)
        let product = pullBack { shard, workspace, tape, logits, _ in
            tape.jvp(direction: vector, workspace: workspace)
            tape.beginVJP(workspace: workspace)
            Categorical.fisherMetric(
                rows: shard.rows, outcomes: shard.actionCount, logProbabilities: shard.logProbabilities.pointer,
                tangents: workspace.tangent(logits), scale: weight, into: workspace.cotangent(logits))
        }
        Elementwise.addScaled(sums.width, damping.absolute, vector, to: product)
        if damping.relative > 0 {
            for place in 0..<sums.width {
                product[place] += damping.relative * vector[place] / preconditioner.pointer[place]
            }
        }
        return UnsafePointer(product)
    }

    /// xᵀ (damping) x: the part of a curvature that is not F's.
    func curvature(of damping: Damping, along x: Matrix) -> Double {
        (0..<x.columns).reduce(0) { sum, place in
            let square = x.pointer[place] * x.pointer[place]
            return sum + Double(square * (damping.absolute + damping.relative / preconditioner.pointer[place]))
        }
    }

    /// M⁻¹ = 1 / (diag F + damping)^exponent, a preconditioner of the conjugate gradient (Jacobi's with exponent 1):
    /// parameters' curvatures differ by orders of magnitude, and without it ten products leave most directions of a wide
    /// network where they were. That these also hold noise is why small batches do better without. Exponent 0: none.
    ///
    /// The diagonal is estimated: with an action a drawn from π at every row, ∇ log π(a) has mean 0 and the row's Fisher
    /// matrix as its covariance, so the squares of a shard's sums have the sum of its rows' diagonals as their mean.
    func precondition(exponent: Float, damping: Float, random: RandomSource) {
        guard exponent > 0 else { return preconditioner.fill(1) }
        let diagonal = pullBack(squared: true) { shard, workspace, tape, logits, index in
            var random = random.split(index)
            let actions = shard.actionCount
            tape.beginVJP(workspace: workspace)
            let seed = workspace.cotangent(logits)
            for row in 0..<shard.rows {
                let logProbabilities = UnsafePointer(shard.logProbabilities.pointer + row * actions)
                Categorical.addLogProbabilityGradient(
                    outcome: Categorical.sample(logProbabilities, outcomes: actions, uniform: random.uniform()),
                    outcomes: actions, logProbabilities: logProbabilities, weight: 1, to: seed + row * actions)
            }
        }
        var mean: Float = 0
        for place in 0..<sums.width { mean += diagonal[place] / Float(rows) / Float(sums.width) }
        // A parameter that moves nothing must not divide by zero where there is no damping.
        let floor = max(damping + 1e-6 * mean, .leastNormalMagnitude)
        for place in 0..<sums.width {
            preconditioner.pointer[place] = powf(diagonal[place] / Float(rows) + floor, -exponent)
        }
    }

    /// Sum over shards of Jᵀ seed, or of its squares, element by element [P]. `seed` writes the cotangent of the logits.
    private func pullBack(
        squared: Bool = false, seed: (ShardBatch, Workspace, Tape, Node, _ shard: Int) -> Void
    ) -> UnsafeMutablePointer<Float> {
        workers.pool.run(shards.count) { index, worker in
            let (tape, workspace) = (tapes[index], workers.workspaces[worker])
            seed(shards[shards.startIndex + index], workspace, tape, tape.output!, index)
            let slot = sums.slot(index)
            slot.update(repeating: 0, count: sums.width)
            tape.vjp(gradient: slot, workspace: workspace)
            if squared { Elementwise.product(sums.width, slot, slot, slot) }
        }
        return sums.reduce(shards.count, pool: workers.pool)
    }
}
