import Autodiff

/// The mixer of xLSTM with matrix memories, mLSTM (Beck et al. 2024, "xLSTM: extended long short-term memory", section 2.3), in the
/// layer of xLSTM 7B (Beck et al. 2025, figure 2), which has no convolution and a feed-forward layer after it. Of the
/// normalised input u, in each head,
///
///     C_t = σ(f_t) C_{t−1} + exp(i_t) k_t v_tᵀ,  n_t = σ(f_t) n_{t−1} + exp(i_t) k_t
///     y_t = C_tᵀ q_t / max(|n_t · q_t|, 1),  output = W_o (σ(o_t) ⊙ layer norm of each head(y_t))
///
/// with q, k, v, i, f and o linear in u, q divided by the root of a head's width. Parameters by the
/// names of `xLSTMLayer` in `transformers`, whose maps to q, k, v and o lie one after the other: `qkv_opreact.weight` [4D, D],
/// `igate_preact.weight` and `fgate_preact.weight` [heads, D], their `.bias` [heads], `multihead_norm.weight` [D],
/// `out_proj.weight` [D, D]. As published heads are few and wide: two, unless told otherwise. Gates start with weights of zero, biases of f from 3 to 6 over the heads, those of i normal with
/// deviation 0.1.
struct XLSTM: SequenceMixer {
    private let projectionIn: Node
    private let input: Affine
    private let forget: Affine
    private let norm: Node
    private let projectionOut: Node
    private let heads: Int

    init(_ name: String, _ specification: ModelSpecification, layout: inout ParameterLayout) {
        let width = specification.hidden
        heads = specification.heads
        projectionIn = layout.add(name + ".qkv_opreact.weight", [4 * width, width], .xavierUniform(blocks: 4))
        input = Affine(
            weight: layout.add(name + ".igate_preact.weight", [heads, width], .constant(0)),
            bias: layout.add(name + ".igate_preact.bias", [heads], .normal(deviation: 0.1)))
        forget = Affine(
            weight: layout.add(name + ".fgate_preact.weight", [heads, width], .constant(0)),
            bias: layout.add(name + ".fgate_preact.bias", [heads], .even(from: 3, upTo: 6)))
        norm = layout.add(name + ".multihead_norm.weight", [width], .constant(1))
        projectionOut = layout.add(
            name + ".out_proj.weight", [width, width], .xavierUniform(gain: specification.depthGain))
    }

    /// Each head is brought to mean 0 and variance 1, and of a narrower one that leaves hardly more than signs.
    static let leastHeadWidth = 4

    static func stateWidths(_ specification: ModelSpecification) -> [Int] {
        let (heads, size) = (specification.heads, specification.hidden / specification.heads)
        return [heads * (size * (size + 1) + 1)]
    }

    func run(_ x: Node, norm inputNorm: Affine, state: NodeList?, over trials: MixedTrials, tape: Tape) -> Node {
        let (width, size) = (x.columns, x.columns / heads)
        let u = tape.layerNorm(x, weight: inputNorm.weight, bias: inputNorm.bias)
        let all = tape.linear(u, weight: projectionIn)  // [R, 4D]
        func part(_ index: Int) -> Node { tape.columns(index * width..<(index + 1) * width, of: all) }
        let read = tape.matrixMemory(
            query: part(0), key: part(1), value: part(2),
            input: tape.linear(u, weight: input.weight, bias: input.bias),
            forget: tape.linear(u, weight: forget.weight, bias: forget.bias), heads: heads,
            scale: 1 / Float(size).squareRoot(), state: state?[0], shape: trials.shape, flags: trials.flags,
            firstForgetful: trials.reset.firstForgetful(of: heads))  // [R, D]
        let normed = tape.layerNorm(
            read.reshaped(rows: x.rows * heads, columns: size), weight: tape.constant(1, columns: size),
            bias: tape.zeros(rows: 1, columns: size), epsilon: 1e-6
        ).reshaped(rows: x.rows, columns: width)
        let gated = tape.multiply(tape.scaleColumns(normed, by: norm), tape.sigmoid(part(3)))
        return tape.linear(gated, weight: projectionOut, addend: x)
    }
}
