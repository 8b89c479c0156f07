import Foundation

/// Named tensors and text metadata in one file, in the safetensors format, which PyTorch, JAX and NumPy read. A tensor is
/// stored as float32 or as float16; in memory its values are `Float`.
///
/// Layout: the header's length (8 bytes, little-endian), a JSON header, the values. The metadata of a file that is
/// written here carry a checksum of all content, so that a damaged checkpoint is reported and never trained on.
/// Files of other tools have none and are read unchecked.
///
/// ```swift
/// let tensor = SafetensorsFile.Tensor(name: "policy.bias", shape: [2], values: [0.5, -1])
/// try SafetensorsFile(metadata: ["iteration": "10"], tensors: [tensor]).write(to: "checkpoint.safetensors")
/// ```
public struct SafetensorsFile: Sendable, Equatable {
    /// How a tensor's values are stored in the file.
    public enum ElementType: String, Sendable, CaseIterable {
        case float32 = "F32"
        case float16 = "F16"

        /// Bytes of a value.
        public var bytes: Int { self == .float32 ? 4 : 2 }
    }

    /// An array in row-major order.
    public struct Tensor: Sendable, Equatable {
        /// Its name, unique in the file and not `__metadata__`.
        public var name: String
        /// Its extents; `[]` is a scalar, which has one value.
        public var shape: [Int]
        /// Its values, as many as the product of `shape`. Those of a float16 tensor are numbers of that type.
        public var values: [Float]
        /// How they are stored.
        public private(set) var type = ElementType.float32

        /// A float32 tensor.
        ///
        /// Precondition: `values.count` is the product of `shape`.
        public init(name: String, shape: [Int], values: [Float]) {
            self.name = name
            self.shape = shape
            self.values = values
            precondition(isConsistent, "tensor '\(name)' has \(values.count) values, which is not its shape \(shape)")
        }

        /// The same tensor in another type: its values rounded to the nearest ones that the type has. What is too large for
        /// float16 (beyond ±65504) becomes infinite.
        public func converted(to type: ElementType) -> Tensor {
            var tensor = self
            tensor.type = type
            if type == .float16 { tensor.values = values.map { Float(Float16($0)) } }
            return tensor
        }

        var isConsistent: Bool {
            shape.allSatisfy { $0 >= 0 } && SafetensorsFile.elementCount(of: shape) == values.count
        }
    }

    /// Text about the file. The keys `crc32c` and `rl2x_checksum` are reserved: the checksum lies there in the file,
    /// and what they hold here is not written.
    public var metadata: [String: String]
    /// The tensors in the order of their data.
    public var tensors: [Tensor]

    /// A file in memory.
    public init(metadata: [String: String] = [:], tensors: [Tensor] = []) {
        self.metadata = metadata
        self.tensors = tensors
    }

    /// The first tensor of this name.
    public subscript(name: String) -> Tensor? {
        tensors.first { $0.name == name }
    }

    // MARK: - Writing

    /// The bytes of the file; equal content gives equal bytes.
    ///
    /// Precondition: names are unique and not `__metadata__`, and each tensor's values fit its shape.
    public func encoded() -> Data {
        precondition(Set(tensors.map(\.name)).count == tensors.count, "two tensors have the same name")
        var metadata = metadata
        metadata[Self.markerKey] = Self.markerValue
        metadata[Self.checksumKey] = checksumText

        var end = 0
        let entries = tensors.map { tensor in
            precondition(tensor.isConsistent, "the values of tensor '\(tensor.name)' do not fit its shape")
            precondition(tensor.name != "__metadata__", "a tensor cannot be called __metadata__")
            let begin = end
            end += tensor.type.bytes * tensor.values.count
            return SafetensorsHeader.Entry(
                name: tensor.name, type: tensor.type.rawValue, shape: tensor.shape, begin: begin, end: end)
        }
        let header = SafetensorsHeader(metadata: metadata, entries: entries).encoded()
        var data = Data(capacity: 8 + header.count + end)
        withUnsafeBytes(of: UInt64(header.count).littleEndian) { data.append(contentsOf: $0) }
        data.append(header)
        for tensor in tensors {
            // Values lie in memory as they do in the file: every platform that Swift runs on is little-endian.
            switch tensor.type {
            case .float32: tensor.values.withUnsafeBytes { data.append(contentsOf: $0) }
            case .float16: tensor.values.map { Float16($0) }.withUnsafeBytes { data.append(contentsOf: $0) }
            }
        }
        return data
    }

    /// Replaces the file at `path` with this one, or leaves it as it was (see `AtomicFile.write`).
    ///
    /// - Parameter previous: where the old file is kept; nil: it is not.
    /// - Throws: `FileError`.
    public func write(to path: String, keeping previous: String? = nil) throws {
        try AtomicFile.write(encoded(), to: path, keeping: previous)
    }

    // MARK: - Reading

    /// Reads the file at `path`.
    ///
    /// - Throws: `FileError`, when it cannot be read, is damaged or cut short, or holds other types than F32 and F16.
    public init(contentsOf path: String) throws {
        try self.init(decoding: AtomicFile.read(path), path: path)
    }

    /// Decodes the bytes of a file; `path` serves error messages only.
    ///
    /// The bytes may be anything: nothing traps, and no more memory is taken than a small multiple of their number.
    ///
    /// - Throws: `FileError`, as for `init(contentsOf:)`.
    public init(decoding data: Data, path: String) throws {
        do {
            try self.init(decoding: data)
        } catch {
            throw FileError(path: path, problem: "cannot load: \(error.problem)", remedy: error.remedy)
        }
    }

