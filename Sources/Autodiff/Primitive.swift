import Kernels

/// One differentiable operation: its value and the two readings of its derivative, on one page.
///
/// A primitive is a type without values. What one application needs (operands, output, what was kept from the forward
/// pass) stands in its `Record`. To add one: a file with the three functions and an extension of `Tape` that checks
/// shapes and calls `apply`; then a case in TestSupport's catalogue, which runs every law over it. A primitive with a
/// second output has its place among the operands, and treats it as it does the first.
public protocol Primitive {
    /// Writes the output, all of it. Where `record.keepsSaved`, also writes what the two readings need to `saved`.
    static func forward(_ record: borrowing Record, _ tape: Tape)
    /// Jacobian times tangents: writes the output's tangent, all of it.
    static func pushforward(_ record: borrowing Record, _ tangents: Tangents)
    /// Transposed Jacobian times the output's cotangent: *adds* to the cotangents of the operands.
    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents)
}

/// One application of a primitive on a tape.
public struct Record {
    public static let operandLimit = 8

    public let primitive: any Primitive.Type
    public let operands: InlineArray<8, Node>
    public let output: Node
    /// Offset in the tape's saved arena; −1 on a tape that does not record.
    public let saved: Int
    /// Whole-number attributes, such as a window or a number of heads.
    public let integers: InlineArray<8, Int>
    /// A real attribute, such as a factor or an ε.
    public let scalar: Float

    public var keepsSaved: Bool { saved >= 0 }
}

/// Tangents during a `jvp`: one for every node but constants.
public struct Tangents {
    public let tape: Tape
    let direction: UnsafePointer<Float>
    let arena: Arena

    /// Tangent of an operand; nil for a constant, whose tangent is zero.
    public func of(_ node: Node) -> UnsafePointer<Float>? {
        switch node.space {
        case .constant: nil
        case .parameter: direction + node.offset
        case .variable: UnsafePointer(arena.base + node.offset)
        }
    }

    /// Where the tangent of an output is to be written.
    public func output(_ node: Node) -> UnsafeMutablePointer<Float> { arena.base + node.offset }
}

/// Cotangents during a `vjp`: one for every node but constants.
public struct Cotangents {
    public let tape: Tape
    let gradient: UnsafeMutablePointer<Float>
    let arena: Arena

    /// Cotangent of an output, complete when its pullback runs.
    public func of(_ node: Node) -> UnsafePointer<Float> { UnsafePointer(arena.base + node.offset) }

    /// Where an operand's cotangent is to be added; nil for a constant, which needs none.
    public func accumulator(_ node: Node) -> UnsafeMutablePointer<Float>? {
        switch node.space {
        case .constant: nil
        case .parameter: gradient + node.offset
        case .variable: arena.base + node.offset
        }
    }
}
