import Autodiff
import Foundation
import Interface
import Kernels

/// The adjoint law: |⟨u, J v⟩ − ⟨Jᵀ u, v⟩| / (‖u‖ ‖J v‖ + ‖Jᵀ u‖ ‖v‖) for random u and v, which rounding alone should
/// make. Compare with `roundingTolerance(depth: P + M)`: no component sums more than P or M products.
public func adjointError(
    _ function: DifferentiableFunction, at parameters: [Float], random: inout RandomSource
) -> Double {
    let record = function.linearised(at: parameters)
    let v = random.normals(function.parameterCount)
    let u = random.normals(record.output.count)
    let (jv, ju) = (record.jvp(v), record.vjp(u))
    let scale = norm(u) * norm(jv) + norm(ju) * norm(v)
    let error = abs(dot(u, jv) - dot(ju, v)) / scale
    return error.isNaN ? .infinity : error
}

/// What central differences say of a `jvp`.
public struct DerivativeReport: Sendable, CustomStringConvertible {
    /// Steps h, each half of the one before it.
    public let steps: [Float]
    /// ‖J v − (f(θ + h v) − f(θ − h v)) / 2h‖ / ‖J v‖ for each step.
    public let errors: [Double]
    /// The same for the differences of the two smallest steps, extrapolated to h = 0 by Richardson's rule: their
    /// errors in h² cancel, so what stays is of order h⁴, and rounding.
    public let extrapolatedError: Double
    /// The error that rounding of f alone can make at the smallest step.
    public let roundingLevel: Double

    /// The power of h with which the error falls: 2 for a right derivative of a function that is not quadratic, 0
    /// for a wrong one.
    public var slope: Double {
        log(errors[0] / errors[errors.count - 1]) / log(Double(steps[0] / steps[steps.count - 1]))
    }

    /// A power near 2 and a limit that meets J v; or, of a function that is at most quadratic, nothing but rounding.
    public var isDerivative: Bool {
        errors.allSatisfy { $0 < roundingLevel } || fallsWithTheSquare
    }

    /// A power near 2 and a limit that meets J v, which a wrong derivative shows at no step.
    public var fallsWithTheSquare: Bool {
        abs(slope - 2) < 0.3 && extrapolatedError < errors[errors.count - 1] / 5
    }

    public var description: String {
        let list = errors.map(Display.scientific).joined(separator: ", ")
        return "errors \(list), slope \(Display.fixed(slope)), extrapolated "
            + "\(Display.scientific(extrapolatedError)), rounding \(Display.scientific(roundingLevel))"
    }
}

/// Compares J v with central differences at steps h, h/2, h/4.
///
/// The steps are long on purpose: truncation, c h², must stand far above the rounding of f, ε ‖f‖ / h, for its slope
/// to be seen. A function that is at most quadratic in θ has no truncation error, and its errors must all lie at the
/// rounding level.
public func derivativeReport(
    _ function: DifferentiableFunction, at parameters: [Float], direction: [Float], largestStep: Float = 0.2
) -> DerivativeReport {
    let tape = Tape()
    let record = function.linearised(at: parameters)
    let jv = record.jvp(direction)
    func difference(_ step: Float) -> [Double] {
        let plus = function.value(at: zip(parameters, direction).map { $0 + step * $1 }, tape: tape)
        let minus = function.value(at: zip(parameters, direction).map { $0 - step * $1 }, tape: tape)
        return zip(plus, minus).map { (Double($0) - Double($1)) / (2 * Double(step)) }
    }
    func error(_ difference: [Double]) -> Double {
        let squares = zip(difference, jv).reduce(0.0) { $0 + ($1.0 - Double($1.1)) * ($1.0 - Double($1.1)) }
        let error = squares.squareRoot() / norm(jv)
        return error.isNaN ? .infinity : error
    }
    let steps = [largestStep, largestStep / 2, largestStep / 4]
    let differences = steps.map(difference)
    let extrapolated = zip(differences[2], differences[1]).map { (4 * $0 - $1) / 3 }
    let depth = function.parameterCount + record.output.count
    return DerivativeReport(
        steps: steps, errors: differences.map(error), extrapolatedError: error(extrapolated),
        roundingLevel: roundingTolerance(depth: depth) * norm(record.value) / (Double(steps[2]) * norm(jv)))
}

