import Foundation
import Testing

@testable import Training

@Suite struct SafetensorsFileTests {
    /// Unequal extents, a scalar, an empty tensor between others, text that must be escaped, awkward numbers.
    private let file = SafetensorsFile(
        metadata: ["iteration": "12", "config": "task: bandit\n\t\"k\": 5\\\u{B}é😀"],
        tensors: [
            .init(
                name: "policy.weight", shape: [2, 3], values: [1, -0.0, .infinity, .leastNonzeroMagnitude, 1e-3, 7]),
            .init(name: "empty", shape: [4, 0], values: []),
            .init(name: "a \"name\"\u{1}ü", shape: [], values: [-2.5]),
        ])

    private func decode(_ data: Data) throws -> SafetensorsFile {
        try SafetensorsFile(decoding: data, path: "test.safetensors")
    }

    /// A file with this header, as another tool may write it.
    private func foreign(_ header: String, data: Data = Data()) -> Data {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) } + Data(header.utf8) + data
    }

    @Test func roundTrip() throws {
        #expect(try decode(file.encoded()) == file)
        #expect(try decode(file.encoded()).encoded() == file.encoded())
        #expect(try decode(SafetensorsFile().encoded()) == SafetensorsFile())
        #expect(file["empty"]?.shape == [4, 0])
        #expect(file["other"] == nil)
    }

    @Test func roundTripOfNaNKeepsItsBits() throws {
        let value = Float(bitPattern: 0x7FC0_1234)
        let decoded = try decode(SafetensorsFile(tensors: [.init(name: "n", shape: [1], values: [value])]).encoded())
        #expect(decoded.tensors[0].values[0].bitPattern == value.bitPattern)
    }

    @Test func dataAreAligned() {
        let data = file.encoded()
        #expect(data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) } % 8 == 0)
    }

    @Test func writesAndReadsFiles() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/checkpoint.safetensors"
            try file.write(to: path)
            #expect(try SafetensorsFile(contentsOf: path) == file)
            try AtomicFile.write(file.encoded().dropLast(), to: path)
            let error = fileError(about: path) { _ = try SafetensorsFile(contentsOf: path) }
            #expect(error?.description.hasSuffix("use another checkpoint") == true)
        }
    }

    /// The reserved keys are the file's; what a caller puts there does not count.
    @Test func reservedMetadataAreReplaced() throws {
        var other = file
        other.metadata["crc32c"] = "00000000"
        other.metadata["rl2x_checksum"] = "none"
        #expect(other.encoded() == file.encoded())
    }

    @Test func detectsEverySingleFlippedBit() { expectFlippedBitsAreDetected(file) }

    @Test func detectsEveryTruncationAndExtension() {
        let data = file.encoded()
        for length in 0..<data.count {
            #expect(throws: FileError.self, "cut to \(length) bytes") { try decode(data.prefix(length)) }
        }
        #expect(throws: FileError.self) { try decode(data + Data(count: 1)) }
        #expect(throws: FileError.self) { try decode(data + data) }
    }

    @Test func decodesSlices() throws {
        let data = Data("before".utf8) + file.encoded() + Data("after".utf8)
        #expect(try decode(data[6..<data.count - 5]) == file)
    }

    @Test func readsFilesWithoutChecksum() throws {
        let values = Data([0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0])  // 1, -2
        let header = #"""
            { "b" : {"shape":[1],"dtype":"F32","data_offsets":[4,8]},
            "\u0061\ud83D\uDE00":{"data_offsets":[0,4],"dtype":"F32","shape":[1,1]}}
            """#
        let read = try decode(foreign(header, data: values))
        #expect(read.metadata == [:])
        #expect(
            read.tensors == [
                .init(name: "a😀", shape: [1, 1], values: [1]), .init(name: "b", shape: [1], values: [-2]),
            ])
        #expect(try decode(foreign("{}")) == SafetensorsFile())
        let described = try decode(foreign(#"{"__metadata__":{"format":"pt"}}"#))
        #expect(described.metadata == ["format": "pt"])
    }

    /// A tool that writes the same content in another order leaves the checksum valid.
    @Test func checksumIsOfTheMeaning() throws {
        let written = SafetensorsFile(tensors: [
            .init(name: "b", shape: [1], values: [1]), .init(name: "a", shape: [1], values: [2]),
        ])
        let text = String(decoding: written.encoded().dropFirst(8).dropLast(8), as: UTF8.self)
        let checksum = try #require(text.firstMatch(of: /"crc32c":"([0-9a-f]{8})"/)?.1)
        let header = """
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],\
            "data_offsets":[4,8]},"__metadata__":{"rl2x_checksum":"crc32c","crc32c":"\(checksum)"}}
            """
        let read = try decode(foreign(header, data: Data([0, 0, 0, 0x40, 0, 0, 0x80, 0x3F])))
        #expect(read.tensors == written.tensors.reversed())
    }

    @Test(arguments: [
        "", "{", "[]", "null", "{}}", #"{"a":1}"#, #"{"a":{}}"#, #"{"__metadata__":{"k":1}}"#,
        #"{"__metadata__":{"k":"1","k":"2"}}"#, #"{"__metadata__":{},"__metadata__":{}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[3,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}"#,
        #"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[02],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,7]}}"#,
        #"{"a":{"dtype":"F32","shape":[9223372036854775807,2],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[4294967296,4294967296,2],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9223372036854775807]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,99999999999999999999]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},}"#,
        #"{"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
        #"{"\ud800\u0041":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
        #"{"\u00g0":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
        #"{"\x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
        "{\"a\nb\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
    ])
    func refusesHostileHeaders(_ header: String) {
        _ = fileError(about: "test.safetensors") { _ = try decode(foreign(header, data: Data(count: 8))) }
    }

    @Test func refusesHostileLengthsAndText() throws {
        for length in [UInt64.max, UInt64(Int.max), UInt64(Int.max) - 7, 1 << 40, 100_000_001, 9] {
            let data = withUnsafeBytes(of: length.littleEndian) { Data($0) } + Data("{}      ".utf8)
            #expect(throws: FileError.self) { try decode(data) }
        }
        var header = foreign(#"{"__metadata__":{"k":"?"}}"#)
        header[header.lastIndex(of: UInt8(ascii: "?"))!] = 0xFF
        let error = fileError(about: "test.safetensors") { _ = try decode(header) }
        #expect(error?.problem.contains("UTF-8") == true)
        let nested = foreign(String(repeating: "{\"a\":", count: 1_000_000))
        #expect(throws: FileError.self) { try decode(nested) }
    }

    @Test func namesTheTypeThatItCannotRead() {
        let header = #"{"w":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]}}"#
        let error = fileError(about: "test.safetensors") { _ = try decode(foreign(header, data: Data(count: 8))) }
        #expect(
            error?.description
                == "test.safetensors: cannot load: tensor 'w' has type 'BF16', and only F32 and F16 are supported; "
                + "convert it to float32, or use another checkpoint")
    }

    /// Files without a checksum, damaged at random: some still load, none may trap.
    @Test func randomDamageNeverTraps() {
        let header = #"{"__metadata__":{"k":"v\u00e9"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}"#
        let data = foreign(header, data: Data(count: 8))
        let pieces = Array(#"{}[]",:\u0123456789-. e"#.utf8)
        var state: UInt64 = 1
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        for _ in 0..<20_000 {
            var damaged = data
            for _ in 0...random(4) {
                let byte = random(2) == 0 ? pieces[random(pieces.count)] : UInt8(random(256))
                let index = random(damaged.count)
                switch random(3) {
                case 0: damaged[index] = byte
                case 1: damaged.insert(byte, at: index)
                default: damaged.remove(at: index)
                }
            }
            _ = try? decode(damaged)
        }
    }
}
