import Kernels

/// y [N, O] = x [N, I] Wᵀ + b + a, with W [O, I] and b [O] as in `torch.nn.Linear`, and a [N, O] if there is one: the
/// stream that a residual branch is added to.
enum Linear: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let (x, weight, bias, addend, y) = record.linearOperands
        let out = tape.mutableValue(y)
        if addend.count > 0 { out.update(from: tape.value(addend), count: y.count) }
        BLAS.multiply(
            x.rows, y.columns, x.columns, tape.value(x), x.columns, tape.value(weight), x.columns, transposeB: true,
            into: out, y.columns, beta: addend.count > 0 ? 1 : 0)
        if bias.count > 0 { Elementwise.addBias(rows: y.rows, columns: y.columns, tape.value(bias), to: out) }
    }

    // dy = x dWᵀ + dx Wᵀ + db + da
    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let (x, weight, bias, addend, y) = record.linearOperands
        let tape = tangents.tape
        let dy = tangents.output(y)
        var beta: Float = 0
        if addend.count > 0, let dAddend = tangents.of(addend) {
            dy.update(from: dAddend, count: y.count)
            beta = 1
        }
        if let dWeight = tangents.of(weight) {
            BLAS.multiply(
                x.rows, y.columns, x.columns, tape.value(x), x.columns, dWeight, x.columns, transposeB: true,
                into: dy, y.columns, beta: beta)
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

    // x̄ += ȳ W,  W̄ += ȳᵀ x,  b̄ += Σ_rows ȳ,  ā += ȳ
    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let (x, weight, bias, addend, y) = record.linearOperands
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
        if addend.count > 0, let dAddend = cotangents.accumulator(addend) {
            Elementwise.addScaled(y.count, 1, u, to: dAddend)
        }
    }
}

extension Record {
    /// Input, weight, bias, addend and output of a linear map.
    fileprivate var linearOperands: (Node, Node, Node, Node, Node) {
        (operands[0], operands[1], operands[2], operands[3], output)
    }
}

extension Tape {
    /// x [N, I] Wᵀ + b + a: [N, O]; weight [O, I], bias [1, O], addend [N, O].
    ///
    /// - Parameter output: rows to write to; a new variable if absent.
    @discardableResult
    public func linear(
        _ x: Node, weight: Node, bias: Node? = nil, addend: Node? = nil, into output: Node? = nil
    ) -> Node {
        precondition(weight.columns == x.columns, "a linear map of \(weight.columns) features was given \(x.columns)")
        precondition(bias == nil || bias!.count == weight.rows, "a bias of \(bias!.count) for \(weight.rows) outputs")
        precondition(
            addend == nil || (addend!.rows == x.rows && addend!.columns == weight.rows),
            "an addend that is not [\(x.rows), \(weight.rows)]")
        let y = output ?? variable(rows: x.rows, columns: weight.rows)
        precondition(y.rows == x.rows && y.columns == weight.rows, "the output does not fit")
        apply(Linear.self, operands(x, weight, bias, addend), output: y)
        return y
    }
}
