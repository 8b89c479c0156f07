import Autodiff

/// A weight and a bias: of a linear map, or of a layer norm.
struct Affine {
    let weight: Node
    let bias: Node

    /// Adds `name.weight` [outputs, inputs] and `name.bias` [outputs].
    init(_ name: String, _ shape: [Int], gain: Float = 1, layout: inout ParameterLayout) {
        weight = layout.add(name + ".weight", shape, .xavierUniform(gain: gain))
        bias = layout.add(name + ".bias", [shape[0]], .constant(0))
    }

    /// Adds `name.weight` [width], ones, and `name.bias` [width], zeros.
    init(norm name: String, width: Int, layout: inout ParameterLayout) {
        weight = layout.add(name + ".weight", [width], .constant(1))
        bias = layout.add(name + ".bias", [width], .constant(0))
    }

    init(weight: Node, bias: Node) { (self.weight, self.bias) = (weight, bias) }
}

/// One layer of a transformer: its parameters by the names of `torch.nn.TransformerEncoderLayer`, and how it runs.
struct TransformerLayer {
    private let width: Int
    private let norm1: Affine
    private let projectionIn: Affine
    private let projectionOut: Affine
    private let norm2: Affine
    private let linear1: Affine
    private let linear2: Affine
    /// None: sublayers are added to the stream.
    private let gates: (any ResidualGate, any ResidualGate)?

    init(_ name: String, width: Int, options: TransformerOptions, layout: inout ParameterLayout) {
        self.width = width
        let depthGain = 1 / Float(2 * options.layers).squareRoot()
        let inner = options.feedForward * width
        projectionIn = Affine(
            weight: layout.add(name + ".self_attn.in_proj_weight", [3 * width, width], .xavierUniform(blocks: 3)),
            bias: layout.add(name + ".self_attn.in_proj_bias", [3 * width], .constant(0)))
        projectionOut = Affine(name + ".self_attn.out_proj", [width, width], gain: depthGain, layout: &layout)
        linear1 = Affine(name + ".linear1", [inner, width], layout: &layout)
        linear2 = Affine(name + ".linear2", [width, inner], gain: depthGain, layout: &layout)
        norm1 = Affine(norm: name + ".norm1", width: width, layout: &layout)
        norm2 = Affine(norm: name + ".norm2", width: width, layout: &layout)
        switch options.gating {
        case .none: gates = nil
        case .gru:
            gates = (
                GRUGate(name + ".gate1", width: width, layout: &layout),
                GRUGate(name + ".gate2", width: width, layout: &layout)
            )
        case .resetBefore:
            gates = (
                ResetBeforeGate(name + ".gate1", width: width, layout: &layout),
                ResetBeforeGate(name + ".gate2", width: width, layout: &layout)
            )
        }
    }

    /// x [R, D] to [R, D].
    ///
    /// - Parameters:
    ///   - angles: what queries and keys are turned by; nil: they are not.
    ///   - attend: [R, 3D] to [R, D].
    func run(_ x: Node, angles: Node?, tape: Tape, attend: (Node) -> Node) -> Node {
        var qkv = tape.normLinear(
            x, scale: norm1.weight, shift: norm1.bias, weight: projectionIn.weight, bias: projectionIn.bias)
        if let angles { qkv = tape.rotary(qkv, columns: 2 * width, angles: angles) }
        let attended = attend(qkv)
        guard let gates else {
            let middle = tape.linear(attended, weight: projectionOut.weight, bias: projectionOut.bias, addend: x)
            return feedForward(middle, residual: true, tape)
        }
        let branch = tape.linear(attended, weight: projectionOut.weight, bias: projectionOut.bias)
        let middle = gates.0.run(x, branch, tape: tape)
        return gates.1.run(middle, feedForward(middle, residual: false, tape), tape: tape)
    }

