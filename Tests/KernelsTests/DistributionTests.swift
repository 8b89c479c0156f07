import Foundation
import Testing

@testable import Kernels

/// Samples against distribution functions. The Kolmogorov–Smirnov distance D of n draws satisfies
/// P(√n D > x) ≤ 2 exp(−2 x²) for any continuous distribution (Massart 1990): 3.3 · 10⁻⁶ at x = 2.68.
@Suite struct DistributionTests {
    private static let draws = 100_000

    /// √n D, with n = 100 000 a difference of 0.0085 between the distribution functions.
    private func distance(
        seed: UInt64, _ draw: (inout RandomSource) -> Double, _ distribution: (Double) -> Double
    ) -> Double {
        var random = RandomSource(seed: seed)
        let sample = (0..<Self.draws).map { _ in draw(&random) }.sorted()
        let count = Double(Self.draws)
        var distance = 0.0
        for (index, x) in sample.enumerated() {
            let expected = distribution(x)
            distance = max(distance, abs(Double(index) / count - expected), abs(Double(index + 1) / count - expected))
        }
        return distance * count.squareRoot()
    }

    /// Regularised lower incomplete gamma function by its series (Abramowitz & Stegun 6.5.29), all terms positive.
    private func gammaDistribution(_ shape: Double, _ x: Double) -> Double {
        guard x > 0 else { return 0 }
        var (term, sum, index) = (1.0, 1.0, 1.0)
        while term > 1e-17 * sum {
            term *= x / (shape + index)
            sum += term
            index += 1
        }
        return exp(shape * log(x) - x - lgamma(shape + 1)) * sum
    }

    /// The constants that Marsaglia and Tsang print for 256 layers, and equal areas.
    @Test func layersAreThoseOfThePaper() {
        #expect(abs(Ziggurat.normal.tailStart - 3.6541528853610088) < 1e-12)
        #expect(abs(Ziggurat.exponential.tailStart - 7.69711747013104972) < 1e-12)
        for (table, area) in [(Ziggurat.normal, 0.00492867323399), (.exponential, 0.0039496598225815571993)] {
            for layer in 1..<Ziggurat.layers {
                let top = layer + 1 == Ziggurat.layers ? 1 : table.heights[layer + 1]
                #expect(abs(table.widths[layer] * (top - table.heights[layer]) - area) < 1e-12)
                #expect(table.widths[layer + 1] < table.widths[layer])
            }
            #expect(abs(table.widths[0] * table.heights[1] - area) < 1e-12)
        }
    }

    @Test func fastNormalIsNormal() {
        #expect(distance(seed: 20, { $0.fastNormal() }, { 0.5 * erfc(-$0 / 2.0.squareRoot()) }) < 2.68)
    }

    /// Beyond r only the tail's own sampler speaks: P = 2.58 · 10⁻⁴ of both sides, 516 of 2 000 000 expected. Given the
    /// side, the tail has the mean excess f(r) / Q(r) − r and is normal beyond r.
    @Test func fastNormalHasTails() {
        var random = RandomSource(seed: 21)
        let (draws, start) = (2_000_000, Ziggurat.normal.tailStart)
        var beyond: [Double] = []
        for _ in 0..<draws {
            let x = random.fastNormal()
            if abs(x) > start { beyond.append(x) }
        }
        let share = erfc(start / 2.0.squareRoot())
        let expected = Double(draws) * share
        #expect(abs(Double(beyond.count) - expected) < 5 * expected.squareRoot())
        let positive = Double(beyond.count { $0 > 0 })
        #expect(abs(positive - Double(beyond.count) / 2) < 5 * Double(beyond.count).squareRoot() / 2)
        let count = Double(beyond.count)
        let sample = beyond.map { 1 - erfc(abs($0) / 2.0.squareRoot()) / share }.sorted()
        let distance = sample.enumerated().reduce(0.0) { max($0, abs($1.element - (Double($1.offset) + 0.5) / count)) }
        #expect(distance * count.squareRoot() < 2.68)
    }

