import CKernels
import Interface
import Kernels

/// A linear recurrence over packed trials whose gates do not depend on its state: a running mean of its candidates,
///
///     h_t = h_{t−1} + z_t ⊙ (c_t − h_{t−1})
///
/// with h_{−1} given, or zero. Where the flag of a row is 1, the columns from `first` on of h_{t−1} count as zero
/// (`MemoryReset`).
///
///     dh_t = (1 − z_t) dh_{t−1} + z_t dc_t + (c_t − h_{t−1}) dz_t
///     z̄_t += (c_t − h_{t−1}) h̄_t,  c̄_t += z_t h̄_t,  h̄_{t−1} += (1 − z_t) h̄_t
enum GatedMean: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let plan = Plan(record, tape)
        let (gate, candidate) = (tape.value(record.operands[0]), tape.value(record.operands[1]))
        let (before, next) = (plan.before(tape), tape.mutableValue(record.output))
        plan.forEachPiece { piece in
            rl2x_gated_mean(
                piece.count, gate + piece.place, candidate + piece.place, piece.previous(UnsafePointer(next), before),
                next + piece.place)
        }
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let tape = tangents.tape
        let plan = Plan(record, tape)
        let (gate, candidate) = (tape.value(record.operands[0]), tape.value(record.operands[1]))
        let (dGate, dCandidate) = (tangents.of(record.operands[0])!, tangents.of(record.operands[1])!)
        let (before, states) = (plan.before(tape), tape.value(record.output))
        let (dBefore, dStates) = (plan.first.flatMap { tangents.of($0) }, tangents.output(record.output))
        plan.forEachPiece { piece in
            rl2x_gated_mean_pushforward(
                piece.count, gate + piece.place, candidate + piece.place, piece.previous(states, before),
                dGate + piece.place, dCandidate + piece.place, piece.previous(UnsafePointer(dStates), dBefore),
                dStates + piece.place)
        }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let tape = cotangents.tape
        let plan = Plan(record, tape)
        let (gate, candidate) = (tape.value(record.operands[0]), tape.value(record.operands[1]))
        let uGate = cotangents.accumulator(record.operands[0])!
        let uCandidate = cotangents.accumulator(record.operands[1])!
        let (before, states) = (plan.before(tape), tape.value(record.output))
        let uBefore = plan.first.flatMap { cotangents.accumulator($0) }
        // The states of all steps but the last are operands of the steps that follow them.
        let u = cotangents.accumulator(record.output)!
        plan.forEachPieceBackwards { piece in
            rl2x_gated_mean_pullback(
                piece.count, gate + piece.place, candidate + piece.place, piece.previous(states, before),
                UnsafePointer(u) + piece.place, uGate + piece.place, uCandidate + piece.place,
                piece.previous(u, uBefore))
        }
    }
}

extension GatedMean {
    /// Numbers that lie side by side and whose states before lie side by side too: those of a step, or of a row of one
    /// whose flag is set.
    struct Piece {
        /// First number in [N, D].
        let place: Int
        let count: Int
        /// First number of the states before, in [N, D], or at a trial's first step in [lanes, D].
        let placeBefore: Int
        let isFirstStep: Bool
        let isForgotten: Bool

        /// Where the state before lies; nil: it is zero.
        func previous(_ states: UnsafePointer<Float>, _ first: UnsafePointer<Float>?) -> UnsafePointer<Float>? {
            if isForgotten { return nil }
            return isFirstStep ? first.map { $0 + placeBefore } : states + placeBefore
        }

        func previous(
            _ states: UnsafeMutablePointer<Float>, _ first: UnsafeMutablePointer<Float>?
        ) -> UnsafeMutablePointer<Float>? {
            if isForgotten { return nil }
            return isFirstStep ? first.map { $0 + placeBefore } : states + placeBefore
        }
    }

    struct Plan {
        /// nil: every row is a lane, at its trial's first step.
        private let shape: PackedShape?
        private let rows: Int
        private let width: Int
        /// d of each row [N]; nil: nothing is forgotten.
        private let flags: UnsafePointer<Float>?
        private let firstForgetful: Int
        /// The state before the first step [lanes, D]; nil: zeros.
        let first: Node?

        init(_ record: borrowing Record, _ tape: Tape) {
            shape = record.integers[0] < 0 ? nil : tape.shape(record.integers[0])
            rows = record.output.rows
            firstForgetful = record.integers[1]
            width = record.output.columns
            first = record.operands[2].count > 0 ? record.operands[2] : nil
            flags = record.operands[3].count > 0 ? tape.value(record.operands[3]) : nil
        }

        private var steps: Int { shape?.steps ?? 1 }

