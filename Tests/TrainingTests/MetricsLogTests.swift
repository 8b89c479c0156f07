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
