import Kernels

/// y = [a | b | …]: matrices of the same rows side by side. dy = [da | db | …]; ā, b̄, … += their columns of ȳ.
enum Concatenate: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let y = record.output
        var column = 0
        for index in 0..<record.integers[0] {
            let part = record.operands[index]
            copyColumns(tape.value(part), part, to: tape.mutableValue(y) + column, stride: y.columns)
            column += part.columns
        }
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let y = record.output
        var column = 0
        for index in 0..<record.integers[0] {
            let part = record.operands[index]
            let dy = tangents.output(y) + column
            if let tangent = tangents.of(part) {
                copyColumns(tangent, part, to: dy, stride: y.columns)
            } else {
                for row in 0..<y.rows { (dy + row * y.columns).update(repeating: 0, count: part.columns) }
            }
            column += part.columns
        }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let (y, u) = (record.output, cotangents.of(record.output))
        var column = 0
        for index in 0..<record.integers[0] {
            let part = record.operands[index]
            if let cotangent = cotangents.accumulator(part) {
                for row in 0..<y.rows {
                    Elementwise.addScaled(
                        part.columns, 1, u + row * y.columns + column, to: cotangent + row * part.columns)
                }
            }
            column += part.columns
        }
    }

    @inline(__always)
    private static func copyColumns(
        _ source: UnsafePointer<Float>, _ part: Node, to target: UnsafeMutablePointer<Float>, stride: Int
    ) {
        for row in 0..<part.rows {
            (target + row * stride).update(from: source + row * part.columns, count: part.columns)
        }
    }
}

extension Tape {
    /// Side by side: [N, A], [N, B], … to [N, A + B + …].
    public func concatenate(_ a: Node, _ b: Node, _ c: Node? = nil, _ d: Node? = nil) -> Node {
        precondition(c != nil || d == nil, "a fourth part needs a third")
        let rows = a.rows
        precondition(
            b.rows == rows && (c?.rows ?? rows) == rows && (d?.rows ?? rows) == rows,
            "parts of different heights cannot stand side by side")
        let width = a.columns + b.columns + (c?.columns ?? 0) + (d?.columns ?? 0)
        let output = variable(rows: rows, columns: width)
        let parts = 2 + (c == nil ? 0 : 1) + (d == nil ? 0 : 1)
        apply(Concatenate.self, operands(a, b, c, d), output: output, integers: attributes(parts))
        return output
    }
}
