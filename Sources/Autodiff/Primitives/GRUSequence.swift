import CKernels
import Interface

extension GRUCell: SequenceCell {
    static let (firstInputs, stateGates, savedCount) = (2, 3, 5)

    static func advance(
        _ lanes: Int, _ width: Int, gates: UnsafePointer<Float>, bias: UnsafePointer<Float>,
        hiddenBefore: UnsafePointer<Float>, cellBefore: UnsafePointer<Float>?, hidden: UnsafeMutablePointer<Float>,
        cell: UnsafeMutablePointer<Float>?, saved: UnsafeMutablePointer<Float>?
    ) { rl2x_gru_forward(lanes, width, gates, bias, hiddenBefore, hidden, saved) }

    static func push(
        _ lanes: Int, _ width: Int, saved: UnsafePointer<Float>, gates: UnsafePointer<Float>,
        bias: UnsafePointer<Float>, hiddenBefore: UnsafePointer<Float>?, cellBefore: UnsafePointer<Float>?,
        hidden: UnsafeMutablePointer<Float>, cell: UnsafeMutablePointer<Float>?
    ) { rl2x_gru_pushforward(lanes, width, saved, gates, bias, hiddenBefore, hidden) }

    static func pull(
        _ lanes: Int, _ width: Int, saved: UnsafePointer<Float>, hidden: UnsafePointer<Float>,
        cell: UnsafePointer<Float>?, gates: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>,
        hiddenBefore: UnsafeMutablePointer<Float>?, cellBefore: UnsafeMutablePointer<Float>?
    ) { rl2x_gru_pullback(lanes, width, saved, hidden, gates, bias, hiddenBefore) }
}

extension Tape {
    /// All states [N, H] of a GRU over packed inputs x [N, I], from states of zeros.
    ///
    /// - Parameters:
    ///   - shape: how trials lie in the rows of x.
    ///   - weightX: `weight_ih` [3H, I]; `weightH`: `weight_hh` [3H, H]; `biasX`, `biasH`: [1, 3H] each.
    public func gruSequence(
        _ x: Node, shape: PackedShape, weightX: Node, weightH: Node, biasX: Node, biasH: Node
    ) -> Node {
        recurrentSequence(
            GRUCell.self, x, shape: shape, weightX: weightX, weightH: weightH, biasX: biasX, biasH: biasH)
    }
}
