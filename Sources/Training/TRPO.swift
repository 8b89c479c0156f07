import Autodiff
import Foundation
import Kernels
import Models

/// Trust-region policy optimisation (Schulman et al. 2015, appendix C) with the exact Fisher matrix.
///
/// Maximises L(θ) = (1/N) Σ A π_θ(a | h) / π_old(a | h) subject to (1/N) Σ KL(π_old ‖ π_θ) ≤ δ, N being all time steps
/// of the batch. The step is x = F⁻¹ g by preconditioned conjugate gradients, scaled to the largest that the quadratic model of the
/// KL allows, √(2δ / xᵀFx), then shortened until the true surrogate improves and the true KL is within δ.
///
/// F v = (1/N) Jᵀ (diag p − p pᵀ) J v + damping · v, where J is the Jacobian of all logits: one pushforward, one small
/// kernel, one pullback over a record that was made once. No second derivatives, no finite differences.
public final class TRPO {
    public struct Settings: Sendable, Equatable {
        /// δ: mean KL allowed, in nats a time step.
        public var maximumKL: Double
        /// Fisher products of an update.
        public var conjugateGradientIterations: Int
        /// Added to the diagonal of F.
        public var damping: Double
        /// Exponent e in [0, 1] of the preconditioner 1 / (diag F + damping)^e of the conjugate gradient; 0: none.
        public var preconditioning: Double
        /// Part of the trials on which F is measured, in (0, 1]; whole trials, chosen anew every iteration.
        public var fisherShare: Double
        /// β of the term β · (mean entropy) in the surrogate.
        public var entropyBonus: Double
        /// Factor by which a step is shortened that did not improve the surrogate, or was not finite. A step whose KL
        /// was too large is shortened by what that KL tells.
        public var backtrackFactor: Double
        /// Steps that are tried at most.
        public var backtrackLimit: Int

        public init(
            maximumKL: Double = 0.01, conjugateGradientIterations: Int = 10, damping: Double = 1e-3,
            preconditioning: Double = 0, fisherShare: Double = 1, entropyBonus: Double = 0,
            backtrackFactor: Double = 0.5, backtrackLimit: Int = 10
        ) {
            self.maximumKL = maximumKL
            self.conjugateGradientIterations = conjugateGradientIterations
            self.damping = damping
            self.preconditioning = preconditioning
            self.fisherShare = fisherShare
            self.entropyBonus = entropyBonus
            self.backtrackFactor = backtrackFactor
            self.backtrackLimit = backtrackLimit
        }
    }

    /// How an update ended.
    public enum Outcome: String, Sendable {
        case accepted
        /// No step within the limit improved the surrogate inside the trust region; θ is as before.
        case restored
        /// A gradient, a product or a step was not finite; θ is as before.
        case notFinite = "not_finite"
        /// Only the critic learned in this iteration.
        case skipped
    }

    public struct Report: Sendable {
        public var outcome = Outcome.restored
        /// L(θ′) − L(θ) in standardised advantages, entropy bonus included.
        public var surrogateGain = 0.0
        /// gᵀ step: what the linear model promised for the accepted step.
        public var predictedGain = 0.0
        /// ½ stepᵀ F step, without damping, for the accepted step.
        public var predictedKL = 0.0
        /// Mean KL(π_old ‖ π_θ′) over all N rows.
        public var actualKL = 0.0
        /// ‖g − F x‖ / ‖g‖
        public var residual = 0.0
        public var products = 0
        public var backtracks = 0
        /// Mean entropy of π_old, nats.
        public var entropy = 0.0
        public var gradientNorm = 0.0
    }

    private let policy: any SequencePolicy
    private let workers: Workers
    private let sums: ShardSums
    private let solver: ConjugateGradient
    private let gradient: Matrix
    private let solution: Matrix
    private let trial: Matrix
    /// Diagonal of M⁻¹ [P]
    let preconditioner: Matrix
    private var tapes: [Tape] = []
    private let fisherTrials = GatheredTrials()

    public init(policy: any SequencePolicy, workers: Workers) {
        self.policy = policy
        self.workers = workers
        let width = policy.layout.count
        sums = ShardSums(width: width)
        solver = ConjugateGradient(width: width)
        gradient = Matrix(rows: 1, columns: width)
        solution = Matrix(rows: 1, columns: width)
        trial = Matrix(rows: 1, columns: width)
        preconditioner = Matrix(rows: 1, columns: width)
    }

