import Autodiff

/// A mixer that keeps a running mean of candidates, with gates that depend on the input alone: the recurrences of minGRU and
/// minLSTM (Feng et al. 2024, "Were RNNs all we needed?").
///
///     h_t = h_{t−1} + z_t ⊙ (c_t − h_{t−1}),  x += W_o h + b_o
///
/// c_t and the gates that make z_t are one linear map of the normalised input, c_t its first D columns.
protocol GatedMeanMixer: SequenceMixer {
    /// [gates · D, D]: the candidate's rows, then those of the gates.
    var gates: Affine { get }
    var out: Affine { get }

    /// z_t [R, D] of the gates.
    /// - Parameter gate: the pre-activations of a gate, counted from 1.
    func share(_ gate: (Int) -> Node, tape: Tape) -> Node
}

extension GatedMeanMixer {
    static func stateWidths(_ specification: ModelSpecification) -> [Int] { [specification.hidden] }

    func run(_ x: Node, norm: Affine, state: NodeList?, over trials: MixedTrials, tape: Tape) -> Node {
        let width = x.columns
        let all = tape.normLinear(
            x, scale: norm.weight, shift: norm.bias, weight: gates.weight, bias: gates.bias)  // [R, gates · D]
        func part(_ index: Int) -> Node { tape.columns(index * width..<(index + 1) * width, of: all) }
        let states = tape.gatedMean(
            gate: share(part, tape: tape), candidate: part(0), before: state?[0], shape: trials.shape,
            flags: trials.flags, firstForgetful: trials.reset.firstForgetful(of: width))
        if let state { tape.mutableValue(state[0]).update(from: tape.value(states), count: states.count) }
        return tape.linear(states, weight: out.weight, bias: out.bias, addend: x)
    }
}
