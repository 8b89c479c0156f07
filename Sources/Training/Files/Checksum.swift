import Foundation

/// CRC-32C (Castagnoli), the checksum of TFRecord files, iSCSI and ext4, computed piece by piece.
///
/// It detects every error of up to 32 neighbouring bits, so every single flipped bit, whatever the length. It is no
/// defence against a person who forges a file.
///
/// ```swift
/// var checksum = Checksum()
/// checksum.update(header)
/// checksum.update(body)
/// print(checksum.value)
/// ```
public struct Checksum: Sendable, Equatable {
    private var register: UInt32 = 0xFFFF_FFFF

    /// The checksum of nothing; its value is 0.
    public init() {}

    /// The checksum of `data`.
    public init(of data: Data) {
        update(data)
    }

    /// CRC-32C of all bytes so far.
    public var value: UInt32 { ~register }

    /// `value`, rotated by 15 bits and moved by a constant, as the TFRecord format stores it.
    ///
    /// The format masks because the checksum of bytes that hold their own checksum is a weak one.
    public var masked: UInt32 { ((value >> 15) | (value << 17)) &+ 0xA282_EAD8 }

    /// Appends the bytes of `data`; two updates equal one update with both pieces joined.
    public mutating func update(_ data: Data) {
        data.withUnsafeBytes { update($0) }
    }

    /// Appends `bytes`, which need no alignment.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        let register = Self.table.withUnsafeBufferPointer { table in
            Self.advance(self.register, over: bytes, table: table)
        }
        self.register = register
    }

    /// Appends `number` as eight little-endian bytes.
    public mutating func update(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { update($0) }
    }

    // MARK: - Slicing by 8

    /// Entry `256 k + b` is what byte `b` contributes to the register when `k` more bytes follow it. With eight such
    /// slices one step takes eight bytes whose look-ups do not wait for one another, which is about five times as
    /// fast as byte by byte.
    private static let table: [UInt32] = {
        let reversedPolynomial: UInt32 = 0x82F6_3B78
        var table = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var remainder = UInt32(byte)
            for _ in 0..<8 {
                remainder = (remainder >> 1) ^ (remainder & 1 == 1 ? reversedPolynomial : 0)
            }
            table[byte] = remainder
        }
        for entry in 256..<table.count {
            let previous = table[entry - 256]
            table[entry] = (previous >> 8) ^ table[Int(previous & 0xFF)]
        }
        return table
    }()

    /// `table` comes as a pointer so that the loop neither retains the array nor asks whether it is initialised.
    private static func advance(
        _ register: UInt32, over bytes: UnsafeRawBufferPointer, table: UnsafeBufferPointer<UInt32>
    ) -> UInt32 {
        func look(_ slice: Int, _ byte: UInt64) -> UInt32 {
            table[256 * slice + Int(byte & 0xFF)]
        }
        var register = register
        var offset = 0
        while bytes.count - offset >= 8 {
            let stored = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let word = UInt64(littleEndian: stored) ^ UInt64(register)
            register =
                look(7, word) ^ look(6, word >> 8) ^ look(5, word >> 16) ^ look(4, word >> 24)
                ^ look(3, word >> 32) ^ look(2, word >> 40) ^ look(1, word >> 48) ^ look(0, word >> 56)
            offset += 8
        }
        while offset < bytes.count {
            register = (register >> 8) ^ table[Int((register ^ UInt32(bytes[offset])) & 0xFF)]
            offset += 1
        }
        return register
    }
}
