import Autodiff

/// The weights of one layer of a gated recurrent network by the names and shapes of `torch.nn.GRU` and `LSTM`.
struct RecurrentLayer: Sendable {
    let weightX: Node
    let weightH: Node
    let biasX: Node
    let biasH: Node

    /// Adds `name.weight_ih_lN` [gates · H, I], `name.weight_hh_lN` [gates · H, H], `name.bias_ih_lN` and `name.bias_hh_lN`
    /// [gates · H] to a layout. Hidden-to-hidden blocks start orthogonal, input weights Xavier uniform a block, `bias_ih` zero.
    ///
    /// - Parameters:
    ///   - index: N, counted from 0; only the first layer reads the encoder's features.
    ///   - features: I of the first layer; that of the others is H.
    ///   - gates: blocks of each parameter.
    ///   - bias: first values of `bias_hh`.
    init(
        _ name: String, _ index: Int, _ specification: ModelSpecification, features: Int, gates: Int, bias: Initializer,
        layout: inout ParameterLayout
    ) {
        let width = specification.hidden
        let (inputs, gain) = index == 0 ? (features, specification.inputGain) : (width, 1)
        weightX = layout.add(
            "\(name).weight_ih_l\(index)", [gates * width, inputs], .xavierUniform(gain: gain, blocks: gates))
        weightH = layout.add("\(name).weight_hh_l\(index)", [gates * width, width], .orthogonal(blocks: gates))
        biasX = layout.add("\(name).bias_ih_l\(index)", [gates * width], .constant(0))
        biasH = layout.add("\(name).bias_hh_l\(index)", [gates * width], bias)
    }
}
