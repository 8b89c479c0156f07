import Autodiff

/// The mixer of a gated delta network (Yang, Kautz, Hatamizadeh 2024, "Gated delta networks", section 3 and figure 1): fast
/// weights that forget at a rate of their own and correct what a key finds. In each head, of width d,
///
///     S_t = α_t (I − β_t k_t k_tᵀ) S_{t−1} + β_t k_t v_tᵀ,  y_t = S_tᵀ q_t / √d
///     α_t = exp(−exp(A) softplus(a_t + δ)),  β_t = σ(b_t),  output = W_o (rms norm(y_t) ⊙ silu(z_t))
///
/// q, k and v pass a causal depthwise convolution of a few steps and SiLU, then q and k are brought to length 1. z, a and b
/// are linear in the normalised input. As published d is that of keys and of values alike here, where the authors' larger
/// models have values of twice the width.
///
/// Parameters, without biases: `in_proj.weight` [4D + 2 heads, D] (q, k, v, z, b, a), `conv1d.weight` [3D, 1, K],
/// `dt_bias` [heads], δ; `A_log` [heads], A; `norm.weight` [d]; `out_proj.weight` [D, D]: those of `Qwen3_5GatedDeltaNet` in
/// `transformers`, whose four input maps lie here one after the other. exp(A) starts uniform on 0 … 16, softplus(δ) between
/// 0.001 and 0.1, uniform in its logarithm, and the convolution as `torch.nn.Conv1d`, uniform on ±1/√K.
struct GatedDeltaNet: SequenceMixer {
    private let projectionIn: Node
    /// nil: there is no convolution.
    private let convolution: Node?
    private let timeBias: Node
    private let logRate: Node
    private let norm: Node
    private let projectionOut: Node
    private let heads: Int

    init(_ name: String, _ specification: ModelSpecification, layout: inout ParameterLayout) {
        let (width, taps) = (specification.hidden, specification.convolution)
        heads = specification.heads
        projectionIn = layout.add(
            name + ".in_proj.weight", [4 * width + 2 * heads, width], .xavierUniform(blocks: 4))
        convolution =
            taps == 0
            ? nil
            : layout.add(
                name + ".conv1d.weight", [3 * width, 1, taps], .uniform(bound: 1 / Float(taps).squareRoot()))
        timeBias = layout.add(name + ".dt_bias", [heads], .timeSteps(from: 0.001, upTo: 0.1))
        logRate = layout.add(name + ".A_log", [heads], .logarithms(above: 0, upTo: 16))
        norm = layout.add(name + ".norm.weight", [width / heads], .constant(1))
        projectionOut = layout.add(
            name + ".out_proj.weight", [width, width], .xavierUniform(gain: specification.depthGain))
    }

    /// Keys are brought to length 1, and of a narrower key that leaves hardly more than a sign.
    static let leastHeadWidth = 4

    static func stateWidths(_ specification: ModelSpecification) -> [Int] {
        let (width, taps) = (specification.hidden, specification.convolution)
        return [width * (width / specification.heads)] + (taps > 1 ? [(taps - 1) * 3 * width] : [])
    }

    func run(_ x: Node, norm inputNorm: Affine, state: NodeList?, over trials: MixedTrials, tape: Tape) -> Node {
        let (rows, width, size) = (x.rows, x.columns, x.columns / heads)
        let forgetful = trials.reset.firstForgetful(of: heads)
        let all = tape.normLinear(x, scale: inputNorm.weight, shift: inputNorm.bias, weight: projectionIn)
        func part(_ first: Int, _ count: Int) -> Node { tape.columns(first..<first + count, of: all) }
        var qkv = part(0, 3 * width)
        if let convolution {
            qkv = tape.causalConvolution(
                qkv, weight: convolution, state: convolution.columns > 1 ? state?[1] : nil, shape: trials.shape,
                flags: trials.flags, blocks: 3, firstForgetful: forgetful * size)
        }
        qkv = tape.silu(qkv)
        let directions = tape.unitRows(
            tape.columns(0..<2 * width, of: qkv).reshaped(rows: 2 * rows * heads, columns: size), epsilon: 1e-6
        ).reshaped(rows: rows, columns: 2 * width)
        let time = tape.softplus(tape.scaleColumns(part(4 * width + heads, heads), bias: timeBias))  // [R, heads]
        let read = tape.fastWeights(
            query: tape.columns(0..<width, of: directions), key: tape.columns(width..<2 * width, of: directions),
            value: tape.columns(2 * width..<3 * width, of: qkv),
            decay: tape.decay(tape.scaleColumns(time, by: tape.exp(logRate))),
            rate: tape.sigmoid(part(4 * width, heads)), heads: heads, correcting: true,
            scale: 1 / Float(size).squareRoot(), state: state?[0], shape: trials.shape, flags: trials.flags,
            firstForgetful: forgetful)  // [R, D]
        let normed = tape.rootMeanSquareNorm(read, width: size, weight: norm)
        let gated = tape.multiply(normed, tape.silu(part(3 * width, width)))
        return tape.linear(gated, weight: projectionOut, addend: x)
    }
}
