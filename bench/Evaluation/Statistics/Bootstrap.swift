import Kernels

/// A statistic and its interval.
public struct Interval: Equatable, Sendable {
    /// Of the scores as they are.
    public let estimate: Double
    public let lowerBound: Double
    public let upperBound: Double

    public init(estimate: Double, lowerBound: Double, upperBound: Double) {
        self.estimate = estimate
        self.lowerBound = lowerBound
        self.upperBound = upperBound
    }
}

/// Stratified bootstrap (Efron 1979; by strata as in Agarwal et al. 2021, section 4.1): runs are drawn with replacement
/// within each task, and the 2.5th and 97.5th percentile of the statistic over many such draws bound it.
///
/// With few runs the interval is too narrow: of three runs a task the spread between runs is estimated a fifth too
/// small. The number of runs belongs beside it in every table.
public struct Bootstrap: Sendable {
    public let resamples: Int
    private let root: RandomSource

    /// - Parameters:
    ///   - resamples: draws; 2000 leave a bound of a normal statistic uncertain by a twentieth of its deviation.
    ///   - seed: the same seed and scores give the same bounds.
    public init(resamples: Int = 2000, seed: Int = 0) {
        precondition(resamples >= 2, "a bootstrap of \(resamples) resamples")
        self.resamples = resamples
        root = RandomSource(seed: UInt64(seed))
    }

    /// The 95 % interval of a statistic of one architecture's scores.
    public func interval(_ scores: Scores, _ statistic: (Scores) -> Double) -> Interval {
        interval([scores]) { statistic($0[0]) }
    }

    /// The 95 % interval of a statistic of several architectures' scores, whose runs are drawn independently.
    public func interval(_ scores: [Scores], _ statistic: ([Scores]) -> Double) -> Interval {
        var values: [Double] = []
        values.reserveCapacity(resamples)
        for number in 0..<resamples {
            var random = root.split(UInt64(number))
            let drawn = scores.map { one in
                Scores(one.byTask.map { runs in runs.indices.map { _ in runs[random.integer(below: runs.count)] } })
            }
            values.append(statistic(drawn))
        }
        values.sort()
        return Interval(
            estimate: statistic(scores), lowerBound: Bootstrap.quantile(0.025, of: values),
            upperBound: Bootstrap.quantile(0.975, of: values))
    }

    /// A quantile of sorted values, linear between neighbours (type 7 of Hyndman and Fan 1996, numpy's default).
    static func quantile(_ share: Double, of sorted: [Double]) -> Double {
        let place = share * Double(sorted.count - 1)
        let below = Int(place)
        guard below + 1 < sorted.count else { return sorted[sorted.count - 1] }
        return sorted[below] + (place - Double(below)) * (sorted[below + 1] - sorted[below])
    }
}

/// The smallest true difference between two means that a comparison of so many independent values each would find, at
/// the 5 % level two-sided, in four cases of five: (z₀.₉₇₅ + z₀.₈) σ √(2 / count). What is smaller cannot be told from
/// noise, and no table should pretend to.
///
/// - Parameters:
///   - standardDeviation: σ of a single value.
///   - count: values of each side.
public func minimumDetectableDifference(standardDeviation: Double, count: Int) -> Double {
    (1.959963984540054 + 0.8416212335729143) * standardDeviation * (2 / Double(count)).squareRoot()
}
