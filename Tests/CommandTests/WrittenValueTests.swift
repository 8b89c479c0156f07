import Foundation
import Testing

@testable import Training

/// Values in files mean what is written there, by the rule of the command line, or are refused with their line.
@Suite struct WrittenValueTests {
    private func dryRun(_ text: String, _ more: [String], in directory: String) throws -> Command.Result {
        try Data(text.utf8).write(to: URL(fileURLWithPath: directory + "/c.yaml"))
        return try Command.run(["train", "--config", "c.yaml", "--dry-run"] + more, in: directory)
    }

    /// YAML's own reading of these is a truth value, a real number, eight, ninety or an hour and a half.
    @Test(arguments: [
        ("task: bandit\ntask_options: {prior: no}", "c.yaml:2: prior is no: choose one of uniform"),
        ("task: bandit\ntask_options: {arms: 5.0}", "c.yaml:2: arms is 5.0: choose a whole number"),
        ("task: bandit\ntask_options: {arms: 010}", "c.yaml:2: arms is 010: choose a whole number"),
        ("task: bandit\ntask_options: {arms: 1:30}", "c.yaml:2: arms is 1:30: choose a whole number"),
        ("task: bandit\ntask_options: {arms: 0x10}", "c.yaml:2: arms is 0x10: choose a whole number"),
        ("task: bandit\ntask_options: {arms: 1_0}", "c.yaml:2: arms is 1_0: choose a whole number"),
        ("task: bandit\ntask_options: {arms: [3]}", "c.yaml:2: arms must be a single value"),
        ("task: maze\ntask_options: {maze_size: 5.0}", "c.yaml:2: maze_size is 5.0: choose a whole number"),
        ("task: maze\ntask_options: {turn_degrees: 90.0}", "c.yaml:2: turn_degrees is 90.0: choose a whole number"),
        ("task: maze\ntask_options: {loops: half}", "c.yaml:2: loops is half: choose a number"),
        ("task: maze\ntask_options: {loops: 00.5}", "c.yaml:2: loops is 00.5: choose a number"),
        ("learner: trpo\nlearner_options: {damping: yes}", "c.yaml:2: damping is yes: choose a number"),
        ("seed: 010", "c.yaml:1: seed must be a whole number"), ("seed: 1:30", "c.yaml:1: seed must be a whole number"),
        ("seed: 0o7", "c.yaml:1: seed must be a whole number"), ("seed: 3.0", "c.yaml:1: seed must be a whole number"),
        ("iterations: 012", "c.yaml:1: iterations must be a whole number"),
        ("batch_steps: 1e3", "batch_steps is 1e3: choose a whole number"),
    ]) func anotherKindOfValueIsRefused(_ text: String, _ words: String) throws {
        try withTemporaryDirectory { directory in
            let result = try dryRun(text + "\n", [], in: directory)
            #expect([1, 64].contains(result.code) && result.errorLines.count == 1, "\(result.code) \(result.errors)")
            #expect(result.errors.contains(words) && result.output.isEmpty, "\(result.errors)")
        }
    }

    @Test(arguments: ["seeds: [07, 08]", "seeds: [7, 010]", "seeds: [1:30]"])
    func seedsOfAPlanAreWrittenLikeAllNumbers(_ seeds: String) throws {
        try withTemporaryDirectory { directory in
            let plan = "plan: 1\nname: a\n\(seeds)\nmodels: [gru]\ntasks: [bandit]\n"
            try Data(plan.utf8).write(to: URL(fileURLWithPath: directory + "/p.yaml"))
            let result = try Command.run(["bench", "run", "p.yaml", "--out", "out", "--list"], in: directory)
            #expect(result.code == 1)
            #expect(result.failures.first?.contains("p.yaml:3: seeds[") == true, "\(result.errors)")
            #expect(!result.output.contains("--s8"), "\(result.output)")
        }
    }

    /// What a file says that there is for the other task holds; the rest belongs to the file's own task.
    @Test func aFileIsKeptForAnotherTask() throws {
        try withTemporaryDirectory { directory in
            let text = """
                task: bandit
                task_options: {arms: 4, episodes: 7}
                model_options: {hidden: 12}
                learner: trpo
                learner_options: {damping: 0.25}
                batch_steps: 1234
                seed: 5

                """
            let result = try dryRun(text, ["--task", "mdp"], in: directory)
            #expect(result.code == 0, "\(result.errors)")
            let configuration = try Configuration(yaml: result.output, path: "printed")
            #expect(configuration.task == "mdp" && configuration.seed == 5 && configuration.hidden == 12)
            #expect(configuration.taskOptions["episodes"] == 7 && configuration.taskOptions["arms"] == nil)
            let damped = configuration.stages.filter { $0.learner == "trpo" }
            #expect(!damped.isEmpty && damped.allSatisfy { $0.learnerOptions["damping"] == 0.25 })
            #expect(configuration.stages.allSatisfy { $0.batchSteps == 1234 })
        }
    }

    /// A whole schedule is one of its task: nothing of it is dropped without a word.
    @Test func stagesOfAnotherTaskAreRefused() throws {
        try withTemporaryDirectory { directory in
            let printed = try Command.succeed(["train", "--dry-run"], in: directory).output
            let result = try dryRun(printed, ["--task", "mdp"], in: directory)
            #expect([1, 64].contains(result.code) && result.errorLines.count == 1 && result.output.isEmpty)
            #expect(result.errors.contains("c.yaml: its stages belong to another task"), "\(result.errors)")
            #expect(try dryRun(printed, ["--task", "bandit"], in: directory).output == printed)
        }
    }
}
