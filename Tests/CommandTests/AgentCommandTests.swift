import Foundation
import Testing

/// `baselines`, `evaluate --with-baselines` and `reproduce`.
@Suite struct AgentCommandTests {
    /// The object on standard output, all of it.
    private func object(
        _ arguments: [String], in directory: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> [String: Any] {
        let result = try Command.run(arguments, in: directory)
        #expect(result.code == 0, "\(result.errors)", sourceLocation: sourceLocation)
        let parsed = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        return try #require(parsed as? [String: Any], sourceLocation: sourceLocation)
    }

    private func rows(_ object: [String: Any], _ key: String = "rows") throws -> [[String: Any]] {
        try #require(object[key] as? [[String: Any]])
    }

    @Test func baselinesOfASmallBandit() throws {
        try withTemporaryDirectory { directory in
            let object = try object(["baselines", "--task", "bandit", "--trials", "500", "--json"], in: directory)
            #expect(object["task"] as? String == "bandit" && object["trials"] as? Int == 500)
            #expect(abs((object["optimum"] as? Double ?? 0) - 6.65999) < 0.5e-5)
            let rows = try rows(object)
            let names = try rows.map { try #require($0["name"] as? String) }
            #expect(
                names == [
                    "Random", "Gittins", "Gittins, finite horizon", "Thompson sampling",
                    "Optimistic Thompson sampling", "UCB1", "ε-greedy", "Greedy", "Bayes-optimal",
                ])
            for row in rows {
                let mean = try #require(row["mean_total_reward"] as? Double)
                let error = try #require(row["standard_error"] as? Double)
                #expect(mean > 4.5 && mean < 7.2 && error > 0 && error < 0.2)
                #expect(row["parameters"] is String && (row["seconds"] as? Double ?? -1) >= 0)
            }
            #expect(snapshot(directory).isEmpty, "playing writes nothing")
        }
    }

    /// What cannot be had is left out of the table of all, and said so; asked for by name it is refused.
    @Test func theOptimumIsRefusedWhereItIsTooLarge() throws {
        try withTemporaryDirectory { directory in
            let call = ["baselines", "--episodes", "40", "--trials", "2", "--json"]
            let all = try Command.run(call, in: directory)
            #expect(all.code == 0 && !all.output.contains("Bayes-optimal"))
            #expect(all.errorLines.contains { $0.hasPrefix("left out: Bayes-optimal play of 5 arms and 40 pulls") })
            let named = try Command.run(call + ["--agents", "bayes-optimal"], in: directory)
            #expect(named.code == 64 && named.errorLines.count == 1 && named.errors.contains("states"))
        }
    }

    @Test func tuningNamesWhatItChose() throws {
        try withTemporaryDirectory { directory in
            let object = try object(
                ["baselines", "--agents", "ucb1:c=0.2/9,random", "--tune", "--trials", "300", "--json"], in: directory)
            let rows = try rows(object)
            #expect(rows.map { $0["parameters"] as? String } == ["c = 0.2", ""])
            #expect(object["tuned"] as? Bool == true)
        }
    }

    @Test(arguments: [
        (["baselines", "--task", "chess"], "chess"), (["baselines", "--arms", "1"], "arms"),
        (["baselines", "--hidden", "8"], "--hidden"), (["baselines", "--model", "gru"], "--model"),
        (["baselines", "--trials", "1"], "trials"), (["baselines", "--seed=-1"], "seed"),
        (["baselines", "--prior", "dependent"], "--arms 2"), (["train", "--prior", "dependent"], "--arms 2"),
        (["baselines", "--agents", "ucb2"], "ucb2"), (["baselines", "--agents", ""], "''"),
        (["baselines", "--agents", "ucb1:c=0.1/0.2"], "--tune"),
        (["baselines", "--agents", "ucb1:c=", "--tune"], "no values of c"),
        (["baselines", "--agents", "greedy,ucb1:c=1", "--tune"], "nothing to try"),
        (["evaluate", "run", "--tune"], "--with-baselines"),
        (["reproduce", "chess"], "chess"), (["reproduce", "bandits", "--trials", "1"], "trials"),
        (["reproduce", "bandits", "--seed=-1"], "seed"),
        (["reproduce", "bandits", "--markdown", "--json"], "--json"), (["reproduce"], "table"),
    ]) func wrongCallsAreRefusedInOneLine(_ arguments: [String], _ word: String) throws {
        try withTemporaryDirectory { directory in
            let result = try Command.run(arguments, in: directory)
            #expect(result.code == 64 && result.errorLines.count == 1, "\(result.errors)")
            #expect(result.errors.contains(word), "\(result.errors)")
            #expect(result.output.isEmpty)
        }
    }

    /// A run on other members than those of its training: longer trials and other priors, not other widths.
    @Test func evaluateOnOtherMembers() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run"), in: directory)
            let call = ["evaluate", "run", "--trials", "300", "--json"]
            let same = try object(call, in: directory)
            #expect(
                (same["task_options"] as? [String: Any])?["prior"] as? String == "uniform" && same["note"] is NSNull)
            let shifted = try object(call + ["--prior", "beta22", "--episodes", "8"], in: directory)
            #expect(shifted["random"] as? Double == 4)
            #expect((shifted["per_episode_mean"] as? [Double])?.count == 8)
            // Exact play of two arms of Beta(2, 2) lies below that of two uniform ones, and both above random play.
            let uniform = try object(call + ["--episodes", "8"], in: directory)
            let optima = try [shifted, uniform].map { try #require($0["optimum"] as? Double) }
            #expect(4 < optima[0] && optima[0] < optima[1])
            let dependent = try object(call + ["--prior", "dependent"], in: directory)
            #expect(dependent["informed"] as? Double == 3.75)
            for (given, words) in [
                (["--arms", "7"], "--arms is 7, and this policy was trained on 2"),
                (["--maze-size", "9"], "--maze-size is no option of task 'bandit'"),
                (["--prior", "normal"], "--prior is normal"), (["--episodes", "0"], "--episodes is 0"),
            ] {
                let result = try Command.run(["evaluate", "run"] + given, in: directory)
                #expect(result.code != 0 && result.errorLines.count == 1 && result.output.isEmpty, "\(result.errors)")
                #expect(result.errors.contains(words), "\(result.errors)")
            }
        }
    }

    /// Differences are those of the means, and zero lies in no interval that they are significant in.
    @Test func evaluateWithBaselines() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run"), in: directory)
            let call = ["evaluate", "run", "--trials", "600", "--with-baselines"]
            let object = try object(call + ["--json"], in: directory)
            let mean = try #require(object["mean_total_reward"] as? Double)
            let rows = try rows(object, "baselines")
            #expect(rows.count == 9)
            for row in rows {
                let other = try #require(row["mean_total_reward"] as? Double)
                let difference = try #require(row["difference"] as? Double)
                let lower = try #require(row["lower_bound"] as? Double)
                let upper = try #require(row["upper_bound"] as? Double)
                #expect(abs(difference - (mean - other)) < 1e-9)
                #expect(lower < difference && difference < upper)
            }
            let text = try Command.succeed(call, in: directory).output
            #expect(text.contains("gru-8 − it") && text.contains("Bayes-optimal"))
        }
    }

    private func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    /// A plan with one run: its cell has a verdict, the others say that there is no run.
    @Test func reproduceFillsTheCellsOfAPlan() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(
                [
                    "train", "--hidden", "4", "--batch-steps", "100", "--iterations", "1", "--threads", "1", "--run",
                    "runs/a",
                ], in: directory)
            try write(
                """
                table: bandits
                missing_runs: empty
                columns:
                  - title: Tiny
                    published: RL²
                    runs:
                      - {episodes: 10, arms: 5, run: runs/a}
                      - {episodes: 10, arms: 10, run: runs/nowhere}
                """, to: directory + "/plan.yaml")
            let object = try object(
                ["reproduce", "bandits", "--plan", "plan.yaml", "--trials", "2", "--json"], in: directory)
            let cells = try rows(object, "cells")
            let tiny = cells.filter { $0["column"] as? String == "Tiny" }
            #expect(tiny.count == 10)
            #expect(tiny[0]["player"] as? String == "runs/a" && tiny[0]["verdict"] is String)
            #expect(tiny[0]["published"] as? Double == 6.7 && tiny[0]["episodes"] as? Int == 10)
            #expect(tiny.dropFirst().allSatisfy { $0["empty"] as? String == "no run" && $0["verdict"] is NSNull })
            let classic = cells.filter { $0["column"] as? String == "UCB1" }
            #expect(classic.count == 10 && classic[9]["empty"] as? String == "not published")
        }
    }

    /// One line with the plan's place: what it names is not there, or not the cell's.
    @Test func wrongPlansAreToldWithTheirPlace() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run"), in: directory)
            func plan(_ run: String, _ episodes: Int = 10) -> String {
                "table: bandits\ncolumns:\n- title: x\n  published: RL²\n  runs:\n"
                    + "  - {episodes: \(episodes), arms: 5, run: \(run)}\n"
            }
            for (text, words) in [
                (plan("nowhere"), ["plan.yaml:6", "nowhere", "no such directory"]),
                (plan("run"), ["plan.yaml:6", "run", "arms 2"]), (plan("run", 11), ["plan.yaml:6", "n = 11"]),
                ("table: mdps\ncolumns: []\n", ["plan.yaml", "mdps"]), ("tables: x\n", ["plan.yaml:1", "tables"]),
            ] {
                try write(text, to: directory + "/plan.yaml")
                let result = try Command.run(["reproduce", "bandits", "--plan", "plan.yaml"], in: directory)
                #expect(result.code == 1 && result.errorLines.count == 1 && result.output.isEmpty)
                for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
            }
            let missing = try Command.run(["reproduce", "bandits", "--plan", "none.yaml"], in: directory)
            #expect(missing.code == 1 && missing.errorLines.count == 1 && missing.errors.contains("none.yaml"))
        }
    }
}