    private init(decoding data: Data) throws(Malformed) {
        let (header, payload) = try Self.split(data)
        metadata = header.metadata
        tensors = []

        // The order of the values counts, not that of the header; an empty tensor shares its offset with the next.
        let entries = header.entries.enumerated().sorted {
            ($0.element.begin, $0.element.end, $0.offset) < ($1.element.begin, $1.element.end, $1.offset)
        }
        var end = 0
        for (_, entry) in entries {
            let name = FileError.quoted(entry.name)
            guard let type = ElementType(rawValue: entry.type) else {
                throw Malformed(
                    problem:
                        "tensor \(name) has type \(FileError.quoted(entry.type)), and only F32 and F16 are supported",
                    remedy: "convert it to float32, or use another checkpoint")
            }
            guard entry.begin == end, entry.end >= entry.begin, entry.end <= payload.count else {
                throw Malformed(
                    problem: "tensor \(name) lies at bytes \(entry.begin) to \(entry.end) of \(payload.count), "
                        + "where \(end) is the next free one")
            }
            guard let count = Self.elementCount(of: entry.shape), (entry.end - entry.begin) % type.bytes == 0,
                count == (entry.end - entry.begin) / type.bytes
            else {
                throw Malformed(
                    problem: "the shape of tensor \(name) does not fit its \(entry.end - entry.begin) bytes")
            }
            end = entry.end
            let values =
                switch type {
                case .float32: Self.numbers(payload, entry.begin, count) as [Float]
                case .float16: (Self.numbers(payload, entry.begin, count) as [Float16]).map { Float($0) }
                }
            tensors.append(Tensor(name: entry.name, shape: entry.shape, values: values).converted(to: type))
        }
        guard end == payload.count else {
            throw Malformed(problem: "it holds \(payload.count) bytes of data, but its tensors take \(end)")
        }
        try verifyChecksum(header)
    }

    private static func split(_ data: Data) throws(Malformed) -> (SafetensorsHeader, payload: Data) {
        guard data.count >= 8 else { throw Malformed(problem: "it has only \(data.count) bytes") }
        let length = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= maximumHeaderLength, length <= UInt64(data.count - 8) else {
            throw Malformed(
                problem: "its header claims \(length) bytes, but the file has \(data.count) in all")
        }
        let body = data.dropFirst(8)
        let header = try SafetensorsHeader(parsing: [UInt8](body.prefix(Int(length))))
        return (header, body.dropFirst(Int(length)))
    }

    /// `count` values from `offset` on, which the caller has checked. They are copied because the header of another
    /// tool may leave them unaligned.
    private static func numbers<Number: BinaryFloatingPoint>(
        _ payload: Data, _ offset: Int, _ count: Int
    ) -> [Number] {
        [Number](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            let start = payload.startIndex + offset
            let end = start + MemoryLayout<Number>.stride * count
            _ = payload[start..<end].copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
            initializedCount = count
        }
    }

    /// The product of `shape`, or nothing where it overflows.
    ///
    /// The product of the extents before a 0 may not overflow either, as in the format's own reader.
    fileprivate static func elementCount(of shape: [Int]) -> Int? {
        var count = 1
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            if overflow { return nil }
            count = product
        }
        return count
    }

    private typealias Malformed = SafetensorsHeader.Malformed

    /// The limit that the format's own reader sets.
    private static let maximumHeaderLength: UInt64 = 100_000_000
}

// MARK: - Checksum

extension SafetensorsFile {
    private static let checksumKey = "crc32c"
    /// Says that there must be a checksum: else a flipped bit in the word `crc32c` would make a file without one.
    private static let markerKey = "rl2x_checksum"
    private static let markerValue = "crc32c"

    /// Eight small hexadecimal digits: CRC-32C of the metadata (but for the two reserved keys), in the order of their
    /// keys, and of all names, shapes and values, in the order of the names. Each text and each shape comes after its
    /// length, as 8 bytes, so that no two contents give the same bytes.
    ///
    /// It is taken of the meaning and not of the file's bytes, so that a tool which reads all and writes all in an
    /// order of its own, as `safetensors.torch.save_file` does, leaves a valid file.
    var checksumText: String {
        var checksum = Checksum()
        func update(_ text: String) {
            checksum.update(UInt64(text.utf8.count))
            checksum.update(Data(text.utf8))
        }
        let pairs = metadata.filter { $0.key != Self.checksumKey && $0.key != Self.markerKey }
        checksum.update(UInt64(pairs.count))
        for (key, value) in pairs.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            update(key)
            update(value)
        }
        checksum.update(UInt64(tensors.count))
        for tensor in tensors.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
            update(tensor.name)
            checksum.update(UInt64(tensor.shape.count))
            for extent in tensor.shape { checksum.update(UInt64(extent)) }
            tensor.values.withUnsafeBytes { checksum.update($0) }
        }
        let digits = String(checksum.value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// Compares the checksum where there is one, and takes the reserved keys out of the metadata.
    private mutating func verifyChecksum(_ header: SafetensorsHeader) throws(Malformed) {
        let stored = metadata.removeValue(forKey: Self.checksumKey)
        let marker = metadata.removeValue(forKey: Self.markerKey)
        if stored == nil, marker == nil { return }
        guard let stored else { throw Malformed(problem: "its checksum is missing") }
        guard marker == nil || marker == Self.markerValue, !header.hasCapitalEscape else {
            throw Malformed(problem: "its metadata are damaged")
        }
        let computed = checksumText
        guard stored == computed else {
            throw Malformed(
                problem: "its content (checksum \(computed)) is not what was written (\(FileError.quoted(stored)))")
        }
    }
}
