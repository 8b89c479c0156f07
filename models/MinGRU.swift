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
struct MinGRU: GatedMeanMixer {
    let gates: Affine
    let out: Affine

    init(_ name: String, _ specification: ModelSpecification, layout: inout ParameterLayout) {
        let width = specification.hidden
        gates = Affine(
            weight: layout.add(name + ".to_hidden_and_gate.weight", [2 * width, width], .xavierUniform(blocks: 2)),
            bias: layout.add(
                name + ".to_hidden_and_gate.bias", [2 * width],
                .chrono(horizon: specification.chronoSteps, share: specification.chronoShare, opposite: 1, blocks: 2)))
        out = Affine(name + ".to_out", [width, width], gain: specification.depthGain, layout: &layout)
    }

    func share(_ gate: (Int) -> Node, tape: Tape) -> Node { tape.sigmoid(gate(1)) }
}
