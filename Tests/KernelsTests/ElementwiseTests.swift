import Conformance
import Foundation
import Kernels
import TestSupport
import Testing

@Suite struct ElementwiseTests {
    typealias Kernel = (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void

    /// All magnitudes between the smallest normal number and 100, both signs, and the joints of the piecewise forms;
    /// an odd number of them, so that the loops' remainders are met.
    static let arguments: [Float] = {
        var random = RandomSource(seed: 31)
        var values: [Float] = [0, -0.0, 1, -1, 9.1, -9.1, 87, -87, 88, -88, 16, -16]
        for exponent in -126...6 {
            for _ in 0..<20 { values.append(Float(sign: .plus, exponent: exponent, significand: 1 + random.uniform())) }
        }
        for _ in 0..<20_000 { values.append((2 * random.uniform() - 1) * 20) }
        values += values.map { -$0 }
        return values + [0.5]
    }()

    static func evaluate(_ kernel: Kernel, _ x: [Float]) -> [Float] {
        var y = [Float](repeating: .nan, count: x.count)
        kernel(x.count, x, &y)
        return y
    }

    /// The largest distance from Foundation's function in double precision, in units of the last place.
    static func largestError(_ kernel: Kernel, _ x: [Float], exact: (Double) -> Double) -> Double {
        zip(evaluate(kernel, x), x).map { unitsInTheLastPlace($0, from: exact(Double($1))) }.max()!
    }

    /// The header promises a relative error below 2e-7, which is 3.4 units of the last place at worst.
    @Test func exponentialIsAccurate() {
        let inside = Self.arguments.filter { $0 >= -87 && $0 <= 88 }
        #expect(Self.largestError(Elementwise.exp, inside, exact: Foundation.exp) < 3.4)
    }

    /// Nothing cancels; the largest relative error over all floats is 3.6e-7, which is 6.1 units of the last place at
    /// worst.
    @Test func hyperbolicTangentIsAccurate() {
        #expect(Self.largestError(Elementwise.tanh, Self.arguments, exact: Foundation.tanh) < 6.1)
    }

    /// The exponential's error and two more roundings. Below −87 the exponential is clamped.
    @Test func sigmoidIsAccurate() {
        let inside = Self.arguments.filter { $0 >= -86 }
        #expect(Self.largestError(Elementwise.sigmoid, inside) { 1 / (1 + Foundation.exp(-$0)) } < 5)
    }

    @Test func extremesStayInRange() {
        let x: [Float] = [
            .infinity, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 1e4, -1e4, 0, -0.0,
        ]
        #expect(Self.evaluate(Elementwise.tanh, x) == [1, -1, 1, -1, 1, -1, 0, 0])
        let sigmoid = Self.evaluate(Elementwise.sigmoid, x)
        for index in stride(from: 0, to: 6, by: 2) {
            #expect(sigmoid[index] == 1)
            #expect(sigmoid[index + 1] >= 0 && sigmoid[index + 1] < 1e-37)
        }
        #expect(sigmoid[6] == 0.5)
        // The exponential saturates: neither infinity nor zero comes out of it.
        let exponential = Self.evaluate(Elementwise.exp, x)
        for index in stride(from: 0, to: 6, by: 2) {
            #expect(exponential[index].isFinite && exponential[index] > 1e38)
            #expect(exponential[index + 1] > 0 && exponential[index + 1] < 2e-38)
        }
        #expect(exponential[6] == 1)
    }

    @Test func notANumberStaysSo() {
        for kernel in [Elementwise.exp, Elementwise.tanh, Elementwise.sigmoid] as [Kernel] {
            let y = Self.evaluate(kernel, [Float](repeating: .nan, count: 19))
            #expect(y.allSatisfy { $0.isNaN })
        }
    }

    @Test func functionsWorkInPlace() {
        for kernel in [Elementwise.exp, Elementwise.tanh, Elementwise.sigmoid] as [Kernel] {
            var x = Self.arguments
            x.withUnsafeMutableBufferPointer { kernel($0.count, UnsafePointer($0.baseAddress!), $0.baseAddress!) }
            #expect(sameBits(x, Self.evaluate(kernel, Self.arguments)))
        }
    }

    /// Lengths around the vector widths, and one float beyond the end that must stay.
    @Test(arguments: [0, 1, 7, 8, 15, 16, 17, 31, 33, 100])
    func linearLoopsAreExact(_ count: Int) {
        var random = RandomSource(seed: 32)
        let (x, y, z) = (random.normals(count), random.normals(count), random.normals(count))
        let a: Float = 0.375
        func run(_ start: [Float], _ body: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
            var result = start + [123]
            result.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
            #expect(result.removeLast() == 123)
            return result
        }
        func near(_ result: [Float], _ exact: [Double]) {
            // One product and one sum, fused or not: each rounds once.
            for (value, expected) in zip(result, exact) { #expect(abs(Double(value) - expected) <= 4e-7) }
        }
        near(run(y) { Elementwise.addScaled(count, a, x, to: $0) }, zip(x, y).map { Double($1) + 0.375 * Double($0) })
        near(run(y) { Elementwise.scale(count, by: a, $0) }, y.map { 0.375 * Double($0) })
        near(run(z) { Elementwise.product(count, x, y, $0) }, zip(x, y).map { Double($0) * Double($1) })
        near(
            run(z) { Elementwise.addProduct(count, x, y, to: $0) },
            zip(zip(x, y), z).map { Double($0.0) * Double($0.1) + Double($1) })
        near(run(x) { Elementwise.product(count, UnsafePointer($0), y, $0) }, zip(x, y).map { Double($0) * Double($1) })
    }

    @Test(arguments: [0, 1, 15, 16, 17, 1000])
    func dotIsExactInDouble(_ count: Int) {
        var random = RandomSource(seed: 33)
        let (x, y) = (random.normals(count), random.normals(count))
        // Products of floats are exact in double; only the order of the sum differs.
        #expect(abs(Elementwise.dot(count, x, y) - dot(x, y)) <= 1e-13 * Double(count + 1))
    }

    @Test func biasAndColumnSumsAreAdjoint() {
        var random = RandomSource(seed: 34)
        let (rows, columns) = (13, 19)
        let (bias, y) = (random.normals(columns), random.normals(rows * columns))
        var spread = [Float](repeating: 0, count: rows * columns)
        Elementwise.addBias(rows: rows, columns: columns, bias, to: &spread)
        for row in 0..<rows { #expect(Array(spread[row * columns..<(row + 1) * columns]) == bias) }
        var sums = [Float](repeating: 1, count: columns)
        Elementwise.addColumnSums(rows: rows, columns: columns, of: y, to: &sums)
        for column in 0..<columns {
            let exact = 1 + (0..<rows).reduce(0.0) { $0 + Double(y[$1 * columns + column]) }
            #expect(abs(Double(sums[column]) - exact) < roundingTolerance(depth: rows) * Double(rows))
        }
    }

    /// Algorithm 1 of Kingma and Ba, in double precision, for three steps with the corrections as a caller folds them.
    @Test func adamFollowsThePaper() {
        var random = RandomSource(seed: 35)
        let count = 21
        let (alpha, beta1, beta2, epsilon) = (0.01, 0.9, 0.999, 1e-8)
        var (theta, m, v) = (
            random.normals(count), [Float](repeating: 0, count: count), [Float](repeating: 0, count: count)
        )
        var (exact, m64, v64) = (
            theta.map(Double.init), [Double](repeating: 0, count: count), [Double](repeating: 0, count: count)
        )
        for step in 1...3 {
            let gradient = random.normals(count)
            let (c1, c2) = (1 - pow(beta1, Double(step)), 1 - pow(beta2, Double(step)))
            for i in 0..<count {
                let g = Double(gradient[i])
                m64[i] = beta1 * m64[i] + (1 - beta1) * g
                v64[i] = beta2 * v64[i] + (1 - beta2) * g * g
                exact[i] -= alpha * (m64[i] / c1) / ((v64[i] / c2).squareRoot() + epsilon)
            }
            // α m̂ / (√v̂ + ε) = α √c₂ / c₁ · m / (√v + ε √c₂)
            Elementwise.adam(
                count, rate: Float(alpha * c2.squareRoot() / c1), beta1: Float(beta1), beta2: Float(beta2),
                epsilon: Float(epsilon * c2.squareRoot()), gradient: gradient, firstMoment: &m, secondMoment: &v,
                parameters: &theta)
        }
        // 1 − β₂ is rounded from a β₂ with 24 bits: relative 6e-5 of the second moment, half of that of a step.
        for i in 0..<count { #expect(abs(Double(theta[i]) - exact[i]) < 3 * alpha * 1e-4) }
    }
}
