import CKernels
import Kernels

/// Layer norm (Ba, Kiros, Hinton 2016) of each row of x [N, D], as `torch.nn.LayerNorm`:
///
///     x̂ = (x − mean x) / s,  s = √(var x + ε),  y = γ ⊙ x̂ + β
///
/// The variance is that of the D numbers (divided by D). Kept: mean x and 1/s, [N] each. The derivative of x̂ is symmetric,
///
///     M g = (g − mean g − x̂ mean(x̂ ⊙ g)) / s,
///
/// so both readings use it: dy = γ ⊙ M dx + x̂ ⊙ dγ + dβ,  x̄ += M (γ ⊙ ȳ),  γ̄ += Σ_rows x̂ ⊙ ȳ,  β̄ += Σ_rows ȳ.
enum LayerNorm: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let (x, weight, bias, y) = (record.operands[0], record.operands[1], record.operands[2], record.output)
        let moments = record.keepsSaved ? tape.saved(record) : tape.scratch(2 * y.rows)
        rl2x_layer_norm(
            y.rows, y.columns, record.scalar, tape.value(x), tape.value(weight), tape.value(bias),
            tape.mutableValue(y), moments, moments + y.rows)
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let (x, weight, bias, y) = (record.operands[0], record.operands[1], record.operands[2], record.output)
        let (tape, moments) = (tangents.tape, tangents.tape.saved(record))
        rl2x_layer_norm_pushforward(
            y.rows, y.columns, tape.value(x), moments, moments + y.rows, tape.value(weight), tangents.of(weight),
            tangents.of(bias), tangents.of(x), tangents.output(y))
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let (x, weight, bias, y) = (record.operands[0], record.operands[1], record.operands[2], record.output)
        let (tape, moments) = (cotangents.tape, cotangents.tape.saved(record))
        rl2x_layer_norm_pullback(
            y.rows, y.columns, tape.value(x), moments, moments + y.rows, tape.value(weight), cotangents.of(y),
            cotangents.accumulator(weight), cotangents.accumulator(bias), cotangents.accumulator(x))
    }
}

extension Tape {
    /// Normalises each row of x [N, D] to mean 0 and variance 1, times `weight` [1, D] plus `bias` [1, D].
    public func layerNorm(_ x: Node, weight: Node, bias: Node, epsilon: Float = 1e-5) -> Node {
        precondition(
            weight.count == x.columns && bias.count == x.columns,
            "a layer norm of \(weight.count) weights and \(bias.count) biases was given \(x.columns) features")
        let output = variable(rows: x.rows, columns: x.columns)
        apply(LayerNorm.self, operands(x, weight, bias), output: output, saved: 2 * x.rows, scalar: epsilon)
        return output
    }
}
