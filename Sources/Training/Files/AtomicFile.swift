import Foundation

/// Whole files, written so that a reader sees the old content or the new one and never a part of it.
public enum AtomicFile {
    /// Replaces the file at `path` with `data`, or leaves it as it was.
    ///
    /// The bytes go to a temporary file in the same directory, to the disk, and only then under the name. A symbolic
    /// link stays, its target is replaced; an existing file keeps its permissions. When the process is killed
    /// half-way, a hidden file `.rl2x-….partial` may be left behind, which can be deleted. A device or pipe
    /// (`/dev/stdout`) has no content to protect and is written directly.
    ///
    /// Postcondition: on return the content survives a crash of the process and of the machine.
    ///
    /// - Parameter previous: where the old content is kept, in place of what was kept there; nil: it is not. At every
    ///   moment a whole content is under one of the two names.
    /// - Throws: `FileError`, when the directory is missing or not writable, the disk is full, …
    ///   The temporary file is gone then.
    public static func write(_ data: Data, to path: String, keeping previous: String? = nil) throws {
        var status = stat()
        let exists = stat(path, &status) == 0
        if exists, status.st_mode & S_IFMT == S_IFDIR {
            throw FileError(path: path, action: "cannot write", code: EISDIR)
        }
        if exists, status.st_mode & S_IFMT != S_IFREG {
            return try writeDirectly(data, to: path)
        }

        let destination = exists ? resolvingLinks(path) : path
        let directory = (destination as NSString).deletingLastPathComponent
        let temporary = temporaryPath(in: directory)

        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileError(path: path, action: "cannot write", code: errno) }
        var code = writeAll(data, to: descriptor)
        if code == 0, exists, fchmod(descriptor, status.st_mode & 0o7777) != 0 { code = errno }
        if code == 0, fsync(descriptor) != 0 { code = errno }
        // Network file systems report a full disk as late as here.
        if close(descriptor) != 0, code == 0 { code = errno }
        if code == 0, exists, let previous {
            do { try keep(path, as: previous) } catch {
                unlink(temporary)
                throw error
            }
        }
        if code == 0, rename(temporary, destination) != 0 { code = errno }
        guard code == 0 else {
            unlink(temporary)
            throw FileError(path: path, action: "cannot write", code: code)
        }
        synchronizeDirectory(directory)
    }

    /// Gives the file at `path` a second name, in place of what that name stood for: when `path` is replaced, the content
    /// stays under `other`. Where the file system has no such names, or the two lie on two of them, it is copied.
    ///
    /// - Throws: `FileError`. What was under `other` stays then.
    public static func keep(_ path: String, as other: String) throws {
        let destination = access(other, F_OK) == 0 ? resolvingLinks(other) : other
        let directory = (destination as NSString).deletingLastPathComponent
        let temporary = temporaryPath(in: directory)
        guard linkat(AT_FDCWD, path, AT_FDCWD, temporary, AT_SYMLINK_FOLLOW) == 0 else {
            return try write(read(path), to: other)
        }
        let code = rename(temporary, destination) == 0 ? 0 : errno
        // Where both are one file already, renaming does nothing and leaves the name.
        unlink(temporary)
        guard code == 0 else { throw FileError(path: other, action: "cannot write", code: code) }
        synchronizeDirectory(directory)
    }

    private static let (prefix, suffix) = (".rl2x-", ".partial")

    /// A name of its own, not a longer form of a file's name: that could exceed the limit of 255 bytes.
    private static func temporaryPath(in directory: String) -> String {
        let unique = String(UInt64.random(in: .min ... .max), radix: 16)
        return (directory as NSString).appendingPathComponent("\(prefix)\(getpid())-\(unique)\(suffix)")
    }

    /// Whether a file of this name is a temporary one that a killed process left behind.
    public static func isTemporary(_ name: String) -> Bool { name.hasPrefix(prefix) && name.hasSuffix(suffix) }

    /// The content of the regular file at `path`.
    ///
    /// - Throws: `FileError`, when there is no such file, it may not be read, or it is a directory or device.
    public static func read(_ path: String) throws -> Data {
        // Without O_NONBLOCK a pipe would wait here for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileError(path: path, action: "cannot read", code: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw FileError(path: path, action: "cannot read", code: errno)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileError(path: path, problem: "cannot read: not a regular file", remedy: "choose another path")
        }

        var data = Data(count: Int(status.st_size))
        var filled = 0
        while filled < data.count {
            let count = data.withUnsafeMutableBytes { bytes in
                Foundation.read(descriptor, bytes.baseAddress! + filled, bytes.count - filled)
            }
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError(path: path, action: "cannot read", code: errno)
            }
            filled += count
        }
        return data.prefix(filled)
    }

    // MARK: - Steps

    /// Writes all of `data`, in as many calls as it takes; 0, or the `errno` of the call that failed.
    static func writeAll(_ data: Data, to descriptor: Int32) -> Int32 {
        data.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let count = Foundation.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
                if count > 0 {
                    written += count
                } else if count == 0 {
                    return EIO
                } else if errno != EINTR {
                    return errno
                }
            }
            return 0
        }
    }

    /// Renaming over a device would replace the device itself, which root is allowed to do.
    private static func writeDirectly(_ data: Data, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path: path, action: "cannot write", code: errno) }
        defer { close(descriptor) }
        let code = writeAll(data, to: descriptor)
        guard code == 0 else { throw FileError(path: path, action: "cannot write", code: code) }
    }

    private static func resolvingLinks(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Makes a new name in `directory` durable. A failure is not reported: the file is complete and in its place, and
    /// some file systems do not offer this at all.
    private static func synchronizeDirectory(_ directory: String) {
        let descriptor = open(directory.isEmpty ? "." : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
