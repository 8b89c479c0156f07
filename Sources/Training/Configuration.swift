import Foundation
import Kernels
import Models
import Tasks

/// A mistake of the user's, told in one line: what is wrong, where, and what to do.
public struct UserError: Error, CustomStringConvertible, Sendable {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// All that decides a training run, resolved: the same configuration gives the same bits. A run writes it as
/// `config.yaml`, which can be fed back.
public struct Configuration: Sendable, Equatable, Codable {
    /// A stretch of iterations with settings of its own. A curriculum is a list of them.
    public struct Stage: Sendable, Equatable, Codable {
        /// What the iterations of a stage do.
        public enum Kind: String, Sendable, Equatable, Codable, CaseIterable {
            /// Play, improve the policy by TRPO or PPO, fit the critic: the outer loop of RL².
            case improvement
            /// Play by random habits and fit the policy's output for the action taken to its reward, by Adam: the memory
            /// learns to hold what was seen before the policy learns to use it (see `RewardPrediction`).
            case rewardPrediction = "reward_prediction"
            /// A teacher plays, and the policy's distribution is fitted to its actions, by Adam (see `Imitation`).
            case imitation
        }

        public var kind: Kind
        public var iterations: Int
        /// Most time steps of an iteration, in whole trials, at least one: as many trials of the longest length begin together
        /// as fit, and where trials end sooner others follow (see `Rollout`).
        public var batchSteps: Int
        /// n of this stage's trials, if another than the task's.
        public var episodes: Int?
        /// Options of the task that are others in this stage than in the run, such as a smaller size of its members to
        /// begin with. Observation and action spaces stay.
        public var taskOptions: OptionValues?
        /// γ in (0, 1]
        public var discount: Double
        /// λ in [0, 1]
        public var gaeLambda: Double
        /// δ, nats a step, at the start of the stage
        public var maximumKL: Double
        /// δ at the end of the stage, which it approaches geometrically; nil: as at the start. The noise of a gradient is
        /// worth a share of the trust region that grows as the signal fades, so late steps must be small.
        public var finalMaximumKL: Double?
        /// Over which rows advantages are standardised.
        public var advantageScale: AdvantageScale
        /// Added to the surrogate, times the policy's mean entropy; in units of the standardised advantage a nat.
        public var entropyBonus: Double
        /// The entropy bonus at the end of the stage, which it approaches linearly; nil: as at the start. A policy that is
        /// to find out what a later look is worth must go on looking; one that is done learning should not.
        public var finalEntropyBonus: Double?
        /// First iterations of the stage in which only the critic learns: after a change of n or γ its values are those of
        /// another problem, and a policy that follows them unlearns.
        public var criticWarmup: Int
        /// Trials that play the same member under the same chance, each the others' baseline (see `GroupBaseline`); 1: none.
        public var trialsPerMember: Int
        /// Adam's rate in this stage, if another than `criticLearningRate`.
        public var learningRate: Double?
        /// Who plays in a stage of imitation: a name that the caller of `Trainer` knows.
        public var teacher: String?

        public init(
            kind: Kind = .improvement, iterations: Int, batchSteps: Int, episodes: Int? = nil,
            taskOptions: OptionValues? = nil, discount: Double, gaeLambda: Double, maximumKL: Double,
            finalMaximumKL: Double? = nil,
            advantageScale: AdvantageScale = .batch, entropyBonus: Double = 0, finalEntropyBonus: Double? = nil,
            criticWarmup: Int = 0,
            trialsPerMember: Int = 1, learningRate: Double? = nil, teacher: String? = nil
        ) {
            self.kind = kind
            self.iterations = iterations
            self.batchSteps = batchSteps
            self.episodes = episodes
            self.taskOptions = taskOptions
            self.discount = discount
            self.gaeLambda = gaeLambda
            self.maximumKL = maximumKL
            self.finalMaximumKL = finalMaximumKL
            self.advantageScale = advantageScale
            self.entropyBonus = entropyBonus
            self.finalEntropyBonus = finalEntropyBonus
            self.criticWarmup = criticWarmup
            self.trialsPerMember = trialsPerMember
            self.learningRate = learningRate
            self.teacher = teacher
        }

