import ArgumentParser
import Bench
import Foundation
import Kernels
import Models
import Tasks
import Training

/// Options that decide what is trained, shared by `train` and `bench throughput`.
struct ModelAndTaskOptions: ParsableArguments {
    @Option(help: "Architecture: \(ModelCatalogue.names.joined(separator: ", ")).")
    var model: String?

    @Option(help: "Task family: \(TaskCatalogue.names.joined(separator: ", ")).")
    var task: String?

    @Option(parsing: .unconditional, help: "Arms of a bandit (2 … 1000; default 5).")
    var arms: Int?

    @Option(
        help: """
            How a bandit's success probabilities are drawn: uniform, beta22 (Beta(2, 2)), dependent (two arms, p and 1 − p) \
            (default uniform).
            """)
    var prior: String?

    @Option(parsing: .unconditional, help: "Episodes of a trial; for bandits, pulls (1 … 10000; default per task).")
    var episodes: Int?

    @Option(parsing: .unconditional, help: "States of an MDP (2 … 64; default 10).")
    var states: Int?

    @Option(
        name: .customLong("actions"), parsing: .unconditional, help: "Actions of an MDP (2 … 64; default 5).")
    var actionCount: Int?

    @Option(parsing: .unconditional, help: "Steps of an MDP's episode (1 … 1000; default 10).")
    var horizon: Int?

    @OptionGroup var maze: MazeOptions

    @Option(parsing: .unconditional, help: "Layers of a transformer (1 … 64; default 2).")
    var layers: Int?

    @Option(parsing: .unconditional, help: "Attention heads; they divide the hidden width (1 … 256; default 4).")
    var heads: Int?

    @Option(
        parsing: .unconditional,
        help: "Width of a transformer's feed-forward layers, in hidden widths (1 … 64; default 4).")
    var feedForward: Int?

    @Option(help: "Position encoding of a transformer: none, sinusoidal, rotary, alibi (default none).")
    var position: String?

    @Option(
        parsing: .unconditional,
        help: "Steps that a transformer's step attends to, itself among them; 0: all (0 … 1000000; default 0).")
    var context: Int?

    @Option(help: "How a transformer's sublayers join its stream: none (added), gru (gated) (default none).")
    var gating: String?

    @Option(
        help: """
            What the memory of policy and critic forgets when an episode ends: none (RL²), episode (all of it), half (half \
            of the units or heads) (default none).
            """)
    var resetMemory: MemoryReset?

    @Option(parsing: .unconditional, help: "Hidden width H of policy and critic (1 … 8192; default per model).")
    var hidden: Int?

    @Option(parsing: .unconditional, help: "Hidden width of the critic, if another (1 … 8192).")
    var criticHidden: Int?

    @Option(
        help: """
            Size the hidden width so that the policy has what another architecture has on the same task: params, flops (of \
            a step of acting) or state (bytes a lane).
            """)
    var match: Budget?

    @Option(help: "The architecture and width to match (default gru-256).")
    var matchTo: String?

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

    @Option(parsing: .unconditional, help: "Adam's learning rate for the critic (default 0.001).")
    var criticLearningRate: Double?

    @Option(
        parsing: .unconditional,
        help: "λ of the critic's value targets; 1: discounted returns (0 … 1; default per task).")
    var criticLambda: Double?

    @Option(parsing: .unconditional, help: "Seed of every random choice (0 or more; default 0).")
    var seed: Int?

    /// The options of tasks and models that were given or not, by their names in the catalogues.
    private var catalogueOptions: [(String, OptionValue?)] {
        [
            ("arms", arms.map { .integer($0) }), ("prior", prior.map { .word($0) }),
            ("episodes", episodes.map { .integer($0) }),
            ("states", states.map { .integer($0) }), ("actions", actionCount.map { .integer($0) }),
            ("horizon", horizon.map { .integer($0) }),
            ("layers", layers.map { .integer($0) }), ("heads", heads.map { .integer($0) }),
            ("feed-forward", feedForward.map { .integer($0) }), ("position", position.map { .word($0) }),
            ("context", context.map { .integer($0) }), ("gating", gating.map { .word($0) }),
        ] + maze.values
    }

