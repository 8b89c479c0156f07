import CKernels
import Interface

extension LSTMCell: SequenceCell {
    static let (firstInputs, stateGates, savedCount) = (4, 4, 6)

    static func advance(
        _ lanes: Int, _ width: Int, gates: UnsafePointer<Float>, bias: UnsafePointer<Float>,
        hiddenBefore: UnsafePointer<Float>, cellBefore: UnsafePointer<Float>?, hidden: UnsafeMutablePointer<Float>,
        cell: UnsafeMutablePointer<Float>?, saved: UnsafeMutablePointer<Float>?
    ) { rl2x_lstm_forward(lanes, width, gates, bias, cellBefore, hidden, cell, saved) }

    static func push(
        _ lanes: Int, _ width: Int, saved: UnsafePointer<Float>, gates: UnsafePointer<Float>,
        bias: UnsafePointer<Float>, hiddenBefore: UnsafePointer<Float>?, cellBefore: UnsafePointer<Float>?,
        hidden: UnsafeMutablePointer<Float>, cell: UnsafeMutablePointer<Float>?
    ) { rl2x_lstm_pushforward(lanes, width, saved, gates, bias, cellBefore, hidden, cell) }

    static func pull(
        _ lanes: Int, _ width: Int, saved: UnsafePointer<Float>, hidden: UnsafePointer<Float>,
        cell: UnsafePointer<Float>?, gates: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>,
        hiddenBefore: UnsafeMutablePointer<Float>?, cellBefore: UnsafeMutablePointer<Float>?
    ) { rl2x_lstm_pullback(lanes, width, saved, hidden, cell, gates, bias, cellBefore) }
}

extension Tape {
    /// All hidden and cell states [N, H] of an LSTM over packed inputs x [N, I], from states of zeros.
    ///
    /// - Parameters:
    ///   - shape: how trials lie in the rows of x.
    ///   - weightX: `weight_ih` [4H, I]; `weightH`: `weight_hh` [4H, H]; `biasX`, `biasH`: [1, 4H] each.
    public func lstmSequence(
        _ x: Node, shape: PackedShape, weightX: Node, weightH: Node, biasX: Node, biasH: Node
    ) -> (hidden: Node, cell: Node) {
        let cell = variable(rows: x.rows, columns: weightH.columns)
        let hidden = recurrentSequence(
            LSTMCell.self, x, shape: shape, weightX: weightX, weightH: weightH, biasX: biasX, biasH: biasH, cell: cell)
        return (hidden, cell)
    }
}
