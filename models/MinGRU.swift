import Autodiff

/// The mixer of minGRU (Feng et al. 2024, "Were RNNs all we needed?", section 3.1): a gated recurrent unit whose gate and
/// candidate depend on the input alone,
///
///     z_t = σ(W_z x_t + b_z),  c_t = W_h x_t + b_h,  h_t = (1 − z_t) ⊙ h_{t−1} + z_t ⊙ c_t;
///
/// then a linear map. (The form in logarithms of their appendix, which needs positive candidates, serves a parallel scan.)
/// Parameters: `to_hidden_and_gate.weight` [2D, D] (candidate,
/// gate) and `.bias` [2D], `to_out.weight` [D, D] and `.bias` [D]. Published without biases; here those of the gate set
/// the units' time scales, which are spread over the length of a trial as those of `GRU`.
struct MinGRU: SequenceMixer {
    private let width: Int
    private let gates: Affine
    private let out: Affine

    init(_ name: String, _ specification: ModelSpecification, layout: inout ParameterLayout) {
        width = specification.hidden
        gates = Affine(
            weight: layout.add(name + ".to_hidden_and_gate.weight", [2 * width, width], .xavierUniform(blocks: 2)),
            bias: layout.add(
                name + ".to_hidden_and_gate.bias", [2 * width],
                .chrono(horizon: specification.chronoSteps, share: specification.chronoShare, opposite: 1, blocks: 2)))
        out = Affine(name + ".to_out", [width, width], gain: specification.depthGain, layout: &layout)
    }

    static func stateWidth(_ specification: ModelSpecification) -> Int { specification.hidden }

    func run(_ x: Node, norm: Affine, before: Node?, over trials: MixedTrials, tape: Tape) -> (Node, states: Node) {
        let both = tape.normLinear(
            x, scale: norm.weight, shift: norm.bias, weight: gates.weight, bias: gates.bias)  // [R, 2D]
        let states = tape.gatedMean(
            gate: tape.sigmoid(tape.columns(width..<2 * width, of: both)),
            candidate: tape.columns(0..<width, of: both), before: before, shape: trials.shape,
            flags: trials.flags, firstForgetful: trials.reset.firstForgetful(of: width))
        return (tape.linear(states, weight: out.weight, bias: out.bias, addend: x), states)
    }
}
