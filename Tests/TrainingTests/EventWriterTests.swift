import Foundation
import Testing

@testable import Training

@Suite struct EventWriterTests {
    /// Field numbers of a message with what they hold: varints and fixed words as numbers, blocks as bytes.
    private enum Field: Equatable {
        case number(UInt64)
        case bytes(Data)
    }

    /// An independent, slow reader of the wire format.
    private func fields(_ message: Data) throws -> [(Int, Field)] {
        var rest = Array(message)
        func variableLength() -> UInt64 {
            var (number, shift) = (UInt64(0), UInt64(0))
            while true {
                let byte = rest.removeFirst()
                number |= UInt64(byte & 0x7F) << shift
                shift += 7
                if byte < 0x80 { return number }
            }
        }
        func word(_ count: Int) -> UInt64 {
            defer { rest.removeFirst(count) }
            return rest.prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        var fields: [(Int, Field)] = []
        while !rest.isEmpty {
            let key = Int(variableLength())
            switch key & 7 {
            case 0: fields.append((key >> 3, .number(variableLength())))
            case 1: fields.append((key >> 3, .number(word(8))))
            case 5: fields.append((key >> 3, .number(word(4))))
            default:
                let count = Int(variableLength())
                fields.append((key >> 3, .bytes(Data(rest.prefix(count)))))
                rest.removeFirst(count)
            }
        }
        return fields
    }

    /// The messages of a record file; both checksums of each are verified.
    private func messages(_ path: String) throws -> [Data] {
        var rest = try AtomicFile.read(path)
        func word(_ data: Data) -> UInt64 { data.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        var messages: [Data] = []
        while !rest.isEmpty {
            let length = rest.prefix(8)
            let message = rest.dropFirst(12).prefix(Int(word(length)))
            #expect(word(rest.dropFirst(8).prefix(4)) == UInt64(Checksum(of: length).masked))
            rest = rest.dropFirst(12 + message.count)
            #expect(word(rest.prefix(4)) == UInt64(Checksum(of: message).masked))
            rest = rest.dropFirst(4)
            messages.append(Data(message))
        }
        return messages
    }

    @Test func writesVersionThenScalars() throws {
        try withTemporaryDirectory { directory in
            let writer = try TensorBoardEventWriter(directory: directory + "/new/run")
            try writer.write(step: 300, scalars: [("a/b", 1.5), ("é", -.infinity)], wallTime: 2.5)
            try writer.write(step: -1, scalars: [], wallTime: 0)
            try writer.flush()
            let messages = try messages(writer.path)
            try #require(messages.count == 3)

            let version = try fields(messages[0])
            #expect(version.map(\.0) == [1, 3])
            #expect(version[1].1 == .bytes(Data("brain.Event:2".utf8)))

            let event = try fields(messages[1])
            try #require(event.map(\.0) == [1, 2, 5])
            #expect(event[0].1 == .number((2.5).bitPattern))
            #expect(event[1].1 == .number(300))
            guard case .bytes(let summary) = event[2].1 else { throw CancellationError() }
            let values = try fields(summary).map { _, value in
                guard case .bytes(let bytes) = value else { throw CancellationError() }
                return try fields(bytes)
            }
            try #require(values.map { $0.map(\.0) } == [[1, 2], [1, 2]])
            #expect(values[0][0].1 == .bytes(Data("a/b".utf8)))
            #expect(values[0][1].1 == .number(UInt64(Float(1.5).bitPattern)))
            #expect(values[1][0].1 == .bytes(Data("é".utf8)))
            #expect(values[1][1].1 == .number(UInt64((-Float.infinity).bitPattern)))

            #expect(try fields(messages[2])[1].1 == .number(.max))  // -1 in two's complement
        }
    }

    /// A string tensor of one element for the plug-in `text`.
    @Test func writesText() throws {
        try withTemporaryDirectory { directory in
            let writer = try TensorBoardEventWriter(directory: directory)
            try writer.write(step: 9, text: "seed: 1", tag: "hyperparameters")
            func block(_ message: Data, _ path: Int...) throws -> Data {
                try path.reduce(message) { message, number in
                    let field = try fields(message).first { $0.0 == number }
                    guard case .bytes(let bytes) = field?.1 else { throw CancellationError() }
                    return bytes
                }
            }
            let value = try block(#require(messages(writer.path).last), 5, 1)
            #expect(try block(value, 1) == Data("hyperparameters".utf8))
            #expect(try block(value, 9, 1, 1) == Data("text".utf8))
            let tensor = try fields(block(value, 8))
            #expect(tensor.map(\.0) == [1, 2, 8] && tensor[0].1 == .number(7))
            #expect(try fields(block(value, 8, 2, 2))[0].1 == .number(1))
            #expect(try block(value, 8, 8) == Data("seed: 1".utf8))
        }
    }

    @Test func purgeIsASessionStart() throws {
        try withTemporaryDirectory { directory in
            let writer = try TensorBoardEventWriter(directory: directory, purgeStep: 7)
            let event = try fields(#require(messages(writer.path).dropFirst().first))
            try #require(event.map(\.0) == [1, 2, 7])
            #expect(event[1].1 == .number(7))
            #expect(event[2].1 == .bytes(Data([8, 1])))
        }
    }

    /// TensorBoard reads files in the order of their names.
    @Test func laterFilesSortAfterEarlierOnes() throws {
        try withTemporaryDirectory { directory in
            let future = Int(Date().timeIntervalSince1970) + 1_000
            let other = directory + "/events.out.tfevents.\(future).other.99999.0"
            try AtomicFile.write(Data(), to: other)
            let paths = try (0..<12).map { _ in try TensorBoardEventWriter(directory: directory).path }
            #expect([other] + paths == ([other] + paths).sorted())
            #expect(Set(paths).count == 12)
        }
    }

    @Test func reportsErrors() throws {
        try withTemporaryDirectory { directory in
            let writer = try TensorBoardEventWriter(directory: directory)
            writer.close()
            writer.close()
            _ = fileError(about: writer.path) { try writer.write(step: 0, scalars: []) }
            _ = fileError(about: writer.path) { try writer.flush() }
            let inside = writer.path + "/run"
            _ = fileError(about: inside) { _ = try TensorBoardEventWriter(directory: inside) }
        }
    }
}
