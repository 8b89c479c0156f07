import Foundation
import Models
import Tasks
import Testing

@testable import Training

@Suite struct TrainCommandTests {
    /// A training that takes some seconds, in steps of some milliseconds: time to be stopped in its middle.
    private static let longIterations = 240

    private func long(_ run: String, _ more: String...) -> [String] {
        [
            "train", "--arms", "2", "--episodes", "5", "--hidden", "16", "--batch-steps", "1000", "--threads", "1",
            "--iterations", "\(TrainCommandTests.longIterations)", "--seed", "5", "--checkpoint-every", "7", "--run",
            run,
        ] + more
    }

    /// Starts the long training and returns when its table has so many rows.
    private func start(_ arguments: [String], in directory: String, run: String, untilRows rows: Int) throws
        -> Command.Running
    {
        let running = try Command.Running(arguments, in: directory)
        while running.isRunning && loggedIterations(directory + "/" + run) < rows { usleep(2000) }
        return running
    }

    /// The uninterrupted training that the interrupted ones are compared with.
    private static let straight: SafetensorsFile? = try? withTemporaryDirectory { directory in
        let result = try Command.run(TrainCommandTests().long("run"), in: directory)
        guard result.code == 0 else { return nil }
        return try checkpoint(directory + "/run")
    }

