import Autodiff
import Foundation
import Interface
import Kernels
import Models

/// Trust-region policy optimisation (Schulman et al. 2015, appendix C) with the exact Fisher matrix.
///
/// Maximises L(θ) = (1/N) Σ A π_θ(a | h) / π_old(a | h) subject to (1/N) Σ KL(π_old ‖ π_θ) ≤ δ, N being all time steps
/// of the batch. The step is x = F⁻¹ g by preconditioned conjugate gradients, scaled to the largest that the quadratic model of the
/// KL allows, √(2δ / xᵀFx), then shortened until the true surrogate improves and the true KL is within δ.
///
/// With a value weight c > 0 the critic has the policy's weights but for its head and what tells it the step, as in
/// the mazes of Duan et al. 2016. Then L − c · ½ mean (v − target)² is what g is the gradient of and what the line search
/// improves; F and the trust region stay the policy's, and the critic's fit moves what is its own.
///
/// Curvature is the policy's `FisherMatrix`, on all trials or on a share of them, with
///
///     damping · v + μ M v
///
/// added to F v, where M is its preconditioner's matrix.
public final class TRPO: Learner {
    public struct Settings: Sendable, Equatable {
        /// δ: mean KL allowed, in nats a time step.
        public var maximumKL: Double
        /// Fisher products of an update.
        public var conjugateGradientIterations: Int
        /// Added to the diagonal of F.
        public var damping: Double
        /// Exponent e in [0, 1] of the preconditioner 1 / (diag F + damping)^e of the conjugate gradient; 0: none.
        public var preconditioning: Double
        /// μ: times the preconditioner's matrix M = (diag F + damping)^e, added to F. It bounds how far a step follows
        /// directions whose curvature the sampled trials happen to lack, each in its own unit.
        public var relativeDamping: Double
        /// Part of the trials on which F is measured, in (0, 1]; whole trials, chosen anew every iteration.
        public var fisherShare: Double
        /// Natural steps of an update.
        public var updates: Int
        /// c: weight of the value loss in the gradient of the trunk that policy and critic share; 0: they share none.
        public var valueWeight: Double
        /// β of the term β · (mean entropy) in the surrogate.
        public var entropyBonus: Double
        /// Factor by which a step is shortened that did not improve the surrogate, or was not finite. A step whose KL
        /// was too large is shortened by what that KL tells.
        public let backtrackFactor = 0.5
        /// Steps that are tried at most.
        public var backtrackLimit = 10

        /// - Parameter given: values of `TRPO.options`; the others are the defaults.
        public init(_ given: Values = [:]) {
            let values = Values(defaults: TRPO.options, given: given)
            maximumKL = values.real("maximum-kl")
            conjugateGradientIterations = values.integer("conjugate-gradient-iterations")
            damping = values.real("damping")
            preconditioning = values.real("preconditioning")
            relativeDamping = values.real("relative-damping")
            fisherShare = values.real("fisher-share")
            updates = values.integer("updates")
            valueWeight = values.real("value-weight")
            entropyBonus = values.real("entropy-bonus")
        }
    }

    public static let options =
        TrustRegion.options + [
            Option("conjugate-gradient-iterations", 1...1000, default: 10, help: "Fisher products of an update"),
            Option("damping", 0...10.0, default: 1e-3, help: "Damping added to the Fisher matrix's diagonal"),
            Option(
                "preconditioning", 0...1.0, default: 0.0,
                help: "Exponent of the preconditioner of the conjugate gradient, the Fisher matrix's diagonal; 0: none"),
            Option(
                "relative-damping", 0...100.0, default: 0.0,
                help: "Damping in units of the preconditioner: this share of it is added to the Fisher matrix"),
            Option(
                "fisher-share", 0.001...1, default: 0.2,
                help: "Share of the trials on which the Fisher matrix is measured"),
            Option(
                "updates", 1...256, default: 1,
                help: "Natural steps of an iteration, each on its own part of the trials, within one trust region"),
            Option(
                "value-weight", 0...100.0, default: 0.0,
                help:
                    "Weight of the critic's loss in the gradient of a trunk that it shares with the policy; 0: it has its own"
            ),
        ] + ActorCritic.options

