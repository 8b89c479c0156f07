import Foundation
import Interface
import Kernels
import Testing
import Training

@testable import Bench

@Suite struct RunMetricsTests {
    /// What a curriculum's stages are told by in `metrics.csv`, and whose returns are a learning curve.
    @Test func aLearningCurveIsOfTheTaskProper() throws {
        var configuration = try Configuration.defaults(task: "mdp", model: "gru")
        func stage(_ learner: String, _ options: Values = [:]) throws -> Stage {
            Stage(
                taskOptions: options, learner: learner,
                learnerOptions: Values(defaults: try learnerCatalogue.require(learner).options),
                iterations: 1, batchSteps: 100)
        }
        configuration.stages = try [
            stage("reward_prediction"), stage("trpo", ["reachable-states": 2]), stage("trpo"),
        ]
        let directory = NSTemporaryDirectory() + "rl2x-metrics-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let run = RunDirectory(directory)
        func metrics(rows: Int) throws -> RunMetrics {
            let lines = [
                "iteration,timesteps,mean_total_reward,steps_per_second,seconds_rollout", "0,100,1,1000,0.5",
                "1,300,2,10,2", "2,600,3,20,1",
            ]
            try lines.prefix(rows + 1).map { $0 + "\n" }.joined().write(
                toFile: run.metricsPath, atomically: true, encoding: .utf8)
            return RunMetrics(run, configuration)
        }
        let all = try metrics(rows: 3)
        #expect(all.returns.map(\.steps) == [600] && all.returns.map(\.score) == [3])
        #expect(all.learningStepsPerSecond == 20, "the greater of two iterations of the outer loop")
        #expect(all.actingStepsPerSecond == 300)
        let begun = try metrics(rows: 1)
        #expect(begun.returns.map(\.steps) == [100], "there is nothing better yet")
        #expect(begun.learningStepsPerSecond == 1000 && begun.actingStepsPerSecond == 200)
        #expect(try metrics(rows: 0).returns.isEmpty)
    }
}
