import Foundation
import Kernels

/// Unit roundoff of Float32: the largest relative error of one rounded operation.
public let unitRoundoff = 0x1p-24

/// The relative error that rounding may leave in a number which passed through `depth` rounded operations.
///
/// Roundings are as good as independent, so their sum walks at random: √depth of them, and four deviations, which a
/// fixed seed then never leaves. A wrong formula is off by far more: by percents, not by millionths.
public func roundingTolerance(depth: Int) -> Double { 4 * unitRoundoff * Double(max(depth, 1)).squareRoot() }

extension RandomSource {
    /// Independent normal numbers with mean 0.
    public mutating func normals(_ count: Int, deviation: Float = 1) -> [Float] {
        (0..<count).map { _ in Float(normal()) * deviation }
    }

    /// Independent numbers, uniform on ±bound.
    public mutating func uniforms(_ count: Int, bound: Float = 1) -> [Float] {
        (0..<count).map { _ in (2 * uniform() - 1) * bound }
    }
}

/// Σ aᵢ bᵢ in double precision.
public func dot(_ a: [Float], _ b: [Float]) -> Double {
    precondition(a.count == b.count, "\(a.count) numbers times \(b.count)")
    return zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

/// ‖a‖₂ in double precision.
public func norm(_ a: [Float]) -> Double { dot(a, a).squareRoot() }

/// ‖a − b‖₂ / ‖b‖₂, or ‖a − b‖₂ where b is zero; infinite where anything is not a number.
public func relativeDistance(_ a: [Float], from b: [Float]) -> Double {
    precondition(a.count == b.count, "\(a.count) numbers beside \(b.count)")
    let squares = zip(a, b).reduce(0.0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }
    let scale = norm(b)
    let distance = squares.squareRoot() / (scale > 0 ? scale : 1)
    return distance.isNaN ? .infinity : distance
}

/// Whether two arrays hold the same bits (so NaN equals itself, and 0 differs from −0).
public func sameBits(_ a: [Float], _ b: [Float]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern }
}
