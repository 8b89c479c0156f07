import Kernels

/// y = x, but 0 from column `first` on in the rows whose flag is 1: a state that is forgotten in part. Where y is 0 by the
/// flag, it says nothing of x, and neither does a derivative:
///
/// dy = dx,  x̄ += ȳ where a number is kept;  dy = 0, and nothing is added, where it is forgotten.
enum ResetRows: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let (y, columns) = (tape.mutableValue(record.output), record.output.columns)
        copyKept(record, tape, tape.value(record.operands[0]), columns, to: y)
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let (dy, columns) = (tangents.output(record.output), record.output.columns)
        guard let dx = tangents.of(record.operands[0]) else {
            return dy.update(repeating: 0, count: record.output.count)
        }
        copyKept(record, tangents.tape, dx, columns, to: dy)
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        guard let dx = cotangents.accumulator(record.operands[0]) else { return }
        let (u, columns) = (cotangents.of(record.output), record.output.columns)
        let flags = cotangents.tape.value(record.operands[1])
        for row in 0..<record.output.rows {
            let kept = flags[row] == 1 ? record.integers[0] : columns
            Elementwise.addScaled(kept, 1, u + row * columns, to: dx + row * columns)
        }
    }

    @inline(__always)
    private static func copyKept(
        _ record: borrowing Record, _ tape: Tape, _ source: UnsafePointer<Float>, _ columns: Int,
        to target: UnsafeMutablePointer<Float>
    ) {
        let flags = tape.value(record.operands[1])
        for row in 0..<record.output.rows {
            let kept = flags[row] == 1 ? record.integers[0] : columns
            let place = target + row * columns
            place.update(from: source + row * columns, count: kept)
            (place + kept).update(repeating: 0, count: columns - kept)
        }
    }
}

extension Tape {
    /// x [B, D] with zeros from column `first` on, in 0 … D, where a row's flag is 1.
    ///
    /// - Parameter flags: a constant [B, 1].
    public func resetRows(_ x: Node, where flags: Node, from first: Int) -> Node {
        precondition(
            flags.space == .constant && flags.rows == x.rows && flags.columns == 1, "a row has one flag, a constant")
        precondition((0...x.columns).contains(first), "column \(first) of \(x.columns)")
        let output = variable(rows: x.rows, columns: x.columns)
        apply(ResetRows.self, operands(x, flags), output: output, integers: attributes(first))
        return output
    }
}