        /// δ of an iteration of this stage.
        public func maximumKL(within iteration: Int) -> Double {
            guard let finalMaximumKL, iterations > 1 else { return maximumKL }
            return maximumKL * pow(finalMaximumKL / maximumKL, Double(iteration) / Double(iterations - 1))
        }

        /// Entropy bonus of an iteration of this stage.
        public func entropyBonus(within iteration: Int) -> Double {
            guard let finalEntropyBonus, iterations > 1 else { return entropyBonus }
            return entropyBonus + (finalEntropyBonus - entropyBonus) * Double(iteration) / Double(iterations - 1)
        }

        public enum CodingKeys: String, CodingKey, CaseIterable {
            case kind, iterations, batchSteps = "batch_steps", episodes, taskOptions = "task_options", discount
            case gaeLambda = "gae_lambda", maximumKL = "maximum_kl", finalMaximumKL = "final_maximum_kl", entropyBonus =
                "entropy_bonus"
            case finalEntropyBonus = "final_entropy_bonus"
            case advantageScale = "advantage_scale"
            case criticWarmup = "critic_warmup", trialsPerMember = "trials_per_member", learningRate = "learning_rate"
            case teacher
        }
    }

    public var task: String
    public var taskOptions: OptionValues
    public var model: String
    public var modelOptions: OptionValues = [:]
    /// What the memory of policy and critic forgets when an episode ends; `none` is RL².
    public var memoryReset: MemoryReset = .none
    /// Steps over which the time scales of recurrent units are spread at first; 1: all are short. nil: a trial's length.
    public var memoryHorizon: Int?
    /// Share of recurrent units whose time scales are spread so; the others are short.
    public var slowUnits: Double = 1
    /// Factor on the first weights that read a step's features, of policy and critic; 1: Xavier's.
    public var inputGain: Double = 1
    /// H of the policy
    public var hidden: Int
    /// H of the critic; nil: the policy's.
    public var criticHidden: Int?
    public var seed: Int
    public var stages: [Stage]
    /// PPO in place of TRPO, with these settings; nil: TRPO. δ and the entropy bonus of the stages hold for both.
    public var ppo: PPO.Settings?
    public var conjugateGradientIterations: Int
    public var damping: Double
    /// Exponent of the conjugate gradient's preconditioner, the Fisher matrix's diagonal; 0: none.
    public var preconditioning: Double = 0
    /// Damping in the preconditioner's own units: times (diag F + damping)^preconditioning, added to F.
    public var relativeDamping: Double = 0
    public var fisherShare: Double
    public var criticEpochs: Int
    public var criticMinibatches: Int
    public var criticLearningRate: Double
    /// λ of the critic's targets; 1: the discounted returns themselves, which no error of the critic's can bias.
    public var criticLambda: Double

    public enum CodingKeys: String, CodingKey, CaseIterable {
        case task, taskOptions = "task_options", model, modelOptions = "model_options"
        case memoryReset = "memory_reset", memoryHorizon = "memory_horizon", slowUnits = "slow_units", hidden
        case inputGain = "input_gain"
        case criticHidden = "critic_hidden", seed, stages, ppo
        case conjugateGradientIterations = "conjugate_gradient_iterations", damping, preconditioning
        case relativeDamping = "relative_damping", fisherShare = "fisher_share"
        case criticEpochs = "critic_epochs", criticMinibatches = "critic_minibatches"
        case criticLearningRate = "critic_learning_rate", criticLambda = "critic_lambda"
    }

    public var iterations: Int { stages.reduce(0) { $0 + $1.iterations } }

    /// The stage of an iteration, counted from 0, and the iteration's number within it; the last stage after the end.
    public func place(of iteration: Int) -> (stage: Int, within: Int) {
        var first = 0
        for (index, stage) in stages.enumerated() {
            if iteration < first + stage.iterations || index == stages.count - 1 { return (index, iteration - first) }
            first += stage.iterations
        }
        preconditionFailure("a schedule has at least one stage")
    }