    /// Names of options that were given, besides those in `except`.
    var given: [String] {
        let pairs: [(String, Any?)] = [
            ("model", model), ("task", task), ("reset-memory", resetMemory), ("hidden", hidden),
            ("critic-hidden", criticHidden),
            ("match", match), ("match-to", matchTo),
            ("batch-steps", batchSteps), ("discount", discount), ("gae-lambda", gaeLambda), ("maximum-kl", maximumKL),
            ("entropy-bonus", entropyBonus),
            ("conjugate-gradient-iterations", conjugateGradientIterations), ("damping", damping),
            ("preconditioning", preconditioning), ("relative-damping", relativeDamping),
            ("fisher-share", fisherShare), ("critic-epochs", criticEpochs), ("critic-minibatches", criticMinibatches),
            ("critic-learning-rate", criticLearningRate), ("critic-lambda", criticLambda), ("seed", seed),
        ]
        return (pairs + catalogueOptions.map { ($0.0, $0.1) }).filter { $0.1 != nil }.map { "--" + $0.0 }
    }

    /// Those of a catalogue entry's options that were given.
    func values(of options: [CatalogueOption]) throws -> OptionValues {
        var values = OptionValues()
        for case (let name, let value?) in catalogueOptions {
            guard let option = options.first(where: { $0.name == name }) else { continue }
            values[name] = try accept(value, for: option)
        }
        return values
    }

    /// The task and a value for each of its options, for commands that train nothing: any other option but --seed is
    /// refused.
    func resolveTask() throws -> (TaskCatalogue.Entry, OptionValues) {
        let name = task ?? "bandit"
        guard let entry = TaskCatalogue.entry(named: name) else {
            throw ValidationError(
                "--task '\(name)' is unknown: choose one of \(TaskCatalogue.names.joined(separator: ", "))")
        }
        let accepted = ["--task", "--seed"] + entry.options.map { "--\($0.name)" }
        if let other = given.first(where: { !accepted.contains($0) }) {
            throw ValidationError("\(other) has no part in this: leave it out")
        }
        let values = OptionValues(standard: entry.options, given: try values(of: entry.options))
        if let objection = entry.objection(values) { throw ValidationError(objection) }
        return (entry, values)
    }

