import Foundation
import Testing

@testable import Training

@Suite struct RewardPredictionTests {
    /// Reward prediction, then TRPO, as the default of long MDPs has it.
    private func configuration() throws -> Configuration {
        var configuration = try Configuration.defaults(
            task: "bandit", model: "gru", taskOptions: ["arms": 2, "episodes": 8], modelOptions: ["hidden": 16], seed: 3
        )
        configuration.stages = [
            .complete(
                "reward_prediction", ["minibatches": 20, "learning-rate": 0.01], iterations: 12, batchSteps: 8000),
            .complete("trpo", ["gae-lambda": 0.5], iterations: 1, batchSteps: 4000),
        ]
        return configuration
    }

    /// Errors are in units of the reward's variance: a constant has 1 at best. Who has seen an arm k times can tell
    /// k / (3 (k + 2)) of the variance, a fifth after three pulls.
    @Test func theMemoryLearnsWhatArmsPay() throws {
        let trainer = try Trainer(configuration(), threads: 2)
        let before = trainer.critic.parameters.bits
        var errors: [Double] = []
        for _ in 0..<12 {
            let report = try trainer.step()
            #expect(report.learner == "reward_prediction" && report.outcome == .skipped)
            errors.append(try #require(report.metrics["critic_loss"]))
        }
        #expect(errors[0] > 0.95 && errors[11] < 0.93, "\(errors)")
        #expect(trainer.critic.parameters.bits == before, "the critic learns from the policy's own play only")
        let report = try trainer.step()
        #expect(report.learner == "trpo" && report.outcome == .accepted)
    }

    @Test func theBitsDoNotDependOnThreadsAndSurviveAResume() throws {
        let configuration = try configuration()
        let straight = try Trainer(configuration, threads: 1)
        for _ in 0..<13 { _ = try straight.step() }
        let broken = try Trainer(configuration, threads: 3)
        for _ in 0..<5 { _ = try broken.step() }
        let resumed = try Trainer(configuration, threads: 2)
        try resumed.restore(broken.checkpoint(), path: "memory")
        for _ in 0..<8 { _ = try resumed.step() }
        #expect(try straight.checkpoint().encoded() == resumed.checkpoint().encoded())
    }
}
