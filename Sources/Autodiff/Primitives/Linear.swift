import Kernels

/// y [N, O] = x [N, I] Wᵀ + b, with W [O, I] and b [O] as in `torch.nn.Linear`.
enum Linear: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let (x, weight, bias, y) = (record.operands[0], record.operands[1], record.operands[2], record.output)
        let out = tape.mutableValue(y)
        BLAS.multiply(
            x.rows, y.columns, x.columns, tape.value(x), x.columns, tape.value(weight), x.columns, transposeB: true,
            into: out, y.columns)
        if bias.count > 0 { Elementwise.addBias(rows: y.rows, columns: y.columns, tape.value(bias), to: out) }
    }

    // dy = x dWᵀ + dx Wᵀ + db
    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let (x, weight, bias, y) = (record.operands[0], record.operands[1], record.operands[2], record.output)
        let tape = tangents.tape
        let dy = tangents.output(y)
        var beta: Float = 0
        if let dWeight = tangents.of(weight) {
            BLAS.multiply(
                x.rows, y.columns, x.columns, tape.value(x), x.columns, dWeight, x.columns, transposeB: true,
                into: dy, y.columns)
            beta = 1
        }
        if let dx = tangents.of(x) {
            BLAS.multiply(
                x.rows, y.columns, x.columns, dx, x.columns, tape.value(weight), x.columns, transposeB: true,
                into: dy, y.columns, beta: beta)
            beta = 1
        }
        if beta == 0 { dy.update(repeating: 0, count: y.count) }
        if bias.count > 0, let dBias = tangents.of(bias) {
            Elementwise.addBias(rows: y.rows, columns: y.columns, dBias, to: dy)
        }
    }

    // x̄ += ȳ W,  W̄ += ȳᵀ x,  b̄ += Σ_rows ȳ
    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let (x, weight, bias, y) = (record.operands[0], record.operands[1], record.operands[2], record.output)
        let tape = cotangents.tape
        let u = cotangents.of(y)
        if let dx = cotangents.accumulator(x) {
            BLAS.multiply(
                x.rows, x.columns, y.columns, u, y.columns, tape.value(weight), x.columns, into: dx, x.columns, beta: 1)
        }
        if let dWeight = cotangents.accumulator(weight) {
            BLAS.multiply(
                y.columns, x.columns, x.rows, u, y.columns, transposeA: true, tape.value(x), x.columns,
                into: dWeight, x.columns, beta: 1)
        }
        if bias.count > 0, let dBias = cotangents.accumulator(bias) {
            Elementwise.addColumnSums(rows: y.rows, columns: y.columns, of: u, to: dBias)
        }
    }
}

extension Tape {
    /// x [N, I] Wᵀ + b: [N, O]; weight [O, I], bias [1, O].
    public func linear(_ x: Node, weight: Node, bias: Node? = nil) -> Node {
        precondition(weight.columns == x.columns, "a linear map of \(weight.columns) features was given \(x.columns)")
        precondition(bias == nil || bias!.count == weight.rows, "a bias of \(bias!.count) for \(weight.rows) outputs")
        let output = variable(rows: x.rows, columns: weight.rows)
        apply(Linear.self, operands(x, weight, bias), output: output)
        return output
    }
}
