import Autodiff

/// The mixer of linear attention (Katharopoulos et al. 2020, "Transformers are RNNs", section 3.4): attention whose scores are
/// products of positive features φ(x) = 1 + elu(x), so that its past is a matrix and a sum of keys. In each head, of width d,
///
///     S_t = S_{t−1} + φ(k_t) v_tᵀ,  z_t = z_{t−1} + φ(k_t),  y_t = S_tᵀ φ(q_t) / (φ(q_t) · z_t)
///
/// then a linear map. Parameters: `in_proj.weight` [3D, D] (queries, keys, values) and `.bias` [3D],
/// `out_proj.weight` [D, D] and `.bias` [D]. Nothing decays, and no position is encoded: it averages what it was shown.
/// Memory: d (d + 1) numbers a head.
struct LinearAttention: SequenceMixer {
    private let projectionIn: Affine
    private let projectionOut: Affine
    private let heads: Int

    init(_ name: String, _ specification: ModelSpecification, layout: inout ParameterLayout) {
        let width = specification.hidden
        heads = specification.heads
        projectionIn = Affine(
            weight: layout.add(name + ".in_proj.weight", [3 * width, width], .xavierUniform(blocks: 3)),
            bias: layout.add(name + ".in_proj.bias", [3 * width], .constant(0)))
        projectionOut = Affine(name + ".out_proj", [width, width], gain: specification.depthGain, layout: &layout)
    }

    static func stateWidths(_ specification: ModelSpecification) -> [Int] {
        [specification.hidden * (specification.hidden / specification.heads + 1)]
    }

    func run(_ x: Node, norm: Affine, state: NodeList?, over trials: MixedTrials, tape: Tape) -> Node {
        let width = x.columns
        let qkv = tape.normLinear(
            x, scale: norm.weight, shift: norm.bias, weight: projectionIn.weight, bias: projectionIn.bias)  // [R, 3D]
        let features = tape.eluPlusOne(tape.columns(0..<2 * width, of: qkv))  // [R, 2D]
        let read = tape.fastWeights(
            query: tape.columns(0..<width, of: features), key: tape.columns(width..<2 * width, of: features),
            value: tape.columns(2 * width..<3 * width, of: qkv), heads: heads, summed: true, state: state?[0],
            shape: trials.shape, flags: trials.flags, firstForgetful: trials.reset.firstForgetful(of: heads))
        let means = tape.headQuotients(read, heads: heads)  // [R, D]
        return tape.linear(means, weight: projectionOut.weight, bias: projectionOut.bias, addend: x)
    }
}
