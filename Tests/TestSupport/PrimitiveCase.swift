import Autodiff
import Conformance
import Kernels

/// One use of a primitive, for the laws: operands of unequal sizes and the call that takes them.
public struct PrimitiveCase: Sendable, CustomStringConvertible {
    public struct Shape: Sendable {
        public let rows: Int
        public let columns: Int
        public var count: Int { rows * columns }
        public init(_ rows: Int, _ columns: Int) { (self.rows, self.columns) = (rows, columns) }
    }

    /// How the operands come to the primitive: as θ itself, or as results of an earlier primitive.
    public enum OperandForm: Sendable, CaseIterable { case parameters, variables }

    public let name: String
    public let operands: [Shape]
    /// At most quadratic in its operands together, so that central differences are exact.
    public let isQuadratic: Bool
    /// Operands are kept this far from zero, where the function has a kink.
    public let kinkMargin: Float
    /// There are kinks that no margin of the operands avoids, such as those of a rectified sum.
    public let hasKinks: Bool
    /// How far a direction of the derivative law goes in each number: far enough for truncation to stand above
    /// rounding, near enough for the third derivative to rule it.
    public let reach: Float
    /// Operands that may also be constants.
    public let mayBeConstant: [Int]
    /// Applies the primitive to nodes of the shapes in `operands`.
    public let build: @Sendable (Tape, [Node]) -> Node

    public init(
        _ name: String, _ operands: [Shape], isQuadratic: Bool = false, kinkMargin: Float = 0,
        hasKinks: Bool = false, reach: Float = 1, mayBeConstant: [Int] = [],
        build: @escaping @Sendable (Tape, [Node]) -> Node
    ) {
        self.name = name
        self.operands = operands
        self.isQuadratic = isQuadratic
        self.kinkMargin = kinkMargin
        self.hasKinks = hasKinks
        self.reach = reach
        self.mayBeConstant = mayBeConstant
        self.build = build
    }

    public var description: String { name }

    /// P: numbers in all operands.
    public var parameterCount: Int { operands.reduce(0) { $0 + $1.count } }

    /// Places of operand `index` in θ.
    public func range(_ index: Int) -> Range<Int> {
        let first = operands.prefix(index).reduce(0) { $0 + $1.count }
        return first..<first + operands[index].count
    }

    /// Normal operands, off the kink.
    public func randomParameters(_ random: inout RandomSource) -> [Float] {
        random.normals(parameterCount).map { $0 + ($0 < 0 ? -kinkMargin : kinkMargin) }
    }

    /// The primitive as a function of all its operands together, θ.
    ///
    /// - Parameter constants: operands that are given as constants, with their values from `values` [P]; the function
    ///   does not depend on their places in θ.
    public func function(
        _ form: OperandForm, constants: Set<Int> = [], values: [Float] = []
    ) -> DifferentiableFunction {
        DifferentiableFunction(parameterCount: parameterCount) { tape in
            let nodes = operands.indices.map { index -> Node in
                let (range, shape) = (range(index), operands[index])
                if constants.contains(index) {
                    return Array(values[range]).withUnsafeBufferPointer {
                        tape.constant($0.baseAddress!, rows: shape.rows, columns: shape.columns)
                    }
                }
                let parameter = Node(
                    space: .parameter, offset: range.lowerBound, rows: shape.rows, columns: shape.columns)
                guard form == .variables else { return parameter }
                return tape.add(parameter, tape.zeros(rows: shape.rows, columns: shape.columns))
            }
            return build(tape, nodes)
        }
    }
}