    static let entry = LearnerEntry(
        name: "trpo", summary: "trust-region policy optimisation with the exact Fisher matrix", options: options,
        columns: [
            "surrogate_gain", "predicted_gain", "predicted_kl", "actual_kl", "cg_residual", "cg_products",
            "backtracks", "accepted", "gradient_norm", "entropy", "explained_variance", "critic_loss",
        ],
        recordedShare: { $0.real("fisher-share") / Double($0.integer("updates")) }
    ) { TRPO($0.actorCritic) }

    private let actorCritic: ActorCritic
    private var workers: Workers { actorCritic.workers }
    private let surrogate: Surrogate
    private let solver: ConjugateGradient
    private let gradient: Matrix
    private let solution: Matrix
    private let trial: Matrix
    /// θ before an update in parts.
    private let start: Matrix
    /// The trials of a part.
    private let gathered = GatheredTrials()
    let fisher: FisherMatrix
    /// What policy and critic can share; nil if their widths differ.
    private let trunk: SharedTrunk?

    public init(_ actorCritic: ActorCritic) {
        self.actorCritic = actorCritic
        let (policy, workers) = (actorCritic.policy, actorCritic.workers)
        let width = policy.layout.count
        let sums = ShardSums(width: width)
        surrogate = Surrogate(policy: policy, workers: workers, sums: sums)
        solver = ConjugateGradient(width: width)
        gradient = Matrix(rows: 1, columns: width)
        solution = Matrix(rows: 1, columns: width)
        trial = Matrix(rows: 1, columns: width)
        start = Matrix(rows: 1, columns: width)
        fisher = FisherMatrix(policy: policy, workers: workers, sums: sums)
        trunk = SharedTrunk(policy: policy.layout, critic: actorCritic.critic.model.layout)
    }

    /// Bytes of the records that are kept for the Fisher products.
    public var recordBytes: Int { fisher.recordBytes }

    public func iterate(_ iteration: Iteration, on batch: TrialBatch, report: inout IterationReport) {
        var settings = Settings(iteration.options)
        settings.maximumKL = iteration.geometric("maximum-kl")
        settings.entropyBonus = iteration.linear("entropy-bonus")
        actorCritic.iterate(iteration, on: batch, sharing: sharedTrunk(settings), report: &report) { clock in
            update(batch, settings: settings, random: iteration.random(.fisher), clock: &clock)
        }
        if report.outcome == .notFinite {
            report.warnings.append("the update was not finite and was undone; lower --maximum-kl or raise --damping")
        }
    }

    private func sharedTrunk(_ settings: Settings) -> SharedTrunk? { settings.valueWeight > 0 ? trunk : nil }

    /// One update of θ from a batch whose advantages are known and standardised. On any outcome but `accepted`, θ is left as
    /// it was.
    public func update(
        _ batch: TrialBatch, settings: Settings, random: RandomSource, clock: inout PhaseClock
    ) -> PolicyUpdate {
        settings.updates > 1
            ? updateInParts(batch, settings, random: random, clock: &clock)
            : step(Part(of: batch), of: batch, settings, random: random, clock: &clock)
    }

    /// Trials from which a step is taken.
    private struct Part {
        let shards: ArraySlice<ShardBatch>
        let rows: Int
        /// Where they lie in the batch.
        let trials: [(shard: Int, lane: Int)]
        /// The shards are copies, and the policy may have moved since the batch was played.
        let isCopy: Bool

        /// All of a batch.
        init(of batch: TrialBatch) {
            (shards, rows, trials, isCopy) = (batch.shards[...], batch.rows, batch.places, false)
        }

        /// Copies of some of its trials.
        init(_ trials: [(shard: Int, lane: Int)], _ copies: GatheredTrials) {
            (shards, rows, self.trials, isCopy) = (copies.shards, copies.rows, trials, true)
        }

