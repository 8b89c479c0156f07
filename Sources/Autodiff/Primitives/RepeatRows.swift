import Kernels

/// What a group of k neighbouring rows shares, given to each of them: y_{bk + a} = x_b, or [z_{bk + a} | x_b] where rows
/// have numbers z of their own. dy likewise;  x̄_b += Σ_a of its columns of ȳ_{bk + a},  z̄ += its columns of ȳ.
enum RepeatRows: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let (x, z, y) = (record.operands[0], record.operands[1], record.output)
        let place = tape.mutableValue(y)
        spread(tape.value(x), x, record.integers[0], to: place + z.columns, y)
        if z.columns > 0 { copy(tape.value(z), z, to: place, y) }
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let (x, z, y) = (record.operands[0], record.operands[1], record.output)
        let dy = tangents.output(y)
        let (dx, dz) = (tangents.of(x), z.columns > 0 ? tangents.of(z) : nil)
        if dx == nil || (dz == nil && z.columns > 0) { dy.update(repeating: 0, count: y.count) }
        if let dx { spread(dx, x, record.integers[0], to: dy + z.columns, y) }
        if let dz { copy(dz, z, to: dy, y) }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let (x, z, y, size) = (record.operands[0], record.operands[1], record.output, record.integers[0])
        let u = cotangents.of(y)
        if let dx = cotangents.accumulator(x) {
            for row in 0..<y.rows {
                Elementwise.addScaled(x.columns, 1, u + row * y.columns + z.columns, to: dx + row / size * x.columns)
            }
        }
        if z.columns > 0, let dz = cotangents.accumulator(z) {
            for row in 0..<y.rows {
                Elementwise.addScaled(z.columns, 1, u + row * y.columns, to: dz + row * z.columns)
            }
        }
    }

    @inline(__always)
    private static func spread(
        _ source: UnsafePointer<Float>, _ x: Node, _ size: Int, to target: UnsafeMutablePointer<Float>, _ y: Node
    ) {
        for row in 0..<y.rows {
            (target + row * y.columns).update(from: source + row / size * x.columns, count: x.columns)
        }
    }

    @inline(__always)
    private static func copy(
        _ source: UnsafePointer<Float>, _ z: Node, to target: UnsafeMutablePointer<Float>, _ y: Node
    ) {
        for row in 0..<y.rows {
            (target + row * y.columns).update(from: source + row * z.columns, count: z.columns)
        }
    }
}

extension Tape {
    /// Each row of x [B, D] `count` times, one below the other: [B · count, D]; with `own` [B · count, E] on the left of
    /// them: [B · count, E + D].
    public func repeatRows(_ x: Node, count: Int, beside own: Node? = nil) -> Node {
        precondition(count > 0, "rows cannot be repeated \(count) times")
        precondition(
            own == nil || own!.rows == x.rows * count, "\(x.rows) rows, \(count) times each, beside \(own!.rows)")
        let output = variable(rows: x.rows * count, columns: (own?.columns ?? 0) + x.columns)
        apply(RepeatRows.self, operands(x, own), output: output, integers: attributes(count))
        return output
    }
}
