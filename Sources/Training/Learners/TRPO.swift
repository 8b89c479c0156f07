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
    private var policy: any SequencePolicy { actorCritic.policy }
    private var workers: Workers { actorCritic.workers }
    private let sums: ShardSums
    private let solver: ConjugateGradient
    private let gradient: Matrix
    private let solution: Matrix
    private let trial: Matrix
    /// θ before an update in parts, and the trials of one.
    private let start: Matrix
    private let gathered = GatheredTrials()
    let fisher: FisherMatrix

    public init(_ actorCritic: ActorCritic) {
        self.actorCritic = actorCritic
        let (policy, workers) = (actorCritic.policy, actorCritic.workers)
        let width = policy.layout.count
        sums = ShardSums(width: width)
        solver = ConjugateGradient(width: width)
        gradient = Matrix(rows: 1, columns: width)
        solution = Matrix(rows: 1, columns: width)
        trial = Matrix(rows: 1, columns: width)
        start = Matrix(rows: 1, columns: width)
        fisher = FisherMatrix(policy: policy, workers: workers, sums: sums)
    }

    /// Bytes of the records that are kept for the Fisher products.
    public var recordBytes: Int { fisher.recordBytes }

    public func iterate(_ iteration: Iteration, on batch: TrialBatch, report: inout IterationReport) {
        var settings = Settings(iteration.options)
        settings.maximumKL = iteration.geometric("maximum-kl")
        settings.entropyBonus = iteration.linear("entropy-bonus")
        actorCritic.iterate(iteration, on: batch, report: &report) { clock in
            update(batch, settings: settings, random: iteration.random(.fisher), clock: &clock)
        }
        if report.outcome == .notFinite {
            report.warnings.append("the update was not finite and was undone; lower --maximum-kl or raise --damping")
        }
    }

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
        /// Where they lie in the batch; nil: they are all of it.
        var trials: ArraySlice<(shard: Int, lane: Int)>?

        init(of batch: TrialBatch) { (shards, rows) = (batch.shards[...], batch.rows) }

        init(_ gathered: GatheredTrials, trials: ArraySlice<(shard: Int, lane: Int)>) {
            (shards, rows, self.trials) = (gathered.shards, gathered.rows, trials)
        }

        /// Some of them, chosen at random.
        func sample(_ share: Double, of batch: TrialBatch, random: inout RandomSource) -> [(shard: Int, lane: Int)] {
            func wanted(_ count: Int) -> Int { max(1, Int((Double(count) * share).rounded())) }
            guard let trials else { return batch.sampleTrials(wanted(batch.trials), random: &random) }
            return random.permutation(trials.count).prefix(wanted(trials.count)).map { trials[trials.startIndex + $0] }
        }
    }

    /// Several natural steps: the batch is cut into as many parts of whole trials, chosen at random, and each part gives a
    /// step within its share of the trust region, from where the step before it ended. What PPO gains over one natural step
    /// is the number of its updates. After the first step π has moved away from the policy that played, so advantages are
    /// weighted by the ratio of the two: then a part is a batch like any other. In the end the whole way is shortened until
    /// it keeps to the trust region and improves the surrogate over all N rows.
    private func updateInParts(
        _ batch: TrialBatch, _ settings: Settings, random: RandomSource, clock: inout PhaseClock
    ) -> PolicyUpdate {
        let parameters = actorCritic.parameters
        var report = PolicyUpdate()
        report.naturalStep = PolicyUpdate.NaturalStep()
        report.entropy = clock.measure(.gradient) { actorCritic.rememberDistributions(batch) }
        start.copy(from: UnsafePointer(parameters.pointer))
        let count = min(settings.updates, batch.trials)
        // Steps in directions that have nothing to do with each other add up their KL.
        var partSettings = settings
        partSettings.maximumKL = settings.maximumKL / Double(count)
        var order = random.split(1)
        let trials = batch.sampleTrials(batch.trials, random: &order)
        for index in 0..<count {
            let chosen = trials[trials.count * index / count..<trials.count * (index + 1) / count]
            gathered.choose(Array(chosen), of: batch)
            workers.pool.run(gathered.shards.count) { shard, _ in gathered.fill(shard, from: batch) }
            let step = step(
                Part(gathered, trials: chosen), of: batch, partSettings, random: random.split(2, index), clock: &clock)
            report.naturalStep?.add(step.naturalStep, of: count)
        }
        clock.measure(.lineSearch) {
            searchWholeWay(to: parameters, batch, settings, &report)
        }
        return report
    }

    /// Shortens the way from `start` to θ until it holds for the whole batch.
    private func searchWholeWay(
        to parameters: Matrix, _ batch: TrialBatch, _ settings: Settings, _ report: inout PolicyUpdate
    ) {
        let width = parameters.columns
        // The whole way.
        solution.copy(from: UnsafePointer(parameters.pointer))
        Elementwise.addScaled(width, -1, start.pointer, to: solution.pointer)
        report.outcome = .restored
        var scale = 1.0
        for _ in 0..<settings.backtrackLimit {
            trial.copy(from: UnsafePointer(start.pointer))
            Elementwise.addScaled(width, Float(scale), solution.pointer, to: trial.pointer)
            let (gain, divergence) = measure(trial.pointer, Part(of: batch), settings)
            if gain > 0 && divergence <= settings.maximumKL {
                parameters.copy(from: UnsafePointer(trial.pointer))
                report.outcome = .accepted
                report.naturalStep?.surrogateGain = gain
                report.actualKL = divergence
                return
            }
            if !gain.isFinite || !divergence.isFinite { report.outcome = .notFinite }
            let aim = 0.97 * (settings.maximumKL / divergence).squareRoot()
            scale *= divergence > settings.maximumKL ? max(0.1, aim) : settings.backtrackFactor
        }
        parameters.copy(from: UnsafePointer(start.pointer))
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
            computeGradient(
                parameters.pointer, part, entropyBonus: Float(settings.entropyBonus),
                records: isWhole ? fisher.take(part.shards, rows: part.rows) : nil, report: &report)
        }
        let gradientNorm = Elementwise.dot(width, gradient.pointer, gradient.pointer).squareRoot()
        report.naturalStep?.gradientNorm = gradientNorm
        guard gradientNorm.isFinite, report.entropy.isFinite else {
            report.outcome = .notFinite
            return report
        }

        let solved = clock.measure(.fisher) { () -> ConjugateGradient.Report in
            if !isWhole {
                var order = random
                fisher.record(
                    part.sample(settings.fisherShare, of: batch, random: &order), of: batch,
                    parameters: parameters.pointer, hasMoved: part.trials != nil)
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
        clock.measure(.lineSearch) {
            var scale = full
            for attempt in 0..<settings.backtrackLimit {
                trial.copy(from: UnsafePointer(parameters.pointer))
                Elementwise.addScaled(width, Float(scale), solution.pointer, to: trial.pointer)
                let (gain, divergence) = measure(trial.pointer, part, settings)
                guard gain.isFinite, divergence.isFinite else {
                    report.outcome = .notFinite
                    scale *= settings.backtrackFactor
                    continue
                }
                if gain > 0 && divergence <= settings.maximumKL {
                    parameters.copy(from: UnsafePointer(trial.pointer))
                    report.outcome = .accepted
                    report.naturalStep?.surrogateGain = gain
                    report.naturalStep?.predictedGain = scale * slope
                    report.naturalStep?.predictedKL = 0.5 * scale * scale * undamped
                    report.actualKL = divergence
                    report.naturalStep?.backtracks = attempt
                    return
                }
                report.outcome = .restored
                // The KL grows with the square of the step: where it is what forbids the step, aim just inside.
                let aim = 0.97 * (settings.maximumKL / divergence).squareRoot()
                scale *= divergence > settings.maximumKL ? max(0.1, aim) : settings.backtrackFactor
            }
            report.naturalStep?.backtracks = settings.backtrackLimit
        }
        return report
    }

    // MARK: Passes over shards

    /// Unrolls π, keeps its log-probabilities in the shards, and pulls the surrogate's gradient back: at θ the ratio is
    /// exactly 1, so it is (1/N) Σ A ∇ log π. In a part of a batch A is first weighted by how much likelier the action has
    /// become since it was played.
    private func computeGradient(
        _ parameters: UnsafePointer<Float>, _ part: Part, entropyBonus: Float, records: [Tape]?,
        report: inout PolicyUpdate
    ) {
        let count = part.shards.count
        sums.prepare(count)
        let weight = 1 / Float(part.rows)
        let entropies = Buffer<Double>(capacity: count)
        workers.pool.run(count) { index, worker in
            let shard = part.shards[part.shards.startIndex + index]
            let tape = records?[index] ?? workers.tapes[worker]
            let workspace = workers.workspaces[worker]
            tape.begin(parameters: parameters, recording: true)
            let logits = policy.unroll(shard.inputs, shape: shard.shape, tape: tape)
            tape.output = logits
            entropies[index] =
                part.trials == nil
                ? shard.keepDistributions(logits: tape.value(logits)) : shard.reweight(logits: tape.value(logits))
            let (actions, logProbabilities) = (shard.actionCount, shard.logProbabilities.pointer)
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
        report.entropy = (0..<count).reduce(0) { $0 + entropies[$1] } / Double(part.rows)
    }

    /// Gain of the surrogate, entropy bonus included, and mean KL at other parameters, over all N rows; over a quarter of
    /// the shards where these show already that the step is too long.
    private func measure(
        _ parameters: UnsafePointer<Float>, _ part: Part, _ settings: Settings
    ) -> (gain: Double, divergence: Double) {
        let (shards, count) = (part.shards, part.shards.count)
        let probe = count >= 8 ? count / 4 : 0
        var sums = Sums()
        if probe > 0 {
            sums = measure(parameters, shards[..<(shards.startIndex + probe)], entropyBonus: settings.entropyBonus)
            let divergence = sums.divergence / sums.rows
            if divergence > 1.2 * settings.maximumKL { return (sums.gain / sums.rows, divergence) }
        }
        sums.add(measure(parameters, shards[(shards.startIndex + probe)...], entropyBonus: settings.entropyBonus))
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
