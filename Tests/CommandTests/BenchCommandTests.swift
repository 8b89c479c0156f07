import Foundation
import Testing

/// `bench run` and `bench report` with what is wrong in files: a line each, and the rest is done.
@Suite struct BenchCommandTests {
    private let plan = """
        plan: 1
        name: mixed
        seeds: [1]
        match: {by: state, to: gru-8}
        models:
          - {model: gru, hidden: 4}
          - {model: gro}
          - {model: elman, hiden: 4}
          - {model: feedforward}
          - {model: gru, hidden: 8}
        tasks:
          - task: bandit
            options: {arms: 2, episodes: 3}
            budget: {iterations: 1}
            settings: {batch_steps: 300}
            evaluation: {trials: 100, points: 1}
        """

    @Test func whatIsWrongWithAPlanCostsItsOwnCells() throws {
        try withTemporaryDirectory { directory in
            try Data(plan.utf8).write(to: URL(fileURLWithPath: directory + "/plan.yaml"))
            let result = try Command.run(["bench", "run", "plan.yaml", "--out", "out"], in: directory)
            #expect(result.code == 1 && result.output.isEmpty)
            let expected = [
                "rl2x: plan.yaml:7: unknown model 'gro'", "rl2x: plan.yaml:8: unknown key 'hiden'",
                "rl2x: plan.yaml:10: models[5] is a second 'gru'",
                "rl2x: plan.yaml:9: 'feedforward' cannot be matched", "rl2x: 1 of 2 cells failed",
            ]
            #expect(result.failures.count == expected.count, "\(result.errors)")
            for (line, start) in zip(result.failures, expected) { #expect(line.hasPrefix(start), "\(line)") }
            let records = try FileManager.default.contentsOfDirectory(atPath: directory + "/out/records")
            #expect(records == ["bandit--gru--s1.json"])
        }
    }

    @Test func everyLearnerCanBeTimed() throws {
        try withTemporaryDirectory { directory in
            for learner in [["a2c"], ["imitation", "--teacher", "oracle"]] {
                let result = try Command.succeed(
                    ["bench", "throughput", "--json", "--learner"] + learner
                        + [
                            "--hidden", "8", "--episodes", "5", "--arms", "2", "--batch-steps", "200", "--threads", "1",
                            "--repeats", "1",
                        ], in: directory)
                #expect(result.output.contains("\"rollout_steps_per_second\""))
            }
        }
    }

    @Test func recordsThatCannotBeReadAreNamedAndTheOthersAreReported() throws {
        try withTemporaryDirectory { directory in
            let sound = plan.split(separator: "\n", omittingEmptySubsequences: false)
                .filter { line in !["gro", "hiden", "feedforward", "hidden: 8"].contains { line.contains($0) } }
                .joined(separator: "\n").replacingOccurrences(of: "seeds: [1]", with: "seeds: [1, 2, 3]")
            try Data(sound.utf8).write(to: URL(fileURLWithPath: directory + "/plan.yaml"))
            try Command.succeed(["bench", "run", "plan.yaml", "--out", "out"], in: directory)
            let whole = try Command.succeed(["bench", "report", "out", "--format", "json"], in: directory)
            let object = try JSONSerialization.jsonObject(with: Data(whole.output.utf8)) as? [String: Any]
            #expect((object?["tables"] as? [Any])?.count == 4)

            let first = directory + "/out/records/bandit--gru--s1.json"
            let text = try String(contentsOfFile: first, encoding: .utf8)
            try Data(text.prefix(text.count / 2).utf8).write(to: URL(fileURLWithPath: first))
            let second = directory + "/out/records/bandit--gru--s2.json"
            let old = try String(contentsOfFile: second, encoding: .utf8)
                .replacingOccurrences(of: "\"version\" : 1", with: "\"version\" : 0")
            try Data(old.utf8).write(to: URL(fileURLWithPath: second))
            let result = try Command.run(["bench", "report", "out", "--out", "page.html"], in: directory)
            #expect(result.code == 1 && result.output.contains("seed 3") && !result.output.contains("seed 1"))
            #expect(result.errorLines.count == 3, "\(result.errors)")
            #expect(result.errors.contains("out/records/bandit--gru--s1.json: not a record, or half of one"))
            #expect(result.errors.contains("out/records/bandit--gru--s2.json: a record of version 0"))
            #expect(FileManager.default.fileExists(atPath: directory + "/page.html"))
            // The plan names them too, and does what it can.
            let again = try Command.run(["bench", "run", "plan.yaml", "--out", "out"], in: directory)
            #expect(again.code == 1 && again.failures.count == 3, "\(again.errors)")
            #expect(again.errors.contains("3/3 bandit--gru--s3  was done"))
        }
    }
}