    /// Bytes of the records that are kept for the Fisher products.
    public var recordBytes: Int { tapes.reduce(0) { $0 + $1.bytes } }

    /// One update of θ from a batch whose advantages are known and standardised. On any outcome but `accepted`, θ is left as it was.
    public func update(
        parameters: Matrix, batch: TrialBatch, settings: Settings, random: RandomSource, clock: inout PhaseClock
    ) -> Report {
        var report = Report()
        let width = parameters.columns
        let fullRecord = settings.fisherShare >= 1

        clock.measure(.gradient) {
            computeGradient(
                parameters.pointer, batch, entropyBonus: Float(settings.entropyBonus), keepRecords: fullRecord,
                report: &report)
        }
        report.gradientNorm = Elementwise.dot(width, gradient.pointer, gradient.pointer).squareRoot()
        guard report.gradientNorm.isFinite, report.entropy.isFinite else {
            report.outcome = .notFinite
            return report
        }

        let solved = clock.measure(.fisher) { () -> ConjugateGradient.Report in
            let shards = fullRecord ? batch.shards : sampleForFisher(batch, settings.fisherShare, random)
            if !fullRecord { record(shards, parameters.pointer) }
            let rows = shards.reduce(0) { $0 + $1.rows }
            if settings.preconditioning > 0 {
                computePreconditioner(
                    shards, rows: rows, damping: Float(settings.damping), exponent: Float(settings.preconditioning),
                    random: random.split(0))
            } else {
                preconditioner.fill(1)
            }
            return solver.solve(
                gradient: gradient.pointer, solution: solution.pointer,
                preconditioner: UnsafePointer(preconditioner.pointer), iterations: settings.conjugateGradientIterations
            ) { fisherProduct($0, shards: shards, rows: rows, damping: Float(settings.damping)) }
        }
        report.residual = solved.relativeResidual
        report.products = solved.iterations
        guard solved.curvature.isFinite, solved.curvature > 0 else {
            // A gradient of zero has nothing to improve; anything else here is a failure of the arithmetic.
            report.outcome = report.gradientNorm == 0 ? .restored : .notFinite
            return report
        }

        let full = (2 * settings.maximumKL / solved.curvature).squareRoot()
        let slope = Elementwise.dot(width, gradient.pointer, solution.pointer)
        let squaredNorm = Elementwise.dot(width, solution.pointer, solution.pointer)
        let undamped = max(0, solved.curvature - settings.damping * squaredNorm)
        clock.measure(.lineSearch) {
            var scale = full
            for attempt in 0..<settings.backtrackLimit {
                trial.copy(from: UnsafePointer(parameters.pointer))
                Elementwise.addScaled(width, Float(scale), solution.pointer, to: trial.pointer)
                let (gain, divergence) = measure(trial.pointer, batch, settings)
                guard gain.isFinite, divergence.isFinite else {
                    report.outcome = .notFinite
                    scale *= settings.backtrackFactor
                    continue
                }
                if gain > 0 && divergence <= settings.maximumKL {
                    parameters.copy(from: UnsafePointer(trial.pointer))
                    report.outcome = .accepted
                    report.surrogateGain = gain
                    report.predictedGain = scale * slope
                    report.predictedKL = 0.5 * scale * scale * undamped
                    report.actualKL = divergence
                    report.backtracks = attempt
                    return
                }
                report.outcome = .restored
                // The KL grows with the square of the step: where it is what forbids the step, aim just inside.
                let aim = 0.97 * (settings.maximumKL / divergence).squareRoot()
                scale *= divergence > settings.maximumKL ? max(0.1, aim) : settings.backtrackFactor
            }
            report.backtracks = settings.backtrackLimit
        }
        return report
    }

    // MARK: Passes over shards

    private func prepareTapes(_ count: Int) {
        while tapes.count < count { tapes.append(Tape()) }
    }