    @Test func aTrainingWritesItsRecords() throws {
        try withTemporaryDirectory { directory in
            let result = try Command.run(Command.tiny("deep/run"), in: directory)
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.output.isEmpty, "progress goes to standard error")
            #expect(result.errors.contains("rl2x evaluate deep/run"), "what to do next")
            let run = directory + "/deep/run"
            let names = try FileManager.default.contentsOfDirectory(atPath: run).sorted()
            #expect(names.count == 7)
            #expect(names[0] == "checkpoint-previous.safetensors" && names[1] == "checkpoint.safetensors")
            #expect(names[2] == "config.yaml" && names[3].hasPrefix("events.out.tfevents."))
            #expect(names[4] == "manifest.json" && names[5] == "metrics.csv" && names[6] == "metrics.jsonl")
            #expect(loggedIterations(run) == 2)
            let file = try checkpoint(run)
            #expect(file.metadata["iteration"] == "2" && file.metadata["timesteps"] == "400")
            let manifest = try Manifest.read(run + "/manifest.json")
            #expect(manifest.command == Array(Command.tiny("deep/run")))
            #expect(manifest.seed == 3 && manifest.sessions.map(\.outcome) == ["finished"])
        }
    }

    @Test func theDefaultDirectoryIsNamedByTaskModelAndSeed() throws {
        try withTemporaryDirectory { directory in
            var arguments = Command.tiny("unused", iterations: 1)
            arguments.removeLast(2)
            try Command.succeed(arguments, in: directory)
            #expect(loggedIterations(directory + "/runs/bandit-gru-s3") == 1)
        }
    }

    /// The default of long trials lets the trust region shrink and the entropy bonus fade; one that is asked for stays.
    @Test func aSettingThatIsAskedForHoldsInAllStages() throws {
        let defaults = try Configuration.defaults(task: "bandit", model: "gru", taskOptions: ["episodes": 40]).stages
        for name in ["maximum-kl", "entropy-bonus"] {
            #expect(defaults.contains { $0.learnerOptions[name] != $0.learnerOptions["final-" + name] })
        }
        try withTemporaryDirectory { directory in
            let small = ["--episodes", "40", "--hidden", "4", "--batch-steps", "100", "--threads", "1"]
            let settings = ["--maximum-kl", "0.002", "--entropy-bonus", "0.01"]
            try Command.succeed(["train", "--run", "a"] + small + settings, in: directory)
            let path = directory + "/a/config.yaml"
            let asked = try Configuration(yaml: String(contentsOfFile: path, encoding: .utf8), path: path).stages
            #expect(asked.count == defaults.count)
            for (name, value) in [("maximum-kl", 0.002), ("entropy-bonus", 0.01)] {
                #expect(asked.allSatisfy { $0.learnerOptions.real(name) == value })
                #expect(asked.allSatisfy { $0.learnerOptions.real("final-" + name) == value })
            }
        }
    }

    /// The same bits from the same call, from the configuration that it wrote, and with another number of threads.
    @Test func aConfigurationThatIsFedBackGivesTheSameBits() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("a"), in: directory)
            let expected = try checkpoint(directory + "/a")
            for arguments in [
                Command.tiny("b"), Command.tiny("c") + ["--threads", "2"],
                ["train", "--config", "a/config.yaml", "--run", "d", "--threads", "1"],
            ] {
                try Command.succeed(arguments, in: directory)
            }
            for run in ["b", "c", "d"] {
                #expect(try checkpoint(directory + "/" + run) == expected, "run \(run)")
                #expect(
                    try String(contentsOfFile: directory + "/a/config.yaml", encoding: .utf8)
                        == String(contentsOfFile: directory + "/\(run)/config.yaml", encoding: .utf8))
            }
            // An option overrides the file.
            let other = ["train", "--config", "a/config.yaml", "--seed", "4", "--run", "e", "--threads", "1"]
            try Command.succeed(other, in: directory)
            #expect(try checkpoint(directory + "/e").tensors != expected.tensors)
        }
    }

    @Test func aRunThatWasKilledEndsWithTheBitsOfOneThatWasNot() throws {
        try withTemporaryDirectory { directory in
            let running = try start(long("run"), in: directory, run: "run", untilRows: 17)
            running.send(SIGKILL)
            #expect(try running.wait().code == 128 + SIGKILL)
            let run = directory + "/run"
            let saved = Int(try checkpoint(run).metadata["iteration"] ?? "") ?? 0
            #expect(saved % 7 == 0 && saved >= 14 && saved < TrainCommandTests.longIterations)
            // And once more, after a few iterations of the second session.
            let again = try start(
                ["train", "--resume", "run", "--threads", "2", "--checkpoint-every", "5"], in: directory, run: "run",
                untilRows: saved + 12)
            again.send(SIGKILL)
            #expect(try again.wait().code == 128 + SIGKILL)

            let last = try Command.run(["train", "--resume", "run", "--threads", "1"], in: directory)
            #expect(last.code == 0, "\(last.errors)")
            #expect(try checkpoint(run) == TrainCommandTests.straight)
            let (columns, rows) = try MetricsTable.read(run + "/metrics.csv")
            let iteration = try #require(columns.firstIndex(of: "iteration"))
            #expect(rows.map { Int($0[iteration]) } == Array(0..<TrainCommandTests.longIterations))
            let outcomes = try Manifest.read(run + "/manifest.json").sessions.map(\.outcome)
            #expect(outcomes == ["running", "running", "finished"])
        }
    }

    /// The first signal finishes the iteration and writes a checkpoint; exit code 128 + its number.
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU])
    func aSignalWritesACheckpoint(_ signal: Int32) throws {
        try withTemporaryDirectory { directory in
            let running = try start(long("run"), in: directory, run: "run", untilRows: 3)
            running.send(signal)
            let stopped = try running.wait()
            #expect(stopped.code == 128 + signal)
            #expect(stopped.errorLines.last?.contains("--resume run") == true, "\(stopped.errors)")
            let run = directory + "/run"
            let done = loggedIterations(run)
            #expect(done >= 3 && done < TrainCommandTests.longIterations)
            #expect(try checkpoint(run).metadata["iteration"] == "\(done)")
            #expect(try Manifest.read(run + "/manifest.json").sessions.map(\.outcome) == ["interrupted"])

            try Command.succeed(["train", "--resume", "run", "--threads", "1"], in: directory)
            #expect(try checkpoint(run) == TrainCommandTests.straight)
        }
    }

    @Test func aFinishedRunGoesOnWithMoreIterations() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run"), in: directory)
            try Command.succeed(Command.tiny("straight", iterations: 5), in: directory)
            let resume = ["train", "--resume", "run", "--threads", "1"]
            try Command.succeed(resume, in: directory)
            #expect(try checkpoint(directory + "/run").metadata["iteration"] == "2")
            try Command.succeed(resume + ["--iterations", "5"], in: directory)
            #expect(try checkpoint(directory + "/run") == checkpoint(directory + "/straight"))
        }
    }
}
