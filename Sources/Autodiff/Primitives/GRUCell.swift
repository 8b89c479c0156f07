import CKernels
import Kernels

/// One step of a gated recurrent unit in its *reset-after* form (PyTorch's and cuDNN's; Cho et al. 2014 put the reset
/// gate before the product), gates in PyTorch's order r, z, n:
///
///     r  = σ(W_ir x + b_ir + W_hr h + b_hr)
///     z  = σ(W_iz x + b_iz + W_hz h + b_hz)
///     n  = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn))
///     h′ = (1 − z) ⊙ n + z ⊙ h
///
/// Given the four pre-activations r, z, n_h = W_hn h + b_hn and n_x = W_in x + b_in, h′ is elementwise, so its
/// derivative is five numbers an element, and the forward pass keeps exactly those:
///
///     dh′ = c_r dr + c_z dz + c_nh dn_h + c_nx dn_x + z dh
///     c_nx = (1 − z)(1 − n²),  c_nh = c_nx r,  c_r = c_nx n_h r (1 − r),  c_z = (h − n) z (1 − z)
///
/// Both readings are then matrix products and one multiply-add loop. The scratch matrix [B, 4H] holds pre-activations,
/// their tangents or their cotangents in the order r, z, n_h | n_x: its first 3H columns meet W_hh.
enum GRUCell: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let (x, hidden, weightX, weightH) = record.mainOperands
        let (biasX, biasH, output) = (record.operands[4], record.operands[5], record.output)
        let (rows, width) = (output.rows, output.columns)
        let gates = tape.scratch(rows * 4 * width + 4 * width)
        let bias = gates + rows * 4 * width
        accumulate(rows, width, 0, tape.value(hidden), tape.value(weightH), hiddenTo: gates)
        accumulate(rows, width, x.columns, tape.value(x), tape.value(weightX), inputTo: gates)
        join(tape.value(biasX), tape.value(biasH), width, into: bias)
        rl2x_gru_forward(
            rows, width, gates, bias, tape.value(hidden), tape.mutableValue(output),
            record.keepsSaved ? tape.saved(record) : nil)
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let (x, hidden, weightX, weightH) = record.mainOperands
        let (biasX, biasH, output) = (record.operands[4], record.operands[5], record.output)
        let (rows, width) = (output.rows, output.columns)
        let tape = tangents.tape
        let gates = tape.scratch(rows * 4 * width + 4 * width)
        let bias = gates + rows * 4 * width
        accumulate(rows, width, 0, tape.value(hidden), tangents.of(weightH)!, hiddenTo: gates)
        if let dHidden = tangents.of(hidden) {
            accumulate(rows, width, 1, dHidden, tape.value(weightH), hiddenTo: gates)
        }
        accumulate(rows, width, x.columns, tape.value(x), tangents.of(weightX)!, inputTo: gates)
        if let dx = tangents.of(x) {
            accumulate(rows, width, x.columns, dx, tape.value(weightX), inputTo: gates, betaCandidate: 1)
        }
        join(tangents.of(biasX)!, tangents.of(biasH)!, width, into: bias)
        rl2x_gru_pushforward(
            rows, width, tape.saved(record), gates, bias, tangents.of(hidden), tangents.output(output))
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let (x, hidden, weightX, weightH) = record.mainOperands
        let (biasX, biasH, output) = (record.operands[4], record.operands[5], record.output)
        let (rows, width) = (output.rows, output.columns)
        let tape = cotangents.tape
        let gates = tape.scratch(rows * 4 * width + 4 * width)
        let bias = gates + rows * 4 * width
        bias.update(repeating: 0, count: 4 * width)
        let dHidden = cotangents.accumulator(hidden)
        rl2x_gru_pullback(rows, width, tape.saved(record), cotangents.of(output), gates, bias, dHidden)

        separate(bias, width, cotangents.accumulator(biasX)!, cotangents.accumulator(biasH)!)

        // h̄ += ḡ_h W_hh,  W̄_hh += ḡ_hᵀ h
        if let dHidden {
            BLAS.multiply(
                rows, width, 3 * width, gates, 4 * width, tape.value(weightH), width, into: dHidden, width, beta: 1)
        }
        BLAS.multiply(
            3 * width, width, rows, gates, 4 * width, transposeA: true, tape.value(hidden), width,
            into: cotangents.accumulator(weightH)!, width, beta: 1)

        // W̄_ih += ḡ_xᵀ x,  x̄ += ḡ_x W_ih: r and z are columns 0 ..< 2H, n_x columns 3H ..< 4H.
        let (dWeightX, dx) = (cotangents.accumulator(weightX)!, cotangents.accumulator(x))
        let inputs = x.columns
        pullInput(rows, 2 * width, inputs, gates, 4 * width, tape.value(x), tape.value(weightX), dWeightX, dx)
        let candidate = 2 * width * inputs
        pullInput(
            rows, width, inputs, gates + 3 * width, 4 * width, tape.value(x), tape.value(weightX) + candidate,
            dWeightX + candidate, dx)
    }

    @inline(__always)
    private static func pullInput(
        _ rows: Int, _ count: Int, _ inputs: Int, _ gates: UnsafePointer<Float>, _ stride: Int,
        _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, _ dWeight: UnsafeMutablePointer<Float>,
        _ dx: UnsafeMutablePointer<Float>?
    ) {
        BLAS.multiply(
            count, inputs, rows, gates, stride, transposeA: true, x, inputs, into: dWeight, inputs, beta: 1)
        if let dx { BLAS.multiply(rows, inputs, count, gates, stride, weight, inputs, into: dx, inputs, beta: 1) }
    }

    /// gates[:, 0 ..< 3H] = beta · gates + h W_hhᵀ
    @inline(__always)
    private static func accumulate(
        _ rows: Int, _ width: Int, _ beta: Float, _ hidden: UnsafePointer<Float>, _ weight: UnsafePointer<Float>,
        hiddenTo gates: UnsafeMutablePointer<Float>
    ) {
        BLAS.multiply(
            rows, 3 * width, width, hidden, width, weight, width, transposeB: true, into: gates, 4 * width, beta: beta)
    }

    /// gates[:, 0 ..< 2H] += x W_ir,izᵀ and gates[:, 3H ..< 4H] = betaCandidate · gates + x W_inᵀ
    @inline(__always)
    private static func accumulate(
        _ rows: Int, _ width: Int, _ inputs: Int, _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>,
        inputTo gates: UnsafeMutablePointer<Float>, betaCandidate: Float = 0
    ) {
        BLAS.multiply(
            rows, 2 * width, inputs, x, inputs, weight, inputs, transposeB: true, into: gates, 4 * width, beta: 1)
        BLAS.multiply(
            rows, width, inputs, x, inputs, weight + 2 * width * inputs, inputs, transposeB: true,
            into: gates + 3 * width, 4 * width, beta: betaCandidate)
    }

    /// The four biases [4H] in the order r, z, n_h, n_x from PyTorch's two [3H].
    static func join(
        _ biasX: UnsafePointer<Float>, _ biasH: UnsafePointer<Float>, _ width: Int,
        into bias: UnsafeMutablePointer<Float>
    ) {
        bias.update(from: biasH, count: 3 * width)
        Elementwise.addScaled(2 * width, 1, biasX, to: bias)
        (bias + 3 * width).update(from: biasX + 2 * width, count: width)
    }

    /// Adds cotangents of the four biases [4H] to those of PyTorch's two [3H].
    static func separate(
        _ bias: UnsafePointer<Float>, _ width: Int, _ dBiasX: UnsafeMutablePointer<Float>,
        _ dBiasH: UnsafeMutablePointer<Float>
    ) {
        Elementwise.addScaled(3 * width, 1, bias, to: dBiasH)
        Elementwise.addScaled(2 * width, 1, bias, to: dBiasX)
        Elementwise.addScaled(width, 1, bias + 3 * width, to: dBiasX + 2 * width)
    }
}

