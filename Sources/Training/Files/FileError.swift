import Foundation

/// Why a file could not be read or written, as one line for the user: where, what is wrong, what to do.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible, LocalizedError {
    /// The file or directory that the user named.
    public let path: String
    /// What is wrong.
    public let problem: String
    /// What the user can do about it.
    public let remedy: String

    /// An error about the file at `path`.
    public init(path: String, problem: String, remedy: String) {
        self.path = path
        self.problem = problem
        self.remedy = remedy
    }

    /// An error of the operating system: `action` failed ("cannot write") with the code `errno`.
    init(path: String, action: String, code: Int32) {
        let remedy =
            switch code {
            case ENOSPC, EDQUOT: "free some disk space, or choose a directory on another disk"
            case EACCES, EPERM: "change its permissions, or choose another directory"
            case EROFS: "choose a directory that can be written"
            case ENOENT: "check the path; its directory must exist"
            case ENOTDIR, EISDIR, ENAMETOOLONG, ELOOP, EEXIST: "choose another path"
            case EMFILE, ENFILE: "close other files, or raise the limit with ulimit -n"
            default: "check the disk, then try again"
            }
        self.init(path: path, problem: "\(action): \(String(cString: strerror(code)))", remedy: remedy)
    }

    /// `path: problem; remedy`, always a single line, whatever bytes the path or the file held.
    public var description: String {
        Self.singleLine("\(path.isEmpty ? "(empty path)" : path): \(problem); \(remedy)")
    }

    /// The same line as `description`, for those who print `localizedDescription`.
    public var errorDescription: String? { description }

    /// A name out of a file that may be hostile: in quotes, at most 60 characters.
    static func quoted(_ name: String) -> String {
        name.unicodeScalars.count <= 60 ? "'\(name)'" : "'\(String(name.unicodeScalars.prefix(60)))…'"
    }

    private static func singleLine(_ text: String) -> String {
        var line = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: line.append("\u{FFFD}")
            default: line.append(scalar)
            }
        }
        return String(line)
    }
}
