import Kernels

/// y_i = row k_i of a table [V, D], as `torch.nn.Embedding`; zero where k_i is −1. dy_i = dE_{k_i},  Ē_{k_i} += ȳ_i.
///
/// The indices are kept on the tape as a constant whose floats are the bits of `Int32`: an arena holds one kind of
/// number, and nobody but this primitive reads that node.
enum Embedding: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        copyRows(record, tape, from: tape.value(record.operands[1]), to: tape.mutableValue(record.output))
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let dy = tangents.output(record.output)
        guard let table = tangents.of(record.operands[1]) else {
            return dy.update(repeating: 0, count: record.output.count)
        }
        copyRows(record, tangents.tape, from: table, to: dy)
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        guard let table = cotangents.accumulator(record.operands[1]) else { return }
        let (u, width) = (cotangents.of(record.output), record.output.columns)
        for row in 0..<record.output.rows {
            let index = Embedding.index(row, record, cotangents.tape)
            if index >= 0 { Elementwise.addScaled(width, 1, u + row * width, to: table + index * width) }
        }
    }

    private static func copyRows(
        _ record: borrowing Record, _ tape: Tape, from table: UnsafePointer<Float>,
        to rows: UnsafeMutablePointer<Float>
    ) {
        let width = record.output.columns
        for row in 0..<record.output.rows {
            let index = index(row, record, tape)
            if index >= 0 {
                (rows + row * width).update(from: table + index * width, count: width)
            } else {
                (rows + row * width).update(repeating: 0, count: width)
            }
        }
    }

    @inline(__always)
    private static func index(_ row: Int, _ record: borrowing Record, _ tape: Tape) -> Int {
        Int(Int32(bitPattern: tape.value(record.operands[0])[row].bitPattern))
    }
}

extension Tape {
    /// Rows of `table` [V, D], one for each index: [count, D]. The indices, in −1 ..< V, are copied; −1 gives zeros.
    public func embedding(_ indices: UnsafePointer<Int32>, count: Int, table: Node) -> Node {
        let places = constant(rows: count, columns: 1)
        let bits = mutableValue(places)
        for row in 0..<count {
            let index = indices[row]
            precondition(index >= -1 && Int(index) < table.rows, "row \(index) of a table of \(table.rows)")
            bits[row] = Float(bitPattern: UInt32(bitPattern: index))
        }
        let output = variable(rows: count, columns: table.columns)
        apply(Embedding.self, operands(places, table), output: output)
        return output
    }
}