/// The median over results of |J v − (f(θ + h v) − f(θ − h v)) / 2h|, over the root mean square of J v: what central
/// differences say of a function with kinks, few of which lie within h.
public func medianDerivativeError(
    _ function: DifferentiableFunction, at parameters: [Float], direction: [Float], step: Float
) -> Double {
    let jv = function.linearised(at: parameters).jvp(direction)
    let plus = function.value(at: zip(parameters, direction).map { $0 + step * $1 })
    let minus = function.value(at: zip(parameters, direction).map { $0 - step * $1 })
    let errors = jv.indices.map { index in
        abs((Double(plus[index]) - Double(minus[index])) / (2 * Double(step)) - Double(jv[index]))
    }
    let scale = norm(jv) / Double(jv.count).squareRoot()
    let median = errors.sorted()[errors.count / 2] / scale
    return median.isNaN ? .infinity : median
}

/// What a record must give besides right numbers.
public struct RecordReport: Sendable {
    /// The value on a tape that does not record has the bits of the one that does.
    public var valueNeedsNoRecord = true
    /// `jvp` and `vjp`, read in turn, give the same bits the second time.
    public var readingsRepeat = true
    /// Values and readings have the same bits on a tape whose memory was full of NaN.
    public var memoryIsOverwritten = true
    /// ‖(f + f)′ᵀ u − 2 f′ᵀ u‖, relative: whether pullbacks add to cotangents that others share.
    public var sharingError = 0.0
    /// ‖vjp onto g − (g + vjp)‖, relative: whether they add to the caller's gradient.
    public var accumulationError = 0.0
}

/// Reads a function's record in all the ways that the outer loop does.
public func recordReport(
    _ function: DifferentiableFunction, at parameters: [Float], random: inout RandomSource
) -> RecordReport {
    var report = RecordReport()
    let record = function.linearised(at: parameters)
    let v = random.normals(function.parameterCount)
    let u = random.normals(record.output.count)
    let (jv, ju) = (record.jvp(v), record.vjp(u))

    report.valueNeedsNoRecord = sameBits(function.value(at: parameters), record.value)
    report.readingsRepeat = sameBits(record.jvp(v), jv) && sameBits(record.vjp(u), ju) && sameBits(record.jvp(v), jv)

    let tape = Tape()
    let workspace = Workspace()
    smear(tape, workspace)
    let second = function.linearised(at: parameters, tape: tape, workspace: workspace)
    report.memoryIsOverwritten =
        sameBits(second.value, record.value) && sameBits(second.jvp(v), jv) && sameBits(second.vjp(u), ju)

    report.sharingError = relativeDistance(function.doubled.linearised(at: parameters).vjp(u), from: ju.map { 2 * $0 })
    let gradient = random.normals(function.parameterCount)
    report.accumulationError = relativeDistance(
        record.vjp(u, onto: gradient), from: zip(gradient, ju).map { $0 + $1 })
    return report
}

/// Leaves NaN in all the memory of a tape and a workspace, and empties them.
private func smear(_ tape: Tape, _ workspace: Workspace) {
    let count = 1 << 18
    var theta: Float = .nan
    tape.begin(parameters: &theta, recording: true)
    let constant = tape.constant(rows: 1, columns: count)
    tape.mutableValue(constant).update(repeating: .nan, count: count)
    let output = tape.variable(rows: 1, columns: count)
    tape.apply(Smear.self, operands(constant), output: output, saved: count)
    tape.jvp(direction: &theta, workspace: workspace)
    tape.beginVJP(workspace: workspace)
    workspace.cotangent(output).update(repeating: .nan, count: count)
    tape.scratch(count).update(repeating: .nan, count: count)
}

/// Writes NaN wherever a primitive may write.
private enum Smear: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        tape.mutableValue(record.output).update(repeating: .nan, count: record.output.count)
        tape.saved(record).update(repeating: .nan, count: record.output.count)
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        tangents.output(record.output).update(repeating: .nan, count: record.output.count)
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {}
}
