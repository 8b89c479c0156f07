import CKernels
import Kernels

/// y [N, O] = x [N, I] Wᵀ + b + a, with W [O, I] and b [O] as in `torch.nn.Linear`, and a [N, O] if there is one: the
/// stream that a residual branch is added to. W may be some neighbouring columns of a wider matrix, where they lie.
enum Linear: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let (x, weight, bias, addend, y) = record.linearOperands
        let (out, input) = (tape.mutableValue(y), tape.value(x))
        let factor = RightFactor(
            tape.value(weight) + record.firstColumn, depth: x.columns, columns: y.columns, stride: weight.columns,
            transposed: true, rows: x.rows,
            memory: tape.scratch(RightFactor.floats(depth: x.columns, columns: y.columns)))
        let shift = bias.count > 0 ? tape.value(bias) : nil
        let stream = addend.count > 0 ? tape.value(addend) : nil
        RowTiles.forEach(of: x.rows) { first, rows in
            let place = out + first * y.columns
            if shift != nil || stream != nil {
                rl2x_sum_rows(rows, y.columns, stream.map { $0 + first * y.columns }, shift, place)
            }
            factor.multiply(
                rows, input + first * x.columns, x.columns, into: place, y.columns, add: shift != nil || stream != nil)
        }
    }

    // dy = x dWᵀ + dx Wᵀ + db + da
    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let (x, weight, bias, addend, y) = record.linearOperands
        let (tape, inputs, outputs, firstColumn) = (tangents.tape, x.columns, y.columns, record.firstColumn)
        let size = RightFactor.floats(depth: inputs, columns: outputs)
        let scratch = tape.scratch(2 * size)
        func factor(_ source: UnsafePointer<Float>, _ memory: UnsafeMutablePointer<Float>) -> RightFactor {
            RightFactor(
                source + firstColumn, depth: inputs, columns: outputs, stride: weight.columns, transposed: true,
                rows: x.rows, memory: memory)
        }
        let dWeight = tangents.of(weight).map { factor($0, scratch) }
        let (dx, dy, input) = (tangents.of(x), tangents.output(y), tape.value(x))
        let original = dx == nil ? nil : factor(tape.value(weight), scratch + size)
        let shift = bias.count > 0 ? tangents.of(bias) : nil
        let stream = addend.count > 0 ? tangents.of(addend) : nil
        RowTiles.forEach(of: x.rows) { first, rows in
            let place = dy + first * outputs
            if shift != nil || stream != nil {
                rl2x_sum_rows(rows, outputs, stream.map { $0 + first * outputs }, shift, place)
            } else {
                place.update(repeating: 0, count: rows * outputs)
            }
            dWeight?.multiply(rows, input + first * inputs, inputs, into: place, outputs, add: true)
            if let dx { original?.multiply(rows, dx + first * inputs, inputs, into: place, outputs, add: true) }
        }
    }

    // x̄ += ȳ W,  W̄ += ȳᵀ x,  b̄ += Σ_rows ȳ,  ā += ȳ
    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let (x, weight, bias, addend, y) = record.linearOperands
        let (tape, inputs, outputs) = (cotangents.tape, x.columns, y.columns)
        let (u, input) = (cotangents.of(y), tape.value(x))
        let size = RightFactor.floats(depth: outputs, columns: inputs)
        let scratch = tape.scratch(size + RightFactor.floats(depth: RowTiles.height, columns: inputs))
        let factor = RightFactor(
            tape.value(weight) + record.firstColumn, depth: outputs, columns: inputs, stride: weight.columns,
            rows: x.rows, memory: scratch)
        let dx = cotangents.accumulator(x)
        let firstColumn = record.firstColumn
        let dWeight = cotangents.accumulator(weight).map { $0 + firstColumn }
        let dBias = bias.count > 0 ? cotangents.accumulator(bias) : nil
        let dAddend = addend.count > 0 ? cotangents.accumulator(addend) : nil
        RowTiles.forEach(of: x.rows) { first, rows in
            let seed = u + first * outputs
            if let dx {
                factor.multiply(rows, seed, outputs, into: dx + first * inputs, inputs, add: true)
            }
            if let dWeight {
                RightFactor(
                    input + first * inputs, depth: rows, columns: inputs, stride: inputs, rows: outputs,
                    memory: scratch + size
                ).multiply(outputs, seed, outputs, transposeA: true, into: dWeight, weight.columns, add: true)
            }
            if let dBias { Elementwise.addColumnSums(rows: rows, columns: outputs, of: seed, to: dBias) }
            if let dAddend { Elementwise.addScaled(rows * outputs, 1, seed, to: dAddend + first * outputs) }
        }
    }
}

extension Record {
    /// Input, weight, bias, addend and output of a linear map.
    fileprivate var linearOperands: (Node, Node, Node, Node, Node) {
        (operands[0], operands[1], operands[2], operands[3], output)
    }

    /// Where W begins in the columns of the matrix that it is part of.
    fileprivate var firstColumn: Int { integers[0] }
}

extension Tape {
    /// x [N, I] Wᵀ + b + a: [N, O]; weight [O, I], bias [1, O], addend [N, O].
    ///
    /// - Parameters:
    ///   - first: W is the I columns of `weight` from this one on; nil: all of `weight`.
    ///   - output: rows to write to; a new variable if absent.
    @discardableResult
    public func linear(
        _ x: Node, weight: Node, fromColumn first: Int? = nil, bias: Node? = nil, addend: Node? = nil,
        into output: Node? = nil
    ) -> Node {
        let start = first ?? 0
        precondition(
            start >= 0 && (first == nil ? weight.columns == x.columns : start + x.columns <= weight.columns),
            "a linear map of \(weight.columns) features was given \(x.columns)")
        precondition(bias == nil || bias!.count == weight.rows, "a bias of \(bias!.count) for \(weight.rows) outputs")
        precondition(
            addend == nil || (addend!.rows == x.rows && addend!.columns == weight.rows),
            "an addend that is not [\(x.rows), \(weight.rows)]")
        let y = output ?? variable(rows: x.rows, columns: weight.rows)
        precondition(y.rows == x.rows && y.columns == weight.rows, "the output does not fit")
        apply(Linear.self, operands(x, weight, bias, addend), output: y, integers: attributes(start))
        return y
    }
}
