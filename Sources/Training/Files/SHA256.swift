import Foundation

/// SHA-256 (FIPS 180-4): what `sha256sum` prints. It names a file's content, so that a file which somebody changed, by
/// accident or on purpose, is not taken for the one that was published.
public enum SHA256 {
    /// The digest of `data` in 64 lower-case hexadecimal digits.
    public static func digest(of data: Data) -> String {
        var state: [UInt32] = [
            0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
        ]
        var schedule = [UInt32](repeating: 0, count: 64)
        let whole = data.count / 64 * 64
        // The message ends with a one, zeros, and its length in bits.
        var rest = Data(data.suffix(data.count - whole)) + Data([0x80])
        rest.append(Data(count: (120 - rest.count) % 64))
        withUnsafeBytes(of: UInt64(truncatingIfNeeded: data.count &* 8).bigEndian) { rest.append(contentsOf: $0) }
        for part in [data.prefix(whole), rest] {
            part.withUnsafeBytes { bytes in
                for block in stride(from: 0, to: bytes.count, by: 64) {
                    compress(UnsafeRawBufferPointer(rebasing: bytes[block..<block + 64]), &schedule, into: &state)
                }
            }
        }
        return state.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    private static func compress(
        _ block: UnsafeRawBufferPointer, _ schedule: inout [UInt32], into state: inout [UInt32]
    ) {
        func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { (word >> count) | (word << (32 - count)) }
        for index in 0..<16 {
            schedule[index] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
        }
        for index in 16..<64 {
            let (early, late) = (schedule[index - 15], schedule[index - 2])
            let low = rotated(early, 7) ^ rotated(early, 18) ^ (early >> 3)
            let high = rotated(late, 17) ^ rotated(late, 19) ^ (late >> 10)
            schedule[index] = schedule[index - 16] &+ low &+ schedule[index - 7] &+ high
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        for index in 0..<64 {
            let mixed = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
            let first = h &+ mixed &+ ((e & f) ^ (~e & g)) &+ constants[index] &+ schedule[index]
            let turned = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
            let second = turned &+ ((a & b) ^ (a & c) ^ (b & c))
            (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
        }
        for (index, word) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= word }
    }

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
    private static let constants: [UInt32] = {
        var primes: [UInt64] = []
        var candidate: UInt64 = 2
        while primes.count < 64 {
            if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
            candidate += 1
        }
        return primes.map(cubeRootFraction)
    }()

    /// ⌊2³² ∛n⌋ modulo 2³², found bit by bit: r³ ≤ n · 2⁹⁶.
    private static func cubeRootFraction(_ number: UInt64) -> UInt32 {
        let target = UInt128(number) << 96
        var root: UInt128 = 0
        for bit in (0..<36).reversed() {
            let tried = root | (UInt128(1) << UInt128(bit))
            if tried * tried * tried <= target { root = tried }
        }
        return UInt32(truncatingIfNeeded: root)
    }
}
