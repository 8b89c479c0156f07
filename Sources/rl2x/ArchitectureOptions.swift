import ArgumentParser
import Bench
import Kernels
import Models
import Training

/// Options of an architecture and its size.
struct ArchitectureOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: .catalogued("layers"))
    var layers: Int?

    @Option(parsing: .unconditional, help: .catalogued("heads"))
    var heads: Int?

    @Option(parsing: .unconditional, help: .catalogued("feed-forward"))
    var feedForward: Int?

    @Option(help: .catalogued("position"))
    var position: String?

    @Option(parsing: .unconditional, help: .catalogued("context"))
    var context: Int?

    @Option(help: .catalogued("gating"))
    var gating: String?

    @Option(
        help: """
            What the memory of policy and critic forgets when an episode ends: none (RL²), episode (all of it), half (half \
            of the units or heads) (default none).
            """)
    var resetMemory: MemoryReset?

    @Option(
        parsing: .unconditional,
        help: """
            Steps over which the time scales of recurrent units are spread at first; 1: all are short (1 … 1000000; default \
            per task, mostly the length of a trial).
            """)
    var memoryHorizon: Int?

    @Option(
        parsing: .unconditional,
        help: "Share of recurrent units whose time scales are spread; the others are short (0 … 1; default per task).")
    var slowUnits: Double?

    @Option(
        parsing: .unconditional,
        help: "Factor on the first weights that read a step's features (0.01 … 100; default per task).")
    var inputGain: Double?

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

    /// Those of the models' catalogue, by their names there; nil: not given.
    var values: [(String, OptionValue?)] {
        [
            ("layers", layers.map { .integer($0) }), ("heads", heads.map { .integer($0) }),
            ("feed-forward", feedForward.map { .integer($0) }), ("position", position.map { .word($0) }),
            ("context", context.map { .integer($0) }), ("gating", gating.map { .word($0) }),
        ]
    }

    /// The others, by their names; nil: not given.
    var others: [(String, Any?)] {
        [
            ("reset-memory", resetMemory), ("memory-horizon", memoryHorizon), ("slow-units", slowUnits),
            ("input-gain", inputGain),
            ("hidden", hidden), ("critic-hidden", criticHidden), ("match", match), ("match-to", matchTo),
        ]
    }

    /// Sets the memory's reset and the widths that were given.
    func apply(to configuration: inout Configuration) throws {
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
        if let memoryHorizon { configuration.memoryHorizon = memoryHorizon }
        if let slowUnits { configuration.slowUnits = slowUnits }
        if let inputGain { configuration.inputGain = inputGain }
        if let criticHidden { configuration.criticHidden = criticHidden }
    }

    /// With `--match` sets H so that the configuration's architecture comes nearest to the budget of the one that
    /// `--match-to` names; says what it found on standard error. All else must be set by then.
    func matchWidth(of configuration: inout Configuration) throws {
        guard let budget = match else { return }
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
        configuration.hidden = found.width
    }
}

extension Budget: ExpressibleByArgument {}
extension MemoryReset: ExpressibleByArgument {}
