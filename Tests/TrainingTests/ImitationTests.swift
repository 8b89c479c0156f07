import Kernels
import Models
import Tasks
import Testing

@testable import Training

/// Stays where a pull paid, else goes on to the next arm.
private struct WinStay: Teacher {
    func makePlayer(for family: any TaskFamily, lanes: Int) -> any LanePlayer { Lanes(arms: Int32(family.actions)) }

    private final class Lanes: LanePlayer {
        let arms: Int32
        init(arms: Int32) { self.arms = arms }

        func begin(_ streams: [RandomSource]) {}

        func act(_ inputs: StepInputs, into actions: UnsafeMutablePointer<Int32>) {
            for lane in 0..<inputs.rows {
                let (last, reward) = (inputs.previousActions[lane], inputs.previousRewards[lane])
                actions[lane] = last < 0 ? 0 : reward > 0 ? last : (last + 1) % arms
            }
        }

        func keep(lanes kept: [Int]) {}
    }
}

@Suite struct ImitationTests {
    private func configuration(teacher: String? = "win-stay", kind: Configuration.Stage.Kind = .imitation) throws
        -> Configuration
    {
        var configuration = try Configuration.standard(
            task: "bandit", model: "gru", taskOptions: ["arms": 3, "episodes": 6], seed: 2)
        configuration.hidden = 16
        (configuration.criticEpochs, configuration.criticMinibatches) = (1, 20)
        configuration.stages = [
            Configuration.Stage(
                kind: kind, iterations: 20, batchSteps: 6000, discount: 1, gaeLambda: 1, maximumKL: 0.01,
                learningRate: 0.01, teacher: teacher)
        ]
        return configuration
    }

    private func teachers(_ name: String, _ family: any TaskFamily) throws -> any Teacher {
        guard name == "win-stay" else { return try Trainer.noTeacher(name, family) }
        return WinStay()
    }

    /// The rule is deterministic and needs one step of memory: the loss must fall from log 3 to next to nothing, and the
    /// pupil must do what the teacher does on members that it has not seen.
    @Test func thePupilBecomesTheTeacher() throws {
        let trainer = try Trainer(configuration(), threads: 2, teachers: teachers)
        var losses: [Double] = []
        while !trainer.isFinished { losses.append(try #require(trainer.step().criticLoss)) }
        #expect(losses[0] > 0.3 && losses[0] < 1.2)
        #expect(losses[19] < 0.05, "\(losses)")
        let batch = TrialBatch(family: BernoulliBandit(arms: 3, episodes: 6), trials: 500)
        batch.play(
            trainer.policy, parameters: UnsafePointer(trainer.parameters.pointer),
            root: Trainer.unseenMembers(seed: 1), choice: .greedy, workers: trainer.sharedWorkers)
        var (same, all) = (0, 0)
        for shard in batch.shards {
            for row in 0..<shard.rows {
                let (last, reward) = (shard.inputs.previousActions[row], shard.inputs.previousRewards[row])
                let taught: Int32 = last < 0 ? 0 : reward > 0 ? last : (last + 1) % 3
                same += shard.actions.pointer[row] == taught ? 1 : 0
                all += 1
            }
        }
        #expect(Double(same) > 0.98 * Double(all), "\(same) of \(all)")
    }

    @Test func theBitsDoNotDependOnThreadsAndSurviveAResume() throws {
        let configuration = try configuration()
        let straight = try Trainer(configuration, threads: 1, teachers: teachers)
        for _ in 0..<6 { _ = try straight.step() }
        var broken = try Trainer(configuration, threads: 3, teachers: teachers)
        for _ in 0..<3 { _ = try broken.step() }
        let middle = try broken.checkpoint()
        broken = try Trainer(configuration, threads: 2, teachers: teachers)
        try broken.restore(middle, path: "memory")
        for _ in 0..<3 { _ = try broken.step() }
        #expect(try straight.checkpoint().encoded() == broken.checkpoint().encoded())
    }

    @Test func teachersAreNamedBeforeAnyWork() throws {
        #expect(throws: UserError.self) {
            try Trainer(configuration(teacher: "nobody"), threads: 1, teachers: teachers)
        }
        #expect(throws: UserError.self) { try configuration(teacher: nil).validate() }
        #expect(throws: UserError.self) { try configuration(kind: .improvement).validate() }
        #expect(throws: UserError.self) { try Trainer(configuration(), threads: 1) }
    }
}
