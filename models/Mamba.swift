import Autodiff
import Interface

/// The mixer of Mamba (Gu and Dao 2023, "Mamba: linear-time sequence modeling with selective state spaces", section 3.4): a
/// causal convolution, a selective scan and a gate, without a feed-forward layer after it. Of the normalised input u,
///
///     x, z = W_in u,  x = silu(convolution x),  (r, B, C) = W_x x,  δ = softplus(W_δ r + b_δ)
///     h_t = exp(−δ_t exp(A)) ⊙ h_{t−1} + δ_t B_t x_t,  y_t = C_t · h_t + D x_t,  output = W_out (y ⊙ silu(z))
///
/// with E = `expansion` · D channels, S numbers of state in each, and r of ⌈D / 16⌉ numbers. Parameters by the names of
/// `MambaMixer` in `transformers`: `in_proj.weight` [2E, D], `conv1d.weight` [E, 1, K] and `.bias` [E], `x_proj.weight`
/// [⌈D / 16⌉ + 2S, E], `dt_proj.weight` [E, ⌈D / 16⌉] and `.bias` [E], `A_log` [E, S], `D` [E], `out_proj.weight` [D, E].
///
/// A starts as log 1 … log S in every channel, D as 1, softplus(b_δ) between 0.001 and 0.1, uniform in its logarithm, W_δ
/// uniform on ±1/√⌈D / 16⌉, and the convolution as `torch.nn.Conv1d`, uniform on ±1/√K. The norm before it is the stack's,
/// where Mamba has one of root mean squares.
struct Mamba: SequenceMixer {
    private let projectionIn: Node
    private let convolution: Affine
    private let selection: Node
    private let time: Affine
    private let logRates: Node
    private let skip: Node
    private let projectionOut: Node
    /// E
    private let channels: Int
    /// ⌈D / 16⌉
    private let rank: Int

    static let options = [
        ModelOptions.depth, ModelOptions.stateSize(default: 16, of: "a channel"),
        Option("convolution", 1...64, default: 4, help: "Steps of the causal convolution before the recurrence"),
        Option("expansion", 1...16, default: 2, help: "Channels of the recurrence, in hidden widths"),
    ]

    init(_ name: String, _ specification: ModelSpecification, layout: inout ParameterLayout) {
        let (width, size, taps) = (specification.hidden, specification.stateSize, specification.convolution)
        channels = Mamba.channels(specification)
        rank = (width + 15) / 16
        projectionIn = layout.add(name + ".in_proj.weight", [2 * channels, width], .xavierUniform(blocks: 2))
        let bound = 1 / Float(taps).squareRoot()
        convolution = Affine(
            weight: layout.add(name + ".conv1d.weight", [channels, 1, taps], .uniform(bound: bound)),
            bias: layout.add(name + ".conv1d.bias", [channels], .uniform(bound: bound)))
        selection = layout.add(name + ".x_proj.weight", [rank + 2 * size, channels], .xavierUniform())
        time = Affine(
            weight: layout.add(
                name + ".dt_proj.weight", [channels, rank], .uniform(bound: 1 / Float(rank).squareRoot())),
            bias: layout.add(name + ".dt_proj.bias", [channels], .timeSteps(from: 0.001, upTo: 0.1)))
        logRates = layout.add(name + ".A_log", [channels, size], .logarithmsOfColumns)
        skip = layout.add(name + ".D", [channels], .constant(1))
        projectionOut = layout.add(
            name + ".out_proj.weight", [width, channels], .xavierUniform(gain: specification.depthGain))
    }

    private static func channels(_ specification: ModelSpecification) -> Int {
        specification.options.integer("expansion") * specification.hidden
    }

    static func stateWidths(_ specification: ModelSpecification) -> [Int] {
        let (channels, taps) = (channels(specification), specification.convolution)
        return [channels * specification.stateSize] + (taps > 1 ? [(taps - 1) * channels] : [])
    }

    func run(_ x: Node, norm: Affine, state: NodeList?, over trials: MixedTrials, tape: Tape) -> Node {
        let (forgetful, size) = (trials.reset.firstForgetful(of: channels), logRates.columns)
        let both = tape.normLinear(x, scale: norm.weight, shift: norm.bias, weight: projectionIn)  // [R, 2E]
        let inputs = tape.silu(
            tape.causalConvolution(
                tape.columns(0..<channels, of: both), weight: convolution.weight, bias: convolution.bias,
                state: convolution.weight.columns > 1 ? state?[1] : nil, shape: trials.shape, flags: trials.flags,
                firstForgetful: forgetful))  // [R, E]
        let selected = tape.linear(inputs, weight: selection)  // [R, ⌈D / 16⌉ + 2S]
        let steps = tape.softplus(
            tape.linear(tape.columns(0..<rank, of: selected), weight: time.weight, bias: time.bias))  // [R, E]
        let scanned = tape.selectiveScan(
            inputs, time: steps, rates: tape.exp(logRates),
            take: tape.columns(rank..<rank + size, of: selected),
            read: tape.columns(rank + size..<rank + 2 * size, of: selected), skip: skip, state: state?[0],
            shape: trials.shape, flags: trials.flags, firstForgetful: forgetful)  // [R, E]
        let gated = tape.multiply(scanned, tape.silu(tape.columns(channels..<2 * channels, of: both)))
        return tape.linear(gated, weight: projectionOut, addend: x)
    }
}