extension Record {
    /// The first four operands: input, hidden state, input weights, hidden weights of a recurrent cell.
    var mainOperands: (Node, Node, Node, Node) { (operands[0], operands[1], operands[2], operands[3]) }
}

extension Tape {
    /// A GRU step: x [B, I] and hidden [B, H] to the next hidden state [B, H].
    ///
    /// - Parameters:
    ///   - weightX: `weight_ih` [3H, I]; `weightH`: `weight_hh` [3H, H]; `biasX`, `biasH`: [1, 3H] each.
    ///   - output: rows to write to, such as step t of a sequence's [N, H]; a new variable if absent.
    @discardableResult
    public func gruCell(
        _ x: Node, hidden: Node, weightX: Node, weightH: Node, biasX: Node, biasH: Node, into output: Node? = nil
    ) -> Node {
        let width = hidden.columns
        precondition(x.rows == hidden.rows, "a GRU step was given \(x.rows) inputs for \(hidden.rows) states")
        precondition(weightX.rows == 3 * width && weightX.columns == x.columns, "weight_ih does not fit")
        precondition(weightH.rows == 3 * width && weightH.columns == width, "weight_hh does not fit")
        precondition(
            weightX.space != .constant && weightH.space != .constant && biasX.space != .constant
                && biasH.space != .constant, "a GRU's weights have derivatives")
        precondition(biasX.count == 3 * width && biasH.count == 3 * width, "the biases do not fit")
        let next = output ?? variable(rows: x.rows, columns: width)
        precondition(next.rows == x.rows && next.columns == width, "the output does not fit")
        apply(
            GRUCell.self, operands(x, hidden, weightX, weightH, biasX, biasH), output: next,
            saved: 5 * x.rows * width)
        return next
    }
}