    /// The schedule cut, or its last stage extended, to `iterations` in all.
    public mutating func setIterations(_ wanted: Int) {
        var left = wanted
        var kept: [Stage] = []
        for (index, stage) in stages.enumerated() where left > 0 {
            var stage = stage
            stage.iterations = index == stages.count - 1 ? left : min(left, stage.iterations)
            left -= stage.iterations
            kept.append(stage)
        }
        stages = kept
    }

    /// Whether two schedules are the same as far as the shorter one goes, and all else is the same.
    public func continues(_ other: Configuration) -> Bool {
        var (one, two) = (self, other)
        let common = min(iterations, other.iterations)
        one.setIterations(common)
        two.setIterations(common)
        return one == two
    }

    // MARK: What it describes

    /// The task of a stage; the task proper without one.
    public func makeFamily(stage: Stage? = nil) throws -> any TaskFamily {
        guard let entry = TaskCatalogue.entry(named: task) else {
            throw UserError("unknown task '\(task)': choose one of \(TaskCatalogue.names.joined(separator: ", "))")
        }
        let options = optionValues(stage)
        if let objection = entry.objection(options) { throw UserError(objection) }
        return entry.make(options)
    }

    /// The task's options in a stage.
    private func optionValues(_ stage: Stage?) -> OptionValues {
        var options = taskOptions
        if let own = stage?.taskOptions { for name in own.names { options[name] = own[name] } }
        if let episodes = stage?.episodes { options["episodes"] = .integer(episodes) }
        return options
    }

    public func makePolicy() throws -> any SequencePolicy {
        let family = try makeFamily()
        return try makeModel(outputs: family.actions, hidden: hidden, family: family, headGain: 0.01, stepScale: nil)
    }

    /// The critic knows what step of the trial it is: its targets shrink as the trial runs out.
    public func makeCritic() throws -> any SequencePolicy {
        let family = try makeFamily()
        return try makeModel(
            outputs: 1, hidden: criticHidden ?? hidden, family: family, headGain: 1,
            stepScale: Float(max(family.maximumTrialSteps, 1)))
    }

    private func makeModel(
        outputs: Int, hidden: Int, family: any TaskFamily, headGain: Float, stepScale: Float?
    ) throws -> any SequencePolicy {
        guard let entry = ModelCatalogue.entry(named: model) else {
            throw UserError("unknown model '\(model)': choose one of \(ModelCatalogue.names.joined(separator: ", "))")
        }
        let made = entry.make(
            ModelSpecification(
                observation: family.observation, actions: family.actions, outputs: outputs, hidden: hidden,
                options: modelOptions, headGain: headGain, stepScale: stepScale,
                inputGain: Float(inputGain), memoryHorizon: Float(memoryHorizon ?? family.maximumTrialSteps),
                slowUnits: Float(slowUnits),
                memoryReset: memoryReset))
        guard made.memoryReset == memoryReset else {
            throw UserError(
                "--reset-memory is \(memoryReset), and model '\(model)' with these options can only do "
                    + "'\(made.memoryReset)': choose that, or other options")
        }
        return made
    }

    // MARK: Checks

    /// Throws a `UserError` that names the first value out of range.
    /// - Parameter exceptWidth: leaves out whether the architecture can have its width.
    public func validate(exceptWidth: Bool = false) throws {
        guard let entry = TaskCatalogue.entry(named: task) else {
            throw UserError("unknown task '\(task)': choose one of \(TaskCatalogue.names.joined(separator: ", "))")
        }
        guard let modelEntry = ModelCatalogue.entry(named: model) else {
            throw UserError("unknown model '\(model)': choose one of \(ModelCatalogue.names.joined(separator: ", "))")
        }
        try Configuration.check(taskOptions, of: "task '\(task)'", entry.options)
        if let objection = entry.objection(taskOptions) { throw UserError(objection) }
        try Configuration.check(modelOptions, of: "model '\(model)'", modelEntry.options)
        for stage in stages {
            if let episodes = stage.episodes, let option = entry.options.first(where: { $0.name == "episodes" }),
                option.accepted(.integer(episodes)) == nil
            {
                throw UserError("--episodes (of a stage) is \(episodes): it must lie in \(option.range)")
            }
            guard let changed = stage.taskOptions else { continue }
            try Configuration.check(optionValues(stage), of: "a stage of task '\(task)'", entry.options)
            let (own, family) = try (makeFamily(stage: stage), makeFamily())
            guard own.observation == family.observation, own.actions == family.actions else {
                throw UserError(
                    "the task_options of a stage (\(changed.summary)) change what is seen or done: all stages "
                        + "must have one observation and one action space")
            }
        }
        try validateSettings()
        if exceptWidth { return }
        for width in [hidden, criticHidden ?? hidden] {
            if let objection = modelEntry.objection(width, modelOptions) { throw UserError(objection) }
        }
    }

