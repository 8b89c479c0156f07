import Foundation

/// The control groups of this process, of versions 1 and 2, by which containers and schedulers limit processors and
/// memory. A limit holds for everything below, so those of all ancestors count.
struct ControlGroups {
    /// Processors' worth of time; nil: no limit.
    let processors: Double?
    /// Bytes; nil: no limit. Version 1 says "no limit" by a number beyond all memory.
    let memoryBytes: Int?

    /// - Parameter root: of the file system; another than "/" in tests.
    init(root: String = "") {
        func text(_ path: String) -> String? { try? String(contentsOfFile: root + path, encoding: .utf8) }
        let mounts = Mount.all(in: text("/proc/self/mountinfo") ?? "")
        let groups = text("/proc/self/cgroup") ?? ""

        let unified = ControlGroups.folders(of: "", groups, mounts)
        let quotas =
            unified.compactMap { text($0 + "/cpu.max") }.compactMap(ControlGroups.quota)
            + ControlGroups.folders(of: "cpu", groups, mounts).compactMap { folder in
                text(folder + "/cpu.cfs_quota_us").flatMap { quota in
                    text(folder + "/cpu.cfs_period_us").flatMap { ControlGroups.quota("\(quota) \($0)") }
                }
            }
        processors = quotas.min()

        let limits =
            unified.map { $0 + "/memory.max" }
            + ControlGroups.folders(of: "memory", groups, mounts).map { $0 + "/memory.limit_in_bytes" }
        memoryBytes = limits.compactMap(text).compactMap {
            Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
        }.min()
    }

    /// Processors' worth of time of "quota period"; nil for "max period" and "-1 period".
    static func quota(_ text: String) -> Double? {
        let words = text.split(whereSeparator: \.isWhitespace).map { Double($0) }
        guard words.count == 2, let quota = words[0], let period = words[1], quota > 0, period > 0 else { return nil }
        return quota / period
    }

    /// The folders of the process's group and of all its ancestors that can be seen, for a controller of version 1 or,
    /// named "", for version 2.
    private static func folders(of controller: String, _ groups: String, _ mounts: [Mount]) -> [String] {
        guard let mount = mounts.first(where: { $0.controllers.contains(controller) }) else { return [] }
        for line in groups.split(whereSeparator: \.isNewline) {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3,
                fields[1].split(separator: ",", omittingEmptySubsequences: false).contains(controller[...])
            else { continue }
            var path = String(fields[2])
            // A container may see only a part of the tree, whose root is named by the mount.
            if mount.root != "/" && (path + "/").hasPrefix(mount.root + "/") { path.removeFirst(mount.root.count) }
            let names = path.split(separator: "/")
            // A group outside of what is mounted cannot be seen; what is mounted is the best that is known.
            guard !names.contains("..") else { return [mount.folder] }
            return (0...names.count).map { mount.folder + names.prefix($0).map { "/" + $0 }.joined() }
        }
        return []
    }

    /// A mounted hierarchy of control groups.
    private struct Mount {
        let folder: String
        /// The group that is mounted there.
        let root: String
        /// Of version 1, such as `memory`; version 2 has one hierarchy for all, named "" as in /proc/self/cgroup.
        let controllers: [String]

        /// Those of /proc/self/mountinfo: `id parent device root folder options … - type source super-options`.
        static func all(in text: String) -> [Mount] {
            text.split(whereSeparator: \.isNewline).compactMap { line in
                let fields = line.split(separator: " ").map(String.init)
                guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 3 else { return nil }
                let (root, folder) = (unescaped(fields[3]), unescaped(fields[4]))
                switch fields[dash + 1] {
                case "cgroup2": return Mount(folder: folder, root: root, controllers: [""])
                case "cgroup":
                    let controllers = fields[dash + 3].split(separator: ",").map(String.init)
                    return Mount(folder: folder, root: root, controllers: controllers)
                default: return nil
                }
            }
        }

        /// The kernel writes spaces and the like as three octal digits.
        private static func unescaped(_ path: String) -> String {
            [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")].reduce(path) {
                $0.replacing($1.0, with: $1.1)
            }
        }
    }
}
