import CKernels
import Kernels

/// One step of a long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000),
/// gates in PyTorch's order i, f, g, o:
///
///     i = σ(W_ii x + b_ii + W_hi h + b_hi)        f, o likewise
///     g = tanh(W_ig x + b_ig + W_hg h + b_hg)
///     c′ = f ⊙ c + i ⊙ g
///     h′ = o ⊙ tanh c′
///
/// Given the four pre-activations, c′ and h′ are elementwise, so their derivative is six numbers an element, and the
/// forward pass keeps exactly those:
///
///     dc′ = c_i di + c_f df + c_g dg + f dc        c_i = g i (1 − i),  c_f = c f (1 − f),  c_g = i (1 − g²)
///     dh′ = c_o do + c_h dc′                       c_o = tanh(c′) o (1 − o),  c_h = o (1 − tanh² c′)
///
/// Both readings are then matrix products and one multiply-add loop over a scratch matrix [B, 4H] of pre-activations,
/// their tangents or their cotangents. h′ is the record's output, c′ its last operand.
enum LSTMCell: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let (x, hidden, weightX, weightH) = record.mainOperands
        let (biasX, biasH, cell, nextCell) = record.lastOperands
        let (rows, width) = (hidden.rows, hidden.columns)
        let gates = tape.scratch(rows * 4 * width + 4 * width)
        let bias = gates + rows * 4 * width
        accumulate(hidden, tape.value(hidden), tape.value(weightH), beta: 0, width, to: gates)
        accumulate(x, tape.value(x), tape.value(weightX), beta: 1, width, to: gates)
        join(tape.value(biasX), tape.value(biasH), width, into: bias)
        rl2x_lstm_forward(
            rows, width, gates, bias, tape.value(cell), tape.mutableValue(record.output), tape.mutableValue(nextCell),
            record.keepsSaved ? tape.saved(record) : nil)
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let (x, hidden, weightX, weightH) = record.mainOperands
        let (biasX, biasH, cell, nextCell) = record.lastOperands
        let (rows, width) = (hidden.rows, hidden.columns)
        let tape = tangents.tape
        let gates = tape.scratch(rows * 4 * width + 4 * width)
        let bias = gates + rows * 4 * width
        accumulate(hidden, tape.value(hidden), tangents.of(weightH)!, beta: 0, width, to: gates)
        if let dHidden = tangents.of(hidden) {
            accumulate(hidden, dHidden, tape.value(weightH), beta: 1, width, to: gates)
        }
        accumulate(x, tape.value(x), tangents.of(weightX)!, beta: 1, width, to: gates)
        if let dx = tangents.of(x) { accumulate(x, dx, tape.value(weightX), beta: 1, width, to: gates) }
        join(tangents.of(biasX)!, tangents.of(biasH)!, width, into: bias)
        rl2x_lstm_pushforward(
            rows, width, tape.saved(record), gates, bias, tangents.of(cell), tangents.output(record.output),
            tangents.output(nextCell))
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let (x, hidden, weightX, weightH) = record.mainOperands
        let (biasX, biasH, cell, nextCell) = record.lastOperands
        let (rows, width) = (hidden.rows, hidden.columns)
        let tape = cotangents.tape
        let gates = tape.scratch(rows * 4 * width + 4 * width)
        let bias = gates + rows * 4 * width
        bias.update(repeating: 0, count: 4 * width)
        rl2x_lstm_pullback(
            rows, width, tape.saved(record), cotangents.of(record.output), cotangents.of(nextCell), gates, bias,
            cotangents.accumulator(cell))
        separate(bias, width, cotangents.accumulator(biasX)!, cotangents.accumulator(biasH)!)
        pull(gates, hidden, weightH, width, cotangents)
        pull(gates, x, weightX, width, cotangents)
    }

    /// gates [B, 4H] = beta · gates + v Wᵀ, where v has the shape of `node`.
    @inline(__always)
    private static func accumulate(
        _ node: Node, _ vectors: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, beta: Float, _ width: Int,
        to gates: UnsafeMutablePointer<Float>
    ) {
        BLAS.multiply(
            node.rows, 4 * width, node.columns, vectors, node.columns, weight, node.columns, transposeB: true,
            into: gates, 4 * width, beta: beta)
    }

    /// v̄ += ḡ W,  W̄ += ḡᵀ v
    @inline(__always)
    private static func pull(
        _ gates: UnsafePointer<Float>, _ vectors: Node, _ weight: Node, _ width: Int, _ cotangents: Cotangents
    ) {
        let (rows, columns, tape) = (vectors.rows, vectors.columns, cotangents.tape)
        BLAS.multiply(
            4 * width, columns, rows, gates, 4 * width, transposeA: true, tape.value(vectors), columns,
            into: cotangents.accumulator(weight)!, columns, beta: 1)
        if let dVectors = cotangents.accumulator(vectors) {
            BLAS.multiply(
                rows, columns, 4 * width, gates, 4 * width, tape.value(weight), columns, into: dVectors, columns,
                beta: 1)
        }
    }

    /// The sum of PyTorch's two biases [4H].
    static func join(
        _ biasX: UnsafePointer<Float>, _ biasH: UnsafePointer<Float>, _ width: Int,
        into bias: UnsafeMutablePointer<Float>
    ) {
        bias.update(from: biasH, count: 4 * width)
        Elementwise.addScaled(4 * width, 1, biasX, to: bias)
    }

    /// Adds cotangents of that sum to those of both.
    static func separate(
        _ bias: UnsafePointer<Float>, _ width: Int, _ dBiasX: UnsafeMutablePointer<Float>,
        _ dBiasH: UnsafeMutablePointer<Float>
    ) {
        Elementwise.addScaled(4 * width, 1, bias, to: dBiasX)
        Elementwise.addScaled(4 * width, 1, bias, to: dBiasH)
    }
}