        /// A share of them, at least one, chosen at random; the same for the same stream.
        func sample(_ share: Double, random: RandomSource) -> [(shard: Int, lane: Int)] {
            var random = random
            return random.sample(max(1, Int((Double(trials.count) * share).rounded())), of: trials)
        }
    }

    /// Several natural steps: the batch is cut into parts of whole trials, chosen at random, and each part gives a step
    /// within its share of the trust region, from where the step before it ended. What PPO gains over one natural step is
    /// the number of its updates. After the first step π has moved away from the policy that played, so advantages are
    /// multiplied by the ratio of the two: then a part is a batch like any other. In the end the whole way is shortened
    /// until it keeps to the trust region and improves the surrogate over all N rows.
    private func updateInParts(
        _ batch: TrialBatch, _ settings: Settings, random: RandomSource, clock: inout PhaseClock
    ) -> PolicyUpdate {
        let parameters = actorCritic.parameters
        var report = PolicyUpdate()
        var whole = PolicyUpdate.NaturalStep()
        report.entropy = clock.measure(.gradient) { actorCritic.rememberDistributions(batch) }
        start.copy(from: UnsafePointer(parameters.pointer))
        let count = min(settings.updates, batch.trials)
        // The KL of steps that have nothing to do with each other adds up.
        var partSettings = settings
        partSettings.maximumKL = settings.maximumKL / Double(count)
        let trials = Part(of: batch).sample(1, random: random.split(1))
        var hasMoved = false
        for index in 0..<count {
            let chosen = Array(trials[trials.count * index / count..<trials.count * (index + 1) / count])
            gathered.choose(chosen, of: batch)
            workers.pool.run(gathered.shards.count) { shard, _ in gathered.fill(shard, from: batch) }
            let step = step(
                Part(chosen, gathered), of: batch, partSettings, random: random.split(2, index), clock: &clock)
            if let naturalStep = step.naturalStep { whole.add(naturalStep, of: count) }
            hasMoved = hasMoved || step.outcome == .accepted
            if step.outcome == .notFinite { report.outcome = .notFinite }
        }
        report.naturalStep = whole
        guard hasMoved else { return report }
        // The whole way.
        solution.copy(from: UnsafePointer(parameters.pointer))
        Elementwise.addScaled(parameters.columns, -1, start.pointer, to: solution.pointer)
        let taken = clock.measure(.lineSearch) {
            search(from: start, scale: 1, Part(of: batch), settings, report: &report)
        }
        if taken == nil { parameters.copy(from: UnsafePointer(start.pointer)) }
        report.naturalStep?.predictedGain *= taken ?? 0
        report.naturalStep?.predictedKL *= (taken ?? 0) * (taken ?? 0)
        return report
    }

