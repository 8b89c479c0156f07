import Foundation

/// What this build is.
public enum Version {
    public static let number = "0.2.0"

    /// The commit of the source tree that this program was built from, as it stands now; `unknown` where the tree is
    /// gone or has no history.
    public static let commit: String = {
        // Sources/Training/Version.swift is three levels below the root.
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        func content(_ path: String) -> String? {
            (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        // Of a worktree, `.git` is a file that says where its own part of the repository is, which says where the rest is.
        func place(_ path: String, from directory: String) -> String {
            path.hasPrefix("/") ? path : directory + "/" + path
        }
        let git = root + "/.git"
        let own =
            content(git).flatMap { $0.hasPrefix("gitdir: ") ? place(String($0.dropFirst(8)), from: root) : nil } ?? git
        let common = content(own + "/commondir").map { place($0, from: own) } ?? own
        func text(_ path: String) -> String? { content(own + "/" + path) ?? content(common + "/" + path) }
        guard let head = text("HEAD") else { return "unknown" }
        guard head.hasPrefix("ref: ") else { return head }
        let reference = String(head.dropFirst(5))
        if let commit = text(reference) { return commit }
        for line in text("packed-refs")?.split(separator: "\n") ?? [] where line.hasSuffix(" " + reference) {
            return String(line.prefix(while: { $0 != " " }))
        }
        return "unknown"
    }()
}
