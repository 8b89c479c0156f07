import Foundation
import Testing

@testable import Training

@Suite struct HalfPrecisionTests {
    private let values: [Float] = [0, -0.0, 1, -2.5, 0.1, 65504, 6e-8, 1e-3, 70_000]

    private func decode(_ data: Data) throws -> SafetensorsFile {
        try SafetensorsFile(decoding: data, path: "test.safetensors")
    }

    private var file: SafetensorsFile {
        SafetensorsFile(
            metadata: ["a": "b"],
            tensors: [
                .init(name: "odd", shape: [3], values: [1, 2, 3]).converted(to: .float16),
                .init(name: "whole", shape: [2, 1], values: [0.1, 0.2]),
                .init(name: "empty", shape: [0], values: []).converted(to: .float16),
                .init(name: "half", shape: [3, 3], values: values).converted(to: .float16),
            ])
    }

    /// Values are rounded once, when the type is chosen, and then kept to the bit.
    @Test func roundTrip() throws {
        let read = try decode(file.encoded())
        #expect(read == file && read.encoded() == file.encoded())
        #expect(read.tensors.map(\.type) == [.float16, .float32, .float16, .float16])
        let half = try #require(read["half"]).values
        #expect(half[0] == 0 && half[1].sign == .minus && half[3] == -2.5 && half[5] == 65504 && half[8] == .infinity)
        // 0.1 has eleven significant bits in float16.
        #expect(half[4] != 0.1 && abs(half[4] - 0.1) <= 0.1 / 2048)
        // A half takes two bytes.
        let wide = SafetensorsFile(tensors: [
            .init(name: "x", shape: [1000], values: Array(repeating: 0.5, count: 1000))
        ])
        let narrow = SafetensorsFile(tensors: wide.tensors.map { $0.converted(to: .float16) })
        #expect(wide.encoded().count - narrow.encoded().count == 2000)
    }

    @Test func detectsEverySingleFlippedBit() { expectFlippedBitsAreDetected(file) }

    @Test func otherTypesAreRefused() {
        let header = #"{"x":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}"#
        let data =
            withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) } + Data(header.utf8)
            + Data(count: 2)
        #expect { try decode(data) } throws: { "\($0)".contains("'BF16'") && "\($0)".contains("F32 and F16") }
    }
}

@Suite struct SHA256Tests {
    /// FIPS 180-4's examples, and lengths around a block's end, as `sha256sum` prints them.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ]) func knownDigests(_ text: String, _ digest: String) {
        #expect(SHA256.digest(of: Data(text.utf8)) == digest)
        // A slice has other indices.
        #expect(SHA256.digest(of: (Data("x".utf8) + Data(text.utf8)).dropFirst()) == digest)
    }

    @Test func longMessages() {
        #expect(
            SHA256.digest(of: Data(repeating: UInt8(ascii: "a"), count: 1_000_000))
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        let digests = (50..<140).map { SHA256.digest(of: Data(repeating: 7, count: $0)) }
        #expect(Set(digests).count == digests.count)
    }
}