    /// One natural step from some trials, within δ.
    private func step(
        _ part: Part, of batch: TrialBatch, _ settings: Settings, random: RandomSource, clock: inout PhaseClock
    ) -> PolicyUpdate {
        let parameters = actorCritic.parameters
        var report = PolicyUpdate()
        report.naturalStep = PolicyUpdate.NaturalStep()
        let width = parameters.columns
        let damping = FisherMatrix.Damping(
            absolute: Float(settings.damping), relative: Float(settings.relativeDamping))
        let isWhole = settings.fisherShare >= 1

        clock.measure(.gradient) {
            report.entropy = surrogate.computeGradient(
                at: parameters.pointer, part.shards, rows: part.rows, entropyBonus: Float(settings.entropyBonus),
                hasMoved: part.isCopy, records: isWhole ? fisher.take(part.shards, rows: part.rows) : nil,
                into: gradient)
            if let trunk = sharedTrunk(settings) {
                trunk.copy(from: UnsafePointer(parameters.pointer), to: actorCritic.critic.parameters.pointer)
                actorCritic.critic.addGradient(
                    settings.valueWeight, part.shards, rows: part.rows, trunk: trunk, to: gradient)
            }
        }
        let gradientNorm = Elementwise.dot(width, gradient.pointer, gradient.pointer).squareRoot()
        report.naturalStep?.gradientNorm = gradientNorm
        guard gradientNorm.isFinite, report.entropy.isFinite else {
            report.outcome = .notFinite
            return report
        }

        let solved = clock.measure(.fisher) { () -> ConjugateGradient.Report in
            if !isWhole {
                fisher.record(
                    part.sample(settings.fisherShare, random: random), of: batch, parameters: parameters.pointer,
                    hasMoved: part.isCopy)
            }
            fisher.precondition(
                exponent: Float(settings.preconditioning), damping: damping.absolute, random: random.split(0))
            return solver.solve(
                gradient: gradient.pointer, solution: solution.pointer,
                preconditioner: UnsafePointer(fisher.preconditioner.pointer),
                iterations: settings.conjugateGradientIterations
            ) { fisher.product($0, damping: damping) }
        }
        report.naturalStep?.residual = solved.relativeResidual
        report.naturalStep?.products = solved.iterations
        guard solved.curvature.isFinite, solved.curvature > 0 else {
            // A gradient of zero has nothing to improve; anything else here is a failure of the arithmetic.
            report.outcome = gradientNorm == 0 ? .restored : .notFinite
            return report
        }

        let full = (2 * settings.maximumKL / solved.curvature).squareRoot()
        let slope = Elementwise.dot(width, gradient.pointer, solution.pointer)
        let undamped = max(0, solved.curvature - fisher.curvature(of: damping, along: solution))
        let taken = clock.measure(.lineSearch) {
            search(from: parameters, scale: full, part, settings, report: &report)
        }
        if let taken {
            report.naturalStep?.predictedGain = taken * slope
            report.naturalStep?.predictedKL = 0.5 * taken * taken * undamped
        }
        return report
    }

    /// Shortens a step until it improves the surrogate over some trials and keeps within δ, and takes it.
    ///
    /// - Parameters:
    ///   - origin: θ before it.
    ///   - scale: how much of `solution` is tried first.
    /// - Returns: how much was taken; nil: none, and θ is as it was.
    private func search(
        from origin: Matrix, scale first: Double, _ part: Part, _ settings: Settings, report: inout PolicyUpdate
    ) -> Double? {
        let parameters = actorCritic.parameters
        let trunk = sharedTrunk(settings)
        /// −c · ½ mean (v − target)² with some θ
        func value(_ theta: Matrix) -> Double {
            guard let trunk else { return 0 }
            let loss = actorCritic.critic.meanLoss(
                part.shards, rows: part.rows, trunk: trunk, policy: UnsafePointer(theta.pointer))
            return -0.5 * settings.valueWeight * loss
        }
        let valueBefore = value(origin)
        var scale = first
        for attempt in 0..<settings.backtrackLimit {
            trial.copy(from: UnsafePointer(origin.pointer))
            Elementwise.addScaled(parameters.columns, Float(scale), solution.pointer, to: trial.pointer)
            var (gain, divergence) = surrogate.measure(
                trial.pointer, part.shards, entropyBonus: settings.entropyBonus, maximumKL: settings.maximumKL)
            if divergence <= settings.maximumKL { gain += value(trial) - valueBefore }
            guard gain.isFinite, divergence.isFinite else {
                report.outcome = .notFinite
                scale *= settings.backtrackFactor
                continue
            }
            if gain > 0 && divergence <= settings.maximumKL {
                parameters.copy(from: UnsafePointer(trial.pointer))
                report.outcome = .accepted
                report.naturalStep?.surrogateGain = gain
                report.actualKL = divergence
                report.naturalStep?.backtracks += attempt
                return scale
            }
            report.outcome = .restored
            // The KL grows with the square of the step: where it is what forbids the step, aim just inside.
            let aim = 0.97 * (settings.maximumKL / divergence).squareRoot()
            scale *= divergence > settings.maximumKL ? max(0.1, aim) : settings.backtrackFactor
        }
        report.naturalStep?.backtracks += settings.backtrackLimit
        return nil
    }
}
