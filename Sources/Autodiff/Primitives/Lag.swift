import Interface
import Kernels

/// Rows of some steps before: y_t = x_{t−d} of the same trial, zero where there is no such step; x̄_{t−d} += ȳ_t. Where an
/// episode began after step t − d, columns from `firstForgetful` on are zero too (`MemoryReset`).
enum Lag: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        copy(record, tape, tape.value(record.operands[0]), to: tape.mutableValue(record.output))
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let dy = tangents.output(record.output)
        guard let dx = tangents.of(record.operands[0]) else {
            return dy.update(repeating: 0, count: record.output.count)
        }
        copy(record, tangents.tape, dx, to: dy)
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        guard let dx = cotangents.accumulator(record.operands[0]) else { return }
        let (u, columns) = (cotangents.of(record.output), record.output.columns)
        forEachRow(record, cotangents.tape) { row, before, kept in
            if let before { Elementwise.addScaled(kept, 1, u + row * columns, to: dx + before * columns) }
        }
    }

    @inline(__always)
    private static func copy(
        _ record: borrowing Record, _ tape: Tape, _ source: UnsafePointer<Float>,
        to target: UnsafeMutablePointer<Float>
    ) {
        let columns = record.output.columns
        forEachRow(record, tape) { row, before, kept in
            let place = target + row * columns
            if let before { place.update(from: source + before * columns, count: kept) }
            (place + kept).update(repeating: 0, count: columns - kept)
        }
    }

    /// - Parameter body: is given a row, the row of its trial d steps before, if there is one, and how many of its columns
    ///   are read: none where there is none.
    @inline(__always)
    private static func forEachRow(
        _ record: borrowing Record, _ tape: Tape, _ body: (_ row: Int, _ before: Int?, _ kept: Int) -> Void
    ) {
        let (shape, steps, firstForgetful) = (tape.shape(record.integers[0]), record.integers[1], record.integers[2])
        let columns = record.output.columns
        let starts = record.operands[1].count > 0 ? tape.value(record.operands[1]) : nil
        for step in 0..<shape.steps {
            for lane in 0..<shape.lanesAtStep[step] {
                let row = shape.row(step: step, lane: lane)
                guard step >= steps else {
                    body(row, nil, 0)
                    continue
                }
                let isParted = starts.map { Int($0[row]) > step - steps } ?? false
                body(row, shape.row(step: step - steps, lane: lane), isParted ? firstForgetful : columns)
            }
        }
    }
}

extension Tape {
    /// x [N, C] as it was some steps before in the same trial, zero before its start: [N, C].
    ///
    /// - Parameters:
    ///   - steps: at least 1.
    ///   - shape: the number of the packed shape.
    ///   - starts: a constant [N, 1], the step at which each row's episode began: of rows before it, columns from
    ///     `firstForgetful` on count as zero. nil: nothing is forgotten.
    public func lag(_ x: Node, steps: Int, shape: Int, starts: Node? = nil, firstForgetful: Int = 0) -> Node {
        precondition(steps > 0 && self.shape(shape).rows == x.rows, "the shape does not fit")
        precondition(
            starts == nil || (starts!.space == .constant && starts!.count == x.rows), "starts are one constant a row")
        let output = variable(rows: x.rows, columns: x.columns)
        apply(Lag.self, operands(x, starts), output: output, integers: attributes(shape, steps, firstForgetful))
        return output
    }
}
