import Foundation

/// Appends scalars to an event file that TensorBoard shows.
///
/// Each writer opens a file of its own; TensorBoard merges the files of a directory in the order of their names, which
/// is the order in which they were opened. Every record is handed to the system at once, so that a killed process
/// loses none.
///
/// ```swift
/// let writer = try TensorBoardEventWriter(directory: "runs/bandit-gru-s1")
/// try writer.write(step: 0, scalars: [("train/mean_total_reward", 5.2), ("train/mean_kl", 0.01)])
/// writer.close()
/// ```
public final class TensorBoardEventWriter {
    /// The event file: `events.out.tfevents.<unix time>.<host name>.<process>` in the directory.
    public let path: String
    private let file: AppendFile

    /// Opens a new event file in `directory`, which is created where it is missing.
    ///
    /// After a crash a run resumes at an earlier step than it had logged. Give that step as `purgeStep`: TensorBoard
    /// then forgets what older files of the directory hold of this step and of later ones.
    ///
    /// - Throws: `FileError`.
    public init(directory: String, purgeStep: Int? = nil) throws {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw FileError(
                path: directory, problem: "cannot create the directory",
                remedy: "choose another one, or change the permissions of its parent")
        }
        let now = Date().timeIntervalSince1970
        let prefix = "events.out.tfevents."
        // A purge acts on files that sort before this one. A second file within the same second, or a clock that was
        // set back, must not upset that order: so this file's time is later than that of every other one.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let latest = names.filter { $0.hasPrefix(prefix) }
            .compactMap { $0.dropFirst(prefix.count).split(separator: ".").first.flatMap { Int($0) } }
            .filter { $0 < 9_999_999_999 }
            .max()
        let time = max(Int(now), (latest ?? 0) + 1)
        let digits = String(time)
        let padded = String(repeating: "0", count: max(0, 10 - digits.count)) + digits
        path = (directory as NSString).appendingPathComponent("\(prefix)\(padded).\(Self.hostName).\(getpid())")
        file = try AppendFile(path, creating: true)

