import CKernels
import Interface

/// Fast weights (Schmidhuber 1992): a memory of outer products. Each head has a matrix S [K, V], into which a step writes a
/// value v under a key k and from which it reads by a query q,
///
///     S_t = α_t S_{t−1} + k_t e_tᵀ,  y_t = scale · S_tᵀ q_t
///
/// with e_t = β_t v_t; or by the delta rule (Widrow and Hoff; Schlag et al. 2021), e_t = β_t (v_t − α_t S_{t−1}ᵀ k_t), which
/// corrects what the key finds, so that S_t = α_t (I − β_t k_t k_tᵀ) S_{t−1} + β_t k_t v_tᵀ. α is the decay of a head, β its
/// rate; either may be absent, and is 1. A matrix that is summed has a column more, in which v counts as 1: the sum of
/// the keys, by which a reading becomes a mean.
///
/// Operands: q, k [N, heads · K], v [N, heads · V], α, β [N, heads]. The derivatives are on the page of the loops,
/// fast_weights.c.
struct FastWeights: WideStateCell {
    private let sizes: rl2x_fast_weights

    init(_ record: borrowing Record) {
        let heads = record.integers[2]
        sizes = rl2x_fast_weights(
            heads: Int64(heads), key_width: Int64(record.operands[0].columns / heads),
            value_width: Int64(record.operands[2].columns / heads), delta: Int32(record.integers[3]),
            summed: Int32(record.integers[4]), scale: record.scalar)
    }

    /// Columns of S.
    private var columns: Int { Int(sizes.value_width) + Int(sizes.summed) }
    var stateCount: Int { Int(sizes.heads * sizes.key_width) * columns }
    var scratchCount: Int { 4 * columns }

    @inline(__always)
    func advance(
        _ values: OperandRows<UnsafePointer<Float>>, row: Int, state: UnsafeMutablePointer<Float>,
        output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: sizes) {
            rl2x_fast_weights_forward(
                $0, values[0, row], values[1, row], values[2, row], values.optional(3, row), values.optional(4, row),
                state, output, scratch)
        }
    }

    @inline(__always)
    func push(
        _ values: OperandRows<UnsafePointer<Float>>, _ tangents: OperandRows<UnsafePointer<Float>>, row: Int,
        state: UnsafeMutablePointer<Float>, tangent: UnsafeMutablePointer<Float>, output: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: sizes) {
            rl2x_fast_weights_pushforward(
                $0, values[0, row], values[1, row], values[2, row], values.optional(3, row), values.optional(4, row),
                state, tangents[0, row], tangents[1, row], tangents[2, row], tangents.optional(3, row),
                tangents.optional(4, row), tangent, output, scratch)
        }
    }

    @inline(__always)
    func pull(
        _ values: OperandRows<UnsafePointer<Float>>, _ cotangents: OperandRows<UnsafeMutablePointer<Float>>, row: Int,
        state: UnsafePointer<Float>, cotangent: UnsafeMutablePointer<Float>, output: UnsafePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: sizes) {
            rl2x_fast_weights_pullback(
                $0, values[0, row], values[1, row], values[2, row], values.optional(3, row), values.optional(4, row),
                state, output, cotangents[0, row], cotangents[1, row], cotangents[2, row],
                cotangents.optional(3, row), cotangents.optional(4, row), cotangent, scratch)
        }
    }
}

