/// A row-major matrix [rows, columns] on a tape: a place and a shape, not the numbers themselves.
public struct Node: Sendable, Equatable {
    /// Where the numbers live, and so whether they have a derivative.
    public enum Space: Sendable {
        /// Inputs: no tangent, no cotangent.
        case constant
        /// θ: the tangent is a piece of the direction v, the cotangent a piece of the gradient.
        case parameter
        /// Results of primitives.
        case variable
    }

    public let space: Space
    /// Floats from the start of the space.
    public let offset: Int
    public let rows: Int
    public let columns: Int

    public init(space: Space, offset: Int, rows: Int, columns: Int) {
        self.space = space
        self.offset = offset
        self.rows = rows
        self.columns = columns
    }

    public var count: Int { rows * columns }

    /// Some consecutive rows: the same numbers, tangents and cotangents, not a copy.
    public func rows(_ range: Range<Int>) -> Node {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        return Node(space: space, offset: offset + range.lowerBound * columns, rows: range.count, columns: columns)
    }

    /// The same numbers in another shape.
    public func reshaped(rows: Int, columns: Int) -> Node {
        precondition(rows * columns == count, "[\(self.rows), \(self.columns)] cannot become [\(rows), \(columns)]")
        return Node(space: space, offset: offset, rows: rows, columns: columns)
    }

    static let none = Node(space: .constant, offset: 0, rows: 0, columns: 0)
}
