import Foundation
import Interface
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
    /// A gated recurrent unit takes the stream as its state and the output as its input (after Parisotto et al. 2020).
    case gru
    /// The same with the reset gate before the product with the stream, as published.
    case resetBefore = "gru-reset-before"
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

    init(_ values: Values) {
        layers = values.integer("layers")
        heads = values.integer("heads")
        feedForward = values.integer("feed-forward")
        position = values.choice("position")
        let steps = values.integer("attention-window")
        window = steps == 0 ? nil : steps
        gating = values.choice("gating")
    }

    /// What a step of distance takes from the scores of each head [heads]: 2^(−8 h / heads) for h = 1 … heads, from steep
    /// to flat (Press, Smith, Lewis 2022, section 3). Empty without ALiBi.
    var slopes: [Float] {
        guard position == .alibi else { return [] }
        return (1...heads).map { exp2(-8 * Float($0) / Float(heads)) }
    }

    /// - Parameters: of the options, by default.
    static func options(
        position: PositionEncoding = .none, window: Int = 0, gating: ResidualGating = .none
    ) -> [Option] {
        ModelOptions.layers + [
            ModelOptions.heads(),
            Option(
                "position", PositionEncoding.self, default: position,
                help: "Position encoding, besides the step count that is always an input"),
            Option(
                "attention-window", 0...1_000_000, default: window,
                help: "Steps that a step attends to, itself among them; 0: all of the trial"),
            Option(
                "gating", ResidualGating.self, default: gating,
                help: "How a sublayer's output joins the residual stream: added, or through a gated recurrent unit"),
        ]
    }

    /// Why there is no transformer of this width with these options; nil if there is one.
    static func objection(width: Int, _ values: Values) -> String? {
        let options = TransformerOptions(values)
        if let objection = ModelOptions.objectionToHeads(width: width, values) { return objection }
        guard options.position != .rotary || width / options.heads % 2 == 0 else {
            return
                "--hidden is \(width): a head of \(width / options.heads) cannot be turned in pairs; choose a multiple "
                + "of twice --heads, or another --position"
        }
        return nil
    }
}
