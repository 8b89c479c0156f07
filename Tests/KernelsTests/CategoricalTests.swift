import Conformance
import Foundation
import Kernels
import Testing

@Suite struct CategoricalTests {
    static let rows = 6
    static let outcomes = 5

    /// Logits of several scales, and log softmax of them in double precision.
    static func example(_ seed: UInt64) -> (logits: [Float], exact: [Double], logProbabilities: [Float]) {
        var random = RandomSource(seed: seed)
        var logits = random.normals(rows * outcomes)
        for row in 0..<rows { for a in 0..<outcomes { logits[row * outcomes + a] *= Float(row * row) } }
        let exact = (0..<rows).flatMap { row -> [Double] in
            let slice = logits[row * outcomes..<(row + 1) * outcomes].map(Double.init)
            let largest = slice.max()!
            let shift = largest + log(slice.reduce(0) { $0 + exp($1 - largest) })
            return slice.map { $0 - shift }
        }
        var result = [Float](repeating: 0, count: logits.count)
        Categorical.logProbabilities(rows: rows, outcomes: outcomes, logits: logits, into: &result)
        return (logits, exact, result)
    }

    @Test func logProbabilitiesEqualLogSoftmax() {
        let (logits, exact, result) = Self.example(41)
        let scale = Double(logits.map(\.magnitude).max()!)
        for (value, expected) in zip(result, exact) { #expect(abs(Double(value) - expected) < 4e-7 * (1 + scale)) }
    }

    @Test func logProbabilitiesIgnoreAShiftAndWorkInPlace() {
        var x: [Float] = [1e4, 1e4 + 1, 1e4 - 2, -1e30]
        x.withUnsafeMutableBufferPointer {
            Categorical.logProbabilities(
                rows: 1, outcomes: 4, logits: UnsafePointer($0.baseAddress!), into: $0.baseAddress!)
        }
        var y: [Float] = [0, 0, 0]
        Categorical.logProbabilities(rows: 1, outcomes: 3, logits: [0, 1, -2], into: &y)
        // 1e4 + 1 is exact, so the shift costs one rounding at 1e4.
        for a in 0..<3 { #expect(abs(x[a] - y[a]) < 2e-3) }
        #expect(x[3] == -1e30)
    }

    @Test func sumsEqualTheirDefinitions() {
        let (old, new) = (Self.example(42), Self.example(43))
        let entropy = old.exact.reduce(0) { $0 - exp($1) * $1 }
        let divergence = zip(old.exact, new.exact).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
        let magnitude = zip(old.exact, new.exact).reduce(0) { $0 + exp($1.0) * (abs($1.0) + abs($1.1)) }
        let entropySum = Categorical.entropySum(
            rows: Self.rows, outcomes: Self.outcomes, logProbabilities: old.logProbabilities)
        let divergenceSum = Categorical.divergenceSum(
            rows: Self.rows, outcomes: Self.outcomes, old: old.logProbabilities, new: new.logProbabilities)
        #expect(abs(entropySum - entropy) < 1e-5 * max(1, magnitude))
        #expect(abs(divergenceSum - divergence) < 1e-5 * max(1, magnitude))
        #expect(divergenceSum > 0)
        #expect(
            Categorical.divergenceSum(
                rows: Self.rows, outcomes: Self.outcomes, old: old.logProbabilities, new: old.logProbabilities) == 0)
    }

    /// Against the dense matrix diag p − p pᵀ of each row.
    @Test func fisherMetricEqualsTheDenseMatrix() {
        let example = Self.example(44)
        var random = RandomSource(seed: 45)
        let v = random.normals(Self.rows * Self.outcomes)
        var u = [Float](repeating: .nan, count: v.count)
        Categorical.fisherMetric(
            rows: Self.rows, outcomes: Self.outcomes, logProbabilities: example.logProbabilities, tangents: v,
            scale: 0.125, into: &u)
        for row in 0..<Self.rows {
            let p = (0..<Self.outcomes).map { exp(example.exact[row * Self.outcomes + $0]) }
            for a in 0..<Self.outcomes {
                let exact = (0..<Self.outcomes).reduce(0.0) { sum, b in
                    sum + ((a == b ? p[a] : 0) - p[a] * p[b]) * Double(v[row * Self.outcomes + b])
                }
                #expect(abs(Double(u[row * Self.outcomes + a]) - exact / 8) < 2e-5)
            }
        }
        var inPlace = v
        inPlace.withUnsafeMutableBufferPointer {
            Categorical.fisherMetric(
                rows: Self.rows, outcomes: Self.outcomes, logProbabilities: example.logProbabilities,
                tangents: UnsafePointer($0.baseAddress!), scale: 0.125, into: $0.baseAddress!)
        }
        #expect(sameBits(inPlace, u))
    }

    /// The metric is the curvature of the divergence: KL(p ‖ p + δ) = ½ δᵀ F δ + O(δ³).
    @Test func fisherMetricIsTheCurvatureOfTheDivergence() {
        let logits: [Float] = [0.3, -0.8, 1.1, 0.1]
        let direction: [Float] = [0.5, 1, -0.7, 0.2]
        var old = [Float](repeating: 0, count: 4)
        Categorical.logProbabilities(rows: 1, outcomes: 4, logits: logits, into: &old)
        var u = [Float](repeating: 0, count: 4)
        Categorical.fisherMetric(rows: 1, outcomes: 4, logProbabilities: old, tangents: direction, scale: 1, into: &u)
        let step: Float = 0.05
        func divergence(_ step: Float) -> Double {
            var new = [Float](repeating: 0, count: 4)
            Categorical.logProbabilities(
                rows: 1, outcomes: 4, logits: zip(logits, direction).map { $0 + step * $1 }, into: &new)
            return Categorical.divergenceSum(rows: 1, outcomes: 4, old: old, new: new)
        }
        // The odd term cancels between ±δ; what stays is of order δ⁴.
        let curvature = (divergence(step) + divergence(-step)) / Double(step * step)
        #expect(abs(curvature - dot(direction, u)) < 0.01 * curvature)
    }

    @Test func gradientOfALogProbability() {
        let example = Self.example(46)
        var gradient = [Float](repeating: 1, count: Self.outcomes)
        Categorical.addLogProbabilityGradient(
            outcome: 2, outcomes: Self.outcomes, logProbabilities: example.logProbabilities, weight: -3, to: &gradient)
        for a in 0..<Self.outcomes {
            let exact = 1 - 3 * ((a == 2 ? 1 : 0) - exp(example.exact[a]))
            #expect(abs(Double(gradient[a]) - exact) < 2e-6)
        }
    }

    /// Frequencies of n draws lie within five standard deviations √(p (1 − p) / n): for a right sampler a seed in a
    /// million would fail.
    @Test func frequenciesFollowTheProbabilities() {
        let logits: [Float] = [0, 1, -1.5, 0.5]
        var logP = [Float](repeating: 0, count: 4)
        Categorical.logProbabilities(rows: 1, outcomes: 4, logits: logits, into: &logP)
        var random = RandomSource(seed: 47)
        let draws = 200_000
        var counts = [Int](repeating: 0, count: 4)
        for _ in 0..<draws { counts[Categorical.sample(logP, outcomes: 4, uniform: random.uniform())] += 1 }
        for a in 0..<4 {
            let p = exp(Double(logP[a]))
            let deviation = (p * (1 - p) / Double(draws)).squareRoot()
            #expect(abs(Double(counts[a]) / Double(draws) - p) < 5 * deviation)
        }
    }

    @Test func samplesInvertTheDistribution() {
        let logP: [Float] = [0.25, 0.5, 0.25].map { log($0) }
        let uniforms: [Float] = [0, 0.2499, 0.2501, 0.7499, 0.7501, 1 - 0x1p-24]
        #expect(uniforms.map { Categorical.sample(logP, outcomes: 3, uniform: $0) } == [0, 0, 1, 1, 2, 2])
        #expect(Categorical.sample([0], outcomes: 1, uniform: 0.99) == 0)
    }

    @Test func modeIsTheFirstOfEquals() {
        #expect(Categorical.mode([-1, -0.5, -0.5, -2], outcomes: 4) == 1)
        #expect(Categorical.mode([0], outcomes: 1) == 0)
    }
}
