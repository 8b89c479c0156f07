import Foundation
import Testing

@testable import Bench

/// `evaluate` and `imitate` of a task with a goal, and the one form of what an evaluation found.
@Suite struct GoalCommandTests {
    private func object(_ arguments: [String], in directory: String) throws -> [String: Any] {
        let result = try Command.succeed(arguments, in: directory)
        return try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    }

    /// Small mazes, small frames, one iteration.
    private static let maze = [
        "--task", "maze", "--maze-size", "3", "--hidden", "8", "--batch-steps", "300", "--threads", "1",
        "--frame-width", "16", "--frame-height", "13",
    ]

    private func train(_ run: String, in directory: String) throws {
        try Command.succeed(["train"] + Self.maze + ["--iterations", "1", "--run", run], in: directory)
    }

    /// Every array has a number for each episode, or null where no episode succeeded.
    @Test func evaluateAMaze() throws {
        try withTemporaryDirectory { directory in
            try train("run", in: directory)
            let before = snapshot(directory)
            let call = ["evaluate", "run", "--trials", "50", "--episodes", "3", "--json"]
            let object = try object(call, in: directory)
            let promised: Set = [
                "model", "task", "task_options", "trials", "seed", "actions", "memory_reset", "mean_total_reward",
                "standard_error", "per_episode_mean", "random", "optimum", "oracle", "note", "regret",
                "regret_standard_error", "total_reward_by_regret", "success_rate", "mean_length",
                "mean_length_standard_error", "length_over_shortest", "improved", "success_then_failure",
                "mean_shortest",
            ]
            #expect(promised.isSubset(of: object.keys), "missing: \(promised.subtracting(object.keys))")
            #expect(object["trials"] as? Int == 50 && object["actions"] as? String == "sampled")
            let rates = try #require(object["success_rate"] as? [Double])
            #expect(rates.count == 3 && rates.allSatisfy { $0 >= 0 && $0 <= 1 })
            #expect((object["per_episode_mean"] as? [Double])?.count == 3)
            for (key, low, high) in [
                ("mean_length", 1.0, 63.0), ("mean_length_standard_error", 0, 63), ("length_over_shortest", 1, 63),
            ] {
                let values = try #require(object[key] as? [Any])
                #expect(values.count == 3, "\(key)")
                for (value, rate) in zip(values, rates) {
                    if let number = value as? Double {
                        #expect(number >= low && number <= high, "\(key): \(number)")
                    } else {
                        #expect(value is NSNull && (rate == 0 || key.hasSuffix("error")), "\(key): \(value)")
                    }
                }
            }
            #expect(try (0...1).contains(#require(object["improved"] as? Double)))
            let shortest = try #require(object["mean_shortest"] as? Double)
            #expect(shortest > 4 && shortest < 63)
            // Who knows the maze earns 1 less 0.04 a step in each of the three episodes, walls not counted.
            let oracle = try #require(object["oracle"] as? Double)
            #expect(abs(oracle - 3 * (1 - 0.04 * shortest)) < 0.05)
            // Of random play no formula tells what it earns: it is played.
            #expect(try #require(object["random"] as? Double) < 0)
            #expect(
                object["optimum"] is NSNull && object["note"] is NSNull && object["total_reward_by_regret"] is NSNull)
            let (regret, mean) = (object["regret"] as? Double, object["mean_total_reward"] as? Double)
            #expect(abs(try #require(regret) - (oracle - (try #require(mean)))) < 1e-9)
            #expect(snapshot(directory) == before, "evaluating writes nothing")
        }
    }

    @Test func evaluateAMazeWithBaselines() throws {
        try withTemporaryDirectory { directory in
            try train("run", in: directory)
            let call = ["evaluate", "run", "--trials", "50", "--with-baselines"]
            let object = try object(call + ["--json"], in: directory)
            let rows = try #require(object["baselines"] as? [[String: Any]])
            #expect(rows.map { $0["name"] as? String } == ["Random", "Oracle"])
            let mean = try #require(object["mean_total_reward"] as? Double)
            for row in rows {
                let other = try #require(row["mean_total_reward"] as? Double)
                #expect(abs(try #require(row["difference"] as? Double) - (mean - other)) < 1e-9)
            }
            // The same members by the same actions of chance: the table of random play is that of the landmark.
            #expect(rows[0]["mean_total_reward"] as? Double == object["random"] as? Double)
            // One iteration makes nobody know the way.
            #expect(try #require(rows[1]["upper_bound"] as? Double) < 0)
            let text = try Command.succeed(call, in: directory).output
            for words in ["gru-8 − it", "Random", "Oracle", "success", "length over shortest", "shortest ways of"] {
                #expect(text.contains(words), "\(words)")
            }
        }
    }

    /// A policy learns from who knows the member; of a task without an index rule that is the teacher unless another is named.
    @Test func theOracleTeaches() throws {
        try withTemporaryDirectory { directory in
            let small = ["--iterations", "2", "--trials", "40", "--json"]
            let maze = try object(
                ["imitate"] + Self.maze + ["--teacher", "oracle", "--run", "maze"] + small, in: directory)
            #expect(maze["teacher"] as? String == "oracle" && maze["task"] as? String == "maze")
            #expect(try #require(maze["teacher_mean_total_reward"] as? Double) > 1)
            #expect(try #require(maze["upper_bound"] as? Double) < 0, "two batches do not teach the way")
            let text = try String(contentsOfFile: directory + "/maze/config.yaml", encoding: .utf8)
            #expect(text.contains("learner: imitation") && text.contains("teacher: oracle"))
            try Command.succeed(["evaluate", "maze", "--trials", "20"], in: directory)

            let mdp = try object(
                [
                    "imitate", "--task", "mdp", "--episodes", "2", "--hidden", "8", "--batch-steps", "400", "--run",
                    "mdp",
                ] + small, in: directory)
            #expect(mdp["teacher"] as? String == "oracle")
            #expect(mdp["random"] as? Double == 20 && (mdp["teacher_mean_total_reward"] as? Double ?? 0) > 30)
        }
    }

    /// What `evaluate --json` prints of a cell's run on the bank is what the plan's record says of it, key by key.
    @Test(arguments: [
        ("{task: bandit, name: t, options: {arms: 2, episodes: 5}", ["--episodes", "8"]),
        (
            "{task: maze, name: t, options: {maze-size: 3, frame-width: 16, frame-height: 13}",
            ["--episodes", "3"]
        ),
    ]) func anEvaluationIsWhatARecordHolds(_ task: String, _ other: [String]) throws {
        try withTemporaryDirectory { directory in
            let plan = """
                plan: 1
                name: one
                seeds: [1]
                models: [{model: gru, hidden: 8}]
                tasks:
                  - \(task), budget: {iterations: 1}, settings: {batch_steps: 300}, evaluation: {trials: 100, points: 1},
                     also: [{name: other, options: {episodes: \(other[1])}}]}
                """
            try Data(plan.utf8).write(to: URL(fileURLWithPath: directory + "/plan.yaml"))
            try Command.succeed(["bench", "run", "plan.yaml", "--out", "out", "--threads", "2"], in: directory)
            let data = try Data(contentsOf: URL(fileURLWithPath: directory + "/out/records/t--gru--s1.json"))
            let record = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            let evaluations = try #require(record["evaluations"] as? [[String: Any]])
            #expect(evaluations.count == 2)
            let call = [
                "evaluate", "out/cells/t--gru--s1/run", "--trials", "100", "--seed", "\(EvaluationBank.seed)", "--json",
            ]
            for (stored, more) in zip(evaluations, [[], other]) {
                let printed = try object(call + more, in: directory)
                for (key, value) in stored where key != "name" {
                    #expect(printed[key] as? NSObject == value as? NSObject, "\(key)")
                }
                #expect(Set(["block_means", "regret", "oracle", "task_options"]).isSubset(of: stored.keys))
            }
        }
    }
}
