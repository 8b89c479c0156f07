import Foundation
import Testing

@testable import Training

@Suite struct ChecksumTests {
    /// RFC 3720, appendix B.4, and the check value of the CRC catalogues.
    @Test func equalsPublishedValues() {
        #expect(Checksum(of: Data("123456789".utf8)).value == 0xE306_9283)
        #expect(Checksum(of: Data(count: 32)).value == 0x8A91_36AA)
        #expect(Checksum(of: Data(repeating: 0xFF, count: 32)).value == 0x62A8_AB43)
        #expect(Checksum(of: Data(0..<32)).value == 0x46DD_794E)
        #expect(Checksum(of: Data((0..<32).reversed())).value == 0x113F_DB5C)
        #expect(Checksum().value == 0)
    }

    /// Event files of TensorBoard begin with the length 24 and the bytes a3 7f 4b 22.
    @Test func masksAsTheRecordFormatDoes() {
        #expect(Checksum(of: Data([24, 0, 0, 0, 0, 0, 0, 0])).masked == 0x224B_7FA3)
    }

    /// The definition, bit by bit, at all alignments and lengths around the eight-byte step.
    @Test func equalsLongDivision() {
        func divide(_ bytes: Data) -> UInt32 {
            var register: UInt32 = 0xFFFF_FFFF
            for byte in bytes {
                register ^= UInt32(byte)
                for _ in 0..<8 { register = register >> 1 ^ (register & 1 == 1 ? 0x82F6_3B78 : 0) }
            }
            return ~register
        }
        let bytes = Data((0..<64).map { UInt8(truncatingIfNeeded: $0 * $0 + 7) })
        for start in 0..<8 {
            for end in start...40 {
                #expect(Checksum(of: bytes[start..<end]).value == divide(bytes[start..<end]))
            }
        }
    }

    @Test func piecesEqualTheWhole() {
        let bytes = Data((0..<100).map { UInt8($0) })
        for cut in 0...100 {
            var checksum = Checksum(of: bytes.prefix(cut))
            checksum.update(bytes.dropFirst(cut))
            #expect(checksum == Checksum(of: bytes))
        }
        var checksum = Checksum()
        checksum.update(UInt64(0x0807_0605_0403_0201))
        #expect(checksum == Checksum(of: Data(1...8)))
    }
}