    /// The catalogue's defaults, or a file's configuration, with the given options in their place.
    func resolve(base: Configuration?) throws -> Configuration {
        let modelName = model ?? base?.model ?? "gru"
        let taskName = task ?? base?.task ?? "bandit"
        guard let modelEntry = ModelCatalogue.entry(named: modelName) else {
            throw ValidationError(
                "--model '\(modelName)' is unknown: choose one of \(ModelCatalogue.names.joined(separator: ", "))")
        }
        guard let entry = TaskCatalogue.entry(named: taskName) else {
            throw ValidationError(
                "--task '\(taskName)' is unknown: choose one of \(TaskCatalogue.names.joined(separator: ", "))")
        }
        var taskOptions = base?.task == taskName ? base!.taskOptions : [:]
        var modelOptions = base?.model == modelName ? base!.modelOptions : [:]
        for case (let name, let value?) in catalogueOptions {
            if let option = entry.options.first(where: { $0.name == name }) {
                taskOptions[name] = try accept(value, for: option)
            } else if let option = modelEntry.options.first(where: { $0.name == name }) {
                modelOptions[name] = try accept(value, for: option)
            } else {
                throw ValidationError("--\(name) is no option of task '\(taskName)' or model '\(modelName)'")
            }
        }
        if let objection = entry.objection(OptionValues(standard: entry.options, given: taskOptions)) {
            throw ValidationError(objection)
        }
        var configuration: Configuration
        if let base, base.task == taskName {
            configuration = base
            configuration.taskOptions = taskOptions
            configuration.model = modelName
            configuration.modelOptions = OptionValues(standard: modelEntry.options, given: modelOptions)
        } else {
            configuration = try Configuration.standard(
                task: taskName, model: modelName, taskOptions: taskOptions, modelOptions: modelOptions)
        }
        guard matchTo == nil || match != nil else {
            throw ValidationError("--match-to says what to match, not by what: add --match params, flops or state")
        }
        if let hidden {
            guard match == nil else {
                throw ValidationError("--hidden cannot go with --match, which sets it: leave one out")
            }
            configuration.hidden = hidden
        }
        if let resetMemory { configuration.memoryReset = resetMemory }
        if let criticHidden { configuration.criticHidden = criticHidden }
        if let seed { configuration.seed = seed }
        for index in configuration.stages.indices {
            if let batchSteps { configuration.stages[index].batchSteps = batchSteps }
            if let discount { configuration.stages[index].discount = discount }
            if let gaeLambda { configuration.stages[index].gaeLambda = gaeLambda }
            if let maximumKL { configuration.stages[index].maximumKL = maximumKL }
            if let entropyBonus {
                configuration.stages[index].entropyBonus = entropyBonus
                configuration.stages[index].finalEntropyBonus = nil
            }
        }
        if let conjugateGradientIterations {
            configuration.conjugateGradientIterations = conjugateGradientIterations
        }
        if let damping { configuration.damping = damping }
        if let preconditioning { configuration.preconditioning = preconditioning }
        if let relativeDamping { configuration.relativeDamping = relativeDamping }
        if let fisherShare { configuration.fisherShare = fisherShare }
        if let criticEpochs { configuration.criticEpochs = criticEpochs }
        if let criticMinibatches { configuration.criticMinibatches = criticMinibatches }
        if let criticLearningRate { configuration.criticLearningRate = criticLearningRate }
        if let criticLambda { configuration.criticLambda = criticLambda }
        do {
            if let match { configuration.hidden = try matchedWidth(match, configuration) }
            try configuration.validate()
        } catch let error as UserError {
            throw ValidationError(error.description)
        }
        return configuration
    }
}

extension ModelAndTaskOptions {
    /// H with which the configuration's architecture comes nearest to the budget of the one that `--match-to` names; says
    /// what it found on standard error.
    private func matchedWidth(_ budget: Budget, _ configuration: Configuration) throws -> Int {
        let name = matchTo ?? "gru-256"
        guard let (model, width) = ModelCatalogue.modelAndWidth(name) else {
            throw UserError(
                "--match-to is '\(name)': it must be an architecture and its width, such as gru-256; architectures are "
                    + ModelCatalogue.names.joined(separator: ", "))
        }
        let reference = try configuration.with(model, hidden: width)
        try configuration.validate(exceptWidth: true)
        let found = try WidthMatch(configuration, to: reference, by: budget)
        printError(
            "matched: \(configuration.model)-\(found.width) has \(Int(found.achieved)) \(budget.unit), \(name) "
                + "\(Int(found.wanted))")
        return found.width
    }
}

extension Budget: ExpressibleByArgument {}
extension MemoryReset: ExpressibleByArgument {}

extension TaskCatalogue.Entry {
    /// Those of some options that were given, as the catalogue keeps them.
    /// - Throws: one line about an option that the task does not have, or a value out of range.
    func accepted(_ pairs: [(name: String, value: OptionValue?)]) throws -> OptionValues {
        var result = OptionValues()
        for case (let name, let value?) in pairs {
            guard let option = options.first(where: { $0.name == name }) else {
                throw ValidationError("--\(name) is no option of task '\(self.name)': leave it out")
            }
            result[name] = try accept(value, for: option)
        }
        return result
    }
}

/// A given value as its option keeps it; throws where it is out of range.
private func accept(_ value: OptionValue, for option: CatalogueOption) throws -> OptionValue {
    if let accepted = option.accepted(value) { return accepted }
    let must = if case .word = option.domain { "choose one of" } else { "it must lie in" }
    throw ValidationError("--\(option.name) is \(value): \(must) \(option.range)")
}

struct ThreadOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: "Worker threads (1 … 1024; default: the processor's cores). Results do not depend on it.")
    var threads: Int?

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads): it must lie in 1 … 1024")
        }
    }

    var count: Int { threads ?? Processor.current.coreCount }
}
