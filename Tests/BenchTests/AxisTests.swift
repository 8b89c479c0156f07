import Foundation
import Testing

@testable import Bench

@Suite struct AxisTests {
    @Test func ticksAreRoundAndWithin() {
        let axis = Axis("steps", values: [0, 120_000], isTight: true)
        #expect(axis.low == 0 && axis.high == 120_000)
        #expect(axis.ticks == [0, 50_000, 100_000])
        let loose = Axis("reward", values: [4.96, 6.66])
        #expect(loose.low == 4.5 && loose.high == 7)
        #expect(loose.ticks == [4.5, 5, 5.5, 6, 6.5, 7])
    }

    @Test func wholeNumbersAreMarkedByWholeNumbers() {
        #expect(Axis("episode", values: [1, 2], isTight: true).ticks == [1, 2])
    }

    @Test func placesRunFromZeroToOne() {
        let linear = Axis("x", values: [2, 4, 12])
        #expect(linear.place(linear.low) == 0 && linear.place(linear.high) == 1)
        let logarithmic = Axis("x", values: [20, 4000], kind: .logarithmic)
        #expect(logarithmic.low == 10 && logarithmic.high == 5000)
        #expect(logarithmic.ticks == [10, 100, 1000])
        #expect(abs(logarithmic.place(1000) - 2 / log10(500.0)) < 1e-12)
        #expect(Axis("x", values: [1200, 3000], kind: .logarithmic).ticks == [1000, 2000, 5000])
    }

    @Test func oneValueOrNoneStillHasAnAxis() {
        for values in [[3.0], []] {
            for kind in [Axis.Kind.linear, .logarithmic] {
                let axis = Axis("x", values: values, kind: kind)
                #expect(axis.low < axis.high && axis.ticks.count > 1)
            }
        }
    }

    @Test func barsStartAtZero() {
        #expect(Axis("share", values: [40, 80], includeZero: true).low == 0)
        #expect(Axis("loss", values: [-3], includeZero: true).high == 0)
    }

    @Test func numbersAreShort() {
        let axis = Axis("x", values: [0, 1])
        #expect(axis.text(2_500_000) == "2.5 M")
        #expect(axis.text(40_000) == "40 k")
        #expect(axis.text(0.125) == "0.125")
    }
}
