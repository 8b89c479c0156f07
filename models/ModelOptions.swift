import Interface

/// Options that several models have in common, each declared here once.
public enum ModelOptions {
    /// Those of every model.
    /// - Parameter hidden: H by default.
    static func shared(hidden: Int) -> [Option] {
        [
            Option("hidden", 1...8192, default: hidden, help: "Hidden width H of the policy"),
            Option("critic-hidden", 0...8192, default: 0, help: "Hidden width of the critic; 0: as the policy's"),
            Option(
                "reset-memory", MemoryReset.self, default: .none,
                help: """
                    What the memory of policy and critic forgets when an episode ends: nothing (RL²), all of it, or half \
                    of the units or heads
                    """),
            Option(
                "input-gain", 0.01...100, default: 1.0,
                help: "Factor on the initial weights that read a step's features; 1: Xavier initialisation"),
        ]
    }

    /// Chrono initialisation (Tallec and Ollivier 2018), of models whose gates set time scales.
    public static let chrono = [
        Option(
            "chrono-t-max", 0...1_000_000, default: 0,
            help: "T_max of chrono initialisation, steps; 0: the length of a trial, 1: none"),
        Option("chrono-share", 0...1.0, default: 1.0, help: "Share of the units with chrono initialisation"),
    ]

    /// Gated recurrent networks, one layer above the other.
    static let recurrentLayers = Option("layers", 1...4, default: 1, help: "Layers of the model")

    /// Models whose memory is divided into heads.
    static func heads(default count: Int = 4) -> Option {
        Option("heads", 1...256, default: count, help: "Heads; they must divide the hidden width")
    }

    /// Why a model of this width cannot have so many heads; nil if it can.
    /// - Parameter least: the narrowest head that makes sense.
    static func objectionToHeads(width: Int, _ values: Values, least: Int = 1) -> String? {
        let heads = values.integer("heads")
        guard width % heads == 0 else {
            return "--hidden is \(width): \(heads) heads cannot share it; choose a multiple of --heads"
        }
        return width / heads >= least
            ? nil : "--hidden is \(width): \(heads) heads need \(heads * least) at least; choose fewer --heads or more"
    }

    /// Models with a causal convolution before their recurrence.
    static let convolution = Option(
        "convolution", 0...64, default: 4, help: "Steps of the causal convolution before the recurrence; 0: none")

    /// Models with a state of their own size.
    static func stateSize(default size: Int, of whom: String) -> Option {
        Option("state-size", 1...4096, default: size, help: "Numbers in the state of \(whom)")
    }

    /// Models of layers, of which each has its own state.
    static let depth = Option("layers", 1...64, default: 2, help: "Layers of the model")

    /// Models of residual layers, each with a feed-forward layer.
    static let layers = [
        depth,
        Option("feed-forward", 1...64, default: 4, help: "Width of the feed-forward layers, in hidden widths"),
    ]
}

extension ModelSpecification {
    /// Factor on the first weights that read the encoder's features; 1: Xavier's, which suit features that all vary. Of
    /// one-hot features few are not 0 at a time, so that gates hardly move at first.
    public var inputGain: Float { options["input-gain"] == nil ? 1 : Float(options.real("input-gain")) }

    /// What the memory forgets when an episode ends.
    public var memoryReset: MemoryReset {
        guard options["reset-memory"] != nil else { return .none }
        let reset: MemoryReset = options.choice("reset-memory")
        // A single head has no half: it forgets everything, and the model says so.
        return reset == .half && options["heads"] == .integer(1) ? .episode : reset
    }

    /// T_max: steps over which the time scales of gated units are spread at first; at most 1: all are short.
    public var chronoSteps: Float {
        let steps = options["chrono-t-max"] == nil ? 0 : options.integer("chrono-t-max")
        return Float(steps == 0 ? trialSteps : steps)
    }

    /// Share of the units whose time scales are spread so; the others are short.
    public var chronoShare: Float { options["chrono-share"] == nil ? 1 : Float(options.real("chrono-share")) }
}
