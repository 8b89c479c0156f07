import Kernels

/// y = x, into rows that were made before: how a cell that is composed of several primitives writes its next state.
enum Copy: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        tape.mutableValue(record.output).update(from: tape.value(record.operands[0]), count: record.output.count)
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let dy = tangents.output(record.output)
        if let dx = tangents.of(record.operands[0]) {
            dy.update(from: dx, count: record.output.count)
        } else {
            dy.update(repeating: 0, count: record.output.count)
        }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        guard let dx = cotangents.accumulator(record.operands[0]) else { return }
        Elementwise.addScaled(record.output.count, 1, cotangents.of(record.output), to: dx)
    }
}

extension Tape {
    /// Writes x [N, D] to `output` [N, D], some rows of a variable.
    public func copy(_ x: Node, into output: Node) {
        precondition(
            x.rows == output.rows && x.columns == output.columns,
            "[\(x.rows), \(x.columns)] cannot be copied into [\(output.rows), \(output.columns)]")
        apply(Copy.self, operands(x), output: output)
    }
}
