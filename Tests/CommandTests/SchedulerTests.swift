import Foundation
import Testing

@testable import Training

/// What a scheduler does to a process: warns it, restricts it, puts it on a file system without locks.
@Suite struct SchedulerTests {
    /// A training whose iterations take about a second, so that two signals fall into one of them.
    private static let slow = [
        "train", "--arms", "2", "--episodes", "5", "--hidden", "64", "--batch-steps", "240000", "--threads", "1",
        "--iterations", "100", "--run", "run",
    ]

    private func startSlow(in directory: String) throws -> Command.Running {
        let running = try Command.Running(SchedulerTests.slow, in: directory)
        while running.isRunning && loggedIterations(directory + "/run") < 1 { usleep(2000) }
        return running
    }

    /// Schedulers warn by USR1 and ask by TERM later: the checkpoint still comes.
    @Test func aWarningAndARequestAreOneStop() throws {
        try withTemporaryDirectory { directory in
            let running = try startSlow(in: directory)
            for signal in [SIGUSR1, SIGXCPU, SIGUSR1, SIGTERM] {
                running.send(signal)
                usleep(20_000)
            }
            let result = try running.wait()
            #expect(result.code == 128 + SIGUSR1)
            #expect(result.errorLines.last?.contains("--resume run") == true, "\(result.errors)")
            let done = loggedIterations(directory + "/run")
            #expect(try checkpoint(directory + "/run").metadata["iteration"] == "\(done)")
        }
    }

    @Test func aSecondRequestEndsAtOnce() throws {
        try withTemporaryDirectory { directory in
            let running = try startSlow(in: directory)
            running.send(SIGINT)
            usleep(20_000)
            running.send(SIGTERM)
            let result = try running.wait()
            #expect(result.code == 128 + SIGTERM)
            #expect(!result.errors.contains("--resume"), "\(result.errors)")
        }
    }

    /// `nohup` ignores HUP for the program that it starts.
    @Test func aHangUpThatWasIgnoredStaysIgnored() throws {
        try withTemporaryDirectory { directory in
            let call = Command.tiny("run", iterations: 60).joined(separator: " ")
            let running = try Command.start(script: "trap '' HUP; exec \"$0\" \(call)", in: directory)
            while running.isRunning && loggedIterations(directory + "/run") < 3 { usleep(2000) }
            running.send(SIGHUP)
            #expect(try running.wait().code == 0)
            #expect(loggedIterations(directory + "/run") == 60)
        }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/taskset"), "there is no taskset"))
    func threadsFollowTheAffinity() throws {
        try withTemporaryDirectory { directory in
            let result = try Command.run(script: "exec taskset -c 0 \"$0\" info --json", in: directory)
            let object = try #require(
                JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
            #expect(object["threads"] as? Int == 1 && object["cores"] as? Int == 1)
        }
    }

    /// 192 GiB of parameters, with an address space without limit and with one smaller than the memory.
    @Test(arguments: ["", "ulimit -v 8000000;"]) func aModelThatCannotFitIsRefused(_ limit: String) throws {
        try withTemporaryDirectory { directory in
            for command in ["info", "train --run run"] {
                let call = command + " --model transformer --task bandit --hidden 8192 --layers 64 --threads 1"
                let result = try Command.run(script: "\(limit) exec \"$0\" \(call)", in: directory)
                #expect(result.code == 1)
                #expect(result.errorLines.count == 1, "\(result.errors)")
                #expect(result.errors.contains("parameters") && result.errors.contains("GiB"), "\(result.errors)")
                #expect(snapshot(directory).isEmpty)
            }
        }
    }

    /// With a `flock` that fails as on a file system without locks, "another process" is not what is said.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/cc"), "there is no cc"))
    func aFileSystemWithoutLocksIsNamed() throws {
        try withTemporaryDirectory { directory in
            let code = "#include <errno.h>\nint flock(int d, int o) { errno = ENOLCK; return -1; }\n"
            try Data(code.utf8).write(to: URL(fileURLWithPath: directory + "/flock.c"))
            let built = try Command.run(script: "cc -shared -fPIC -o flock.so flock.c", in: directory)
            try #require(built.code == 0, "\(built.errors)")
            try Data(Command.tinyPlan.utf8).write(to: URL(fileURLWithPath: directory + "/plan.yaml"))
            let tiny = Command.tiny("run").joined(separator: " ")
            for call in [tiny, "bench run plan.yaml --out out --threads 1"] {
                let result = try Command.run(
                    script: "LD_PRELOAD=$PWD/flock.so exec \"$0\" \(call)", in: directory)
                #expect(result.code == 1)
                #expect(
                    result.failures.first?.contains("cannot lock it (No locks available)") == true, "\(result.errors)")
                #expect(!result.errors.contains("another process"), "\(result.errors)")
            }
        }
    }

    private static let openMP = "/usr/lib/x86_64-linux-gnu/openblas-openmp"

    /// Each worker is a thread of its own, and an OpenBLAS of OpenMP must not start others for each of them.
    @Test(
        .enabled(
            if: FileManager.default.fileExists(atPath: openMP + "/libopenblas.so.0"),
            "Debian's libopenblas0-openmp is not installed"))
    func productsOfOpenMPStayOnTheirThread() throws {
        try withTemporaryDirectory { directory in
            let call = "train --hidden 128 --batch-steps 4000 --threads 2 --iterations 5 --run run"
            let running = try Command.start(
                script: "LD_LIBRARY_PATH=\(SchedulerTests.openMP) OMP_NUM_THREADS=4 exec \"$0\" \(call)", in: directory)
            var most = 0
            while running.isRunning {
                let threads = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(running.identifier)/task")
                most = max(most, threads?.count ?? 0)
                usleep(5000)
            }
            #expect(try running.wait().code == 0)
            #expect(most == 2)
        }
    }
}
