import Autodiff

/// The mixer of minLSTM (Feng et al. 2024, section 3.2): a long short-term memory whose gates and candidate depend on the
/// input alone, and whose gates add up to 1,
///
///     f_t = σ(W_f x_t + b_f),  i_t = σ(W_i x_t + b_i),  c_t = W_h x_t + b_h,
///     h_t = f_t / (f_t + i_t) ⊙ h_{t−1} + i_t / (f_t + i_t) ⊙ c_t;
///
/// then a linear map. Parameters: `to_hidden_and_f_i_gate.weight` [3D, D] (candidate, forget gate,
/// input gate) and `.bias` [3D], `to_out.weight` [D, D] and `.bias` [D]. Published without biases; here those of the gates
/// spread the units' time scales over the length of a trial, as those of `LSTM`.
struct MinLSTM: GatedMeanMixer {
    let gates: Affine
    let out: Affine

    init(_ name: String, _ specification: ModelSpecification, layout: inout ParameterLayout) {
        let width = specification.hidden
        gates = Affine(
            weight: layout.add(name + ".to_hidden_and_f_i_gate.weight", [3 * width, width], .xavierUniform(blocks: 3)),
            bias: layout.add(
                name + ".to_hidden_and_f_i_gate.bias", [3 * width],
                .chrono(
                    horizon: specification.chronoSteps, share: specification.chronoShare, block: 1, opposite: 2,
                    blocks: 3)))
        out = Affine(name + ".to_out", [width, width], gain: specification.depthGain, layout: &layout)
    }

    func share(_ gate: (Int) -> Node, tape: Tape) -> Node { tape.gateShare(gate(2), gate(1)) }
}
