import CKernels
import Kernels

/// Layer norm (Ba, Kiros, Hinton 2016) of each row of x [N, D], as `torch.nn.LayerNorm`:
///
///     x̂ = (x − mean x) / s,  s = √(var x + ε),  y = γ ⊙ x̂ + β
///
/// The variance is that of the D numbers (divided by D). Kept: x̂ [N, D] and 1/s [N]. The derivative of x̂ is
/// symmetric,
///
///     M g = (g − mean g − x̂ mean(x̂ ⊙ g)) / s,
///
/// so both readings use it: dy = γ ⊙ M dx + x̂ ⊙ dγ + dβ,  x̄ += M (γ ⊙ ȳ),  γ̄ += Σ_rows x̂ ⊙ ȳ,  β̄ += Σ_rows ȳ.
enum LayerNorm: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let (x, weight, bias, y) = (record.operands[0], record.operands[1], record.operands[2], record.output)
        let kept = record.keepsSaved ? tape.saved(record) : tape.scratch(y.count + y.rows)
        rl2x_layer_norm(
            y.rows, y.columns, record.scalar, tape.value(x), tape.value(weight), tape.value(bias),
            tape.mutableValue(y), kept, kept + y.count)
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let (x, weight, bias, y) = (record.operands[0], record.operands[1], record.operands[2], record.output)
        let (rows, columns) = (y.rows, y.columns)
        let dy = tangents.output(y)
        let normalized = tangents.tape.saved(record)
        if let dx = tangents.of(x) {
            rl2x_layer_norm_map(rows, columns, normalized, normalized + y.count, dx, dy)
            let gamma = tangents.tape.value(weight)
            for row in 0..<rows {
                let place = dy + row * columns
                Elementwise.product(columns, gamma, place, place)
            }
        } else {
            dy.update(repeating: 0, count: y.count)
        }
        if let dWeight = tangents.of(weight) {
            for row in 0..<rows {
                Elementwise.addProduct(columns, dWeight, normalized + row * columns, to: dy + row * columns)
            }
        }
        if let dBias = tangents.of(bias) { Elementwise.addBias(rows: rows, columns: columns, dBias, to: dy) }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let (x, weight, bias, y) = (record.operands[0], record.operands[1], record.operands[2], record.output)
        let (rows, columns) = (y.rows, y.columns)
        let u = cotangents.of(y)
        let normalized = cotangents.tape.saved(record)
        if let dWeight = cotangents.accumulator(weight) {
            for row in 0..<rows {
                Elementwise.addProduct(columns, u + row * columns, normalized + row * columns, to: dWeight)
            }
        }
        if let dBias = cotangents.accumulator(bias) {
            Elementwise.addColumnSums(rows: rows, columns: columns, of: u, to: dBias)
        }
        if let dx = cotangents.accumulator(x) {
            let gamma = cotangents.tape.value(weight)
            let g = cotangents.tape.scratch(y.count)
            for row in 0..<rows { Elementwise.product(columns, gamma, u + row * columns, g + row * columns) }
            rl2x_layer_norm_map(rows, columns, normalized, normalized + y.count, g, g)
            Elementwise.addScaled(y.count, 1, g, to: dx)
        }
    }
}

extension Tape {
    /// Normalises each row of x [N, D] to mean 0 and variance 1, times `weight` [1, D] plus `bias` [1, D].
    public func layerNorm(_ x: Node, weight: Node, bias: Node, epsilon: Float = 1e-5) -> Node {
        precondition(
            weight.count == x.columns && bias.count == x.columns,
            "a layer norm of \(weight.count) weights and \(bias.count) biases was given \(x.columns) features")
        let output = variable(rows: x.rows, columns: x.columns)
        apply(LayerNorm.self, operands(x, weight, bias), output: output, saved: x.count + x.rows, scalar: epsilon)
        return output
    }
}
