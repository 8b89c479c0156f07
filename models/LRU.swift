import Autodiff

/// The mixer of a linear recurrent unit (Orvieto et al. 2023, "Resurrecting recurrent neural networks for long sequences",
/// section 3 and appendix A): a complex recurrence without gates, whose factors are the same at every step. Over the
/// normalised input u, with n complex numbers of state,
///
///     h_t = λ ⊙ h_{t−1} + γ ⊙ (B u_t),  y_t = Re(C h_t) + D ⊙ u_t,  λ = exp(−exp(ν) + i exp(θ))
///
/// so that |λ| < 1 whatever ν is. Parameters: `nu_theta_gamma_log` [3, n], ν, θ and the logarithm of γ; `B` [2n, D], real parts
/// and then imaginary ones; `C` [D, 2n], real parts and then imaginary ones with the opposite sign; `D` [D]. Published, the
/// output passes a gated linear unit; here the stack's feed-forward layer follows.
///
/// λ starts uniform on the ring 0.9 ≤ |λ| ≤ 0.999 with angles up to π/10, the authors' choice for long sequences, and γ as
/// √(1 − |λ|²), so that the state has the size of the input; B normal with variance 1/(2D), C with 1/n, D with 1.
struct LRU: SequenceMixer {
    private let ring: Node
    private let take: Node
    private let read: Node
    private let skip: Node

    init(_ name: String, _ specification: ModelSpecification, layout: inout ParameterLayout) {
        let (width, size) = (specification.hidden, specification.stateSize)
        ring = layout.add(
            name + ".nu_theta_gamma_log", [3, size], .ring(from: 0.9, upTo: 0.999, angle: .pi / 10))
        take = layout.add(name + ".B", [2 * size, width], .normal(deviation: 1 / Float(2 * width).squareRoot()))
        read = layout.add(name + ".C", [width, 2 * size], .normal(deviation: 1 / Float(size).squareRoot()))
        skip = layout.add(name + ".D", [width], .normal(deviation: 1))
    }

    static func stateWidths(_ specification: ModelSpecification) -> [Int] { [2 * specification.stateSize] }

    func run(_ x: Node, norm: Affine, state: NodeList?, over trials: MixedTrials, tape: Tape) -> Node {
        let factor = tape.polar(size: tape.decay(tape.exp(ring.rows(0..<1))), angle: tape.exp(ring.rows(1..<2)))
        let gain = tape.exp(ring.rows(2..<3))  // [1, n]
        let u = tape.layerNorm(x, weight: norm.weight, bias: norm.bias)
        let inputs = tape.scaleColumns(tape.linear(u, weight: take), by: tape.concatenate(gain, gain))  // [R, 2n]
        let states = tape.complexScan(
            inputs, factor: factor, state: state?[0], shape: trials.shape, flags: trials.flags,
            firstForgetful: trials.reset.firstForgetful(of: ring.columns))
        return tape.linear(states, weight: read, addend: tape.add(x, tape.scaleColumns(u, by: skip)))
    }
}
