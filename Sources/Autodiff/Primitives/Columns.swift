import Kernels

/// y = some neighbouring columns of x; x̄ += ȳ there.
enum Columns: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let (x, y, first) = (record.operands[0], record.output, record.integers[0])
        copy(tape.value(x) + first, x.columns, y, to: tape.mutableValue(y))
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let (x, y, first) = (record.operands[0], record.output, record.integers[0])
        let dy = tangents.output(y)
        guard let dx = tangents.of(x) else { return dy.update(repeating: 0, count: y.count) }
        copy(dx + first, x.columns, y, to: dy)
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let (x, y, first) = (record.operands[0], record.output, record.integers[0])
        guard let dx = cotangents.accumulator(x) else { return }
        let u = cotangents.of(y)
        for row in 0..<y.rows {
            Elementwise.addScaled(y.columns, 1, u + row * y.columns, to: dx + row * x.columns + first)
        }
    }

    @inline(__always)
    private static func copy(
        _ source: UnsafePointer<Float>, _ stride: Int, _ y: Node, to target: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<y.rows { (target + row * y.columns).update(from: source + row * stride, count: y.columns) }
    }
}

extension Tape {
    /// A copy of some neighbouring columns of x [N, D]: [N, range.count].
    public func columns(_ range: Range<Int>, of x: Node) -> Node {
        precondition(range.lowerBound >= 0 && range.upperBound <= x.columns, "columns \(range) of \(x.columns)")
        let output = variable(rows: x.rows, columns: range.count)
        apply(Columns.self, operands(x), output: output, integers: attributes(range.lowerBound))
        return output
    }
}
