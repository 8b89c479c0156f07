import Foundation

/// A splittable, counter-based source of random numbers: a value that is passed `inout`.
///
/// The generator is Philox 4×32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"):
/// a keyed bijection of a 128-bit counter. A source is a key and a position, so a stream can be named by what it is
/// for, such as (seed, iteration, trial), and is the same whoever draws it, on whatever thread.
public struct RandomSource: Sendable, Equatable {
    private let key: SIMD2<UInt32>
    private var position: UInt64 = 0
    private var block: SIMD4<UInt32> = .zero

    /// The root source of a seed.
    public init(seed: UInt64) {
        key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    }

    /// An independent source, named by `index`. It depends on this source's key only, not on what was drawn from it.
    ///
    /// Draws use counters whose highest word is 0 and splits those whose highest word is 1, so they never meet.
    public func split(_ index: UInt64) -> RandomSource {
        let counter = SIMD4<UInt32>(
            UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32), 0, 1)
        let output = RandomSource.philox(counter: counter, key: key)
        return RandomSource(seed: UInt64(output[0]) | UInt64(output[1]) << 32)
    }

    /// A source named by a path: `split(a).split(b)…`.
    public func split(_ path: Int...) -> RandomSource {
        path.reduce(self) { $0.split(UInt64(bitPattern: Int64($1))) }
    }

    /// The next 32 random bits.
    public mutating func next() -> UInt32 {
        let lane = Int(position & 3)
        if lane == 0 {
            let number = position >> 2
            block = RandomSource.philox(
                counter: SIMD4(UInt32(truncatingIfNeeded: number), UInt32(truncatingIfNeeded: number >> 32), 0, 0),
                key: key)
        }
        position += 1
        return block[lane]
    }

    /// Uniform on [0, 1), a multiple of 2⁻²⁴.
    public mutating func uniform() -> Float { Float(next() >> 8) * 0x1p-24 }

    /// Uniform on [0, 1), a multiple of 2⁻⁵³.
    public mutating func uniformDouble() -> Double {
        let high = UInt64(next())
        let low = UInt64(next())
        return Double((high << 32 | low) >> 11) * 0x1p-53
    }

    /// Uniform on 0 ..< bound, without bias (Lemire 2019, multiply and reject).
    public mutating func integer(below bound: Int) -> Int {
        precondition(bound > 0 && bound <= Int(UInt32.max), "a bound of \(bound) is not in 1…2³²−1")
        let range = UInt32(bound)
        let threshold = (0 &- range) % range
        while true {
            let product = UInt64(next()) * UInt64(range)
            if UInt32(truncatingIfNeeded: product) >= threshold { return Int(product >> 32) }
        }
    }

    /// Standard normal (Box and Muller 1958).
    public mutating func normal() -> Double {
        let radius = (-2 * log(1 - uniformDouble())).squareRoot()
        return radius * cos(2 * Double.pi * uniformDouble())
    }

    /// A uniformly random order of 0 ..< count (Fisher and Yates).
    public mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for last in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(last, integer(below: last + 1))
        }
        return order
    }

    /// Ten rounds of Philox 4×32.
    @inline(__always)
    static func philox(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var (c0, c1, c2, c3) = (counter[0], counter[1], counter[2], counter[3])
        var (k0, k1) = (key[0], key[1])
        for _ in 0..<10 {
            let left = UInt64(c0) * 0xD251_1F53
            let right = UInt64(c2) * 0xCD9E_8D57
            let (previous1, previous3) = (c1, c3)
            c0 = UInt32(truncatingIfNeeded: right >> 32) ^ previous1 ^ k0
            c1 = UInt32(truncatingIfNeeded: right)
            c2 = UInt32(truncatingIfNeeded: left >> 32) ^ previous3 ^ k1
            c3 = UInt32(truncatingIfNeeded: left)
            k0 &+= 0x9E37_79B9
            k1 &+= 0xBB67_AE85
        }
        return SIMD4(c0, c1, c2, c3)
    }
}