        func before(_ tape: Tape) -> UnsafePointer<Float>? { first.map { tape.value($0) } }

        @inline(__always)
        func forEachPiece(_ body: (Piece) -> Void) {
            for step in 0..<steps { forEachPiece(of: step, body) }
        }

        @inline(__always)
        func forEachPieceBackwards(_ body: (Piece) -> Void) {
            for step in stride(from: steps - 1, through: 0, by: -1) { forEachPiece(of: step, body) }
        }

        @inline(__always)
        private func forEachPiece(of step: Int, _ body: (Piece) -> Void) {
            let (row, lanes) = (shape?.offsets[step] ?? 0, shape?.lanesAtStep[step] ?? rows)
            let rowBefore = step == 0 ? 0 : shape?.offsets[step - 1] ?? 0
            func piece(_ lane: Int, _ columns: Range<Int>, rows: Int = 1, isForgotten: Bool = false) {
                body(
                    Piece(
                        place: (row + lane) * width + columns.lowerBound, count: rows * columns.count,
                        placeBefore: (rowBefore + lane) * width + columns.lowerBound, isFirstStep: step == 0,
                        isForgotten: isForgotten))
            }
            guard let flags, (0..<lanes).contains(where: { flags[row + $0] == 1 }) else {
                return piece(0, 0..<width, rows: lanes)
            }
            for lane in 0..<lanes {
                let kept = flags[row + lane] == 1 ? firstForgetful : width
                if kept > 0 { piece(lane, 0..<kept) }
                if kept < width { piece(lane, kept..<width, isForgotten: true) }
            }
        }
    }
}

/// s = σ(x) / (σ(x) + σ(y)): what two gates keep and take in, as shares that add up to 1. With a = e⁻ˣ, b = e⁻ʸ and
/// D = 2 + a + b: s = (1 + b) / D,  ds = s (a / D) dx − (1 − s) (b / D) dy. Gates are cut off at ±40, where s no longer
/// moves.
enum GateShare: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        rl2x_gate_share(
            record.output.count, tape.value(record.operands[0]), tape.value(record.operands[1]),
            tape.mutableValue(record.output), record.keepsSaved ? tape.saved(record) : nil)
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let (dy, count, slopes) = (tangents.output(record.output), record.output.count, tangents.tape.saved(record))
        dy.update(repeating: 0, count: count)
        for index in 0..<2 {
            if let dx = tangents.of(record.operands[index]) {
                Elementwise.addProduct(count, slopes + index * count, dx, to: dy)
            }
        }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let (u, count, slopes) = (cotangents.of(record.output), record.output.count, cotangents.tape.saved(record))
        for index in 0..<2 {
            if let dx = cotangents.accumulator(record.operands[index]) {
                Elementwise.addProduct(count, slopes + index * count, u, to: dx)
            }
        }
    }
}

extension Tape {
    /// All states [N, D] of h_t = h_{t−1} + gate_t ⊙ (candidate_t − h_{t−1}) over packed trials.
    ///
    /// - Parameters:
    ///   - gate: [N, D], in 0 … 1; `candidate` likewise. Neither is a constant.
    ///   - before: the states before the first step [lanes, D]; nil: zeros.
    ///   - shape: the number of the packed shape; nil: one step, of which every row is a lane.
    ///   - flags: a constant [N, 1]: where it is 1, columns from `firstForgetful` on of the state before count as zero.
    public func gatedMean(
        gate: Node, candidate: Node, before: Node? = nil, shape: Int?, flags: Node? = nil, firstForgetful: Int = 0
    ) -> Node {
        precondition(gate.rows == candidate.rows && gate.columns == candidate.columns, "gates that do not fit")
        precondition(gate.space != .constant && candidate.space != .constant, "gates and candidates have derivatives")
        let packed = shape.map { self.shape($0) }
        precondition(packed == nil || packed!.rows == gate.rows, "the shape does not fit")
        precondition(
            before == nil || (before!.rows == packed?.lanes ?? gate.rows && before!.columns == gate.columns),
            "the state before does not fit")
        precondition(flags == nil || flags!.count == gate.rows, "a row has one flag")
        let states = variable(rows: gate.rows, columns: gate.columns)
        apply(
            GatedMean.self, operands(gate, candidate, before, flags), output: states,
            integers: attributes(shape ?? -1, firstForgetful))
        return states
    }

    /// σ(x) / (σ(x) + σ(y)), of the shape of both.
    public func gateShare(_ x: Node, _ y: Node) -> Node {
        precondition(x.rows == y.rows && x.columns == y.columns, "two gates of one shape")
        let output = variable(rows: x.rows, columns: x.columns)
        apply(GateShare.self, operands(x, y), output: output, saved: 2 * x.count)
        return output
    }
}
