import CKernels
import Foundation
import Kernels

/// Rotary position encoding (Su et al. 2021): in each head of width d, columns i and i + d/2 of row r are turned by the
/// angle p_r · 10000^(−2i/d), where p_r is the row's position. A product of a turned query and a turned key then depends
/// on the distance of their positions alone.
///
/// y = R x,  dy = R dx,  x̄ += Rᵀ ȳ: R is orthogonal, its transpose turns back.
enum Rotary: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        turn(record, tape, 1, tape.value(record.operands[0]), tape.mutableValue(record.output), add: false)
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let dy = tangents.output(record.output)
        guard let dx = tangents.of(record.operands[0]) else {
            return dy.update(repeating: 0, count: record.output.count)
        }
        turn(record, tangents.tape, 1, dx, dy, add: false)
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        guard let dx = cotangents.accumulator(record.operands[0]) else { return }
        turn(record, cotangents.tape, -1, cotangents.of(record.output), dx, add: true)
    }

    private static func turn(
        _ record: borrowing Record, _ tape: Tape, _ direction: Float, _ x: UnsafePointer<Float>,
        _ y: UnsafeMutablePointer<Float>, add: Bool
    ) {
        rl2x_rotate(
            record.output.rows, record.output.columns, record.integers[0], record.operands[1].columns, direction,
            tape.value(record.operands[1]), x, y, add ? 1 : 0)
    }
}

extension Tape {
    /// Cosines and sines of the angles of rows at `positions`, a constant [rows, width] for `rotary`.
    public func rotaryAngles(rows: Int, width: Int, position: (_ row: Int) -> Int) -> Node {
        precondition(width > 0 && width % 2 == 0, "columns are turned in pairs: a head of \(width) has one left over")
        let node = constant(rows: rows, columns: width)
        let angles = mutableValue(node)
        let half = width / 2
        for row in 0..<rows {
            let place = angles + row * width
            // Rows of one step are neighbours and have one position.
            if row > 0, position(row) == position(row - 1) {
                place.update(from: place - width, count: width)
                continue
            }
            for index in 0..<half {
                let angle = Double(position(row)) * pow(10_000, -2 * Double(index) / Double(width))
                place[index] = Float(cos(angle))
                place[half + index] = Float(sin(angle))
            }
        }
        return node
    }

    /// x [R, C] with its first `columns` columns turned by `angles` [R, d], in heads of d columns; the rest is copied.
    public func rotary(_ x: Node, columns: Int, angles: Node) -> Node {
        precondition(
            angles.space == .constant && angles.rows == x.rows && columns <= x.columns && columns % angles.columns == 0,
            "\(columns) of \(x.columns) columns cannot be turned in heads of \(angles.columns)")
        let output = variable(rows: x.rows, columns: x.columns)
        apply(Rotary.self, operands(x, angles), output: output, integers: attributes(columns))
        return output
    }
}