    /// The part of `validate` that knows no catalogue.
    func validateSettings() throws {
        if let memoryHorizon { try check("memory-horizon", memoryHorizon, 1...1_000_000) }
        try check("slow-units", slowUnits, 0...1)
        try check("input-gain", inputGain, 0.01...100)
        try check("hidden", hidden, 1...8192)
        if let criticHidden { try check("critic-hidden", criticHidden, 1...8192) }
        try check("seed", seed, 0...Int.max)
        if let ppo {
            try check("ppo-epochs", ppo.epochs, 1...1000)
            try check("ppo-minibatches", ppo.minibatches, 1...10_000)
            try check("ppo-learning-rate", ppo.learningRate, 1e-8...1)
            try check("ppo-clip-range", ppo.clipRange, 0.001...10)
        }
        try check("conjugate-gradient-iterations", conjugateGradientIterations, 1...1000)
        try check("damping", damping, 0...10)
        try check("preconditioning", preconditioning, 0...1)
        try check("relative-damping", relativeDamping, 0...100)
        try check("fisher-share", fisherShare, 0.001...1)
        try check("critic-epochs", criticEpochs, 0...100)
        try check("critic-minibatches", criticMinibatches, 1...10_000)
        try check("critic-learning-rate", criticLearningRate, 1e-8...1)
        try check("critic-lambda", criticLambda, 0...1)
        if stages.isEmpty { throw UserError("stages is empty: a run needs at least one stage") }
        for stage in stages {
            try check("iterations", stage.iterations, 1...10_000_000)
            try check("batch-steps", stage.batchSteps, 1...100_000_000)
            try check("discount", stage.discount, 0...1)
            try check("gae-lambda", stage.gaeLambda, 0...1)
            try check("maximum-kl", stage.maximumKL, 1e-8...10)
            if let final = stage.finalMaximumKL { try check("final-maximum-kl", final, 1e-8...10) }
            try check("entropy-bonus", stage.entropyBonus, 0...10)
            if let final = stage.finalEntropyBonus { try check("final-entropy-bonus", final, 0...10) }
            try check("critic-warmup", stage.criticWarmup, 0...1_000_000)
            try check("trials-per-member", stage.trialsPerMember, 1...1024)
            guard (stage.kind == .imitation) == (stage.teacher != nil) else {
                throw UserError(
                    stage.teacher == nil
                        ? "a stage of imitation has no teacher: name one, such as 'teacher: gittins'"
                        : "a stage has a teacher and its kind is not imitation: leave one out")
            }
            if let rate = stage.learningRate { try check("learning-rate (of a stage)", rate, 1e-8...1) }
        }
    }

    /// Throws unless there is one acceptable value for each option and no other.
    private static func check(_ values: OptionValues, of owner: String, _ options: [CatalogueOption]) throws {
        for option in options {
            guard let value = values[option.name] else {
                throw UserError(
                    "\(owner) has no value for '\(option.name)': give --\(option.name) or add it to the file")
            }
            guard option.accepted(value) != nil else {
                let must = if case .word = option.domain { "it must be one of" } else { "it must lie in" }
                throw UserError("--\(option.name) is \(value): \(must) \(option.range)")
            }
        }
        for name in values.names where !options.contains(where: { $0.name == name }) {
            throw UserError("\(owner) has no option '\(name)'")
        }
    }

    private func check<Value: Comparable>(_ name: String, _ value: Value, _ range: ClosedRange<Value>) throws {
        guard range.contains(value) else {
            throw UserError("--\(name) is \(value): it must lie in \(range.lowerBound) … \(range.upperBound)")
        }
    }
}
