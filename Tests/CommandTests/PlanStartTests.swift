import Foundation
import Testing

@testable import Training

/// How `bench run` begins where others begin at the same moment, where a process was killed in its first moments, and
/// where something else is in the way.
@Suite struct PlanStartTests {
    private let plan = """
        plan: 1
        name: tiny
        seeds: [1, 2]
        models: [{model: gru, hidden: 4}, {model: elman, hidden: 4}]
        tasks:
          - task: bandit
            options: {arms: 2, episodes: 3}
            budget: {iterations: 1}
            settings: {batch_steps: 300}
            evaluation: {trials: 100, points: 1}
          - task: bandit
            name: other
            options: {arms: 3, episodes: 3}
            budget: {iterations: 1}
            settings: {batch_steps: 300}
            evaluation: {trials: 100, points: 1}
        """
    private let cell = "bandit--gru--s1"

    private func withPlan(_ text: String? = nil, _ body: (String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            try write(text ?? plan, to: directory + "/tiny.yaml")
            try body(directory)
        }
    }

    private func write(_ text: String, to path: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    private func call(_ index: Int) -> [String] {
        ["bench", "run", "tiny.yaml", "--out", "out", "--index", "\(index)", "--threads", "1"]
    }

    /// As the tasks of a job array do.
    @Test func eightProcessesBeginAPlanAtOnce() throws {
        for _ in 0..<5 {
            try withPlan { directory in
                let running = try (0..<8).map { try Command.Running(call($0), in: directory) }
                for process in running {
                    let result = try process.wait()
                    #expect(result.code == 0, "\(result.errors)")
                }
                #expect(try FileManager.default.contentsOfDirectory(atPath: directory + "/out/records").count == 8)
            }
        }
    }

    /// All want the same cell: one trains it, the others leave it to that one or find it done.
    @Test func eightProcessesWantOneCell() throws {
        try withPlan { directory in
            let running = try (0..<8).map { _ in try Command.Running(call(0), in: directory) }
            for process in running {
                let result = try process.wait()
                #expect(result.code == 0, "\(result.errors)")
            }
            let manifest = try Manifest.read("\(directory)/out/cells/\(cell)/run/manifest.json")
            #expect(manifest.sessions.map(\.outcome) == ["finished"])
        }
    }

    /// What a kill leaves in the moments before the first checkpoint.
    @Test(arguments: [
        ["out/"], ["out/cells/"], ["out/cells/", "out/records/"], ["out/.rl2x-17-3f.partial"],
        ["out/cells/bandit--gru--s1/"], ["out/cells/bandit--gru--s1/run/"],
        ["out/cells/bandit--gru--s1/run/.rl2x-17-3f.partial"],
        ["out/cells/bandit--gru--s1/run/config.yaml", "out/cells/bandit--gru--s1/run/metrics.csv"],
        ["out/cells/", "out/records/", "out/replays/", "out/.rl2x-17-3f.partial"],
    ]) func whatAKillLeftIsNoObstacle(_ left: [String]) throws {
        try withPlan { directory in
            for name in left {
                if name.hasSuffix("/") {
                    try FileManager.default.createDirectory(
                        atPath: directory + "/" + name, withIntermediateDirectories: true)
                } else {
                    try write("", to: directory + "/" + name)
                }
            }
            try Command.succeed(call(0), in: directory)
            #expect(FileManager.default.fileExists(atPath: "\(directory)/out/records/\(cell).json"))
        }
    }

    /// A run directory that holds only what a killed process was writing is no obstacle to `train` either.
    @Test func aRunBeginsBesideAHalfWrittenFile() throws {
        try withTemporaryDirectory { directory in
            try write("half", to: directory + "/run/.rl2x-17-3f.partial")
            try Command.succeed(Command.tiny("run"), in: directory)
            #expect(snapshot(directory + "/run").keys.allSatisfy { !$0.hasSuffix(".partial") })
        }
    }

    /// `train` killed after each of the files that it makes before its first checkpoint: the same call goes on.
    @Test func aHalfMadeRunIsBegunAnew() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("whole"), in: directory)
            let whole = snapshot(directory + "/whole")
            let events = try #require(whole.keys.first { $0.hasPrefix("events.out.tfevents.") })
            let order = ["config.yaml", "metrics.csv", events, "manifest.json"]
            let header =
                try #require(whole["metrics.csv"]?.split(separator: UInt8(ascii: "\n")).first) + Data("\n".utf8)
            for count in 0...order.count {
                let run = directory + "/run\(count)"
                try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
                for name in order.prefix(count) {
                    try (name == "metrics.csv" ? header : #require(whole[name])).write(
                        to: URL(fileURLWithPath: run + "/" + name))
                }
                try write("half", to: run + "/.rl2x-17-3f.partial")
                try Command.succeed(Command.tiny("run\(count)"), in: directory)
                #expect(try checkpoint(run) == checkpoint(directory + "/whole"))
                #expect(snapshot(run).count == whole.count)
            }
            // What holds anything else is no half-made start.
            try write("", to: directory + "/other/config.yaml")
            try write("mine", to: directory + "/other/notes.txt")
            let refused = try Command.run(Command.tiny("other"), in: directory)
            #expect(refused.code == 1 && refused.errorLines.count == 1, "\(refused.errors)")
        }
    }

    /// Killed at any moment, `train` goes on when it is called again, with --resume from the first checkpoint on; `bench run`
    /// with the same call. No call is stuck.
    @Test func killedAtAnyMomentNothingIsStuck() throws {
        try withPlan { directory in
            try Command.succeed(Command.tiny("whole"), in: directory)
            for delay in stride(from: 0, through: 90, by: 10) {
                let run = "run\(delay)"
                let training = try Command.Running(Command.tiny(run), in: directory)
                usleep(UInt32(delay) * 1000)
                training.send(SIGKILL)
                _ = try training.wait()
                let isBegun = RunDirectory(directory + "/" + run).isResumable
                try Command.succeed(
                    isBegun ? ["train", "--resume", run, "--threads", "1"] : Command.tiny(run), in: directory)
                #expect(try checkpoint(directory + "/" + run) == checkpoint(directory + "/whole"))

                let out = "out\(delay)"
                let call = ["bench", "run", "tiny.yaml", "--out", out, "--index", "0", "--threads", "1"]
                let bench = try Command.Running(call, in: directory)
                usleep(UInt32(delay) * 1000)
                bench.send(SIGKILL)
                _ = try bench.wait()
                try Command.succeed(call, in: directory)
                #expect(FileManager.default.fileExists(atPath: "\(directory)/\(out)/records/\(cell).json"))
            }
        }
    }

    /// A run that was killed before its first checkpoint, but has rows: what is advised works.
    @Test func aRunWithoutACheckpointIsReplacedOnRequest() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run"), in: directory)
            for name in ["checkpoint.safetensors", "checkpoint-previous.safetensors"] {
                try FileManager.default.removeItem(atPath: directory + "/run/" + name)
            }
            let refused = try Command.run(Command.tiny("run"), in: directory)
            #expect(refused.code == 1 && refused.errorLines.count == 1)
            #expect(refused.errors.contains("--overwrite") && !refused.errors.contains("--resume"), "\(refused.errors)")
            try Command.succeed(Command.tiny("run") + ["--overwrite"], in: directory)
        }
    }

    /// Whatever goes wrong with a cell, what is advised is in the power of `bench run`.
    @Test func errorsAdviseNoOptionThatIsNotThere() throws {
        let help = try Command.succeed(["bench", "run", "--help"], in: NSTemporaryDirectory()).output
        func expectAdvice(
            _ directory: String, _ words: String, sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let result = try Command.run(call(0), in: directory)
            #expect(result.code == 1 && result.failures.count == 2, "\(result.errors)", sourceLocation: sourceLocation)
            #expect(result.errors.contains(words), "\(result.errors)", sourceLocation: sourceLocation)
            for match in result.errors.matches(of: /--[a-z][a-z-]*/) {
                // Names of cells have two hyphens too.
                guard !match.output.hasPrefix("--gru") else { continue }
                #expect(help.contains(match.output), "\(result.errors)", sourceLocation: sourceLocation)
            }
        }
        try withPlan { directory in
            try write("mine", to: "\(directory)/out/cells/\(cell)/run/notes.txt")
            try expectAdvice(directory, "holds files and is not a run; move it away")
        }
        try withPlan { directory in
            try write("mine", to: "\(directory)/out/cells/\(cell)/run")
            try expectAdvice(directory, "cannot be made")
        }
        try withPlan { directory in
            try Command.succeed(call(0), in: directory)
            try FileManager.default.removeItem(atPath: "\(directory)/out/records/\(cell).json")
            let path = "\(directory)/out/cells/\(cell)/run/config.yaml"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            try write(text.replacing("damping: 0.001", with: "damping: 0.5"), to: path)
            try expectAdvice(directory, "move the cell's directory away")
        }
        let large = plan.replacing("episodes: 3", with: "episodes: 10000")
            .replacing("batch_steps: 300", with: "batch_steps: 100000000").replacing("hidden: 4", with: "hidden: 4096")
        try withPlan(large) { directory in try expectAdvice(directory, "lower batch_steps") }
        let circular = plan.replacing("task: bandit", with: "task: maze")
            .replacing("{arms: 2, episodes: 3}", with: "{loops: 1}").replacing("name: other", with: "name: more")
        try withPlan(
            circular.replacing("maze\n    options: {loops", with: "maze\n    name: bandit\n    options: {loops")
        ) {
            directory in
            let result = try Command.run(
                ["bench", "run", "tiny.yaml", "--out", "out", "--threads", "1"], in: directory)
            #expect(result.code == 1 && result.errors.contains("too few layouts"), "\(result.errors)")
        }
    }
}