/// Quotients of what a summed matrix of fast weights gives: of each head's V + 1 numbers, the first V by the last,
///
///     y = x / max(|n|, least),  dy = (dx − y dm) / m  with m = max(|n|, least), which moves with n where |n| is the larger.
enum HeadQuotients: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let (x, y) = (tape.value(record.operands[0]), tape.mutableValue(record.output))
        forEachHead(record, tape) { head, width, divisor, _ in
            let (from, to) = (x + head * (width + 1), y + head * width)
            for column in 0..<width { to[column] = from[column] / divisor }
        }
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let tape = tangents.tape
        let (y, dy, dx) = (tape.value(record.output), tangents.output(record.output), tangents.of(record.operands[0])!)
        forEachHead(record, tape) { head, width, divisor, slope in
            let (from, value, to) = (dx + head * (width + 1), y + head * width, dy + head * width)
            let d = slope * from[width]
            for column in 0..<width { to[column] = (from[column] - value[column] * d) / divisor }
        }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let tape = cotangents.tape
        let (y, u) = (tape.value(record.output), cotangents.of(record.output))
        let dx = cotangents.accumulator(record.operands[0])!
        forEachHead(record, tape) { head, width, divisor, slope in
            let (to, value, seed) = (dx + head * (width + 1), y + head * width, u + head * width)
            var sum: Float = 0
            for column in 0..<width {
                to[column] += seed[column] / divisor
                sum += seed[column] * value[column]
            }
            to[width] -= slope * sum / divisor
        }
    }

    /// - Parameter body: is given the head's number among those of all rows, V, m and dm/dn.
    @inline(__always)
    private static func forEachHead(
        _ record: borrowing Record, _ tape: Tape,
        _ body: (_ head: Int, _ width: Int, _ divisor: Float, _ slope: Float) -> Void
    ) {
        let heads = record.output.rows * record.integers[0]
        let width = record.output.count / heads
        let x = tape.value(record.operands[0])
        let (least, leasts) = (record.scalar, record.operands[1].count > 0 ? tape.value(record.operands[1]) : nil)
        for head in 0..<heads {
            let sum = x[head * (width + 1) + width]
            let floor = leasts.map { $0[head] } ?? least
            let isLarger = abs(sum) > floor
            body(head, width, isLarger ? abs(sum) : floor, isLarger ? (sum < 0 ? -1 : 1) : 0)
        }
    }
}

extension Tape {
    /// What `heads` matrices of fast weights give over packed trials: [N, heads · V], or summed [N, heads · (V + 1)].
    ///
    /// - Parameters:
    ///   - query: [N, heads · K]; `key` likewise; `value`: [N, heads · V]. None is a constant.
    ///   - decay: α [N, heads]; nil: 1. `rate`: β likewise.
    ///   - correcting: by the delta rule, which does not go with a sum.
    ///   - scale: factor on what is read.
    ///   - state: a constant [lanes, heads · K · (V or V + 1)], in acting: the matrices before the step, which become those
    ///     after it; nil: zeros.
    ///   - shape: the number of the packed shape; nil: one step, of which every row is a lane.
    ///   - flags: a constant [N, 1]: where it is 1, heads from `firstForgetful` on begin anew.
    public func fastWeights(
        query: Node, key: Node, value: Node, decay: Node? = nil, rate: Node? = nil, heads: Int,
        correcting: Bool = false,
        summed: Bool = false, scale: Float = 1, state: Node? = nil, shape: Int?, flags: Node? = nil,
        firstForgetful: Int = 0
    ) -> Node {
        precondition(query.columns % heads == 0 && value.columns % heads == 0, "\(heads) heads do not divide the width")
        precondition(
            query.rows == key.rows && query.columns == key.columns && query.rows == value.rows,
            "queries, keys and values do not fit")
        precondition(
            [decay, rate].allSatisfy { $0 == nil || ($0!.rows == query.rows && $0!.columns == heads) },
            "a head has one decay and one rate")
        precondition(
            [query, key, value].allSatisfy { $0.space != .constant }, "queries, keys and values have derivatives")
        precondition(!(correcting && summed), "the delta rule does not sum keys")
        let columns = value.columns + (summed ? heads : 0)
        let count = query.columns * columns / heads
        return wideStateSequence(
            FastWeights.self, operands(query, key, value, decay, rate, nil, state, flags), columns: columns,
            stateCount: count, shape: shape, firstForgotten: firstForgetful * (count / heads), heads,
            correcting ? 1 : 0, summed ? 1 : 0, scalar: scale)
    }

    /// x [N, heads · (V + 1)] as quotients [N, heads · V]: of each head's numbers the first V, divided by the last one's
    /// size, or by `least` where that is larger.
    ///
    /// - Parameter leasts: a constant [N, heads] in the place of `least`.
    public func headQuotients(_ x: Node, heads: Int, least: Float = 1e-6, leasts: Node? = nil) -> Node {
        precondition(x.columns % heads == 0 && x.columns > heads, "\(x.columns) numbers are not of \(heads) heads")
        precondition(x.space != .constant, "its operand has a derivative")
        precondition(
            leasts == nil || (leasts!.space == .constant && leasts!.count == x.rows * heads), "a head has one bound")
        let output = variable(rows: x.rows, columns: x.columns - heads)
        apply(HeadQuotients.self, operands(x, leasts), output: output, integers: attributes(heads), scalar: least)
        return output
    }
}
