import CKernels
import Foundation
import Interface
import Kernels

/// A complex diagonal recurrence over packed trials, h_t = λ ⊙ h_{t−1} + x_t, whose factors are the same at every step.
/// Rows hold n real parts and then as many imaginary parts: h, x [N, 2n], λ [1, 2n].
///
///     dh_t = λ dh_{t−1} + dλ h_{t−1} + dx_t
///     x̄_t += h̄_t,  λ̄ += h̄_t h*_{t−1},  h̄_{t−1} += λ* h̄_t   (* the conjugate)
///
/// Where the flag of a row is 1, numbers from `firstForgetful` on of h_{t−1} count as zero (`MemoryReset`).
enum ComplexScan: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let plan = Plan(record, tape)
        let (x, factor) = (tape.value(record.operands[0]), tape.value(record.operands[1]))
        let (states, before) = (tape.mutableValue(record.output), record.stateBefore.map { tape.value($0) })
        plan.forEachRow { row, previous, lane, kept in
            let past = previous.map { UnsafePointer(states + $0) } ?? before.map { $0 + lane }
            rl2x_complex_scan(plan.width, past == nil ? 0 : kept, factor, x + row, past, states + row)
        }
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let tape = tangents.tape
        let plan = Plan(record, tape)
        let (factor, dFactor) = (tape.value(record.operands[1]), tangents.of(record.operands[1])!)
        let (dx, states) = (tangents.of(record.operands[0])!, tape.value(record.output))
        let dStates = tangents.output(record.output)
        plan.forEachRow { row, previous, _, kept in
            rl2x_complex_scan_pushforward(
                plan.width, previous == nil ? 0 : kept, factor, previous.map { states + $0 }, dFactor, dx + row,
                previous.map { UnsafePointer(dStates + $0) }, dStates + row)
        }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let tape = cotangents.tape
        let plan = Plan(record, tape)
        let (factor, uFactor) = (tape.value(record.operands[1]), cotangents.accumulator(record.operands[1])!)
        let (ux, states) = (cotangents.accumulator(record.operands[0])!, tape.value(record.output))
        // The states of all steps but the last are operands of the steps that follow them.
        let u = cotangents.accumulator(record.output)!
        plan.forEachRowBackwards { row, previous, _, kept in
            rl2x_complex_scan_pullback(
                plan.width, previous == nil ? 0 : kept, factor, previous.map { states + $0 },
                UnsafePointer(u + row), uFactor, ux + row, previous.map { u + $0 })
        }
    }
}

extension Record {
    /// The state before the first step, in acting [lanes, 2n]; nil: zeros.
    fileprivate var stateBefore: Node? { operands[2].count > 0 ? operands[2] : nil }
}

extension ComplexScan {
    struct Plan {
        /// n
        let width: Int
        private let shape: PackedShape?
        private let rows: Int
        private let flags: UnsafePointer<Float>?
        private let firstForgetful: Int

        init(_ record: borrowing Record, _ tape: Tape) {
            shape = record.integers[0] < 0 ? nil : tape.shape(record.integers[0])
            firstForgetful = record.integers[1]
            (rows, width) = (record.output.rows, record.output.columns / 2)
            flags = record.operands[3].count > 0 ? tape.value(record.operands[3]) : nil
        }

        private var steps: Int { shape?.steps ?? 1 }

        /// - Parameter body: is given where a row begins, where the row of the step before does, where the lane's state
        ///   before the first step does, and how many numbers of the state before are kept.
        @inline(__always)
        func forEachRow(_ body: (_ row: Int, _ previous: Int?, _ lane: Int, _ kept: Int) -> Void) {
            for step in 0..<steps { forEachRow(of: step, body) }
        }

        @inline(__always)
        func forEachRowBackwards(_ body: (_ row: Int, _ previous: Int?, _ lane: Int, _ kept: Int) -> Void) {
            for step in stride(from: steps - 1, through: 0, by: -1) { forEachRow(of: step, body) }
        }

