import Foundation

/// What this process may use of its machine, which others share: what a scheduler, a container or `ulimit` left of it.
public struct ProcessLimits: Sendable {
    /// Processors, at least 1: those of the affinity mask, and no more than the control groups' quota, rounded up.
    public let processors: Int
    /// Bytes: the least of the machine's memory, the control groups' limits and the limit of the address space.
    public let memoryBytes: Int

    /// As found when first asked for; a running training keeps its threads.
    public static let current = ProcessLimits(
        processors: ProcessInfo.processInfo.activeProcessorCount,
        physicalBytes: Int(clamping: ProcessInfo.processInfo.physicalMemory), addressSpace: addressSpace())

    /// - Parameters:
    ///   - processors: of the machine.
    ///   - addressSpace: bytes; nil: no limit.
    ///   - root: of the file system; another than "" in tests.
    init(processors: Int, physicalBytes: Int, addressSpace: Int?, root: String = "") {
        let groups = ControlGroups(root: root)
        let status = (try? String(contentsOfFile: root + "/proc/self/status", encoding: .utf8)) ?? ""
        let allowed = [
            ProcessLimits.affinity(status: status), groups.processors.map { Int(min($0, 1e6).rounded(.up)) },
        ]
        self.processors = max(1, allowed.compactMap(\.self).reduce(processors, min))
        memoryBytes = [addressSpace, groups.memoryBytes].compactMap(\.self).reduce(physicalBytes, min)
    }

    /// Processors that the kernel lets the process run on, of /proc/self/status, which has them as a mask in hexadecimal
    /// digits; `taskset` and schedulers restrict them.
    private static func affinity(status: String) -> Int? {
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed:") }) else {
            return nil
        }
        let count = line.dropFirst("Cpus_allowed:".count).reduce(0) { $0 + ($1.hexDigitValue ?? 0).nonzeroBitCount }
        return count > 0 ? count : nil
    }

    /// `ulimit -v`; nil: none.
    private static func addressSpace() -> Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else { return nil }
        return Int(exactly: limit.rlim_cur)
    }
}
