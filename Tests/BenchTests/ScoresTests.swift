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

    /// Normal scores on three tasks of different level, 20 runs each, 400 times: the 95 % interval of the mean must hold
    /// the true mean about as often as it says. A percentile bootstrap of 20 values a stratum is a little narrow:
    /// √(19/20) in width makes 94 %; 400 draws of a share of .94 deviate by .012, four of them make .05.
    @Test func intervalsHoldTheTruthAsOftenAsTheySay() {
        let root = RandomSource(seed: 5)
        var held = 0
        for simulation in 0..<400 {
            var random = root.split(simulation)
            let scores = Scores((0..<3).map { task in (0..<20).map { _ in Double(task) + random.normal() } })
            let interval = Bootstrap(resamples: 500, seed: simulation).interval(scores, \.mean)
            if interval.lowerBound <= 1 && interval.upperBound >= 1 { held += 1 }
        }
        #expect(abs(Double(held) / 400 - 0.94) < 0.05, "\(held) of 400")
    }

    /// The same of the interquartile mean, whose truth by symmetry is the middle task's level.
    @Test func intervalsOfTheInterquartileMeanHoldTheTruth() {
        let root = RandomSource(seed: 6)
        var held = 0
        for simulation in 0..<400 {
            var random = root.split(simulation)
            let scores = Scores((0..<3).map { task in (0..<20).map { _ in Double(task) + random.normal() } })
            let interval = Bootstrap(resamples: 500, seed: simulation).interval(scores, \.interquartileMean)
            if interval.lowerBound <= 1 && interval.upperBound >= 1 { held += 1 }
        }
        #expect(Double(held) / 400 > 0.89 && Double(held) / 400 <= 1, "\(held) of 400")
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
