import CKernels
import Kernels

/// p = softmax of each row of x [N, A]: pₐ = e^{xₐ} / Σ e^{x_b}.
///
/// Its Jacobian diag p − p pᵀ is symmetric, so dp = p ⊙ (dx − Σ p dx) and x̄ += p ⊙ (p̄ − Σ p p̄) are one map, and p,
/// the output itself, is all that it needs.
enum Softmax: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let y = record.output
        rl2x_softmax(y.rows, y.columns, tape.value(record.operands[0]), tape.mutableValue(y))
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let y = record.output
        let dy = tangents.output(y)
        guard let dx = tangents.of(record.operands[0]) else { return dy.update(repeating: 0, count: y.count) }
        rl2x_softmax_map(y.rows, y.columns, y.columns, 1, tangents.tape.value(y), dx, dy)
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        guard let dx = cotangents.accumulator(record.operands[0]) else { return }
        let (y, tape) = (record.output, cotangents.tape)
        let product = tape.scratch(y.count)
        rl2x_softmax_map(y.rows, y.columns, y.columns, 1, tape.value(y), cotangents.of(y), product)
        Elementwise.addScaled(y.count, 1, product, to: dx)
    }
}

extension Tape {
    /// Each row of x [N, A] as probabilities, [N, A].
    public func softmax(_ x: Node) -> Node {
        precondition(x.columns > 0, "a row of nothing has no softmax")
        let output = variable(rows: x.rows, columns: x.columns)
        apply(Softmax.self, operands(x), output: output)
        return output
    }
}
