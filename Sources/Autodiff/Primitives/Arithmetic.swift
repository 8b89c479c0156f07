import Kernels

/// y = a + factor · b, all of one shape.
enum Sum: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let y = tape.mutableValue(record.output)
        y.update(from: tape.value(record.operands[0]), count: record.output.count)
        Elementwise.addScaled(record.output.count, record.scalar, tape.value(record.operands[1]), to: y)
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let dy = tangents.output(record.output)
        let count = record.output.count
        if let da = tangents.of(record.operands[0]) {
            dy.update(from: da, count: count)
        } else {
            dy.update(repeating: 0, count: count)
        }
        if let db = tangents.of(record.operands[1]) { Elementwise.addScaled(count, record.scalar, db, to: dy) }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let u = cotangents.of(record.output)
        let count = record.output.count
        if let da = cotangents.accumulator(record.operands[0]) { Elementwise.addScaled(count, 1, u, to: da) }
        if let db = cotangents.accumulator(record.operands[1]) {
            Elementwise.addScaled(count, record.scalar, u, to: db)
        }
    }
}

/// y = a ⊙ b, both of one shape; they may be the same node.
enum Product: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        Elementwise.product(
            record.output.count, tape.value(record.operands[0]), tape.value(record.operands[1]),
            tape.mutableValue(record.output))
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let dy = tangents.output(record.output)
        let (a, b, count) = (record.operands[0], record.operands[1], record.output.count)
        dy.update(repeating: 0, count: count)
        if let da = tangents.of(a) { Elementwise.addProduct(count, da, tangents.tape.value(b), to: dy) }
        if let db = tangents.of(b) { Elementwise.addProduct(count, db, tangents.tape.value(a), to: dy) }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let u = cotangents.of(record.output)
        let (a, b, count) = (record.operands[0], record.operands[1], record.output.count)
        if let da = cotangents.accumulator(a) { Elementwise.addProduct(count, u, cotangents.tape.value(b), to: da) }
        if let db = cotangents.accumulator(b) { Elementwise.addProduct(count, u, cotangents.tape.value(a), to: db) }
    }
}

extension Tape {
    /// a + b
    public func add(_ a: Node, _ b: Node) -> Node { sum(a, b, factor: 1) }
    /// a − b
    public func subtract(_ a: Node, _ b: Node) -> Node { sum(a, b, factor: -1) }

    private func sum(_ a: Node, _ b: Node, factor: Float) -> Node {
        requireSameShape(a, b)
        let output = variable(rows: a.rows, columns: a.columns)
        apply(Sum.self, operands(a, b), output: output, scalar: factor)
        return output
    }

    /// a ⊙ b
    public func multiply(_ a: Node, _ b: Node) -> Node {
        requireSameShape(a, b)
        let output = variable(rows: a.rows, columns: a.columns)
        apply(Product.self, operands(a, b), output: output)
        return output
    }

    private func requireSameShape(_ a: Node, _ b: Node) {
        precondition(
            a.rows == b.rows && a.columns == b.columns,
            "shapes [\(a.rows), \(a.columns)] and [\(b.rows), \(b.columns)] differ")
    }
}
