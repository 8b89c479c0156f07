import Autodiff
import Conformance
import Foundation
import Kernels
import TestSupport
import Testing

/// How parameters start.
@Suite struct InitializerTests {
    private func values(_ initializer: Initializer, _ shape: [Int]) -> [Float] {
        var random = RandomSource(seed: 21)
        return initializer.values(shape: shape, random: &random)
    }

    /// Rows of a wide block, columns of a tall one are orthonormal, in each block.
    @Test(arguments: [[6, 5], [18, 5]]) func orthogonalBlocksAreOrthonormal(_ shape: [Int]) {
        let (blocks, rows, columns) = (3, shape[0] / 3, shape[1])
        let matrix = values(.orthogonal(gain: 2, blocks: blocks), shape)
        for block in 0..<blocks {
            let first = block * rows * columns
            let vectors =
                rows <= columns
                ? (0..<rows).map { row in (0..<columns).map { matrix[first + row * columns + $0] } }
                : (0..<columns).map { column in (0..<rows).map { matrix[first + $0 * columns + column] } }
            for (i, a) in vectors.enumerated() {
                for (j, b) in vectors.enumerated() {
                    #expect(abs(dot(a, b) / 4 - (i == j ? 1 : 0)) < roundingTolerance(depth: rows * columns))
                }
            }
        }
    }

    /// Bounds count the fans of a block, and 400 uniform numbers all miss the outer tenth once in 10¹⁸ times.
    @Test func xavierFillsItsBound() {
        let numbers = values(.xavierUniform(gain: 0.5, blocks: 4), [80, 5]).map(abs)
        let bound = 0.5 * (6 / Float(20 + 5)).squareRoot()
        #expect(numbers.max()! <= bound && numbers.max()! > 0.9 * bound)
    }

    @Test func blocksHaveTheirConstants() {
        #expect(values(.blocks([0, 1, -2]), [6]) == [0, 0, 1, 1, -2, -2])
    }

    /// A bias log u makes a gate forget over u + 1 steps: u is uniform between 1 and the horizon, and the gate that takes
    /// in has the opposite bias.
    @Test func chronoSpreadsTimeScales() {
        let (width, horizon) = (500, Float(100))
        let biases = values(.chrono(horizon: horizon, block: 1, opposite: 0, blocks: 4), [4 * width])
        let keeps = Array(biases[width..<2 * width])
        #expect(Array(biases[..<width]) == keeps.map { -$0 })
        #expect(biases[(2 * width)...].allSatisfy { $0 == 0 })
        let scales = keeps.map { Foundation.exp(Double($0)) }
        #expect(scales.allSatisfy { $0 > 0.999 && $0 < 100.001 })
        // The mean of 500 uniform numbers has a deviation of 99 / √(12 · 500); four of them.
        let mean = scales.reduce(0, +) / Double(width)
        #expect(abs(mean - 50.5) < 4 * 99 / (12.0 * 500).squareRoot())
        #expect(values(.chrono(horizon: horizon, block: 1, blocks: 4), [4 * width])[..<width].allSatisfy { $0 == 0 })
        let half = values(.chrono(horizon: horizon, share: 0.5, block: 0, blocks: 1), [width])
        #expect(half[..<250].allSatisfy { $0 > 0 } && half[250...].allSatisfy { $0 == 0 })
        #expect(values(.chrono(horizon: 1, block: 2, blocks: 3), [9]) == [Float](repeating: 0, count: 9))
    }

    /// λ = exp(−exp ν + i exp θ) lies on the ring with angles below the largest, and the third row is log √(1 − |λ|²).
    @Test func ringsHoldTheirFactors() {
        let count = 300
        let numbers = values(.ring(from: 0.9, upTo: 0.999, angle: 0.3), [3, count]).map { Double($0) }
        let sizes = numbers[..<count].map { Foundation.exp(-Foundation.exp($0)) }
        #expect(sizes.allSatisfy { $0 > 0.8999 && $0 < 0.9991 } && sizes.min()! < 0.91 && sizes.max()! > 0.99)
        let angles = numbers[count..<2 * count].map { Foundation.exp($0) }
        #expect(angles.allSatisfy { $0 > 0 && $0 < 0.3001 } && angles.max()! > 0.27)
        for (size, gain) in zip(sizes, numbers[(2 * count)...]) {
            // 1 − |λ|² is as small as 0.002, and |λ| has the rounding of two exponentials.
            #expect(abs(Foundation.exp(2 * gain) - (1 - size * size)) < 1e-6)
        }
    }

    /// softplus makes of them steps between the bounds; half of them below the geometric mean.
    @Test func timeStepsAreUniformInTheirLogarithm() {
        let steps = values(.timeSteps(from: 0.001, upTo: 0.1), [400]).map { log1p(Foundation.exp(Double($0))) }
        #expect(steps.allSatisfy { $0 > 0.0009999 && $0 < 0.10001 })
        // A deviation of √(400 / 4) = 10; four of them.
        #expect(abs(steps.count { $0 < 0.01 } - 200) < 40)
    }

    @Test func logarithmsAndEvenNumbers() {
        let rates = values(.logarithms(above: 0, upTo: 16), [400]).map { Foundation.exp($0) }
        #expect(rates.allSatisfy { $0 > 0 && $0 < 16.0001 } && rates.max()! > 15 && rates.min()! < 1)
        let logs = values(.logarithmsOfColumns, [2, 3])
        #expect(
            logs == [0, Foundation.log(Float(2)), Foundation.log(Float(3)), 0, Foundation.log(2), Foundation.log(3)])
        #expect(values(.even(from: 3, upTo: 6), [4]) == [3, 4, 5, 6])
        #expect(values(.even(from: 3, upTo: 6), [1]) == [3])
        let numbers = values(.uniform(bound: 0.5), [400]).map(abs)
        #expect(numbers.max()! <= 0.5 && numbers.max()! > 0.45)
    }
}
