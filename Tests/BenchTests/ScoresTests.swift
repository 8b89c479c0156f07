import Foundation
import Kernels
import Testing

@testable import Bench

/// What `golden/make_statistics.py` computed with rliable, scipy and numpy.
private struct StatisticsGolden: Decodable {
    let one, other: [[Double]]
    let interquartileMean, mean, probabilityOfImprovement: Double
    let interquartileMeanBounds, meanBounds, probabilityOfImprovementBounds: [Double]
    let curveSteps: [Int]
    let curveScores: [Double]
    let curveMeanHeight, curveAt: Double
    let values, quantiles: [Double]
    let improvementByMannWhitney: Double
    let detectable: [Detectable]
    let margins: [Margin]
    let pairedBounds: [Double]

    struct Detectable: Decodable { let deviation: Double, count: Int, difference: Double }
    struct Margin: Decodable { let degrees: Int, margin: Double }

    static func read() throws -> StatisticsGolden {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("golden")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(
            StatisticsGolden.self, from: Data(contentsOf: folder.appendingPathComponent("statistics.json")))
    }
}

@Suite struct ScoresTests {
    @Test func pointEstimatesAreThoseOfTheReference() throws {
        let golden = try StatisticsGolden.read()
        let (one, other) = (Scores(golden.one), Scores(golden.other))
        #expect(abs(one.interquartileMean - golden.interquartileMean) < 1e-12)
        #expect(abs(one.mean - golden.mean) < 1e-12)
        #expect(abs(one.probabilityOfImprovement(over: other) - golden.probabilityOfImprovement) < 1e-12)
        #expect(abs(other.probabilityOfImprovement(over: one) - 1 + golden.probabilityOfImprovement) < 1e-12)
        let sorted = golden.values.sorted()
        for (share, quantile) in zip([0.025, 0.5, 0.975], golden.quantiles) {
            #expect(abs(Bootstrap.quantile(share, of: sorted) - quantile) < 1e-12)
        }
    }

    /// scipy's statistic of Mann and Whitney counts the same pairs.
    @Test func improvementIsTheRankStatistic() throws {
        let golden = try StatisticsGolden.read()
        let share = Scores(golden.one).probabilityOfImprovement(over: Scores(golden.other))
        #expect(abs(share - golden.improvementByMannWhitney) < 1e-12)
    }

    /// scipy solves for the difference at which a two-sided test of level 5 % has power .8; the closed form leaves out
    /// that such a test also rejects on the wrong side, which happens once in some hundred thousand cases.
    @Test func minimumDetectableDifferencesAreThoseOfTheReference() throws {
        for one in try StatisticsGolden.read().detectable {
            let ours = minimumDetectableDifference(standardDeviation: one.deviation, count: one.count)
            #expect(abs(ours / one.difference - 1) < 1e-5, "\(one)")
        }
    }

    @Test func marginsAndPairedBoundsAreThoseOfTheReference() throws {
        let golden = try StatisticsGolden.read()
        for one in golden.margins {
            #expect(abs(studentMargin95(degreesOfFreedom: one.degrees) / one.margin - 1) < 1e-6, "\(one)")
        }
        let half = golden.values.count / 2
        let paired = PairedDifference(Array(golden.values[..<half]), Array(golden.values[half...]))
        #expect(abs(paired.lowerBound - golden.pairedBounds[0]) < 1e-9)
        #expect(abs(paired.upperBound - golden.pairedBounds[1]) < 1e-9)
    }

    /// Two bootstraps with other random numbers. A bound of 20 000 resamples is the 2.5th percentile of a statistic of
    /// deviation σ ≈ width / 3.9; its own standard error is √(.025 · .975 / 20 000) / density ≈ .0011 / (.058 / σ) ≈ .02 σ.
    /// Six of them for both: .03 of the width; and scores are sixteenths, so a bound moves in steps of 1/16/17.
    @Test func intervalsAreThoseOfTheReference() throws {
        let golden = try StatisticsGolden.read()
        let (one, other) = (Scores(golden.one), Scores(golden.other))
        func compare(_ interval: Interval, _ bounds: [Double], grain: Double, _ name: String) {
            let margin = 0.03 * (bounds[1] - bounds[0]) + grain
            #expect(abs(interval.lowerBound - bounds[0]) < margin, "\(name): \(interval), reference \(bounds)")
            #expect(abs(interval.upperBound - bounds[1]) < margin, "\(name): \(interval), reference \(bounds)")
        }
        let bootstrap = Bootstrap(resamples: 20_000, seed: 1)
        compare(
            bootstrap.interval(one, \.interquartileMean), golden.interquartileMeanBounds, grain: 1 / 272.0, "IQM")
        compare(bootstrap.interval(one, \.mean), golden.meanBounds, grain: 1 / 528.0, "mean")
        compare(
            bootstrap.interval([one, other]) { $0[0].probabilityOfImprovement(over: $0[1]) },
            golden.probabilityOfImprovementBounds, grain: 1 / 198.0, "improvement")
    }

