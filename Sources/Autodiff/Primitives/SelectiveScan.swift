import CKernels
import Interface

/// The selective scan of Mamba (Gu and Dao 2023, "Mamba", algorithm 2): each of E channels has a state of S numbers that decay
/// and take in its input at rates that depend on the step. With a step of length δ_t, of a channel, and B_t, C_t [S],
///
///     h_t = exp(−δ_t a) ⊙ h_{t−1} + δ_t B_t x_t,  y_t = C_t · h_t + D x_t
///
/// Operands: x, δ [N, E], a [1, E · S], B, C [N, S], D [1, E]. The derivatives are on the page of the loops, selective_scan.c.
struct SelectiveScan: WideStateCell {
    /// E
    private let channels: Int
    /// S
    private let width: Int

    init(_ record: borrowing Record) { (channels, width) = (record.operands[0].columns, record.operands[3].columns) }

    var stateCount: Int { channels * width }
    var scratchCount: Int { 0 }

    @inline(__always)
    func advance(
        _ values: OperandRows<UnsafePointer<Float>>, row: Int, state: UnsafeMutablePointer<Float>,
        output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        rl2x_selective_scan(
            channels, width, values[0, row], values[1, row], values[2, row], values[3, row], values[4, row],
            values[5, row], state, output)
    }

    @inline(__always)
    func push(
        _ values: OperandRows<UnsafePointer<Float>>, _ tangents: OperandRows<UnsafePointer<Float>>, row: Int,
        state: UnsafeMutablePointer<Float>, tangent: UnsafeMutablePointer<Float>, output: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        rl2x_selective_scan_pushforward(
            channels, width, values[0, row], values[1, row], values[2, row], values[3, row], values[4, row],
            values[5, row], state, tangents[0, row], tangents[1, row], tangents[2, row], tangents[3, row],
            tangents[4, row], tangents[5, row], tangent, output)
    }

    @inline(__always)
    func pull(
        _ values: OperandRows<UnsafePointer<Float>>, _ cotangents: OperandRows<UnsafeMutablePointer<Float>>, row: Int,
        state: UnsafePointer<Float>, cotangent: UnsafeMutablePointer<Float>, output: UnsafePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        rl2x_selective_scan_pullback(
            channels, width, values[0, row], values[1, row], values[2, row], values[3, row], values[4, row],
            values[5, row], state, output, cotangents[0, row], cotangents[1, row], cotangents[2, row],
            cotangents[3, row], cotangents[4, row], cotangents[5, row], cotangent)
    }
}

extension Tape {
    /// What a selective scan gives over packed trials: [N, E]. No operand is a constant.
    ///
    /// - Parameters:
    ///   - x: [N, E].
    ///   - time: δ [N, E], positive.
    ///   - rates: a [E, S], positive.
    ///   - take: B [N, S]; `read`: C [N, S]; `skip`: D [1, E].
    ///   - state: a constant [lanes, E · S], in acting: the state before the step, which becomes that after it; nil: zeros.
    ///   - shape: the number of the packed shape; nil: one step, of which every row is a lane.
    ///   - flags: a constant [N, 1]: where it is 1, channels from `firstForgetful` on begin anew.
    public func selectiveScan(
        _ x: Node, time: Node, rates: Node, take: Node, read: Node, skip: Node, state: Node? = nil, shape: Int?,
        flags: Node? = nil, firstForgetful: Int = 0
    ) -> Node {
        let (channels, width) = (x.columns, take.columns)
        precondition(
            time.rows == x.rows && time.columns == channels && take.rows == x.rows && read.rows == x.rows
                && read.columns == width && rates.rows == channels && rates.columns == width && skip.count == channels,
            "a scan of \(channels) channels of \(width) numbers: operands that do not fit")
        precondition(
            [x, time, rates, take, read, skip].allSatisfy { $0.space != .constant }, "its operands have derivatives")
        return wideStateSequence(
            SelectiveScan.self,
            operands(
                x, time, rates.reshaped(rows: 1, columns: rates.count), take, read, skip, state, flags),
            columns: channels, stateCount: channels * width, shape: shape, firstForgotten: firstForgetful * width)
    }
}
