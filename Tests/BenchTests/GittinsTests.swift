import Foundation
import Testing

@testable import Bench

@Suite struct GittinsTests {
    /// The check value, and the neighbours of the first row of Gittins's table for β = 0.9 (Gittins 1989).
    @Test func endlessIndexHasItsPublishedValues() {
        let table = GittinsTable.endless(discount: 0.9, depths: 5)
        #expect(abs(table.index(pulls: 0, successes: 0) - 0.70289) < 1e-5)
        let published = [(1, 1, 0.8001), (2, 2, 0.8452), (3, 3, 0.8723), (1, 0, 0.5001), (2, 1, 0.6346)]
        for (pulls, successes, value) in published {
            #expect(abs(table.index(pulls: pulls, successes: successes) - value) < 1e-4, "\(successes) of \(pulls)")
        }
    }

    /// With one pull left the index is the mean. With two, from the prior, it pays to go on after a success:
    /// ½ − λ + ½ (2/3 − λ) = 0, λ = 5/9; with three ½ − λ + ½ (2/3 − λ + 2/3 (3/4 − λ)) = 0, λ = 13/22.
    @Test func finiteIndexByHand() {
        let table = FiniteHorizonGittins(pulls: 6)
        for pulls in 0..<6 {
            for successes in 0...pulls {
                let mean = Double(successes + 1) / Double(pulls + 2)
                #expect(abs(table.index(pulls: pulls, successes: successes, left: 1) - mean) < 1e-6)
            }
        }
        #expect(abs(table.index(pulls: 0, successes: 0, left: 2) - 5.0 / 9) < 1e-5)
        #expect(abs(table.index(pulls: 0, successes: 0, left: 3) - 13.0 / 22) < 1e-5)
    }

    /// Bayes-optimal play of one unknown arm beside one that pays λ for sure pulls the unknown one exactly where λ is below
    /// its index: by a recursion that knows no stopping and no calibration.
    @Test func indexSaysWhenAnUnknownArmIsWorthMoreThanAKnownOne() {
        /// Expected total of optimal play, and what pulling the unknown arm first is worth more than the known one.
        func value(_ p: Int, _ q: Int, left: Int, known: Double) -> (total: Double, advantage: Double) {
            guard left > 0 else { return (0, 0) }
            let mean = Double(p) / Double(p + q)
            let pull =
                mean * (1 + value(p + 1, q, left: left - 1, known: known).total)
                + (1 - mean) * value(p, q + 1, left: left - 1, known: known).total
            let rest = known + value(p, q, left: left - 1, known: known).total
            return (max(pull, rest), pull - rest)
        }
        let table = FiniteHorizonGittins(pulls: 9)
        for (p, q, left) in [(1, 1, 2), (1, 1, 5), (1, 1, 8), (2, 1, 6), (1, 3, 5), (3, 2, 4), (4, 4, 2)] {
            let index = table.index(pulls: p + q - 2, successes: p - 1, left: left)
            #expect(value(p, q, left: left, known: index - 3e-5).advantage > 0, "\(p) \(q) \(left)")
            #expect(value(p, q, left: left, known: index + 3e-5).advantage < 0, "\(p) \(q) \(left)")
        }
    }

    /// More pulls left make an unknown arm worth more; a success raises the index; it lies between mean and 1.
    @Test func indexIsMonotone() {
        let table = FiniteHorizonGittins(pulls: 30)
        for pulls in 0..<20 {
            for successes in 0...pulls {
                let row = (1...10).map { table.index(pulls: pulls, successes: successes, left: $0) }
                #expect(zip(row, row.dropFirst()).allSatisfy { $0 <= $1 + 1e-6 })
                #expect(row[0] >= Double(successes + 1) / Double(pulls + 2) - 1e-6 && row[9] < 1)
                if successes > 0 {
                    #expect(row[9] > table.index(pulls: pulls, successes: successes - 1, left: 10))
                }
            }
        }
    }

    /// The closed forms approach the exact index as the posterior narrows; Whittle's is the nearer one.
    @Test func closedFormsApproachTheExactIndex() {
        let discount = 0.99
        let table = GittinsTable.endless(discount: discount, depths: 101)
        for (pulls, successes, whittle, brezziLai) in [
            (4, 2, 0.05, 0.12), (30, 15, 0.01, 0.032), (100, 50, 0.003, 0.009), (100, 80, 0.004, 0.0065),
        ] {
            let (p, q) = (Double(successes + 1), Double(pulls - successes + 1))
            let exact = table.index(pulls: pulls, successes: successes)
            let values = [
                (GittinsApproximation.whittle(p: p, q: q, c: -log(discount)), whittle),
                (GittinsApproximation.brezziLai(p: p, q: q, c: -log(discount)), brezziLai),
            ]
            for (value, bound) in values {
                #expect(abs(value - exact) < bound, "\(successes) of \(pulls): \(value), exact \(exact)")
            }
        }
    }

    /// The pieces of ψ as they are published, by hand.
    @Test func boundaryOfBrezziAndLai() {
        let values = [(0.08, 0.2), (0.25, 0.27), (4, 0.5), (9, 0.77 - 0.58 / 3), (0.2, 0.1.squareRoot())]
        for (s, expected) in values { #expect(abs(GittinsApproximation.boundary(s) - expected) < 1e-12) }
        let far = (2 * log(100.0) - log(log(100.0)) - log(16 * Double.pi)).squareRoot()
        #expect(abs(GittinsApproximation.boundary(100) - far) < 1e-12)
    }
}
