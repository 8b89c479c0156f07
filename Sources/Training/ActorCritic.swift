import Autodiff
import Interface
import Kernels
import Models

/// What is trained: a policy and a critic, with their optimisers. Shared by all learners of a run, and what a checkpoint
/// holds.
public final class ActorCritic {
    public let policy: any SequencePolicy
    /// θ of the policy [P]
    public let parameters: Matrix
    /// Adam of the policy, for the learners that use it.
    public let policyOptimizer: TrialRegression
    public let critic: Critic
    public let workers: Workers

    public init(policy: any SequencePolicy, parameters: Matrix, critic: Critic, workers: Workers) {
        self.policy = policy
        self.parameters = parameters
        self.critic = critic
        self.workers = workers
        policyOptimizer = TrialRegression(model: policy, workers: workers)
    }

    /// Options of every learner with a policy gradient and a critic.
    public static let options = [
        Option("discount", 0...1.0, default: 1.0, help: "Discount γ inside a trial"),
        Option("gae-lambda", 0...1.0, default: 0.95, help: "λ of generalized advantage estimation"),
        Option(
            "advantage-scale", AdvantageScale.self, default: .batch,
            help: "Standardise advantages over the whole batch, or over each step of the trial"),
        Option(
            "entropy-bonus", 0...10.0, default: 0.0,
            help: "Entropy bonus at the start of a stage, in standardised advantage per nat"),
        Option(
            "final-entropy-bonus", 0...10.0, default: 0.0, follows: "entropy-bonus",
            help: "Entropy bonus at the end of a stage; linear in between"),
        Option(
            "trials-per-member", 1...1024, default: 1,
            help: "Trials that play the same member under the same chance, each the others' control variate"),
        Option(
            "critic-warmup", 0...1_000_000, default: 0,
            help: "First iterations of a stage in which only the critic learns"),
        Option("critic-epochs", 0...100, default: 2, help: "Epochs of the critic's fit over the batch"),
        Option("critic-minibatches", 1...10_000, default: 10, help: "Adam steps of each epoch of the critic's fit"),
        Option("critic-learning-rate", 1e-8...1, default: 1e-3, help: "Adam's learning rate for the critic"),
        Option(
            "critic-lambda", 0...1.0, default: 1.0, help: "λ of the critic's value targets; 1: discounted returns"),
    ]

    /// Columns that `iterate` fills.
    static let columns = ["accepted", "entropy", "explained_variance", "critic_loss"]

    /// One iteration of an outer loop: play, estimate advantages, improve the policy, fit the critic.
    ///
    /// - Parameters:
    ///   - trunk: what the critic has of the policy; nil: nothing.
    ///   - improve: updates θ from a batch whose advantages are standardised; not called while only the critic learns.
    public func iterate(
        _ iteration: Iteration, on batch: TrialBatch, sharing trunk: SharedTrunk? = nil, report: inout IterationReport,
        improve: (inout PhaseClock) -> PolicyUpdate
    ) {
        let options = iteration.options
        func share() { trunk?.copy(from: UnsafePointer(parameters.pointer), to: critic.parameters.pointer) }
        share()
        report.clock.measure(.rollout) {
            batch.play(
                policy, parameters: UnsafePointer(parameters.pointer), root: iteration.random(.trials),
                workers: workers)
        }
        let (scale, discount) = (critic.scale, options.real("discount"))
        report.clock.measure(.values) {
            critic.scale.update(batch, discount: discount)
            critic.evaluate(batch)
        }
        let explained = report.clock.measure(.advantages) { () -> Double in
            batch.estimateAdvantages(
                discount: Float(discount), lambda: Float(options.real("gae-lambda")),
                targetLambda: Float(options.real("critic-lambda")), workers: workers)
            batch.standardizeAdvantages(options.choice("advantage-scale"))
            return critic.explainedVariance(batch)
        }
        var update = PolicyUpdate()
        update.outcome = .skipped
        if iteration.within >= options.integer("critic-warmup") { update = improve(&report.clock) }
        let loss = report.clock.measure(.critic) {
            share()
            return critic.fit(
                batch, settings: TrialRegression.Settings(options, prefix: "critic-"),
                random: iteration.random(.minibatches), leaving: trunk)
        }
        // Rewards that were not finite must not stay in the scale of those to come.
        if loss == nil {
            critic.scale = scale
            report.warnings.append("the critic's fit was not finite and was undone; lower --critic-learning-rate")
        }
        report.add(update, explainedVariance: explained, criticLoss: loss)
    }
}

extension ActorCritic {
    /// Writes log π of every row into the batch; returns its mean entropy, nats.
    func rememberDistributions(_ batch: TrialBatch) -> Double {
        let count = batch.shards.count
        let entropies = Buffer<Double>(capacity: count)
        workers.pool.run(count) { index, worker in
            let (shard, tape) = (batch.shards[index], workers.tapes[worker])
            tape.begin(parameters: UnsafePointer(parameters.pointer), recording: false)
            let logits = policy.unroll(shard.inputs, shape: shard.shape, tape: tape)
            entropies[index] = shard.keepDistributions(logits: tape.value(logits))
        }
        return (0..<count).reduce(0) { $0 + entropies[$1] } / Double(batch.rows)
    }
}

extension IterationReport {
    mutating func add(_ update: PolicyUpdate, explainedVariance: Double, criticLoss: Double?) {
        outcome = update.outcome
        metrics["accepted"] = update.outcome == .accepted ? 1 : 0
        metrics["actual_kl"] = update.actualKL
        metrics["entropy"] = update.entropy
        metrics["explained_variance"] = explainedVariance
        metrics["critic_loss"] = criticLoss
        details = update.actualKL.isNaN ? [] : ["kl \(Display.fixed(update.actualKL, 4))"]
        details += ["entropy \(Display.fixed(update.entropy, 3))", "ev \(Display.fixed(explainedVariance, 3))"]
        if let step = update.naturalStep {
            metrics["surrogate_gain"] = step.surrogateGain
            metrics["predicted_gain"] = step.predictedGain
            metrics["predicted_kl"] = step.predictedKL
            metrics["cg_residual"] = step.residual
            metrics["cg_products"] = Double(step.products)
            metrics["backtracks"] = Double(step.backtracks)
            metrics["gradient_norm"] = step.gradientNorm
            details += ["cg \(Display.significant(step.residual, 2))", "back \(step.backtracks)"]
        }
        if update.outcome != .accepted { details.append(update.outcome.rawValue) }
    }
}

/// A mean KL divergence that an update may not exceed: options of the learners that keep to one.
enum TrustRegion {
    static let options = [
        Option(
            "maximum-kl", 1e-8...10, default: 0.01,
            help: "Trust region at the start of a stage: mean KL a time step, nats"),
        Option(
            "final-maximum-kl", 1e-8...10, default: 0.01, follows: "maximum-kl",
            help: "Trust region at the end of a stage; geometric in between"),
    ]
}
