import Foundation
import Interface
import Testing

@testable import Training

/// "Another process" is said of another process and of nothing else.
@Suite struct RunLockTests {
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let directory = NSTemporaryDirectory() + "rl2x-lock-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(directory)
    }

    @Test func oneHoldsADirectoryAtATime() throws {
        try withDirectory { directory in
            let first = try RunLock(directory)
            #expect(first != nil)
            for _ in 0..<3 {
                let second = try RunLock(directory)
                #expect(second == nil)
            }
            #expect(throws: UserError.self) { _ = try RunDirectory(directory).lock() }
            withExtendedLifetime(first) {}
        }
    }

    @Test func aLockIsGivenBack() throws {
        try withDirectory { directory in
            for _ in 0..<3 {
                let lock = try RunLock(directory)
                #expect(lock != nil)
            }
        }
    }

    @Test func aDirectoryThatCannotBeOpenedIsAnError() throws {
        try withDirectory { directory in
            let missing = #expect(throws: FileError.self) { _ = try RunLock(directory + "/nowhere") }
            #expect(missing?.description.contains("No such file") == true)
            try Data().write(to: URL(fileURLWithPath: directory + "/file"))
            let file = #expect(throws: FileError.self) { _ = try RunLock(directory + "/file") }
            #expect(file?.description.contains("Not a directory") == true)
        }
    }

    @Test func whyALockFailedIsSaid() {
        #expect(RunLock.failure("run", code: EWOULDBLOCK) == nil)
        for code in [ENOLCK, EOPNOTSUPP, ENOSYS, EBADF] {
            #expect(RunLock.failure("run", code: code)?.description.contains("file system") == true)
        }
        let other = RunLock.failure("run", code: EIO)?.description
        #expect(other?.contains("cannot lock") == true && other?.contains(String(cString: strerror(EIO))) == true)
    }
}
