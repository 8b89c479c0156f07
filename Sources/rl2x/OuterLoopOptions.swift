import ArgumentParser
import Training

/// What improves a policy.
enum PolicyOptimizer: String, CaseIterable, ExpressibleByArgument {
    case trpo, ppo
}

/// Settings of the outer loop, in place of the task's defaults.
struct OuterLoopOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: "Time steps of an iteration's batch, in every stage (1 … 100000000; default per task).")
    var batchSteps: Int?

    @Option(parsing: .unconditional, help: "Discount γ inside a trial (0 … 1; default per task).")
    var discount: Double?

    @Option(parsing: .unconditional, help: "λ of generalized advantage estimation (0 … 1; default per task).")
    var gaeLambda: Double?

    @Option(
        name: .customLong("maximum-kl"), parsing: .unconditional,
        help: "Trust region: mean KL a time step, nats (default per task).")
    var maximumKL: Double?

    @Option(
        parsing: .unconditional,
        help: "Entropy bonus, units of standardised advantage a nat (0 … 10; default per task).")
    var entropyBonus: Double?

    @Option(
        parsing: .unconditional,
        help: "How a policy is improved: trpo or ppo (default per task). Either keeps to the trust region.")
    var policyOptimizer: PolicyOptimizer?

    @Option(
        parsing: .unconditional,
        help:
            "Passes of PPO over a batch, while the trust region lets them (1 … 1000; default \(PPO.Settings().epochs)); asks for PPO."
    )
    var ppoEpochs: Int?

    @Option(
        parsing: .unconditional,
        help: "Adam steps of an epoch of PPO (1 … 10000; default \(PPO.Settings().minibatches)); asks for PPO.")
    var ppoMinibatches: Int?

    @Option(
        parsing: .unconditional,
        help: """
            Adam's learning rate for the policy in the first stage; it goes with √(maximum KL) (default \(PPO.Settings().learningRate)); \
            asks for PPO.
            """)
    var ppoLearningRate: Double?

    @Option(
        parsing: .unconditional,
        help: "How far PPO lets a ratio go from 1 (0.001 … 10; default \(PPO.Settings().clipRange)); asks for PPO.")
    var ppoClipRange: Double?

    @Option(parsing: .unconditional, help: "Fisher products of a TRPO update (1 … 1000; default 10).")
    var conjugateGradientIterations: Int?

    @Option(parsing: .unconditional, help: "Damping added to the Fisher matrix's diagonal (0 … 10; default 0.001).")
    var damping: Double?

    @Option(
        parsing: .unconditional,
        help: """
            Exponent of the preconditioner of the conjugate gradient, the Fisher matrix's diagonal; 0: none (0 … 1; default \
            per task).
            """)
    var preconditioning: Double?

    @Option(
        parsing: .unconditional,
        help: "Damping in units of the preconditioner, which adds that share of it to F (0 … 100; default per task).")
    var relativeDamping: Double?

    @Option(
        parsing: .unconditional,
        help: "Share of the trials on which the Fisher matrix is measured (0.001 … 1; default per task).")
    var fisherShare: Double?

    @Option(parsing: .unconditional, help: "Passes of the critic's fit over the batch (0 … 100; default per task).")
    var criticEpochs: Int?

    @Option(parsing: .unconditional, help: "Adam steps of an epoch of the critic's fit (1 … 10000; default per task).")
    var criticMinibatches: Int?

    @Option(parsing: .unconditional, help: "Adam's learning rate for the critic (default per task).")
    var criticLearningRate: Double?

    @Option(
        parsing: .unconditional,
        help: "λ of the critic's value targets; 1: discounted returns (0 … 1; default per task).")
    var criticLambda: Double?

    /// An option's name, and how its value is set; nil: not given.
    private typealias Setting = (name: String, set: ((inout Configuration) -> Void)?)

    private var settings: [Setting] {
        [
            inStages("batch-steps", \.batchSteps, batchSteps),
            inStages("discount", \.discount, discount),
            inStages("gae-lambda", \.gaeLambda, gaeLambda),
            inStages("maximum-kl", \.maximumKL, maximumKL),
            inStages("entropy-bonus", \.entropyBonus, entropyBonus),
            (
                "policy-optimizer",
                policyOptimizer.map { wanted in { $0.ppo = wanted == .ppo ? $0.wantedPPO : nil } }
            ),
            setting("ppo-epochs", \.wantedPPO.epochs, ppoEpochs),
            setting("ppo-minibatches", \.wantedPPO.minibatches, ppoMinibatches),
            setting("ppo-learning-rate", \.wantedPPO.learningRate, ppoLearningRate),
            setting("ppo-clip-range", \.wantedPPO.clipRange, ppoClipRange),
            setting("conjugate-gradient-iterations", \.conjugateGradientIterations, conjugateGradientIterations),
            setting("damping", \.damping, damping),
            setting("preconditioning", \.preconditioning, preconditioning),
            setting("relative-damping", \.relativeDamping, relativeDamping),
            setting("fisher-share", \.fisherShare, fisherShare),
            setting("critic-epochs", \.criticEpochs, criticEpochs),
            setting("critic-minibatches", \.criticMinibatches, criticMinibatches),
            setting("critic-learning-rate", \.criticLearningRate, criticLearningRate),
            setting("critic-lambda", \.criticLambda, criticLambda),
        ]
    }

    private func setting<Value>(
        _ name: String, _ place: WritableKeyPath<Configuration, Value>, _ value: Value?
    ) -> Setting {
        (name, value.map { value in { $0[keyPath: place] = value } })
    }

    /// A setting of stages goes to all of them.
    private func inStages<Value>(
        _ name: String, _ place: WritableKeyPath<Configuration.Stage, Value>, _ value: Value?
    ) -> Setting {
        (
            name,
            value.map { value in
                { for index in $0.stages.indices { $0.stages[index][keyPath: place] = value } }
            }
        )
    }

    func validate() throws {
        guard policyOptimizer == .trpo, let name = given.first(where: { $0.hasPrefix("ppo-") }) else { return }
        throw ValidationError("--\(name) asks for PPO and --policy-optimizer is trpo: leave one out")
    }

    /// Names of those that were given.
    var given: [String] { settings.filter { $0.set != nil }.map(\.name) }

    func apply(to configuration: inout Configuration) {
        for setting in settings { setting.set?(&configuration) }
        // A value that was asked for is the same from a stage's first iteration to its last.
        for index in configuration.stages.indices {
            if maximumKL != nil { configuration.stages[index].finalMaximumKL = nil }
            if entropyBonus != nil { configuration.stages[index].finalEntropyBonus = nil }
        }
    }
}

extension Configuration {
    /// PPO's settings, the standard ones where it is not asked for; to set one asks for it.
    fileprivate var wantedPPO: PPO.Settings {
        get { ppo ?? PPO.Settings() }
        set { ppo = newValue }
    }
}
