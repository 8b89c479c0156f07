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
}
