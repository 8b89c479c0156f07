import CKernels
import Interface

/// The matrix memory of xLSTM (Beck et al. 2024, "xLSTM", section 2.3): fast weights that decay and take in by exponential
/// gates, and give a mean. With pre-activations i and f of the gates of a head,
///
///     C_t = σ(f_t) C_{t−1} + exp(i_t) k_t v_tᵀ,  n_t = σ(f_t) n_{t−1} + exp(i_t) k_t
///     y_t = C_tᵀ q_t / max(|n_t · q_t|, 1),  q scaled by `scale`
///
/// Both C and n are kept times exp(−m_t), with m_t = max(log σ(f_t) + m_{t−1}, i_t), and the 1 with them: no exponential grows
/// beyond floats, and y is the same.
///
/// Operands: q, k [N, heads · K], v [N, heads · V], i, f [N, heads]. The derivatives are on the page of the loops, mlstm.c.
struct MatrixMemory: WideStateCell {
    private let sizes: rl2x_fast_weights

    init(_ record: borrowing Record) {
        let heads = record.integers[2]
        sizes = rl2x_fast_weights(
            heads: Int64(heads), key_width: Int64(record.operands[0].columns / heads),
            value_width: Int64(record.operands[2].columns / heads), delta: 0, summed: 1, scale: record.scalar)
    }

    /// Floats of a head's state: C, n and m.
    static func headCount(keys: Int, values: Int) -> Int { keys * (values + 1) + 1 }

    var stateCount: Int {
        Int(sizes.heads) * MatrixMemory.headCount(keys: Int(sizes.key_width), values: Int(sizes.value_width))
    }
    var scratchCount: Int { 7 * (Int(sizes.value_width) + 1) }

    @inline(__always)
    func advance(
        _ values: OperandRows<UnsafePointer<Float>>, row: Int, state: UnsafeMutablePointer<Float>,
        output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: sizes) {
            rl2x_mlstm_forward(
                $0, values[0, row], values[1, row], values[2, row], values[3, row], values[4, row], state, output,
                scratch)
        }
    }

    @inline(__always)
    func push(
        _ values: OperandRows<UnsafePointer<Float>>, _ tangents: OperandRows<UnsafePointer<Float>>, row: Int,
        state: UnsafeMutablePointer<Float>, tangent: UnsafeMutablePointer<Float>, output: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: sizes) {
            rl2x_mlstm_pushforward(
                $0, values[0, row], values[1, row], values[2, row], values[3, row], values[4, row], state,
                tangents[0, row], tangents[1, row], tangents[2, row], tangents[3, row], tangents[4, row], tangent,
                output, scratch)
        }
    }

    @inline(__always)
    func pull(
        _ values: OperandRows<UnsafePointer<Float>>, _ cotangents: OperandRows<UnsafeMutablePointer<Float>>, row: Int,
        state: UnsafePointer<Float>, cotangent: UnsafeMutablePointer<Float>, output: UnsafePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: sizes) {
            rl2x_mlstm_pullback(
                $0, values[0, row], values[1, row], values[2, row], values[3, row], values[4, row], state, output,
                cotangents[0, row], cotangents[1, row], cotangents[2, row], cotangents[3, row], cotangents[4, row],
                cotangent, scratch)
        }
    }
}

extension Tape {
    /// What `heads` matrix memories give over packed trials: [N, heads · V]. No operand is a constant.
    ///
    /// - Parameters:
    ///   - query: [N, heads · K]; `key` likewise; `value`: [N, heads · V].
    ///   - input: pre-activations of the exponential gate that takes in [N, heads]; `forget`: of the one that keeps.
    ///   - scale: factor on queries.
    ///   - state: a constant [lanes, heads · (K (V + 1) + 1)], in acting: the state before the step, which becomes that
    ///     after it; nil: zeros.
    ///   - shape: the number of the packed shape; nil: one step, of which every row is a lane.
    ///   - flags: a constant [N, 1]: where it is 1, heads from `firstForgetful` on begin anew.
    public func matrixMemory(
        query: Node, key: Node, value: Node, input: Node, forget: Node, heads: Int, scale: Float = 1,
        state: Node? = nil, shape: Int?, flags: Node? = nil, firstForgetful: Int = 0
    ) -> Node {
        precondition(query.columns % heads == 0 && value.columns % heads == 0, "\(heads) heads do not divide the width")
        precondition(
            query.rows == key.rows && query.columns == key.columns && query.rows == value.rows,
            "queries, keys and values do not fit")
        precondition(
            [input, forget].allSatisfy { $0.rows == query.rows && $0.columns == heads }, "a head has two gates")
        precondition(
            [query, key, value, input, forget].allSatisfy { $0.space != .constant }, "its operands have derivatives")
        let count = MatrixMemory.headCount(keys: query.columns / heads, values: value.columns / heads)
        return wideStateSequence(
            MatrixMemory.self, operands(query, key, value, input, forget, nil, state, flags), columns: value.columns,
            stateCount: heads * count, shape: shape, firstForgotten: firstForgetful * count, heads, scalar: scale)
    }
}