extension Record {
    /// The last four operands: the two biases, the cell state and the place of the next one.
    fileprivate var lastOperands: (Node, Node, Node, Node) { (operands[4], operands[5], operands[6], operands[7]) }
}

extension Tape {
    /// An LSTM step: x [B, I], hidden and cell [B, H] to the next hidden and cell states [B, H].
    ///
    /// - Parameters:
    ///   - weightX: `weight_ih` [4H, I]; `weightH`: `weight_hh` [4H, H]; `biasX`, `biasH`: [1, 4H] each.
    ///   - nextHidden: rows to write to, such as step t of a sequence's [N, H]; `nextCell`: likewise.
    public func lstmCell(
        _ x: Node, hidden: Node, cell: Node, weightX: Node, weightH: Node, biasX: Node, biasH: Node,
        into nextHidden: Node, _ nextCell: Node
    ) {
        let width = hidden.columns
        precondition(x.rows == hidden.rows, "an LSTM step was given \(x.rows) inputs for \(hidden.rows) states")
        precondition(cell.rows == hidden.rows && cell.columns == width, "the cell state does not fit the hidden state")
        precondition(weightX.rows == 4 * width && weightX.columns == x.columns, "weight_ih does not fit")
        precondition(weightH.rows == 4 * width && weightH.columns == width, "weight_hh does not fit")
        precondition(
            weightX.space != .constant && weightH.space != .constant && biasX.space != .constant
                && biasH.space != .constant, "an LSTM's weights have derivatives")
        precondition(biasX.count == 4 * width && biasH.count == 4 * width, "the biases do not fit")
        precondition(nextHidden.rows == x.rows && nextHidden.columns == width, "the next hidden state does not fit")
        precondition(nextCell.rows == x.rows && nextCell.columns == width, "the next cell state does not fit")
        apply(
            LSTMCell.self, operands(x, hidden, weightX, weightH, biasX, biasH, cell, nextCell), output: nextHidden,
            saved: 6 * x.rows * width)
    }
}
