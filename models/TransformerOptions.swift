import Foundation
import Kernels

/// How a transformer knows the order of steps, besides how many there were.
enum PositionEncoding: String, CaseIterable {
    /// Not at all: what it was shown is a set, with the number of its elements.
    case none
    /// Sines and cosines of the step's number added to its embedding (Vaswani et al. 2017).
    case sinusoidal
    /// Queries and keys turned by angles in proportion to the step's number (Su et al. 2021).
    case rotary
    /// Scores lowered in proportion to the distance (Press, Smith, Lewis 2022).
    case alibi
}

/// How the output of a sublayer joins the stream.
enum ResidualGating: String, CaseIterable {
    /// It is added.
    case none
    /// A gated recurrent unit takes the stream as its state and the output as its input (Parisotto et al. 2020).
    case gru
}

/// The options of a transformer, read from the catalogue's values.
struct TransformerOptions {
    let layers: Int
    let heads: Int
    /// Width of the feed-forward layers, in widths of the stream.
    let feedForward: Int
    let position: PositionEncoding
    /// W: steps that a step attends to, itself among them; nil: all of the trial.
    let window: Int?
    let gating: ResidualGating

    init(_ values: OptionValues) {
        layers = values.integer("layers")
        heads = values.integer("heads")
        feedForward = values.integer("feed-forward")
        position = PositionEncoding(rawValue: values.word("position"))!
        let context = values.integer("context")
        window = context == 0 ? nil : context
        gating = ResidualGating(rawValue: values.word("gating"))!
    }

    /// What a step of distance takes from the scores of each head [heads]: 2^(−8 h / heads) for h = 1 … heads, from steep
    /// to flat (Press, Smith, Lewis 2022, section 3). Empty without ALiBi.
    var slopes: [Float] {
        guard position == .alibi else { return [] }
        return (1...heads).map { exp2(-8 * Float($0) / Float(heads)) }
    }

    static let catalogue: [CatalogueOption] = [
        CatalogueOption("layers", 1...64, standard: 2, help: "Layers L of a transformer"),
        CatalogueOption(
            "heads", 1...256, standard: 4, help: "Attention heads of a transformer; they divide the hidden width"),
        CatalogueOption(
            "feed-forward", 1...64, standard: 4, help: "Width of a transformer's feed-forward layers, in hidden widths"),
        CatalogueOption(
            "position", PositionEncoding.allCases.map(\.rawValue), standard: PositionEncoding.none.rawValue,
            help: "Position encoding of a transformer, besides the step count that is always an input"),
        CatalogueOption(
            "context", 0...1_000_000, standard: 0,
            help: "Steps that a transformer's step attends to, itself among them; 0: all of the trial"),
        CatalogueOption(
            "gating", ResidualGating.allCases.map(\.rawValue), standard: ResidualGating.none.rawValue,
            help:
                "How the output of a transformer's sublayer joins its stream: added, or through a gated recurrent unit"),
    ]

    /// Why there is no transformer of this width with these options; nil if there is one.
    static func objection(width: Int, _ values: OptionValues) -> String? {
        let options = TransformerOptions(values)
        guard width % options.heads == 0 else {
            return "--hidden is \(width): \(options.heads) heads cannot share it; choose a multiple of --heads"
        }
        guard options.position != .rotary || width / options.heads % 2 == 0 else {
            return
                "--hidden is \(width): a head of \(width / options.heads) cannot be turned in pairs; choose a multiple "
                + "of twice --heads, or another --position"
        }
        return nil
    }
}
