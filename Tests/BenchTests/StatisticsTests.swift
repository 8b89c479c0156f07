import Foundation
import Testing

@testable import Bench

@Suite struct StatisticsTests {
    /// Mean 5, squared deviations 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 = 32 over 7.
    @Test func summaryByHand() {
        let summary = Summary([2, 4, 4, 4, 5, 5, 7, 9])
        #expect(summary.count == 8)
        #expect(summary.mean == 5)
        #expect(abs(summary.standardDeviation - (32.0 / 7).squareRoot()) < 1e-15)
        #expect(abs(summary.standardError - (32.0 / 56).squareRoot()) < 1e-15)
    }

    @Test func equalValuesHaveNoSpread() {
        let summary = Summary([Double](repeating: 0.1, count: 1001))
        #expect(abs(summary.mean - 0.1) <= 0.1.ulp)
        #expect(summary.standardDeviation < 1e-16)
    }

    /// Sums of squares would lose every digit of the spread here: 10⁹ squared leaves 128 for the last place.
    @Test func largeOffsetKeepsTheSpread() {
        let values = (0..<1000).map { 1e9 + Double($0 % 3) }
        let centred = Summary(values.map { $0 - 1e9 })
        let summary = Summary(values)
        #expect(abs(summary.mean - 1e9 - centred.mean) <= 1e9.ulp)
        #expect(abs(summary.standardDeviation / centred.standardDeviation - 1) < 1e-12)
    }

    @Test func tooFewValuesAreNotANumber() {
        #expect(Summary([]).count == 0 && Summary([]).mean.isNaN && Summary([]).standardDeviation.isNaN)
        let one = Summary([3])
        #expect(one.mean == 3 && one.standardDeviation.isNaN && one.standardError.isNaN)
        let pair = PairedDifference([3], [1])
        #expect(pair.mean == 2 && pair.standardError.isNaN && pair.lowerBound.isNaN && pair.upperBound.isNaN)
    }

    /// Differences 1, 2, 3: mean 2, standard error 1 / √3, and t = 4.302653 with two degrees of freedom.
    @Test func pairedDifferenceByHand() {
        let difference = PairedDifference([11, 22, 33], [10, 20, 30])
        #expect(difference.count == 3 && difference.mean == 2)
        #expect(abs(difference.standardError - (1.0 / 3).squareRoot()) < 1e-15)
        #expect(abs(difference.upperBound - 2 - 4.302653 / 3.0.squareRoot()) < 1e-6)
        #expect(abs(difference.lowerBound + difference.upperBound - 4) < 1e-14)
        let opposite = PairedDifference([10, 20, 30], [11, 22, 33])
        #expect(opposite.mean == -2 && opposite.lowerBound == -difference.upperBound)
    }

    /// What members share cancels exactly.
    @Test func sharedLuckCancels() {
        let luck = (0..<100).map { Double(($0 * 37) % 101) }
        let difference = PairedDifference(luck.map { $0 + 1 }, luck)
        #expect(difference.mean == 1 && difference.standardError == 0)
        #expect(difference.lowerBound == 1 && difference.upperBound == 1)
    }

    /// ν = 1 is tan(0.475 π), ν = 2 is 0.95 √(2 / (1 − 0.95²)), both exact; the others from printed tables.
    @Test func studentMargins() {
        let exact = [(1, tan(0.475 * Double.pi)), (2, 0.95 * (2 / (1 - 0.95 * 0.95)).squareRoot())]
        for (freedom, expected) in exact {
            #expect(abs(studentMargin95(degreesOfFreedom: freedom) - expected) < 1e-12)
        }
        let tables = [(3, 3.182), (4, 2.776), (5, 2.571), (10, 2.228), (29, 2.045), (60, 2.000), (120, 1.980)]
        for (freedom, expected) in tables {
            #expect(abs(studentMargin95(degreesOfFreedom: freedom) - expected) <= 0.5e-3)
        }
        #expect(abs(studentMargin95(degreesOfFreedom: 1_000_000) - 1.959964) < 1e-5)
        // Where the expansion takes over, it continues the bisection: t falls by about 2.4 / ν² a degree there.
        let step = studentMargin95(degreesOfFreedom: 100) - studentMargin95(degreesOfFreedom: 101)
        #expect(abs(step - 2.4e-4) < 0.1e-4, "step \(step)")
    }
}
