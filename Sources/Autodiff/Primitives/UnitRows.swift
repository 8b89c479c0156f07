import CKernels

/// Rows of one length: y = f x / √(x·x + ε), dy = f (dx − x (x·dx) / (x·x + ε)) / √(x·x + ε), a symmetric map.
enum UnitRows: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let (x, y) = (record.operands[0], record.output)
        let inverse = record.keepsSaved ? tape.saved(record) : tape.scratch(x.rows)
        rl2x_unit_rows(
            x.rows, x.columns, record.factor, record.scalar, tape.value(x), tape.mutableValue(y), inverse)
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let (x, y, tape) = (record.operands[0], record.output, tangents.tape)
        rl2x_unit_rows_map(
            x.rows, x.columns, record.factor, tape.value(x), tape.saved(record), tangents.of(x)!, tangents.output(y), 0)
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let (x, y, tape) = (record.operands[0], record.output, cotangents.tape)
        rl2x_unit_rows_map(
            x.rows, x.columns, record.factor, tape.value(x), tape.saved(record), cotangents.of(y),
            cotangents.accumulator(x)!, 1)
    }
}

extension Record {
    /// f = √(whole number).
    fileprivate var factor: Float { Float(integers[0]).squareRoot() }
}

extension Tape {
    /// Rows of length √`squaredLength` [N, D]: x √s / √(x·x + ε). With s = 1 they are normalised; with s = D and ε times D
    /// they have the mean square 1, as of `torch.nn.RMSNorm` without a weight. x is not a constant.
    public func unitRows(_ x: Node, squaredLength: Int = 1, epsilon: Float) -> Node {
        precondition(x.space != .constant && squaredLength > 0, "its operand has a derivative")
        let output = variable(rows: x.rows, columns: x.columns)
        apply(
            UnitRows.self, operands(x), output: output, saved: x.rows, integers: attributes(squaredLength),
            scalar: epsilon)
        return output
    }

    /// x [N, D] in neighbouring groups of `width` columns, each brought to the mean square 1, times `weight` [1, width]: as
    /// `torch.nn.RMSNorm` does for each group.
    public func rootMeanSquareNorm(_ x: Node, width: Int, weight: Node, epsilon: Float = 1e-6) -> Node {
        precondition(x.columns % width == 0, "\(x.columns) columns are not groups of \(width)")
        let groups = x.reshaped(rows: x.count / width, columns: width)
        let normed = unitRows(groups, squaredLength: width, epsilon: Float(width) * epsilon)
        return scaleColumns(normed, by: weight).reshaped(rows: x.rows, columns: x.columns)
    }
}
