import CKernels
import Kernels

/// y = x ⊙ w + b, row by row: a factor and a summand for each column. Either may be absent, and is 1 or 0.
///
///     dy = dx ⊙ w + x ⊙ dw + db,  x̄ += ȳ ⊙ w,  w̄ += Σ_rows ȳ ⊙ x,  b̄ += Σ_rows ȳ
enum ScaleColumns: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let (x, y) = (tape.value(record.operands[0]), tape.mutableValue(record.output))
        let (weight, bias) = (record.operands[1], record.operands[2])
        forEachRow(record) { first, columns in
            if weight.count > 0 {
                Elementwise.product(columns, x + first, tape.value(weight), y + first)
            } else {
                (y + first).update(from: x + first, count: columns)
            }
            if bias.count > 0 { Elementwise.addScaled(columns, 1, tape.value(bias), to: y + first) }
        }
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let tape = tangents.tape
        let (x, dx, dy) = (
            tape.value(record.operands[0]), tangents.of(record.operands[0]), tangents.output(record.output)
        )
        let (weight, bias) = (record.operands[1], record.operands[2])
        dy.update(repeating: 0, count: record.output.count)
        forEachRow(record) { first, columns in
            if weight.count > 0 {
                if let dx { Elementwise.addProduct(columns, dx + first, tape.value(weight), to: dy + first) }
                Elementwise.addProduct(columns, x + first, tangents.of(weight)!, to: dy + first)
            } else if let dx {
                Elementwise.addScaled(columns, 1, dx + first, to: dy + first)
            }
            if bias.count > 0 { Elementwise.addScaled(columns, 1, tangents.of(bias)!, to: dy + first) }
        }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let tape = cotangents.tape
        let (x, dx, u) = (
            tape.value(record.operands[0]), cotangents.accumulator(record.operands[0]), cotangents.of(record.output)
        )
        let (weight, bias) = (record.operands[1], record.operands[2])
        forEachRow(record) { first, columns in
            if weight.count > 0 {
                if let dx { Elementwise.addProduct(columns, u + first, tape.value(weight), to: dx + first) }
                Elementwise.addProduct(columns, u + first, x + first, to: cotangents.accumulator(weight)!)
            } else if let dx {
                Elementwise.addScaled(columns, 1, u + first, to: dx + first)
            }
        }
        if bias.count > 0 {
            Elementwise.addColumnSums(
                rows: record.output.rows, columns: record.output.columns, of: u, to: cotangents.accumulator(bias)!)
        }
    }

    @inline(__always)
    private static func forEachRow(_ record: borrowing Record, _ body: (_ first: Int, _ columns: Int) -> Void) {
        let columns = record.output.columns
        for row in 0..<record.output.rows { body(row * columns, columns) }
    }
}

extension Tape {
    /// x [N, D] ⊙ weight + bias, row by row; each [1, D] and not a constant, or absent.
    public func scaleColumns(_ x: Node, by weight: Node? = nil, bias: Node? = nil) -> Node {
        precondition(
            [weight, bias].allSatisfy { $0 == nil || ($0!.count == x.columns && $0!.space != .constant) },
            "a factor and a summand for each of \(x.columns) columns")
        let output = variable(rows: x.rows, columns: x.columns)
        apply(ScaleColumns.self, operands(x, weight, bias), output: output)
        return output
    }
}