        @inline(__always)
        private func forEachRow(of step: Int, _ body: (_ row: Int, _ previous: Int?, _ lane: Int, _ kept: Int) -> Void)
        {
            let (first, lanes) = (shape?.offsets[step] ?? 0, shape?.lanesAtStep[step] ?? rows)
            for lane in 0..<lanes {
                let isForgetful = flags.map { $0[first + lane] == 1 } ?? false
                body(
                    (first + lane) * 2 * width, step == 0 ? nil : (shape!.offsets[step - 1] + lane) * 2 * width,
                    lane * 2 * width, isForgetful ? firstForgetful : width)
            }
        }
    }
}

/// Complex numbers by their size r and angle φ [1, n]: [1, 2n], r cos φ and then r sin φ.
enum Polar: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let (size, angle) = (tape.value(record.operands[0]), tape.value(record.operands[1]))
        let (z, count) = (tape.mutableValue(record.output), record.operands[0].count)
        for i in 0..<count { (z[i], z[count + i]) = (size[i] * cosf(angle[i]), size[i] * sinf(angle[i])) }
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let (tape, dz, count) = (tangents.tape, tangents.output(record.output), record.operands[0].count)
        let (z, angle) = (tape.value(record.output), tape.value(record.operands[1]))
        let (dSize, dAngle) = (tangents.of(record.operands[0])!, tangents.of(record.operands[1])!)
        for i in 0..<count {
            dz[i] = dSize[i] * cosf(angle[i]) - z[count + i] * dAngle[i]
            dz[count + i] = dSize[i] * sinf(angle[i]) + z[i] * dAngle[i]
        }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let (tape, u, count) = (cotangents.tape, cotangents.of(record.output), record.operands[0].count)
        let (z, angle) = (tape.value(record.output), tape.value(record.operands[1]))
        let dSize = cotangents.accumulator(record.operands[0])!
        let dAngle = cotangents.accumulator(record.operands[1])!
        for i in 0..<count {
            dSize[i] += u[i] * cosf(angle[i]) + u[count + i] * sinf(angle[i])
            dAngle[i] += u[count + i] * z[i] - u[i] * z[count + i]
        }
    }
}

extension Tape {
    /// All states [N, 2n] of h_t = factor ⊙ h_{t−1} + x_t over packed trials, complex numbers as n real and n imaginary parts.
    ///
    /// - Parameters:
    ///   - x: [N, 2n]; `factor`: [1, 2n]. Neither is a constant.
    ///   - state: a constant [lanes, 2n], in acting: the state before the step, which becomes that after it; nil: zeros.
    ///   - shape: the number of the packed shape; nil: one step, of which every row is a lane.
    ///   - flags: a constant [N, 1]: where it is 1, complex numbers from `firstForgetful` on of the state before count as zero.
    public func complexScan(
        _ x: Node, factor: Node, state: Node? = nil, shape: Int?, flags: Node? = nil, firstForgetful: Int = 0
    ) -> Node {
        requireSequence(rows: x.rows, shape: shape, state: state, stateCount: x.columns, flags: flags)
        precondition(factor.count == x.columns && x.columns % 2 == 0, "a factor for each of \(x.columns / 2) numbers")
        precondition(x.space != .constant && factor.space != .constant, "its operands have derivatives")
        let states = variable(rows: x.rows, columns: x.columns)
        apply(
            ComplexScan.self, operands(x, factor, state, flags), output: states,
            integers: attributes(shape ?? -1, firstForgetful))
        if let state { mutableValue(state).update(from: value(states), count: states.count) }
        return states
    }

    /// size · e^(i angle): [1, 2n], n real parts and then the imaginary ones. Neither [1, n] is a constant.
    public func polar(size: Node, angle: Node) -> Node {
        precondition(size.rows == 1 && angle.rows == 1 && size.count == angle.count, "an angle for each size")
        precondition(size.space != .constant && angle.space != .constant, "its operands have derivatives")
        let output = variable(rows: 1, columns: 2 * size.count)
        apply(Polar.self, operands(size, angle), output: output)
        return output
    }
}
