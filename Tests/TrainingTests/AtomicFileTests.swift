import Foundation
import Testing

@testable import Training

/// Runs `body` with the path of an empty directory, which is removed afterwards.
func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    let directory = NSTemporaryDirectory() + "rl2x-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    return try body(directory)
}

/// The error that `body` throws, which must be a `FileError` of one line about `path`.
func fileError(
    about path: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> FileError? {
    let error = #expect(throws: FileError.self, sourceLocation: sourceLocation) { try body() }
    #expect(error?.path == path, sourceLocation: sourceLocation)
    #expect(error?.description.contains { $0.isNewline } == false, sourceLocation: sourceLocation)
    return error
}

@Suite struct AtomicFileTests {
    private func names(in directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }

    @Test func replacesAndReads() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/file"
            for content in [Data("old and long".utf8), Data("new".utf8), Data()] {
                try AtomicFile.write(content, to: path)
                #expect(try AtomicFile.read(path) == content)
            }
            #expect(try names(in: directory) == ["file"])
        }
    }

    @Test func writesToTheCurrentDirectoryAndWithTheLongestName() throws {
        let name = "rl2x-test-\(getpid())-" + String(repeating: "x", count: 200)
        defer { unlink(name) }
        try AtomicFile.write(Data("here".utf8), to: name)
        #expect(try AtomicFile.read("./" + name) == Data("here".utf8))
    }

    @Test func keepsPermissionsAndLinks() throws {
        try withTemporaryDirectory { directory in
            let (target, link) = (directory + "/target", directory + "/link")
            try AtomicFile.write(Data("old".utf8), to: target)
            #expect(chmod(target, 0o640) == 0)
            #expect(symlink("target", link) == 0)
            try AtomicFile.write(Data("new".utf8), to: link)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "target")
            #expect(try AtomicFile.read(target) == Data("new".utf8))
            let permissions = try FileManager.default.attributesOfItem(atPath: target)[.posixPermissions] as? Int
            #expect(permissions == 0o640)
        }
    }

    @Test func reportsWhatHindersWriting() throws {
        try withTemporaryDirectory { directory in
            let missing = directory + "/missing/file"
            let error = fileError(about: missing) { try AtomicFile.write(Data("x".utf8), to: missing) }
            #expect(
                error?.description
                    == "\(missing): cannot write: No such file or directory; "
                    + "check the path; its directory must exist")
            _ = fileError(about: directory) { try AtomicFile.write(Data("x".utf8), to: directory) }
            _ = fileError(about: "") { try AtomicFile.write(Data("x".utf8), to: "") }
            let file = directory + "/file"
            try AtomicFile.write(Data(), to: file)
            let below = file + "/below"
            _ = fileError(about: below) { try AtomicFile.write(Data("x".utf8), to: below) }
            #expect(try names(in: directory) == ["file"])
        }
    }

    @Test(.enabled(if: geteuid() != 0, "root may write everywhere"))
    func reportsADirectoryThatIsNotWritable() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/file"
            try AtomicFile.write(Data("old".utf8), to: path)
            #expect(chmod(directory, 0o500) == 0)
            defer { chmod(directory, 0o700) }
            let error = fileError(about: path) { try AtomicFile.write(Data("new".utf8), to: path) }
            #expect(error?.description.contains("Permission denied") == true)
            #expect(try AtomicFile.read(path) == Data("old".utf8))
        }
    }

    @Test func reportsWhatHindersReading() throws {
        try withTemporaryDirectory { directory in
            for path in [directory, directory + "/missing", "/dev/zero"] {
                _ = fileError(about: path) { _ = try AtomicFile.read(path) }
            }
        }
    }

    @Test(.enabled(if: access("/dev/full", W_OK) == 0, "there is no /dev/full here"))
    func writesToDevicesWithoutReplacingThem() throws {
        let error = fileError(about: "/dev/full") { try AtomicFile.write(Data("x".utf8), to: "/dev/full") }
        #expect(
            error?.description == "/dev/full: cannot write: No space left on device; "
                + "free some disk space, or choose a directory on another disk")
        try AtomicFile.write(Data("x".utf8), to: "/dev/null")
        let type = try FileManager.default.attributesOfItem(atPath: "/dev/null")[.type] as? FileAttributeType
        #expect(type == .typeCharacterSpecial)
    }

    @Test func errorsStayOnOneLine() {
        let error = FileError(path: "a\nb\u{2028}", problem: "c\r\u{1B}[2J", remedy: "d")
        #expect(error.description == "a\u{FFFD}b\u{FFFD}: c\u{FFFD}\u{FFFD}[2J; d")
        #expect(error.localizedDescription == error.description)
    }

    @Test(.enabled(if: SmallDisk.isAvailable, "no small disk can be mounted here, which takes root"))
    func leavesTheOldFileWhenTheDiskIsFull() throws {
        try withTemporaryDirectory { directory in
            try SmallDisk.mount(at: directory)
            defer { SmallDisk.unmount(directory) }
            let path = directory + "/checkpoint"
            let old = Data(repeating: 1, count: 20_000)
            try AtomicFile.write(old, to: path)
            let error = fileError(about: path) {
                try AtomicFile.write(Data(repeating: 2, count: 200_000), to: path)
            }
            #expect(error?.description.contains("No space left on device; free some disk space") == true)
            #expect(try AtomicFile.read(path) == old)
            #expect(try names(in: directory) == ["checkpoint"])
        }
    }

    @Test(.enabled(if: SmallDisk.isAvailable, "no small disk can be mounted here, which takes root"))
    func appendsWholeRecordsWhenTheDiskIsFull() throws {
        try withTemporaryDirectory { directory in
            try SmallDisk.mount(at: directory)
            defer { SmallDisk.unmount(directory) }
            let path = directory + "/records"
            let file = try AppendFile(path, creating: true)
            defer { file.close() }
            let record = Data(repeating: 7, count: 10_000)
            try file.append(record)
            _ = fileError(about: path) { try file.append(Data(repeating: 8, count: 200_000)) }
            try file.append(record)
            #expect(try AtomicFile.read(path) == record + record)
        }
    }
}

/// A disk of 64 KiB in memory.
private enum SmallDisk {
    static let isAvailable: Bool = {
        guard geteuid() == 0 else { return false }
        return
            (try? withTemporaryDirectory { directory in
                guard (try? mount(at: directory)) != nil else { return false }
                unmount(directory)
                return true
            }) ?? false
    }()

    static func mount(at directory: String) throws {
        let status = run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", directory])
        if status != 0 { throw FileError(path: directory, problem: "cannot mount", remedy: "become root") }
    }

    static func unmount(_ directory: String) {
        _ = run(["umount", "--lazy", directory])
    }

    private static func run(_ arguments: [String]) -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return -1 }
        process.waitUntilExit()
        return process.terminationStatus
    }
}
