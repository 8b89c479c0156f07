import Foundation

/// Count, mean and spread of a sample, in the unit of its values.
public struct Summary: Equatable, Sendable {
    /// Number of values.
    public let count: Int
    /// Arithmetic mean; NaN for no values.
    public let mean: Double
    /// Sample standard deviation, with count − 1 in the denominator; NaN for fewer than two values, because a
    /// spread that cannot be known is not zero.
    public let standardDeviation: Double

    /// Standard error of the mean, standardDeviation / √count; NaN for fewer than two values.
    public var standardError: Double { standardDeviation / Double(count).squareRoot() }

    /// What is known of a sample whose values are gone.
    public init(count: Int, mean: Double, standardError: Double) {
        self.count = count
        self.mean = mean
        standardDeviation = standardError * Double(count).squareRoot()
    }

    /// Summarises `values` in two passes. The sum of the deviations from the mean, zero but for rounding, corrects
    /// both results (Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance", equation 1.7), so
    /// that values far from zero with a small spread lose no digits.
    public init(_ values: [Double]) {
        let size = Double(values.count)
        let roughMean = values.reduce(0, +) / size
        var deviations = 0.0
        var squares = 0.0
        for value in values {
            let deviation = value - roughMean
            deviations += deviation
            squares += deviation * deviation
        }
        count = values.count
        mean = roughMean + deviations / size
        let variance = max(squares - deviations * deviations / size, 0) / (size - 1)
        standardDeviation = values.count < 2 ? .nan : variance.squareRoot()
    }
}

/// The mean of `first − second` over members that met both, which compares two policies more sharply than their
/// separate means do: how lucky a member is cancels.
public struct PairedDifference: Equatable, Sendable {
    /// Number of pairs.
    public let count: Int
    /// Mean of first − second; NaN for no pairs.
    public let mean: Double
    /// Standard error of `mean`; NaN for fewer than two pairs.
    public let standardError: Double
    /// Lower end of the 95 % confidence interval of the mean; NaN for fewer than two pairs.
    public let lowerBound: Double
    /// Upper end of the 95 % confidence interval of the mean; NaN for fewer than two pairs.
    public let upperBound: Double

    /// Compares two samples pair by pair. The interval is Student's, so that a handful of seeds is not taken for
    /// certainty: 12.7 standard errors each way for two pairs, 2.8 for five, 1.96 for many.
    ///
    /// - Precondition: `first` and `second` have the same count, and equal indices belong together.
    public init(_ first: [Double], _ second: [Double]) {
        precondition(first.count == second.count, "\(first.count) values cannot be paired with \(second.count)")
        let summary = Summary(zip(first, second).map { $0 - $1 })
        count = summary.count
        mean = summary.mean
        standardError = summary.standardError
        let margin = summary.count < 2 ? .nan : studentMargin95(degreesOfFreedom: summary.count - 1) * standardError
        lowerBound = mean - margin
        upperBound = mean + margin
    }
}

/// The t for which Student's distribution has 95 % of its mass between −t and t; error below 10⁻⁶.
///
/// Up to 100 degrees of freedom ν by bisection of the distribution function, which for a whole ν is a finite sum in
/// θ = atan(t / √ν) (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4); above, by the expansion around the normal
/// quantile (26.7.5, three terms).
///
/// - Precondition: `degreesOfFreedom` is at least 1.
func studentMargin95(degreesOfFreedom: Int) -> Double {
    precondition(degreesOfFreedom >= 1, "Student's distribution needs a degree of freedom")
    let freedom = Double(degreesOfFreedom)
    guard degreesOfFreedom <= 100 else {
        let normal = 1.959963984540054
        let cube = normal * normal * normal
        let firstTerm = (cube + normal) / 4
        let secondTerm = (5 * cube * normal * normal + 16 * cube + 3 * normal) / 96
        let seventh = 3 * cube * cube * normal + 19 * cube * normal * normal + 17 * cube - 15 * normal
        return normal + firstTerm / freedom + secondTerm / (freedom * freedom)
            + seventh / 384 / (freedom * freedom * freedom)
    }
    var lower = 0.0
    var upper = Double.pi / 2
    // Sixty halvings leave an interval of 10⁻¹⁸, below the spacing of doubles.
    for _ in 0..<60 {
        let middle = (lower + upper) / 2
        if studentCentralMass(angle: middle, degreesOfFreedom: degreesOfFreedom) < 0.95 {
            lower = middle
        } else {
            upper = middle
        }
    }
    return tan(lower) * freedom.squareRoot()
}

/// Mass of Student's distribution between −t and t for `angle` θ = atan(t / √ν) (Abramowitz & Stegun 26.7.3, odd ν,
/// and 26.7.4, even ν): the powers of cos θ below ν − 1, of the other parity than ν, each with its product of ratios.
private func studentCentralMass(angle: Double, degreesOfFreedom: Int) -> Double {
    let isOdd = degreesOfFreedom % 2 == 1
    let cosine = cos(angle)
    var term = isOdd ? cosine : 1
    var sum = 0.0
    for power in stride(from: isOdd ? 1 : 0, through: degreesOfFreedom - 2, by: 2) {
        sum += term
        term *= cosine * cosine * Double(power + 1) / Double(power + 2)
    }
    return isOdd ? 2 / Double.pi * (angle + sin(angle) * sum) : sin(angle) * sum
}