    private func feedForward(_ x: Node, residual: Bool, _ tape: Tape) -> Node {
        tape.feedForward(
            x, scale: norm2.weight, shift: norm2.bias, weight1: linear1.weight, bias1: linear1.bias,
            weight2: linear2.weight, bias2: linear2.bias, residual: residual)
    }
}

/// What stands in the place of a residual addition.
protocol ResidualGate: Sendable {
    /// The stream x [R, D] and a sublayer's output [R, D] to the stream after it.
    func run(_ x: Node, _ branch: Node, tape: Tape) -> Node
}

/// A gated recurrent unit: `weight_ih`, `weight_hh` [3D, D], `bias_ih`, `bias_hh` [3D], as `torch.nn.GRUCell` has them. Its
/// state is the stream, its input GELU of a sublayer's output.
struct GRUGate: ResidualGate {
    private let weightX: Node
    private let weightH: Node
    private let biasX: Node
    private let biasH: Node

    init(_ name: String, width: Int, layout: inout ParameterLayout) {
        weightX = layout.add(name + ".weight_ih", [3 * width, width], .xavierUniform(blocks: 3))
        weightH = layout.add(name + ".weight_hh", [3 * width, width], .xavierUniform(blocks: 3))
        biasX = layout.add(name + ".bias_ih", [3 * width], .constant(0))
        // The update gate keeps: the layer starts near the identity.
        biasH = layout.add(name + ".bias_hh", [3 * width], .blocks([0, 2, 0]))
    }

    func run(_ x: Node, _ branch: Node, tape: Tape) -> Node {
        tape.gruCell(tape.gelu(branch), hidden: x, weightX: weightX, weightH: weightH, biasX: biasX, biasH: biasH)
    }
}

/// The gate of GTrXL (Parisotto et al. 2020, equation 5), of y, GELU of a sublayer's output where they have ReLU:
///
///     r = σ(W_r y + U_r x),  z = σ(W_z y + U_z x − b),  g = tanh(W_g y + U_g (r ⊙ x)),  x + z ⊙ (g − x)
///
/// Parameters: `weight_y` [3D, D] (W_r, W_z, W_g), `weight_x` [2D, D] (U_r, U_z), `weight_reset` [D, D] (U_g) and `bias` [D], b,
/// which starts at 2, so that the layer begins near the identity.
struct ResetBeforeGate: ResidualGate {
    private let weightY: Node
    private let weightX: Node
    private let weightReset: Node
    private let bias: Node

    init(_ name: String, width: Int, layout: inout ParameterLayout) {
        weightY = layout.add(name + ".weight_y", [3 * width, width], .xavierUniform(blocks: 3))
        weightX = layout.add(name + ".weight_x", [2 * width, width], .xavierUniform(blocks: 2))
        weightReset = layout.add(name + ".weight_reset", [width, width], .xavierUniform())
        bias = layout.add(name + ".bias", [width], .constant(2))
    }

    func run(_ x: Node, _ branch: Node, tape: Tape) -> Node {
        let width = x.columns
        let fromBranch = tape.linear(tape.gelu(branch), weight: weightY)  // [R, 3D]
        let fromStream = tape.linear(x, weight: weightX)  // [R, 2D]
        func gate(_ index: Int) -> Node {
            let columns = index * width..<(index + 1) * width
            return tape.add(tape.columns(columns, of: fromBranch), tape.columns(columns, of: fromStream))
        }
        let reset = tape.sigmoid(gate(0))
        // 1 − z, what is kept.
        let kept = tape.sigmoid(
            tape.subtract(tape.scaleColumns(tape.zeros(rows: x.rows, columns: width), bias: bias), gate(1)))
        let candidate = tape.tanh(
            tape.linear(
                tape.multiply(reset, x), weight: weightReset,
                addend: tape.columns(2 * width..<3 * width, of: fromBranch)))
        return tape.add(candidate, tape.multiply(kept, tape.subtract(x, candidate)))
    }
}
