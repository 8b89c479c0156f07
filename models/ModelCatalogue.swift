import Autodiff
import Interface
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
    /// A value for each of the model's options, those that it shares with others included.
    public var options: Values
    /// Factor on the head's first weights.
    public var headGain: Float
    /// Steps that count as 1 in an input that tells how long the trial has run; nil: no such input.
    public var stepScale: Float?
    /// T: most steps of a trial.
    public var trialSteps: Int

    public init(
        observation: ObservationSpace, actions: Int, outputs: Int, hidden: Int, options: Values = [:],
        headGain: Float, stepScale: Float? = nil, trialSteps: Int = 1
    ) {
        self.observation = observation
        self.actions = actions
        self.outputs = outputs
        self.hidden = hidden
        self.options = options
        self.headGain = headGain
        self.stepScale = stepScale
        self.trialSteps = trialSteps
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

/// An architecture that can be asked for by name.
public struct ModelEntry: CatalogueEntry {
    public static let kind = "model"
    public let name: String
    public let summary: String
    /// The model's own options, after those that all models share.
    public let options: [Option]
    /// What a task's defaults may depend on.
    public let traits: ModelTraits
    /// Its outputs have kinks in θ, such as those of a largest number, where no derivative is the limit of differences.
    public let hasKinks: Bool
    /// Why an architecture of this width and these options cannot be, in words that name the option; nil if it can.
    public let objection: @Sendable (_ hidden: Int, _ options: Values) -> String?
    /// Builds the architecture; the specification holds a value for each option.
    public let make: @Sendable (ModelSpecification) -> any SequencePolicy

    /// - Parameters:
    ///   - hidden: H by default.
    ///   - predictionRate: Adam's rate at which it learns to predict rewards.
    ///   - options: its own, besides `ModelOptions.shared`.
    ///   - hasKinks: as the property.
    public init(
        name: String, summary: String, hidden: Int = 256, predictionRate: Double = 6e-3, options: [Option] = [],
        hasKinks: Bool = false,
        objection: @escaping @Sendable (_ hidden: Int, _ options: Values) -> String? = { _, _ in nil },
        make: @escaping @Sendable (ModelSpecification) -> any SequencePolicy
    ) {
        self.name = name
        self.summary = summary
        self.options = ModelOptions.shared(hidden: hidden) + options
        traits = ModelTraits(hidden: hidden, predictionRate: predictionRate)
        self.hasKinks = hasKinks
        self.objection = objection
        self.make = make
    }
}

/// The architectures that can be asked for by name. A new one is a file and a line here.
public let modelCatalogue = Catalogue<ModelEntry>([
    ModelEntry(
        name: "gru", summary: "gated recurrent unit, reset-after",
        options: ModelOptions.chrono + [ModelOptions.recurrentLayers]
    ) { GRU($0) },
    ModelEntry(
        name: "lstm", summary: "long short-term memory", options: ModelOptions.chrono + [ModelOptions.recurrentLayers]
    ) { LSTM($0) },
    ModelEntry(name: "elman", summary: "recurrent network without gates, tanh, one layer: a control") { Elman($0) },
    ModelEntry(
        name: "symmetric-gru",
        summary: "a GRU for each action, all with the same weights, and the mean of their states",
        hidden: 64, options: ModelOptions.chrono
    ) { ArmSymmetric($0) { GRU($0) } },
    ModelEntry(
        name: "symmetric-lstm",
        summary: "an LSTM for each action, all with the same weights, and the mean of their states",
        hidden: 64, options: ModelOptions.chrono
    ) { ArmSymmetric($0) { LSTM($0) } },
    ModelEntry(name: "feedforward", summary: "two tanh layers without a memory: a control") { FeedForward($0) },
    ModelEntry(
        name: "transformer", summary: "causal transformer, norm first, with a key-value cache", hidden: 128,
        predictionRate: 1e-3, options: TransformerOptions.options(),
        objection: { TransformerOptions.objection(width: $0, $1) }
    ) { Transformer($0) },
    ModelEntry(
        name: "gtrxl", summary: "gated transformer: a window that moves along, relative positions, gates for additions",
        hidden: 128, predictionRate: 1e-3,
        options: TransformerOptions.options(position: .rotary, window: 128, gating: .resetBefore),
        objection: { TransformerOptions.objection(width: $0, $1) }
    ) { Transformer($0) },
    ModelEntry(
        name: "symmetric-transformer",
        summary: "a transformer for each action, all with the same weights, and the mean of their streams", hidden: 64,
        predictionRate: 1e-3, options: TransformerOptions.options(),
        objection: { TransformerOptions.objection(width: $0, $1) }
    ) { Transformer($0, isArmSymmetric: true) },
    ModelEntry(
        name: "min-gru", summary: "minGRU: residual layers with gated means, gates by the input alone", hidden: 128,
        predictionRate: 1e-3, options: ModelOptions.chrono + ModelOptions.layers
    ) { ResidualStack<MinGRU>($0) },
    ModelEntry(
        name: "min-lstm", summary: "minLSTM: the same with a forget and an input gate that add up to 1", hidden: 128,
        predictionRate: 1e-3, options: ModelOptions.chrono + ModelOptions.layers
    ) { ResidualStack<MinLSTM>($0) },
    ModelEntry(
        name: "linear-attention", summary: "linear attention: fast weights that sum, read by positive features",
        hidden: 128, predictionRate: 1e-3, options: ModelOptions.layers + [ModelOptions.heads()],
        objection: { ModelOptions.objectionToHeads(width: $0, $1) }
    ) { ResidualStack<LinearAttention>($0) },
    ModelEntry(
        name: "delta-net", summary: "gated delta network: fast weights that forget and correct themselves", hidden: 128,
        predictionRate: 1e-3, options: ModelOptions.layers + [ModelOptions.heads(), ModelOptions.convolution],
        objection: { ModelOptions.objectionToHeads(width: $0, $1, least: GatedDeltaNet.leastHeadWidth) }
    ) { ResidualStack<GatedDeltaNet>($0) },
    ModelEntry(
        name: "lru", summary: "linear recurrent unit: a complex recurrence without gates", hidden: 128,
        predictionRate: 1e-3,
        options: ModelOptions.layers + [ModelOptions.stateSize(default: 128, of: "a layer, complex ones")]
    ) { ResidualStack<LRU>($0) },
    ModelEntry(
        name: "mamba", summary: "Mamba: a selective scan behind a convolution, and a gate", hidden: 128,
        predictionRate: 1e-3, options: Mamba.options
    ) { ResidualStack<Mamba>($0) },
    ModelEntry(
        name: "xlstm", summary: "xLSTM: matrix memories with exponential gates", hidden: 128, predictionRate: 1e-3,
        options: ModelOptions.layers + [ModelOptions.heads(default: 2)], hasKinks: true,
        objection: { ModelOptions.objectionToHeads(width: $0, $1, least: XLSTM.leastHeadWidth) }
    ) { ResidualStack<XLSTM>($0) },
    ModelEntry(
        name: "snail", summary: "SNAIL: dilated convolutions over the past, then attention", hidden: 32,
        predictionRate: 1e-3, options: SNAIL.options
    ) { SNAIL($0) },
])
