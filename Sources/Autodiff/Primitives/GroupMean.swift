import Kernels

/// Means over groups of k neighbouring rows: y_b = (1/k) Σ_a x_{bk + a}. dy is the mean of dx;  x̄_{bk + a} += ȳ_b / k.
enum GroupMean: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        mean(record, tape.value(record.operands[0]), into: tape.mutableValue(record.output))
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let dy = tangents.output(record.output)
        guard let dx = tangents.of(record.operands[0]) else {
            return dy.update(repeating: 0, count: record.output.count)
        }
        mean(record, dx, into: dy)
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        guard let dx = cotangents.accumulator(record.operands[0]) else { return }
        let (size, columns, u) = (record.integers[0], record.output.columns, cotangents.of(record.output))
        for row in 0..<record.operands[0].rows {
            Elementwise.addScaled(columns, 1 / Float(size), u + row / size * columns, to: dx + row * columns)
        }
    }

    @inline(__always)
    private static func mean(
        _ record: borrowing Record, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>
    ) {
        let (size, columns) = (record.integers[0], record.output.columns)
        y.update(repeating: 0, count: record.output.count)
        for group in 0..<record.output.rows {
            Elementwise.addColumnSums(
                rows: size, columns: columns, of: x + group * size * columns, to: y + group * columns)
        }
        Elementwise.scale(record.output.count, by: 1 / Float(size), y)
    }
}

extension Tape {
    /// The mean of each `size` neighbouring rows of x [B · size, D]: [B, D].
    public func groupMean(_ x: Node, size: Int) -> Node {
        precondition(size > 0 && x.rows % size == 0, "\(x.rows) rows cannot be cut into groups of \(size)")
        let output = variable(rows: x.rows / size, columns: x.columns)
        apply(GroupMean.self, operands(x), output: output, integers: attributes(size))
        return output
    }
}
