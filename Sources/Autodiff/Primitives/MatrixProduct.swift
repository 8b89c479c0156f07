import Kernels

/// C [N, M] = A [N, K] B [K, M]. dC = dA B + A dB;  Ā += C̄ Bᵀ,  B̄ += Aᵀ C̄.
///
/// For A Bᵀ with B [M, K] use `linear`, whose weight may be a variable.
enum MatrixProduct: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let (a, b, c) = (record.operands[0], record.operands[1], record.output)
        BLAS.multiply(
            c.rows, c.columns, a.columns, tape.value(a), a.columns, tape.value(b), b.columns,
            into: tape.mutableValue(c), c.columns)
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let (a, b, c, tape) = (record.operands[0], record.operands[1], record.output, tangents.tape)
        let dc = tangents.output(c)
        var beta: Float = 0
        if let da = tangents.of(a) {
            BLAS.multiply(
                c.rows, c.columns, a.columns, da, a.columns, tape.value(b), b.columns, into: dc, c.columns)
            beta = 1
        }
        if let db = tangents.of(b) {
            BLAS.multiply(
                c.rows, c.columns, a.columns, tape.value(a), a.columns, db, b.columns, into: dc, c.columns,
                beta: beta)
            beta = 1
        }
        if beta == 0 { dc.update(repeating: 0, count: c.count) }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let (a, b, c, tape) = (record.operands[0], record.operands[1], record.output, cotangents.tape)
        let u = cotangents.of(c)
        if let da = cotangents.accumulator(a) {
            BLAS.multiply(
                a.rows, a.columns, c.columns, u, c.columns, tape.value(b), b.columns, transposeB: true, into: da,
                a.columns, beta: 1)
        }
        if let db = cotangents.accumulator(b) {
            BLAS.multiply(
                b.rows, b.columns, c.rows, tape.value(a), a.columns, transposeA: true, u, c.columns, into: db,
                b.columns, beta: 1)
        }
    }
}

extension Tape {
    /// A [N, K] B [K, M]: [N, M].
    public func matrixProduct(_ a: Node, _ b: Node) -> Node {
        precondition(a.columns == b.rows, "[\(a.rows), \(a.columns)] times [\(b.rows), \(b.columns)]")
        let output = variable(rows: a.rows, columns: b.columns)
        apply(MatrixProduct.self, operands(a, b), output: output)
        return output
    }
}
