import Foundation
import Testing

@testable import Platform

/// Made-up trees of /proc and /sys, as containers and schedulers show them.
@Suite struct ProcessLimitsTests {
    /// The limits in such a tree, of a machine of 64 processors and 1000 MB.
    private func limits(_ files: [String: String], addressSpace: Int? = nil) throws -> ProcessLimits {
        let root = NSTemporaryDirectory() + "rl2x-limits-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        for (path, text) in files {
            let url = URL(fileURLWithPath: root + path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data((text + "\n").utf8).write(to: url)
        }
        return ProcessLimits(processors: 64, physicalBytes: 1_000_000_000, addressSpace: addressSpace, root: root)
    }

    private static let unified = "30 25 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate"

    @Test func withoutLimitsTheMachineIsTheLimit() throws {
        let limits = try limits([:])
        #expect(limits.processors == 64 && limits.memoryBytes == 1_000_000_000)
        #expect(ProcessLimits.current.processors >= 1 && ProcessLimits.current.memoryBytes > 1 << 28)
    }

    @Test(arguments: [("ff", 8), ("00000000,00000005", 2), ("80000000,00000000", 1), ("", 64), ("0", 64)])
    func processorsFollowTheMask(_ mask: String, _ expected: Int) throws {
        let status = "Name:\trl2x\nCpus_allowed:\t\(mask)\nCpus_allowed_list:\t0-63"
        #expect(try limits(["/proc/self/status": status]).processors == expected)
    }

    @Test func memoryFollowsTheAddressSpace() throws {
        #expect(try limits([:], addressSpace: 5_000_000).memoryBytes == 5_000_000)
        #expect(try limits([:], addressSpace: .max).memoryBytes == 1_000_000_000)
    }

    /// A limit of an ancestor holds as well, whichever is less.
    @Test(arguments: [
        ("150000 100000", "max 100000", 2), ("max 100000", "400000 100000", 4), ("300000 100000", "50000 100000", 1),
        ("max 100000", "max 100000", 64), ("nonsense", "", 64), ("-1 100000", "0 0", 64),
    ]) func processorsFollowTheQuotaOfVersion2(_ own: String, _ parent: String, _ expected: Int) throws {
        let limits = try limits([
            "/proc/self/mountinfo": Self.unified, "/proc/self/cgroup": "0::/slurm/job_7",
            "/sys/fs/cgroup/slurm/job_7/cpu.max": own, "/sys/fs/cgroup/slurm/cpu.max": parent,
        ])
        #expect(limits.processors == expected)
    }

    @Test func memoryFollowsTheGroupsOfVersion2() throws {
        var files = [
            "/proc/self/mountinfo": Self.unified, "/proc/self/cgroup": "0::/slurm/job_7/step_0",
            "/sys/fs/cgroup/slurm/job_7/step_0/memory.max": "max", "/sys/fs/cgroup/slurm/job_7/memory.max": "400000000",
            "/sys/fs/cgroup/slurm/memory.max": "900000000", "/sys/fs/cgroup/slurm/job_8/memory.max": "1",
        ]
        #expect(try limits(files).memoryBytes == 400_000_000)
        files["/sys/fs/cgroup/memory.max"] = "300000000"
        #expect(try limits(files).memoryBytes == 300_000_000)
        #expect(try limits(files, addressSpace: 200_000_000).memoryBytes == 200_000_000)
    }

    @Test func groupsOfVersion1AreFoundByTheirControllers() throws {
        let limits = try limits([
            "/proc/self/mountinfo": """
            31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw
            32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
            35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
            41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
            """,
            "/proc/self/cgroup": "9:memory:/job:7\n8:cpuset:/x\n1:cpu,cpuacct:/job:7/a\n0::/",
            "/sys/fs/cgroup/memory/job:7/memory.limit_in_bytes": "700000000",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
            "/sys/fs/cgroup/cpu,cpuacct/job:7/a/cpu.cfs_quota_us": "-1",
            "/sys/fs/cgroup/cpu,cpuacct/job:7/a/cpu.cfs_period_us": "100000",
            "/sys/fs/cgroup/cpu,cpuacct/job:7/cpu.cfs_quota_us": "250000",
            "/sys/fs/cgroup/cpu,cpuacct/job:7/cpu.cfs_period_us": "100000",
        ])
        #expect(limits.memoryBytes == 700_000_000 && limits.processors == 3)
    }

    /// A container that sees its own group as the root of what is mounted, while its name is that of the host.
    @Test func aContainerFindsItsGroupAtTheMount() throws {
        for group in ["/docker/abc", "/../abc", "/"] {
            let limits = try limits([
                "/proc/self/mountinfo": Self.unified.replacing(" / /sys", with: " /docker/abc /sys"),
                "/proc/self/cgroup": "0::\(group)",
                "/sys/fs/cgroup/memory.max": "600000000", "/sys/fs/cgroup/cpu.max": "100000 100000",
            ])
            #expect(limits.memoryBytes == 600_000_000 && limits.processors == 1, "\(group)")
        }
    }

    @Test func damagedFilesAreNoLimits() throws {
        let limits = try limits([
            "/proc/self/mountinfo": "garbage - - -\n- cgroup2\n\(Self.unified)", "/proc/self/cgroup": "0\n::\n0::/a",
            "/sys/fs/cgroup/a/memory.max": "lots", "/sys/fs/cgroup/a/cpu.max": "1",
            "/proc/self/status": "Cpus_allowed:",
        ])
        #expect(limits.memoryBytes == 1_000_000_000 && limits.processors == 64)
    }
}