    /// Normal scores on three tasks of different level, 1000 times: how often a 95 % interval of the mean holds the truth.
    ///
    /// What to expect: a percentile bootstrap of n runs a task is the normal interval with a deviation too small by
    /// √((n − 1) / n), and the deviation is estimated with 3 (n − 1) degrees of freedom ν. So it holds the truth with
    /// P(|t_ν| < 1.96 √((n − 1) / n)): .939 for n = 20, .948 for n = 100. The number that hold is binomial: 1000 draws
    /// deviate by √(.95 · .05 / 1000) = .0076, and four of these make ± .030.
    @Test(arguments: [(20, 0.939), (100, 0.948)])
    func intervalsHoldTheTruthAsOftenAsTheySay(_ runs: Int, _ expected: Double) {
        let share = coverage(runs: runs, \.mean)
        let deviation = (expected * (1 - expected) / 1000).squareRoot()
        #expect(abs(share - expected) < 4 * deviation, "\(share) of the intervals, not \(expected)")
    }

    /// The same of the interquartile mean, whose truth by symmetry is the middle task's level. It is not linear in the
    /// scores, so that only the level itself is known: 95 %, less the narrowness above, which is at most one per cent.
    @Test func intervalsOfTheInterquartileMeanHoldTheTruth() {
        let share = coverage(runs: 100, \.interquartileMean)
        let deviation = (0.95 * 0.05 / 1000).squareRoot()
        #expect(abs(share - 0.95) < 4 * deviation + 0.01, "\(share) of the intervals")
    }

    private func coverage(runs: Int, _ statistic: (Scores) -> Double) -> Double {
        let root = RandomSource(seed: 5)
        let held = (0..<1000).count { simulation in
            var random = root.split(simulation)
            let scores = Scores((0..<3).map { task in (0..<runs).map { _ in Double(task) + random.normal() } })
            let interval = Bootstrap(resamples: 400, seed: simulation).interval(scores, statistic)
            return interval.lowerBound <= 1 && interval.upperBound >= 1
        }
        return Double(held) / 1000
    }

    @Test func sameSeedSameInterval() {
        let scores = Scores([[1, 2, 3], [4, 6]])
        let bootstrap = Bootstrap(resamples: 100, seed: 3)
        #expect(bootstrap.interval(scores, \.mean) == bootstrap.interval(scores, \.mean))
        #expect(bootstrap.interval(scores, \.mean) != Bootstrap(resamples: 100, seed: 4).interval(scores, \.mean))
    }

    @Test func scoresOfOneTaskNeverServeAnother() {
        // Whatever is drawn within tasks, the mean of constant tasks stays.
        let interval = Bootstrap(resamples: 50).interval(Scores([[1, 1, 1], [9, 9]]), \.mean)
        #expect(interval.lowerBound == interval.upperBound)
    }

    @Test func gapClosedByHand() {
        let closed = Scores([[5, 6.66], [50, 75]]).gapClosed([(5, 6.66), (50, 100)])
        #expect(closed.byTask == [[0, 1], [0, 0.5]])
    }

    /// σ = 1, 16 values each: 2.8015852 · √(1/8).
    @Test func minimumDetectableDifferenceByHand() {
        let difference = minimumDetectableDifference(standardDeviation: 1, count: 16)
        #expect(abs(difference - 2.801585218 / 8.0.squareRoot()) < 1e-8)
    }
}

@Suite struct LearningCurveTests {
    @Test func heightAndInterpolationAreThoseOfTheReference() throws {
        let golden = try StatisticsGolden.read()
        let curve = LearningCurve(
            zip(golden.curveSteps, golden.curveScores).map { .init(steps: $0, score: $1) })
        #expect(abs(curve.meanHeight - golden.curveMeanHeight) < 1e-12)
        #expect(abs(curve.score(at: 400)! - golden.curveAt) < 1e-12)
    }

    @Test func stepsToAThreshold() {
        let curve = LearningCurve([.init(steps: 0, score: 0), .init(steps: 100, score: 2), .init(steps: 200, score: 1)])
        #expect(curve.steps(to: -1) == 0)
        #expect(curve.steps(to: 1) == 50)
        #expect(curve.steps(to: 2) == 100)
        #expect(curve.steps(to: 2.5) == nil)
        #expect(curve.score(at: 150) == 1.5)
        #expect(curve.score(at: 201) == nil)
        #expect(LearningCurve([.init(steps: 10, score: 3)]).meanHeight == 3)
    }
}
