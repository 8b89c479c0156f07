import Autodiff
import Kernels

/// A function from θ [P] to the numbers of a node [M], computed on a tape: what the laws of calculus are stated for.
///
/// A primitive becomes one through `PrimitiveCase.function`, a sequence model through `ModelUnderTest.function`.
public struct DifferentiableFunction {
    /// P
    public let parameterCount: Int
    /// Appends the function to a tape that has begun with θ, and returns its result.
    public let append: (Tape) -> Node

    public init(parameterCount: Int, append: @escaping (Tape) -> Node) {
        self.parameterCount = parameterCount
        self.append = append
    }

    /// f(θ) [M], without a record.
    public func value(at parameters: [Float], tape: Tape = Tape()) -> [Float] {
        precondition(parameters.count == parameterCount, "\(parameters.count) parameters for \(parameterCount)")
        return parameters.withUnsafeBufferPointer { theta in
            tape.begin(parameters: theta.baseAddress!, recording: false)
            let output = append(tape)
            return Array(UnsafeBufferPointer(start: tape.value(output), count: output.count))
        }
    }

    /// f(θ) and its derivative there.
    public func linearised(
        at parameters: [Float], tape: Tape = Tape(), workspace: Workspace = Workspace()
    ) -> Linearisation {
        Linearisation(self, at: parameters, tape: tape, workspace: workspace)
    }

    /// f + f: every operand is read by two records, so a pullback that overwrites instead of adding shows.
    public var doubled: DifferentiableFunction {
        DifferentiableFunction(parameterCount: parameterCount) { tape in
            let first = append(tape)
            return tape.add(first, append(tape))
        }
    }
}

/// A function's value and derivative at one θ: the tape that recorded it, with the θ that it needs kept alive.
public final class Linearisation {
    public let tape: Tape
    public let workspace: Workspace
    public let output: Node
    /// f(θ) [M]
    public let value: [Float]
    private let parameters: UnsafeMutableBufferPointer<Float>

    init(_ function: DifferentiableFunction, at theta: [Float], tape: Tape, workspace: Workspace) {
        precondition(theta.count == function.parameterCount, "\(theta.count) parameters for \(function.parameterCount)")
        self.tape = tape
        self.workspace = workspace
        parameters = .allocate(capacity: max(1, theta.count))
        _ = parameters.initialize(from: theta)
        tape.begin(parameters: UnsafePointer(parameters.baseAddress!), recording: true)
        output = function.append(tape)
        value = Array(UnsafeBufferPointer(start: tape.value(output), count: output.count))
    }

    deinit { parameters.deallocate() }

    /// J v [M] for v [P].
    public func jvp(_ direction: [Float]) -> [Float] {
        direction.withUnsafeBufferPointer { tape.jvp(direction: $0.baseAddress!, workspace: workspace) }
        return Array(UnsafeBufferPointer(start: workspace.tangent(output), count: output.count))
    }

    /// `onto` + Jᵀ u [P] for u [M]; `onto` is zero if absent.
    public func vjp(_ cotangent: [Float], onto: [Float]? = nil) -> [Float] {
        precondition(cotangent.count == output.count, "\(cotangent.count) cotangents for \(output.count) results")
        var gradient = onto ?? [Float](repeating: 0, count: parameters.count)
        tape.beginVJP(workspace: workspace)
        workspace.cotangent(output).update(from: cotangent, count: cotangent.count)
        gradient.withUnsafeMutableBufferPointer { tape.vjp(gradient: $0.baseAddress!, workspace: workspace) }
        return gradient
    }
}
