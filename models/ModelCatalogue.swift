import Autodiff
import Kernels

/// What a model is built for and how large it is.
public struct ModelSpecification: Sendable, Equatable {
    public var observation: ObservationSpace
    /// A: actions of the task.
    public var actions: Int
    /// Width of the output: A for a policy, 1 for a critic.
    public var outputs: Int
    /// H: hidden width.
    public var hidden: Int
    /// A value for each of the architecture's own options.
    public var options: OptionValues
    /// Factor on the head's first weights.
    public var headGain: Float
    /// Steps that count as 1 in an input that tells how long the trial has run; nil: no such input.
    public var stepScale: Float?
    /// Factor on the first weights that read the encoder's features; 1: Xavier's, which suit features that all vary. Of one-hot
    /// features few are not 0 at a time, so that gates hardly move at first.
    public var inputGain: Float
    /// Steps over which the model will have to remember: a trial's length. At most 1: no preparation for it.
    public var memoryHorizon: Float
    /// Share of recurrent units that are prepared for it; the others begin fast.
    public var slowUnits: Float
    /// What the memory forgets when an episode ends.
    public var memoryReset: MemoryReset

    public init(
        observation: ObservationSpace, actions: Int, outputs: Int, hidden: Int, options: OptionValues = [:],
        headGain: Float, stepScale: Float? = nil, inputGain: Float = 1, memoryHorizon: Float = 1,
        slowUnits: Float = 1,
        memoryReset: MemoryReset = .none
    ) {
        self.observation = observation
        self.actions = actions
        self.outputs = outputs
        self.hidden = hidden
        self.options = options
        self.headGain = headGain
        self.stepScale = stepScale
        self.inputGain = inputGain
        self.memoryHorizon = memoryHorizon
        self.slowUnits = slowUnits
        self.memoryReset = memoryReset
    }

    /// The encoder for this observation space; its parameters, if it has any, come first in the layout.
    public func makeEncoder(_ layout: inout ParameterLayout) -> any Encoder {
        switch observation {
        case .vector(let width):
            return ConcatenationEncoder(observationWidth: width, actions: actions, stepScale: stepScale)
        case .image(let height, let width, let channels):
            return PixelEncoder(
                height: height, width: width, channels: channels, actions: actions, features: hidden,
                stepScale: stepScale, layout: &layout)
        }
    }
}

/// The architectures that can be asked for by name. A new one is a file and a line here.
public enum ModelCatalogue {
    public struct Entry: Sendable {
        public let name: String
        public let summary: String
        /// H where nobody says it.
        public let standardHidden: Int
        /// Adam's rate where its memory is taught to predict; attention bears a smaller one than gates.
        public let predictionRate: Double
        /// Options of this architecture alone.
        public let options: [CatalogueOption]
        /// Why an architecture of this width and these options cannot be, in words that name the option; nil if it can.
        public let objection: @Sendable (_ hidden: Int, _ options: OptionValues) -> String?
        /// Builds the architecture; the specification holds a value for each option.
        public let make: @Sendable (ModelSpecification) -> any SequencePolicy

        public init(
            name: String, summary: String, standardHidden: Int = 256, predictionRate: Double = 6e-3,
            options: [CatalogueOption] = [],
            objection: @escaping @Sendable (_ hidden: Int, _ options: OptionValues) -> String? = { _, _ in nil },
            make: @escaping @Sendable (ModelSpecification) -> any SequencePolicy
        ) {
            self.name = name
            self.summary = summary
            self.standardHidden = standardHidden
            self.predictionRate = predictionRate
            self.options = options
            self.objection = objection
            self.make = make
        }
    }

    public static let entries: [Entry] = [
        Entry(name: "gru", summary: "gated recurrent unit, reset-after, one layer") { GRU($0) },
        Entry(name: "lstm", summary: "long short-term memory, one layer") { LSTM($0) },
        Entry(name: "elman", summary: "recurrent network without gates, tanh, one layer: a control") { Elman($0) },
        Entry(name: "feedforward", summary: "two tanh layers without a memory: a control") { FeedForward($0) },
        Entry(
            name: "transformer", summary: "causal transformer, norm first, with a key-value cache", standardHidden: 128,
            predictionRate: 1e-3, options: TransformerOptions.catalogue,
            objection: { TransformerOptions.objection(width: $0, $1) }
        ) { Transformer($0) },
    ]

    public static var names: [String] { entries.map(\.name) }

    public static func entry(named name: String) -> Entry? { entries.first { $0.name == name } }
}