    /// Unrolls π_old, keeps its log-probabilities in the batch, and pulls the surrogate's gradient back: at θ_old the
    /// ratio is exactly 1, so it is (1/N) Σ A ∇ log π.
    private func computeGradient(
        _ parameters: UnsafePointer<Float>, _ batch: TrialBatch, entropyBonus: Float, keepRecords: Bool,
        report: inout Report
    ) {
        let count = batch.shards.count
        sums.prepare(count)
        if keepRecords { prepareTapes(count) }
        let weight = 1 / Float(batch.rows)
        let entropies = Buffer<Double>(capacity: count)
        workers.pool.run(count) { index, worker in
            let shard = batch.shards[index]
            let tape = keepRecords ? tapes[index] : workers.tapes[worker]
            let workspace = workers.workspaces[worker]
            tape.begin(parameters: parameters, recording: true)
            let logits = policy.unroll(shard.inputs, shape: shard.shape, tape: tape)
            tape.output = logits
            let actions = shard.actionCount
            let logProbabilities = shard.logProbabilities.pointer
            Categorical.logProbabilities(
                rows: shard.rows, outcomes: actions, logits: tape.value(logits), into: logProbabilities)
            entropies.pointer[index] = Categorical.entropySum(
                rows: shard.rows, outcomes: actions, logProbabilities: logProbabilities)
            tape.beginVJP(workspace: workspace)
            let seed = workspace.cotangent(logits)
            for row in 0..<shard.rows {
                Categorical.addLogProbabilityGradient(
                    outcome: Int(shard.actions.pointer[row]), outcomes: actions,
                    logProbabilities: logProbabilities + row * actions,
                    weight: weight * shard.advantages.pointer[row], to: seed + row * actions)
            }
            if entropyBonus > 0 {
                Categorical.addEntropyGradient(
                    rows: shard.rows, outcomes: actions, logProbabilities: logProbabilities,
                    weight: weight * entropyBonus, to: seed)
            }
            let slot = sums.slot(index)
            slot.update(repeating: 0, count: sums.width)
            tape.vjp(gradient: slot, workspace: workspace)
        }
        gradient.copy(from: UnsafePointer(sums.reduce(count, pool: workers.pool)))
        report.entropy = (0..<count).reduce(0) { $0 + entropies[$1] } / Double(batch.rows)
    }

    /// Copies whole trials for the Fisher product: subsampling time steps would cut a recurrent history.
    func sampleForFisher(_ batch: TrialBatch, _ share: Double, _ random: RandomSource) -> [ShardBatch] {
        let wanted = max(1, Int((Double(batch.trials) * share).rounded()))
        var random = random
        let chosen = batch.sampleTrials(wanted, random: &random)
        let sharding = GatheredTrials.sharding(chosen, of: batch)
        fisherTrials.prepare(chosen, sharding, of: batch)
        workers.pool.run(sharding.count) { index, _ in fisherTrials.fill(index, chosen, sharding, of: batch) }
        return Array(fisherTrials.shards)
    }

    private func record(_ shards: [ShardBatch], _ parameters: UnsafePointer<Float>) {
        sums.prepare(shards.count)
        prepareTapes(shards.count)
        workers.pool.run(shards.count) { index, _ in
            let (shard, tape) = (shards[index], tapes[index])
            tape.begin(parameters: parameters, recording: true)
            tape.output = policy.unroll(shard.inputs, shape: shard.shape, tape: tape)
        }
    }

    /// M⁻¹ = 1 / (diag F + damping)^exponent, a preconditioner of the conjugate gradient (Jacobi's with exponent 1):
    /// parameters' curvatures differ by orders of magnitude, and without it ten products leave most directions of a wide
    /// network where they were. That these also hold noise is why small batches do better without.
    ///
    /// The diagonal is estimated: with an action a drawn from π at every row, ∇ log π(a) has mean 0 and the row's Fisher
    /// matrix as its covariance, so the squares of a shard's sums have the sum of its rows' diagonals as their mean.
    func computePreconditioner(_ shards: [ShardBatch], rows: Int, damping: Float, exponent: Float, random: RandomSource)
    {
        workers.pool.run(shards.count) { index, worker in
            let (shard, tape, workspace) = (shards[index], tapes[index], workers.workspaces[worker])
            let (logits, actions) = (tape.output!, shard.actionCount)
            var random = random.split(index)
            tape.beginVJP(workspace: workspace)
            let seed = workspace.cotangent(logits)
            for row in 0..<shard.rows {
                let logProbabilities = UnsafePointer(shard.logProbabilities.pointer + row * actions)
                Categorical.addLogProbabilityGradient(
                    outcome: Categorical.sample(logProbabilities, outcomes: actions, uniform: random.uniform()),
                    outcomes: actions, logProbabilities: logProbabilities, weight: 1, to: seed + row * actions)
            }
            let slot = sums.slot(index)
            slot.update(repeating: 0, count: sums.width)
            tape.vjp(gradient: slot, workspace: workspace)
            Elementwise.product(sums.width, slot, slot, slot)
        }
        let diagonal = sums.reduce(shards.count, pool: workers.pool)
        var mean: Float = 0
        for place in 0..<sums.width { mean += diagonal[place] / Float(rows) / Float(sums.width) }
        // A parameter that moves nothing must not divide by zero where there is no damping.
        let floor = max(damping + 1e-6 * mean, .leastNormalMagnitude)
        for place in 0..<sums.width {
            preconditioner.pointer[place] = powf(diagonal[place] / Float(rows) + floor, -exponent)
        }
    }

