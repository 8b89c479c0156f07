import Autodiff
import Conformance
import Foundation
import Kernels

/// A function's value, J v and Jᵀ u as PyTorch computed them in float64: a file that `make_goldens.py` wrote.
///
/// Inputs are multiples of 1/64, exact in Float32, so what is seen is the error of our own arithmetic.
public struct Golden: Decodable, Sendable {
    public struct Operand: Decodable, Sendable {
        public let name: String
        public let shape: [Int]
        public let value: [Double]
        public let tangent: [Double]
        public let gradient: [Double]
    }

    public struct Result: Decodable, Sendable {
        public let shape: [Int]
        public let value: [Double]
        public let tangent: [Double]
        public let cotangent: [Double]
    }

    public let operands: [Operand]
    public let result: Result

    /// Reads `golden/<name>.json` beside the test file that asks.
    public init(_ name: String, beside file: String = #filePath) throws {
        self = try JSONDecoder().decode(Golden.self, from: Golden.data(name, beside: file))
    }

    public static func data(_ name: String, beside file: String = #filePath) throws -> Data {
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("golden")
        return try Data(contentsOf: folder.appendingPathComponent("\(name).json"))
    }

    /// All operands, one after the other: θ [P] of a function whose parameters they are.
    public var parameters: [Float] { operands.flatMap { $0.value.map { Float($0) } } }

    /// The nodes of the operands in that θ, [rows, the rest] each, a vector as one row, as `ParameterLayout` has them.
    public var nodes: [Node] {
        var offset = 0
        return operands.map { operand in
            let rows = operand.shape.count == 1 ? 1 : operand.shape[0]
            defer { offset += operand.value.count }
            return Node(space: .parameter, offset: offset, rows: rows, columns: operand.value.count / rows)
        }
    }

    /// Errors of value, J v and Jᵀ u: the largest distance of a number, over the largest number.
    public struct Errors: CustomStringConvertible {
        public let value: Double
        public let jvp: Double
        /// The worst of the operands.
        public let vjp: Double
        public var largest: Double { max(value, jvp, vjp) }
        public var description: String { String(format: "value %.1e, jvp %.1e, vjp %.1e", value, jvp, vjp) }
    }

    /// Compares a function of `parameters` with the file.
    public func errors(of append: @escaping (Tape) -> Node) -> Errors {
        let function = DifferentiableFunction(parameterCount: parameters.count, append: append)
        let record = function.linearised(at: parameters)
        let tangent = record.jvp(operands.flatMap { $0.tangent.map { Float($0) } })
        let gradient = record.vjp(result.cotangent.map { Float($0) })
        // The gradient of a parameter that hardly matters is rounding: it is measured by a hundredth of the largest.
        let least = (operands.flatMap(\.gradient).map(abs).max() ?? 0) / 100
        var (vjp, first) = (0.0, 0)
        for operand in operands {
            let slice = Array(gradient[first..<first + operand.gradient.count])
            vjp = max(vjp, Golden.distance(slice, operand.gradient, leastScale: least))
            first += operand.gradient.count
        }
        return Errors(
            value: Golden.distance(record.value, result.value), jvp: Golden.distance(tangent, result.tangent),
            vjp: vjp)
    }

    private static func distance(_ numbers: [Float], _ exact: [Double], leastScale: Double = 0) -> Double {
        guard numbers.count == exact.count else { return .infinity }
        let scale = max(exact.map(abs).max() ?? 1, leastScale)
        let error = zip(numbers, exact).map { abs(Double($0) - $1) }.max() ?? 0
        return numbers.contains { $0.isNaN } ? .infinity : error / max(scale, .leastNormalMagnitude)
    }
}
