import Foundation
import Testing

@testable import Training

/// `train --from`, and plans whose tasks begin with the weights of others.
@Suite struct FromCommandTests {
    private func withParent(_ body: (String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("runs/p"), in: directory)
            try body(directory)
        }
    }

    private func from(_ more: String...) -> [String] {
        ["train", "--from", "runs/p", "--batch-steps", "200", "--threads", "1", "--iterations", "2"] + more
    }

    private func configuration(_ run: String) throws -> Configuration { try RunDirectory(run).configuration() }

    /// Nothing has to be repeated; the directory has a name of its own.
    @Test func aRunGoesOnAsAnother() throws {
        try withParent { directory in
            let result = try Command.succeed(from("--episodes", "40"), in: directory)
            #expect(result.errors.contains("began with the weights of runs/p at iteration 2"), "\(result.errors)")
            let child = try configuration(directory + "/runs/p-next")
            #expect(
                child.taskOptions["arms"] == 2 && child.taskOptions["episodes"] == 40 && child.hidden == 8
                    && child.seed == 3)
            #expect(child.parent?.run == "runs/p" && child.parent?.lineTimesteps == 400)
            #expect(child.stages.allSatisfy { $0.taskOptions.isEmpty || $0.taskOptions.integer("episodes") > 5 })
            let file = try checkpoint(directory + "/runs/p-next")
            #expect(file.metadata["iteration"] == "2" && file.metadata["timesteps"] == "800")
            // The same configuration, the same bits.
            try Command.succeed(
                ["train", "--config", "runs/p-next/config.yaml", "--run", "again", "--threads", "2"], in: directory)
            #expect(try checkpoint(directory + "/again") == file)
        }
    }

    /// Before its first iteration a child plays as its parent, on every member.
    @Test func aChildPlaysAsItsParentAtFirst() throws {
        try withParent { directory in
            try Command.succeed(from("--run", "child"), in: directory)
            let straight = try checkpoint(directory + "/child")
            // As a kill before the first iteration leaves it: the checkpoint that a run begins with.
            let running = try Command.Running(
                [
                    "train", "--from", "runs/p", "--run", "late", "--threads", "1", "--batch-steps", "200000",
                    "--iterations", "2",
                ],
                in: directory)
            while running.isRunning && !RunDirectory(directory + "/late").hasCheckpoint { usleep(1000) }
            running.send(SIGKILL)
            _ = try running.wait()
            let evaluations = try ["runs/p", "late", "child"].map {
                try Command.succeed(["evaluate", $0, "--trials", "200", "--threads", "1", "--json"], in: directory)
                    .output
            }
            if try checkpoint(directory + "/late").metadata["iteration"] == "0" {
                #expect(evaluations[0] == evaluations[1])
            }
            #expect(evaluations[0] != evaluations[2] && straight.metadata["iteration"] == "2")
        }
    }

    @Test(arguments: [
        (["--task", "mdp"], "--task is mdp, and runs/p was trained on bandit"),
        (["--model", "lstm"], "--model is lstm, and runs/p is of model gru"),
        (
            ["--arms", "5"],
            "--arms is 5, and runs/p has 2: its weights cannot be carried over ('policy.gru.weight_ih_l0' is [24, 4]"
        ),
        (["--hidden", "16"], "--hidden is 16, and runs/p has 8"),
        (["--match", "params"], "--hidden is 256, and runs/p has 8"),
        (["--chrono-t-max", "9"], "--chrono-t-max is 9, and runs/p has 0: a run keeps the model"),
        (["--resume", "runs/p"], "--from cannot go with --resume"),
    ]) func whatCannotBeCarriedOverIsAWrongCall(_ more: [String], _ words: String) throws {
        try withParent { directory in
            let before = snapshot(directory)
            let arguments = more[0] == "--resume" ? ["train", "--from", "runs/p"] + more : from() + more
            let result = try Command.run(arguments, in: directory)
            #expect(result.code == 64 && result.failures.count == 1, "\(result.errors)")
            #expect(result.errors.contains(words), "\(result.errors)")
            #expect(snapshot(directory) == before)
        }
    }

    @Test func whatIsNoRunIsNoParent() throws {
        try withParent { directory in
            for (path, words) in [("nowhere", "no such directory"), ("runs", "not a run")] {
                let result = try Command.run(["train", "--from", path], in: directory)
                #expect(
                    result.code == 1 && result.errorLines.count == 1 && result.errors.contains(words),
                    "\(result.errors)")
            }
            let own = try Command.run(from("--run", "runs/p", "--overwrite"), in: directory)
            #expect(own.code == 1 && own.errors.contains("cannot take the place"), "\(own.errors)")
            try FileManager.default.removeItem(atPath: directory + "/runs/p/checkpoint.safetensors")
            let empty = try Command.run(from(), in: directory)
            #expect(empty.code == 1 && empty.errors.contains("no checkpoint yet"), "\(empty.errors)")
        }
    }

    @Test func aDryRunShowsTheParent() throws {
        try withParent { directory in
            let output = try Command.succeed(from("--dry-run"), in: directory).output
            #expect(output.contains("from:\n  run: runs/p\n  digest: ") && output.contains("  line_timesteps: 400\n"))
            #expect(!FileManager.default.fileExists(atPath: directory + "/runs/p-next"))
        }
    }

    /// Killed, resumed with its parent gone.
    @Test func aChildThatWasKilledEndsWithTheSameBits() throws {
        try withParent { directory in
            let call = [
                "train", "--from", "runs/p", "--episodes", "30", "--batch-steps", "1000", "--threads", "1",
                "--checkpoint-every", "3",
                "--iterations", "70",
            ]
            try Command.succeed(call + ["--run", "straight"], in: directory)
            let running = try Command.Running(call + ["--run", "killed"], in: directory)
            while running.isRunning && loggedIterations(directory + "/killed") < 8 { usleep(2000) }
            running.send(SIGKILL)
            #expect(try running.wait().code == 128 + SIGKILL)
            try FileManager.default.removeItem(atPath: directory + "/runs")
            let resumed = try Command.succeed(["train", "--resume", "killed", "--threads", "2"], in: directory)
            #expect(!resumed.errors.contains("warning: runs/p"), "\(resumed.errors)")
            #expect(try checkpoint(directory + "/killed") == checkpoint(directory + "/straight"))
        }
    }

    // MARK: Plans

    private let plan = """
        plan: 1
        name: line
        seeds: [1]
        models: [{model: gru, hidden: 4}]
        tasks:
          - {task: bandit, name: long, from: short, options: {arms: 2, episodes: 6}, budget: {iterations: 1},
             settings: {batch_steps: 300}, evaluation: {trials: 100, points: 1}}
          - {task: bandit, name: longer, from: long, options: {arms: 2, episodes: 8}, budget: {iterations: 1},
             settings: {batch_steps: 300}, evaluation: {trials: 100, points: 1}}
          - {task: bandit, name: short, options: {arms: 2, episodes: 3}, budget: {iterations: 1},
             settings: {batch_steps: 300}, evaluation: {trials: 100, points: 1}}
        """

    private func withPlan(_ text: String? = nil, _ body: (String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            try Data((text ?? plan).utf8).write(to: URL(fileURLWithPath: directory + "/line.yaml"))
            try body(directory)
        }
    }

    private let call = ["bench", "run", "line.yaml", "--out", "out", "--threads", "1"]

    @Test func aPlanShowsWhatBeginsFromWhat() throws {
        try withPlan { directory in
            let listed = try Command.succeed(call + ["--list"], in: directory).output
            #expect(
                listed
                    == "0  short--gru--s1\n1  long--gru--s1  from short--gru--s1\n2  longer--gru--s1  from long--gru--s1\n"
            )
        }
    }

    @Test func aChildAloneIsToldWhatItNeeds() throws {
        try withPlan { directory in
            for choice in [["--only", "longer"], ["--index", "2"]] {
                let result = try Command.run(call + choice, in: directory)
                #expect(result.code == 1 && result.failures.count == 2, "\(result.errors)")
                #expect(
                    result.failures[0]
                        == "rl2x: longer--gru--s1 begins with the weights of long--gru--s1, which is not done; do that first, such as "
                        + "with --only long--gru--s1")
            }
            for index in 0...2 { try Command.succeed(call + ["--index", "\(index)"], in: directory) }
        }
    }

    /// Its children are named, the exit code is 1, and what does not depend on it is done.
    @Test func theChildrenOfAFailureAreLeftOutByName() throws {
        let more = plan.replacing(
            "tasks:",
            with:
                "tasks:\n  - {task: bandit, name: other, options: {arms: 2, episodes: 3}, budget: {iterations: 1}, evaluation: {trials: 100, points: 1}}"
        )
        try withPlan(more) { directory in
            let path = directory + "/out/cells/short--gru--s1/run"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try Data("mine".utf8).write(to: URL(fileURLWithPath: path + "/notes.txt"))
            let result = try Command.run(call, in: directory)
            #expect(result.code == 1 && result.failures.count == 4, "\(result.errors)")
            #expect(result.failures[0].contains("notes") == false && result.failures[0].contains("is not a run"))
            #expect(result.failures[1] == "rl2x: long--gru--s1 is left out: its parent short--gru--s1 was not done")
            #expect(result.failures[2] == "rl2x: longer--gru--s1 is left out: its parent long--gru--s1 was not done")
            #expect(result.failures[3].contains("3 of 4 cells failed"))
            #expect(result.errors.contains("other--gru--s1  done"))
        }
    }

    /// Its record is there, and is of another training than the plan's.
    @Test func aParentOfOtherSettingsIsNone() throws {
        try withPlan { directory in
            try Command.succeed(call + ["--only", "short", "--only", "long--"], in: directory)
            let last = plan.range(of: "batch_steps: 300", options: .backwards)
            let other = plan.replacingCharacters(in: try #require(last), with: "batch_steps: 150")
            try Data(other.utf8).write(to: URL(fileURLWithPath: directory + "/line.yaml"))
            let result = try Command.run(call, in: directory)
            #expect(result.code == 1 && result.failures.count == 4, "\(result.errors)")
            #expect(result.failures[0].contains("records/short--gru--s1.json: made with other settings"))
            #expect(result.failures[1] == "rl2x: long--gru--s1 is left out: its parent short--gru--s1 was not done")
            #expect(result.failures[2] == "rl2x: longer--gru--s1 is left out: its parent long--gru--s1 was not done")
        }
    }

    @Test func aParentElsewhereIsWaitedFor() throws {
        try withPlan { directory in
            let path = directory + "/out/cells/short--gru--s1"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let claim = try #require(try RunLock(path))
            let result = try Command.run(call, in: directory)
            withExtendedLifetime(claim) {}
            #expect(result.code == 0 && result.failures.isEmpty, "\(result.errors)")
            #expect(result.errors.contains("another process is at its parent short--gru--s1"), "\(result.errors)")
            #expect(result.errors.contains("another process is at its parent long--gru--s1"), "\(result.errors)")
        }
    }

    @Test func aCycleIsOneLine() throws {
        try withPlan(plan.replacing("name: short,", with: "name: short, from: longer,")) { directory in
            let result = try Command.run(call, in: directory)
            #expect(result.code == 1 && result.errorLines.count == 1, "\(result.errors)")
            #expect(
                result.errors.contains("line.yaml:6: a cycle of 'from': 'long' from 'short' from 'longer' from 'long'"),
                "\(result.errors)")
            #expect(!FileManager.default.fileExists(atPath: directory + "/out"))
        }
    }

    /// Trained on by hand after its child was done: the plan fails in that cell, the report warns.
    @Test func aParentThatWasTrainedOnIsNoticed() throws {
        try withPlan { directory in
            try Command.succeed(call, in: directory)
            try Command.succeed(
                ["train", "--resume", "out/cells/short--gru--s1/run", "--iterations", "2", "--threads", "1"],
                in: directory)
            let result = try Command.run(call, in: directory)
            #expect(result.code == 1 && result.failures.count == 3, "\(result.errors)")
            #expect(result.failures[0].contains("cells/long--gru--s1: began with other weights than 'short' has now"))
            #expect(result.failures[1] == "rl2x: longer--gru--s1 is left out: its parent long--gru--s1 was not done")
            let report = try Command.succeed(["bench", "report", "out"], in: directory)
            let warnings = report.errorLines.filter { $0.hasPrefix("warning: ") }
            #expect(
                warnings.count == 1
                    && warnings[0].contains("long--gru--s1 began with other weights than out/cells/short--gru--s1/run"))
        }
    }
}
