import Foundation
import Interface
import Testing

@testable import Training

/// Which numbers of which learner come to stand in `metrics.csv`.
@Suite struct MetricsLogTests {
    private func configuration(_ stages: [Stage]) throws -> Configuration {
        var configuration = try Configuration.defaults(
            task: "bandit", model: "gru", taskOptions: ["arms": 2, "episodes": 3], modelOptions: ["hidden": 4])
        configuration.stages = stages
        return configuration
    }

    private func stage(_ learner: String) -> Stage { .complete(learner, iterations: 1, batchSteps: 60) }

    @Test func aTableHasTheColumnsOfItsLearners() throws {
        func own(_ learners: [String]) throws -> Set<String> {
            let columns = MetricsLog.columns(of: try configuration(learners.map(stage)))
            #expect(Set(columns).count == columns.count)
            #expect(
                Array(columns.prefix(6)) == [
                    "iteration", "timesteps", "episodes_per_trial", "mean_total_reward", "first_episode_reward",
                    "last_episode_reward",
                ])
            return Set(columns.dropFirst(6).filter { !$0.contains("second") })
        }
        let common: Set<String> = ["accepted", "entropy", "explained_variance", "critic_loss"]
        let natural: Set<String> = [
            "surrogate_gain", "predicted_gain", "predicted_kl", "actual_kl", "cg_residual", "cg_products", "backtracks",
            "gradient_norm",
        ]
        #expect(try own(["a2c"]) == common)
        #expect(try own(["ppo"]) == common.union(["actual_kl"]))
        #expect(try own(["trpo"]) == common.union(natural))
        #expect(try own(["reward_prediction"]) == ["accepted", "critic_loss"])
        #expect(try own(["reward_prediction", "ppo", "a2c"]) == common.union(["actual_kl"]))
    }

    /// A number that a stage's learner has not is nan; those that it has are numbers.
    @Test func whatALearnerHasNotIsNaN() throws {
        try withTemporaryDirectory { directory in
            let configuration = try configuration([
                stage("reward_prediction"), stage("ppo"), stage("trpo"), stage("a2c"),
            ])
            let session = try TrainingSession(
                new: configuration, in: RunDirectory(directory + "/run"), existing: .refuse, threads: 1,
                checkpointEvery: 10, command: ["train"])
            #expect(try session.train(shouldStop: { false }) { _ in } == .finished)
            let (columns, rows) = try MetricsTable.read(directory + "/run/metrics.csv")
            #expect(columns == MetricsLog.columns(of: configuration) && rows.count == 4)
            func present(_ column: String) throws -> [Bool] {
                let place = try #require(columns.firstIndex(of: column))
                return rows.map { !$0[place].isNaN }
            }
            #expect(try present("critic_loss") == [true, true, true, true])
            #expect(try present("mean_total_reward") == [true, true, true, true])
            #expect(try present("actual_kl") == [false, true, true, false])
            #expect(try present("explained_variance") == [false, true, true, true])
            #expect(try present("cg_products") == [false, false, true, false])
        }
    }

    /// Whatever of metrics.jsonl is missing, torn or too much when a run goes on, it comes to have the rows of metrics.csv.
    @Test func linesOfJSONAreTheRowsOfTheTable() throws {
        try withTemporaryDirectory { directory in
            let (table, path) = (directory + "/metrics.csv", directory + "/metrics.jsonl")
            let columns = ["iteration", "loss", "rate"]
            let rows: [[Double]] = [[0, 0.25, .nan], [1, -1e-9, .infinity], [2, 3e20, 7]]
            let csv = try MetricsTable(creating: table, columns: columns)
            let lines = try MetricsLines(path, rowsOf: table)
            for row in rows {
                try csv.append(row)
                try lines.append(row)
            }
            let whole = try AtomicFile.read(path)
            let objects = try whole.split(separator: UInt8(ascii: "\n")).map {
                try #require(JSONSerialization.jsonObject(with: $0) as? [String: Any])
            }
            try #require(objects.count == 3)
            for (object, row) in zip(objects, rows) {
                #expect(Set(object.keys) == Set(columns))
                for (column, value) in zip(columns, row) {
                    #expect(value.isFinite ? object[column] as? Double == value : object[column] is NSNull)
                }
            }
            for spoilt in [Data(), whole.dropLast(5), whole + Data("{\"iteration\": 3".utf8)] {
                try AtomicFile.write(Data(spoilt), to: path)
                let again = try MetricsLines(path, rowsOf: table)
                #expect(try AtomicFile.read(path) == whole)
                again.close()
            }
        }
    }

    /// The names of Stable-Baselines3 stand for the policy's numbers alone, and a loss is what is minimised.
    @Test func commonTagsMeanWhatTheyMeanElsewhere() {
        func tags(_ learner: String, _ outcome: PolicyUpdate.Outcome) -> [String: Double] {
            var report = IterationReport(iteration: 0, learner: learner, episodes: 3)
            (report.meanTotalReward, report.stepsPerSecond, report.outcome) = (2.5, 900, outcome)
            report.metrics = ["actual_kl": 0.01, "entropy": 0.6, "explained_variance": 0.5, "critic_loss": 0.2]
            let tags = MetricsLog.commonTags(report)
            return Dictionary(uniqueKeysWithValues: tags.map { ($0.tag, $0.value) })
        }
        let learning = [
            "rollout/ep_rew_mean": 2.5, "train/approx_kl": 0.01, "train/explained_variance": 0.5,
            "train/entropy_loss": -0.6, "train/value_loss": 0.2, "time/fps": 900,
        ]
        #expect(tags("ppo", .accepted) == learning && tags("trpo", .restored) == learning)
        #expect(
            tags("trpo", .skipped)
                == learning.filter { !["train/approx_kl", "train/entropy_loss"].contains($0.key) })
        #expect(tags("imitation", .skipped) == ["time/fps": 900])
    }

    /// The table of a run that 0.1.0 began has TRPO's columns under PPO too: it keeps them.
    @Test func anOlderTableKeepsItsColumns() throws {
        try withTemporaryDirectory { directory in
            let (old, new) = (
                MetricsLog.columns(of: try configuration([stage("trpo")])),
                MetricsLog.columns(of: try configuration([stage("ppo")]))
            )
            #expect(old != new)
            let path = directory + "/metrics.csv"
            let first = try MetricsTable(creating: path, columns: old)
            try first.append(old.map { $0 == "iteration" ? 0 : 1 })
            first.close()
            let table = try MetricsTable(resuming: path, columns: new, atIteration: 1)
            #expect(table.columns == old)
            try table.append(old.map { $0 == "iteration" ? 1 : new.contains($0) ? 2 : .nan })
            let (columns, rows) = try MetricsTable.read(path)
            #expect(columns == old && rows.count == 2)
            #expect(rows[0].allSatisfy { $0 == 0 || $0 == 1 })
        }
    }
}
