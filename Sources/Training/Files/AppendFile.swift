import Foundation

/// A file that grows by whole records. Nothing is held back in memory, so a killed process loses no record.
final class AppendFile {
    let path: String
    private var descriptor: Int32
    private var length: off_t

    /// Creates the file at `path`, which must not exist yet, or opens the one that does.
    ///
    /// - Throws: `FileError`.
    init(_ path: String, creating: Bool) throws {
        let flags = O_WRONLY | O_APPEND | O_CLOEXEC | (creating ? O_CREAT | O_EXCL : 0)
        self.path = path
        descriptor = open(path, flags, 0o666)
        length = 0
        guard descriptor >= 0 else { throw FileError(path: path, action: "cannot write", code: errno) }
        length = lseek(descriptor, 0, SEEK_END)
    }

    deinit { close() }

    /// Appends all of `record`, or, when that fails, nothing of it: a torn record in the middle would make all later
    /// ones unreadable.
    ///
    /// - Throws: `FileError`, when the disk is full or the file was closed.
    func append(_ record: Data) throws {
        try requireOpen()
        let code = AtomicFile.writeAll(record, to: descriptor)
        guard code == 0 else {
            // What could not be appended cannot hinder cutting it off again; nothing more could be done about it here.
            _ = ftruncate(descriptor, length)
            throw FileError(path: path, action: "cannot write", code: code)
        }
        length += off_t(record.count)
    }

    /// Waits until all records are on the disk, so that they survive a crash of the machine.
    ///
    /// - Throws: `FileError`.
    func flush() throws {
        try requireOpen()
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw FileError(path: path, action: "cannot write", code: errno)
        }
    }

    /// Closes the file; a second call does nothing.
    func close() {
        if descriptor >= 0 { Foundation.close(descriptor) }
        descriptor = -1
    }

    private func requireOpen() throws {
        guard descriptor >= 0 else {
            throw FileError(path: path, problem: "cannot write: it was closed", remedy: "open it again")
        }
    }
}