    /// F v for the recorded shards; the result lives until the next product.
    func fisherProduct(
        _ vector: UnsafePointer<Float>, shards: [ShardBatch], rows: Int, damping: Float
    ) -> UnsafePointer<Float> {
        let weight = 1 / Float(rows)
        workers.pool.run(shards.count) { index, worker in
            let (shard, tape, workspace) = (shards[index], tapes[index], workers.workspaces[worker])
            let logits = tape.output!
            tape.jvp(direction: vector, workspace: workspace)
            tape.beginVJP(workspace: workspace)
            Categorical.fisherMetric(
                rows: shard.rows, outcomes: shard.actionCount, logProbabilities: shard.logProbabilities.pointer,
                tangents: workspace.tangent(logits), scale: weight, into: workspace.cotangent(logits))
            let slot = sums.slot(index)
            slot.update(repeating: 0, count: sums.width)
            tape.vjp(gradient: slot, workspace: workspace)
        }
        let product = sums.reduce(shards.count, pool: workers.pool)
        Elementwise.addScaled(sums.width, damping, vector, to: product)
        return UnsafePointer(product)
    }

    /// Gain of the surrogate, entropy bonus included, and mean KL at other parameters, over all N rows; over a quarter of
    /// the shards where these show already that the step is too long.
    private func measure(
        _ parameters: UnsafePointer<Float>, _ batch: TrialBatch, _ settings: Settings
    ) -> (gain: Double, divergence: Double) {
        let count = batch.shards.count
        let probe = count >= 8 ? count / 4 : 0
        var sums = Sums()
        if probe > 0 {
            sums = measure(parameters, batch.shards[..<probe], entropyBonus: settings.entropyBonus)
            let divergence = sums.divergence / sums.rows
            if divergence > 1.2 * settings.maximumKL { return (sums.gain / sums.rows, divergence) }
        }
        sums.add(measure(parameters, batch.shards[probe...], entropyBonus: settings.entropyBonus))
        return (sums.gain / sums.rows, sums.divergence / sums.rows)
    }

    /// Sums over rows.
    private struct Sums {
        var (gain, divergence, rows) = (0.0, 0.0, 0.0)

        mutating func add(_ other: Sums) {
            gain += other.gain
            divergence += other.divergence
            rows += other.rows
        }
    }

    private func measure(
        _ parameters: UnsafePointer<Float>, _ shards: ArraySlice<ShardBatch>, entropyBonus: Double
    ) -> Sums {
        let parts = Buffer<Sums>(capacity: shards.count)
        workers.pool.run(shards.count) { index, worker in
            let (shard, tape) = (shards[shards.startIndex + index], workers.tapes[worker])
            let actions = shard.actionCount
            tape.begin(parameters: parameters, recording: false)
            let logits = policy.unroll(shard.inputs, shape: shard.shape, tape: tape)
            let new = tape.mutableValue(logits)
            let old = UnsafePointer(shard.logProbabilities.pointer)
            Categorical.logProbabilities(rows: shard.rows, outcomes: actions, logits: UnsafePointer(new), into: new)
            var part = Sums()
            for row in 0..<shard.rows {
                let at = row * actions + Int(shard.actions.pointer[row])
                part.gain += Double(shard.advantages.pointer[row] * (expf(new[at] - old[at]) - 1))
            }
            if entropyBonus > 0 {
                let change =
                    Categorical.entropySum(
                        rows: shard.rows, outcomes: actions, logProbabilities: UnsafePointer(new))
                    - Categorical.entropySum(rows: shard.rows, outcomes: actions, logProbabilities: old)
                part.gain += entropyBonus * change
            }
            part.divergence = Categorical.divergenceSum(
                rows: shard.rows, outcomes: actions, old: old, new: UnsafePointer(new))
            part.rows = Double(shard.rows)
            parts[index] = part
        }
        var sums = Sums()
        for index in shards.indices { sums.add(parts[index - shards.startIndex]) }
        return sums
    }
}
