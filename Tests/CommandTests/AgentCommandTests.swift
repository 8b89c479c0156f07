import Foundation
import Testing

@testable import Bench

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
                    "Random", "Oracle", "Gittins", "Gittins, finite horizon", "Thompson sampling",
                    "Thompson sampling, no draw below the mean", "Optimistic Thompson sampling", "UCB1", "ε-greedy",
                    "Greedy", "Bayes-optimal",
                ])
            for row in rows {
                let mean = try #require(row["mean_total_reward"] as? Double)
                let error = try #require(row["standard_error"] as? Double)
                if row["name"] as? String == "Oracle" {
                    // n k / (k + 1)
                    #expect(abs(mean - 50 / 6.0) < 5 * error && error > 0 && error < 0.2)
                } else {
                    #expect(mean > 4.5 && mean < 7.2 && error > 0 && error < 0.2)
                }
                #expect(row["parameters"] is String && (row["seconds"] as? Double ?? -1) >= 0)
            }
            #expect(snapshot(directory).isEmpty, "playing writes nothing")
        }
    }

    /// A maze has no classic algorithm, but a floor and a ceiling.
    @Test func baselinesOfAMaze() throws {
        try withTemporaryDirectory { directory in
            let call = ["baselines"] + Command.smallMaze + ["--trials", "60"]
            let object = try object(call + ["--json"], in: directory)
            let rows = try rows(object)
            #expect(rows.map { $0["name"] as? String } == ["Random", "Oracle"])
            let means = try rows.map { try #require($0["mean_total_reward"] as? Double) }
            // Two episodes, each of a shortest way of some steps at −0.04.
            #expect(means[0] < 0 && means[1] > 0.5 && means[1] < 2)
            // Every member's way is known, so the mean over the members that are played is the oracle's own.
            #expect(abs(means[1] - (try #require(object["oracle"] as? Double))) < 1e-5)
            #expect(object["random"] is NSNull && object["optimum"] is NSNull)
            let text = try Command.succeed(call, in: directory).output
            #expect(text.contains("Random") && text.contains("Oracle"))
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
        (["reproduce", "chess"], "chess"), (["reproduce", "bandits", "--play", "--trials", "1"], "trials"),
        (["reproduce", "bandits", "--play", "--seed=-1"], "seed"),
        (["reproduce", "bandits", "--trials", "500"], "--play"),
        (["reproduce", "bandits", "--markdown", "--json"], "--json"), (["reproduce"], "table"),
        (["reproduce", "bandits", "--plan", "plan.yaml"], "--plan"),
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
            #expect(dependent["oracle"] as? Double == 3.75)
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
            #expect(rows.count == 11)
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

    /// Cells of trained models and of classic agents come from what is shipped, and agree in every classic cell.
    @Test func reproduceTakesItsCellsFromRecords() throws {
        try withTemporaryDirectory { directory in
            for (folder, trained, count) in [("bandits", ["gru", "lstm", "transformer"], 2), ("mdps", ["gru"], 1)] {
                var call = ["reproduce", folder, "--results", Command.package + "/bench/results/" + folder, "--json"]
                call += ["--threads", "2"]
                let object = try object(call, in: directory)
                let cells = try rows(object, "cells")
                for name in trained {
                    let own = cells.filter { $0["column"] as? String == name }
                    #expect(own.count == PaperTable.named(folder)?.rows.count)
                    let played = own.filter { $0["verdict"] is String }
                    #expect(played.count == count && played.allSatisfy { $0["mean_total_reward"] is Double })
                    #expect(own.count { $0["empty"] as? String == "no record" } == own.count - count)
                }
                #expect(Set(cells.map { $0["column"] as? String }).count == trained.count + 7)
                let classic = cells.filter { cell in !trained.contains { $0 == cell["column"] as? String } }
                #expect(classic.allSatisfy { $0["published"] is NSNull || $0["verdict"] as? String == "agrees" })
                #expect(snapshot(directory).isEmpty, "a table writes nothing")
            }
        }
    }

    /// Classic agents are played where nothing is kept of them; what is kept then serves the next table.
    @Test func reproduceKeepsWhatItPlays() throws {
        try withTemporaryDirectory { directory in
            let call = ["reproduce", "bandits", "--json"]
            let played = try object(call + ["--play", "--trials", "2", "--keep", "kept"], in: directory)
            #expect(FileManager.default.fileExists(atPath: directory + "/kept/classic/bandits.json"))
            let kept = try object(
                call + ["--results", Command.package + "/bench/results/bandits", "--results", "kept"], in: directory)
            #expect(try rows(played, "cells").count == 80 && kept["trials"] as? Int != 2)
            // A folder of records alone, without classic results.
            let folder = Command.package + "/bench/results/bandits/records"
            let trained = try object(call + ["--play", "--trials", "2", "--results", folder], in: directory)
            #expect(try rows(trained, "cells").contains { $0["column"] as? String == "transformer" })
        }
    }

    /// One line that names what is wrong with the results.
    @Test func wrongResultsAreRefused() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run"), in: directory)
            try FileManager.default.createDirectory(atPath: directory + "/none", withIntermediateDirectories: true)
            for (path, words) in [
                ("nowhere", "no such directory"), ("run", "run: this is a run"), ("none", "none: no records are here"),
            ] {
                let result = try Command.run(["reproduce", "bandits", "--results", path], in: directory)
                #expect(result.code == 1 && result.errorLines.count == 1 && result.output.isEmpty, "\(result.errors)")
                #expect(result.errors.contains(words), "\(result.errors)")
            }
        }
    }
}