    @Test func exponentialIsExponential() {
        #expect(distance(seed: 22, { $0.exponential() }, { 1 - exp(-$0) }) < 2.68)
        var random = RandomSource(seed: 23)
        let (draws, start) = (2_000_000, Ziggurat.exponential.tailStart)
        let beyond = Double((0..<draws).count { _ in random.exponential() > start })
        let expected = Double(draws) * exp(-start)
        #expect(abs(beyond - expected) < 5 * expected.squareRoot())
    }

    @Test(arguments: [0.05, 0.4, 0.999, 1, 1.2, 2, 3.7, 10, 60])
    func gammaIsGamma(_ shape: Double) {
        #expect(distance(seed: 24, { $0.gamma(shape) }, { gammaDistribution(shape, $0) }) < 2.68)
    }

    /// Beta distributions whose functions are elementary: x^a, 1 − (1 − x)^b, the arcsine law, and whole shapes as a
    /// binomial sum (Abramowitz & Stegun 26.5.24).
    @Test func betaIsBeta() {
        #expect(distance(seed: 25, { $0.beta(0.3, 1) }, { pow($0, 0.3) }) < 2.68)
        #expect(distance(seed: 26, { $0.beta(1, 4.5) }, { 1 - pow(1 - $0, 4.5) }) < 2.68)
        #expect(distance(seed: 27, { $0.beta(0.5, 0.5) }, { 2 / Double.pi * asin($0.squareRoot()) }) < 2.68)
        let binomial = { (x: Double) in
            (3...7).reduce(0.0) { sum, k in
                let choose = exp(lgamma(8) - lgamma(Double(k) + 1) - lgamma(Double(8 - k)))
                return sum + choose * pow(x, Double(k)) * pow(1 - x, Double(7 - k))
            }
        }
        #expect(distance(seed: 28, { $0.beta(3, 5) }, binomial) < 2.68)
        #expect(distance(seed: 29, { $0.beta(1, 1) }, { $0 }) < 2.68)
    }

    /// Tiny shapes put the mass on 0 and 1, a / (a + b) of it on 1, and never give a number that is none.
    @Test func tinyShapesStayFinite() {
        var random = RandomSource(seed: 30)
        let draws = 20_000
        var ones = 0
        for _ in 0..<draws {
            let x = random.beta(1e-4, 3e-4)
            #expect(x >= 0 && x <= 1)
            if x > 0.5 { ones += 1 }
        }
        #expect(abs(Double(ones) - 0.25 * Double(draws)) < 5 * (Double(draws) * 3 / 16).squareRoot() + 20)
        var shares = [-1.0, -1, -1, -1, -1]
        random.dirichlet([1e-5, 1e-5, 1e-5], count: 3, into: &shares, stride: 2)
        #expect(abs(shares[0] + shares[2] + shares[4] - 1) < 1e-12 && shares[1] == -1 && shares[3] == -1)
    }

    /// A share of Dirichlet(α) is Beta(α_i, Σα − α_i); two shares have covariance −m_i m_j / (Σα + 1).
    @Test(arguments: [[1.0, 2, 4], [0.5, 2, 4.5]])
    func dirichletIsDirichlet(_ concentrations: [Double]) {
        let total = concentrations.reduce(0, +)
        var random = RandomSource(seed: 31)
        let draws = Double(Self.draws)
        var (means, products) = ([0.0, 0, 0], 0.0)
        var shares = [0.0, 0, 0]
        for _ in 0..<Self.draws {
            random.dirichlet(concentrations, count: 3, into: &shares)
            #expect(abs(shares.reduce(0, +) - 1) < 1e-12)
            for index in 0..<3 { means[index] += shares[index] / draws }
            products += shares[1] * shares[2] / draws
        }
        for (index, mean) in means.enumerated() {
            let share = concentrations[index] / total
            let variance = share * (1 - share) / (total + 1)
            #expect(abs(mean - share) < 5 * (variance / draws).squareRoot())
        }
        let expected = concentrations[1] * concentrations[2] / (total * (total + 1))
        // A product of two shares lies in [0, 1/4]: its variance is at most its mean / 4.
        #expect(abs(products - expected) < 5 * (expected / 4 / draws).squareRoot())
    }
}