        var version = ProtocolBuffer()
        version.append(now, field: EventField.wallTime)
        version.append("brain.Event:2", field: EventField.fileVersion)
        try file.append(Self.record(version.bytes))
        if let purgeStep {
            var log = ProtocolBuffer()
            log.append(1, field: 1)  // SessionLog.status = START
            try write(log, field: EventField.sessionLog, step: purgeStep, wallTime: now)
        }
    }

    /// Appends one point of every curve in `scalars`.
    ///
    /// - Parameters:
    ///   - step: the position on the horizontal axis.
    ///   - scalars: names of curves, grouped by what stands before a `/`, and their values, which the format rounds to
    ///     float32; NaN and infinity are kept.
    ///   - wallTime: seconds since 1970.
    /// - Throws: `FileError`, when the disk is full or the writer was closed. Nothing of the record remains then.
    public func write(
        step: Int, scalars: [(tag: String, value: Double)], wallTime: Double = Date().timeIntervalSince1970
    ) throws {
        var summary = ProtocolBuffer()
        for (tag, scalar) in scalars {
            var value = ProtocolBuffer()
            value.append(tag, field: 1)  // Summary.Value.tag
            value.append(Float(scalar), field: 2)  // Summary.Value.simple_value
            summary.append(value, field: 1)  // Summary.value
        }
        try write(summary, field: EventField.summary, step: step, wallTime: wallTime)
    }

    /// Appends a text, which TensorBoard shows as Markdown in its text tab.
    ///
    /// - Throws: `FileError`, when the disk is full or the writer was closed. Nothing of the record remains then.
    public func write(
        step: Int, text: String, tag: String, wallTime: Double = Date().timeIntervalSince1970
    ) throws {
        var plugin = ProtocolBuffer()
        plugin.append("text", field: 1)  // SummaryMetadata.PluginData.plugin_name
        var metadata = ProtocolBuffer()
        metadata.append(plugin, field: 1)  // SummaryMetadata.plugin_data
        var dimension = ProtocolBuffer()
        dimension.append(1, field: 1)  // TensorShapeProto.Dim.size
        var shape = ProtocolBuffer()
        shape.append(dimension, field: 2)  // TensorShapeProto.dim
        var tensor = ProtocolBuffer()
        tensor.append(7, field: 1)  // TensorProto.dtype = DT_STRING
        tensor.append(shape, field: 2)  // TensorProto.tensor_shape
        tensor.append(text, field: 8)  // TensorProto.string_val
        var value = ProtocolBuffer()
        value.append(tag, field: 1)  // Summary.Value.tag
        value.append(tensor, field: 8)  // Summary.Value.tensor
        value.append(metadata, field: 9)  // Summary.Value.metadata
        var summary = ProtocolBuffer()
        summary.append(value, field: 1)
        try write(summary, field: EventField.summary, step: step, wallTime: wallTime)
    }

    private func write(_ content: ProtocolBuffer, field: Int, step: Int, wallTime: Double) throws {
        var event = ProtocolBuffer()
        event.append(wallTime, field: EventField.wallTime)
        event.append(step, field: EventField.step)
        event.append(content, field: field)
        try file.append(Self.record(event.bytes))
    }

    /// Waits until all records are on the disk. Needed against a crash of the machine only.
    ///
    /// - Throws: `FileError`.
    public func flush() throws {
        try file.flush()
    }

    /// Closes the file; a second call does nothing.
    public func close() {
        file.close()
    }

    // MARK: - Format

    /// Field numbers of `message Event` in TensorFlow's event.proto.
    private enum EventField {
        static let wallTime = 1
        static let step = 2
        static let fileVersion = 3
        static let summary = 5
        static let sessionLog = 7
    }

    /// The TFRecord frame: length (8 bytes), its masked checksum (4), the message, its masked checksum (4).
    static func record(_ message: Data) -> Data {
        var record = Data(capacity: message.count + 16)
        withUnsafeBytes(of: UInt64(message.count).littleEndian) { record.append(contentsOf: $0) }
        withUnsafeBytes(of: Checksum(of: record).masked.littleEndian) { record.append(contentsOf: $0) }
        record.append(message)
        withUnsafeBytes(of: Checksum(of: message).masked.littleEndian) { record.append(contentsOf: $0) }
        return record
    }

    /// The name that the machine gives itself; Foundation's `hostName` may ask the network, which can take seconds.
    private static var hostName: String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let code = buffer.withUnsafeMutableBytes {
            gethostname($0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count - 1)
        }
        let name = String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self).replacing("/", with: "_")
        return code != 0 || name.isEmpty ? "localhost" : String(name.prefix(64))
    }
}

/// A message in the wire format of protocol buffers, as far as events need it.
struct ProtocolBuffer {
    private(set) var bytes = Data()

    mutating func append(_ value: Double, field: Int) {
        appendKey(field, wireType: 1)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ value: Float, field: Int) {
        appendKey(field, wireType: 5)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// An `int64` or `enum`: a negative one takes the ten bytes of its two's complement.
    mutating func append(_ value: Int, field: Int) {
        appendKey(field, wireType: 0)
        appendVariableLength(UInt64(bitPattern: Int64(value)))
    }

    mutating func append(_ value: String, field: Int) {
        appendBlock(Data(value.utf8), field: field)
    }

    mutating func append(_ message: ProtocolBuffer, field: Int) {
        appendBlock(message.bytes, field: field)
    }

    private mutating func appendBlock(_ block: Data, field: Int) {
        appendKey(field, wireType: 2)
        appendVariableLength(UInt64(block.count))
        bytes.append(block)
    }

    private mutating func appendKey(_ field: Int, wireType: Int) {
        appendVariableLength(UInt64(field << 3 | wireType))
    }

    /// Seven bits a byte, the lowest first; the high bit says that more follow.
    private mutating func appendVariableLength(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
