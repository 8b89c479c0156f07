import Foundation

/// The JSON header of a safetensors file.
///
/// Read by a parser of its own rather than by `JSONSerialization`, which keeps neither the order of the entries nor
/// duplicate names, and turns large numbers into floating point.
struct SafetensorsHeader {
    struct Entry {
        var name: String
        var type: String
        var shape: [Int]
        /// Byte offsets from the end of the header, `begin ≤ end` not yet checked.
        var begin: Int
        var end: Int
    }

    /// Why bytes are not a file that can be loaded; the caller adds the file's name.
    struct Malformed: Error {
        var problem: String
        var remedy = "the file is damaged, incomplete or no safetensors file: use another checkpoint"
    }

    var metadata: [String: String] = [:]
    var entries: [Entry] = []
    /// Whether a `\u` escape has capital digits, which `encoded` never writes: one flipped bit makes `\u000B` of
    /// `\u000b`, with the same meaning.
    private(set) var hasCapitalEscape = false

    init(metadata: [String: String], entries: [Entry]) {
        self.metadata = metadata
        self.entries = entries
    }

    // MARK: - Writing

    /// JSON in a fixed order, padded with spaces to a multiple of 8 bytes so that the data are aligned.
    func encoded() -> Data {
        let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            .map { "\(Self.quoted($0.key)):\(Self.quoted($0.value))" }
        var fields = ["\"__metadata__\":{\(pairs.joined(separator: ","))}"]
        for entry in entries {
            let shape = entry.shape.map(String.init).joined(separator: ",")
            fields.append(
                "\(Self.quoted(entry.name)):{\"dtype\":\(Self.quoted(entry.type)),\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(entry.begin),\(entry.end)]}")
        }
        var header = Data("{\(fields.joined(separator: ","))}".utf8)
        header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - header.count % 8) % 8))
        return header
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    // MARK: - Reading

    /// Reads the whole of `bytes`. The grammar has a fixed depth, so no nesting can exhaust the stack.
    init(parsing bytes: [UInt8]) throws(Malformed) {
        var reader = HeaderReader(bytes: bytes)
        var names: Set<String> = []
        var metadata: [String: String]?
        var entries: [Entry] = []
        try reader.object { (reader, name) throws(Malformed) in
            if name == "__metadata__" {
                guard metadata == nil else { throw Malformed(problem: "its header has two __metadata__ entries") }
                metadata = try Self.metadata(&reader)
            } else {
                guard names.insert(name).inserted else {
                    throw Malformed(problem: "tensor \(FileError.quoted(name)) occurs twice")
                }
                entries.append(try Self.entry(name, &reader))
            }
        }
        try reader.expectEnd()
        self.metadata = metadata ?? [:]
        self.entries = entries
        hasCapitalEscape = reader.hasCapitalEscape
    }

    private static func metadata(_ reader: inout HeaderReader) throws(Malformed) -> [String: String] {
        var metadata: [String: String] = [:]
        try reader.object { (reader, key) throws(Malformed) in
            guard metadata.updateValue(try reader.string(), forKey: key) == nil else {
                throw Malformed(problem: "metadata \(FileError.quoted(key)) occurs twice")
            }
        }
        return metadata
    }

    private static func entry(_ name: String, _ reader: inout HeaderReader) throws(Malformed) -> Entry {
        var type: String?
        var shape: [Int]?
        var offsets: [Int]?
        try reader.object { (reader, field) throws(Malformed) in
            switch field {
            case "dtype" where type == nil: type = try reader.string()
            case "shape" where shape == nil: shape = try reader.integers()
            case "data_offsets" where offsets == nil: offsets = try reader.integers()
            default:
                throw Malformed(
                    problem: "tensor \(FileError.quoted(name)) has an unexpected field \(FileError.quoted(field))")
            }
        }
        guard let type, let shape, let offsets, offsets.count == 2 else {
            throw Malformed(problem: "tensor \(FileError.quoted(name)) lacks its type, shape or two offsets")
        }
        return Entry(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
    }
}

/// Reads the part of JSON that safetensors headers use: objects, strings, arrays of whole numbers.
private struct HeaderReader {
    typealias Malformed = SafetensorsHeader.Malformed

    let bytes: [UInt8]
    var position = 0
    var hasCapitalEscape = false

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads `{ key: value, … }`; `member` gets each key and must read its value.
    mutating func object(_ member: (inout HeaderReader, String) throws(Malformed) -> Void) throws(Malformed) {
        try expect("{")
        if accept("}") { return }
        repeat {
            let key = try string()
            try expect(":")
            try member(&self, key)
        } while accept(",")
        try expect("}")
    }

    mutating func integers() throws(Malformed) -> [Int] {
        try expect("[")
        if accept("]") { return [] }
        var integers: [Int] = []
        repeat {
            integers.append(try integer())
        } while accept(",")
        try expect("]")
        return integers
    }

    mutating func string() throws(Malformed) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while let byte = next() {
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw Malformed(problem: "its header has text that is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"): text.append(contentsOf: String(try escape()).utf8)
            case 0..<0x20: throw malformed()
            default: text.append(byte)
            }
        }
        throw malformed()
    }

    mutating func expectEnd() throws(Malformed) {
        skipSpace()
        guard position == bytes.count else { throw malformed() }
    }

    // MARK: - Pieces

    /// A whole number from 0 to `Int.max`, without sign, fraction or exponent.
    private mutating func integer() throws(Malformed) -> Int {
        skipSpace()
        let start = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            position += 1
        }
        let digits = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let integer = Int(digits), digits.count == 1 || digits.first != "0" else {
            throw Malformed(problem: "its header has a shape or offset that is not a whole number from 0 to 2^63 - 1")
        }
        return integer
    }

    private mutating func escape() throws(Malformed) -> Unicode.Scalar {
        guard let byte = next() else { throw malformed() }
        switch Unicode.Scalar(byte) {
        case "\"", "\\", "/": return Unicode.Scalar(byte)
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u": break
        default: throw malformed()
        }
        var code = try hexadecimal()
        if (0xD800..<0xDC00).contains(code) {
            // UTF-16: a scalar beyond U+FFFF comes as two escapes.
            guard next() == UInt8(ascii: "\\"), next() == UInt8(ascii: "u") else { throw malformed() }
            let low = try hexadecimal()
            guard (0xDC00..<0xE000).contains(low) else { throw malformed() }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw malformed() }
        return scalar
    }

    private mutating func hexadecimal() throws(Malformed) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw malformed()
            }
            hasCapitalEscape = hasCapitalEscape || (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte)
            code = code << 4 | UInt32(digit)
        }
        return code
    }

    private mutating func next() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Malformed) {
        guard accept(character) else { throw malformed() }
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private func malformed() -> Malformed {
        Malformed(problem: "its header is not valid at byte \(8 + position)")
    }
}
