import Foundation
import Testing

@testable import Kernels

@Suite struct RandomSourceTests {
    /// The known answers of Salmon, Moraes, Dror and Shaw's Random123 (kat_vectors, philox4x32-10).
    @Test func philoxGivesItsKnownAnswers() {
        #expect(
            RandomSource.philox(counter: .zero, key: .zero)
                == SIMD4(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8))
        #expect(
            RandomSource.philox(counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max))
                == SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD))
        #expect(
            RandomSource.philox(
                counter: SIMD4(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344),
                key: SIMD2(0xA409_3822, 0x299F_31D0)) == SIMD4(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1))
    }

    /// A seed is the key; words come in the order of the block's lanes, blocks in the order of the counter.
    @Test func drawsAreTheBlocksInOrder() {
        var source = RandomSource(seed: 0x299F_31D0_A409_3822)
        let key = SIMD2<UInt32>(0xA409_3822, 0x299F_31D0)
        for number in 0..<3 {
            let block = RandomSource.philox(counter: SIMD4(UInt32(number), 0, 0, 0), key: key)
            for lane in 0..<4 { #expect(source.next() == block[lane]) }
        }
        var zero = RandomSource(seed: 0)
        #expect(zero.uniform() == Float(0x6627E8) * 0x1p-24)
        #expect(zero.uniformDouble() == Double((0xE169_C58D_BC57_AC4C as UInt64) >> 11) * 0x1p-53)
    }

    @Test func splitsDependOnTheKeyAlone() {
        let root = RandomSource(seed: 7)
        var drawn = root
        for _ in 0..<5 { _ = drawn.next() }
        #expect(drawn.split(3) == root.split(3))
        #expect(root.split(3, 4) == root.split(3).split(4))
        let key = RandomSource.philox(counter: SIMD4(3, 0, 0, 1), key: SIMD2(7, 0))
        #expect(root.split(3) == RandomSource(seed: UInt64(key[0]) | UInt64(key[1]) << 32))
    }

    /// Streams of neighbouring names, and a stream and its children, share no word among their first ones. Of 300 words
    /// two agree by chance with probability 300²/2³³ ≈ 10⁻⁵.
    @Test func splitsShareNothing() {
        let root = RandomSource(seed: 8)
        let sources =
            [root] + (0..<9).map { root.split($0) } + (0..<9).map { root.split(0, $0) }
            + [RandomSource(seed: 9)]
        var words: [UInt32] = []
        for var source in sources { for _ in 0..<15 { words.append(source.next()) } }
        #expect(Set(words).count == words.count)
    }

    /// Neighbouring streams are uncorrelated: a product of two has mean 0 and variance 1/144.
    @Test func splitsAreUncorrelated() {
        var (a, b) = (RandomSource(seed: 9).split(0), RandomSource(seed: 9).split(1))
        let draws = 100_000
        let sum = (0..<draws).reduce(0.0) { total, _ in total + (a.uniformDouble() - 0.5) * (b.uniformDouble() - 0.5) }
        #expect(abs(sum / Double(draws)) < 5 / 12 / Double(draws).squareRoot())
    }

    /// Mean and mean square within five standard deviations.
    @Test func uniformHasItsMoments() {
        var random = RandomSource(seed: 10)
        let draws = 200_000
        var (mean, square) = (0.0, 0.0)
        for _ in 0..<draws {
            let x = Double(random.uniform())
            #expect(x >= 0 && x < 1)
            mean += x / Double(draws)
            square += x * x / Double(draws)
        }
        let root = Double(draws).squareRoot()
        #expect(abs(mean - 0.5) < 5 * (1.0 / 12).squareRoot() / root)
        #expect(abs(square - 1.0 / 3) < 5 * (4.0 / 45).squareRoot() / root)
    }

    /// Moments 1 to 4 of a standard normal are 0, 1, 0, 3; their estimates have variances 1, 2, 15, 96 over n.
    @Test func normalHasItsMoments() {
        var random = RandomSource(seed: 11)
        let draws = 200_000
        var moments = [0.0, 0, 0, 0]
        var beyondTwo = 0
        for _ in 0..<draws {
            let x = random.normal()
            var power = 1.0
            for k in 0..<4 {
                power *= x
                moments[k] += power / Double(draws)
            }
            if abs(x) > 2 { beyondTwo += 1 }
        }
        let root = Double(draws).squareRoot()
        for (k, (mean, variance)) in [(0.0, 1.0), (1, 2), (0, 15), (3, 96)].enumerated() {
            #expect(abs(moments[k] - mean) < 5 * variance.squareRoot() / root)
        }
        let tail = erfc(2 / 2.0.squareRoot())
        #expect(abs(Double(beyondTwo) / Double(draws) - tail) < 5 * (tail * (1 - tail)).squareRoot() / root)
    }

    /// χ² with k degrees of freedom has mean k and variance 2k.
    @Test(arguments: [1, 2, 3, 7, 10, 1000])
    func integersAreUniform(_ bound: Int) {
        var random = RandomSource(seed: 12)
        let draws = 100_000
        var counts = [Int](repeating: 0, count: bound)
        for _ in 0..<draws { counts[random.integer(below: bound)] += 1 }
        let expected = Double(draws) / Double(bound)
        let statistic = counts.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        let freedom = Double(bound - 1)
        #expect(abs(statistic - freedom) <= 6 * (2 * freedom).squareRoot())
    }

    /// A bound just above 2³¹ rejects almost half of the words; without rejection even results would be twice as likely
    /// below the middle.
    @Test func largeBoundsAreUnbiased() {
        var random = RandomSource(seed: 13)
        let bound = 3 << 30
        let draws = 50_000
        var thirds = [0, 0, 0]
        for _ in 0..<draws {
            let value = random.integer(below: bound)
            #expect(value >= 0 && value < bound)
            thirds[value % 3] += 1
        }
        let deviation = (Double(draws) * 2 / 9).squareRoot()
        for count in thirds { #expect(abs(Double(count) - Double(draws) / 3) < 5 * deviation) }
    }

    /// All 24 orders of four, equally often.
    @Test func permutationsAreUniform() {
        var random = RandomSource(seed: 14)
        let draws = 48_000
        var counts: [[Int]: Int] = [:]
        for _ in 0..<draws { counts[random.permutation(4), default: 0] += 1 }
        #expect(counts.count == 24)
        let expected = Double(draws) / 24
        let statistic = counts.values.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        #expect(abs(statistic - 23) < 6 * 46.0.squareRoot())
        #expect(random.permutation(0) == [])
        #expect(random.permutation(1) == [0])
    }
}
