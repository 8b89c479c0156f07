import Foundation
import Interface
import Kernels
import Tasks
import Testing

@testable import Training

/// A learner of a program that is built on rl2x: θ drifts with a velocity of its own, which it keeps from iteration to
/// iteration.
private final class Drift: Learner {
    static let name = "drift"

    /// In the catalogue from the first use on.
    static let isRegistered: Bool = {
        learnerCatalogue.register(
            LearnerEntry(
                name: name, summary: "a random drift of the policy, for tests",
                options: [Option("drift-friction", 0...1.0, default: 0.5, help: "Share of the velocity that is lost")]
                    + ActorCritic.options,
                columns: ["accepted", "entropy", "explained_variance", "critic_loss", "drift_speed"]
            ) { Drift($0.actorCritic) })
        return true
    }()

    private let actorCritic: ActorCritic
    private let velocity: Matrix

    init(_ actorCritic: ActorCritic) {
        self.actorCritic = actorCritic
        velocity = Matrix(rows: 1, columns: actorCritic.parameters.count)
    }

    var state: [(name: String, values: Matrix)] { [("velocity", velocity)] }

    func iterate(_ iteration: Iteration, on batch: TrialBatch, report: inout IterationReport) {
        let keep = Float(1 - iteration.options.real("drift-friction"))
        var random = iteration.random(.policyMinibatches)
        var speed = 0.0
        actorCritic.iterate(iteration, on: batch, report: &report) { _ in
            for index in 0..<velocity.count {
                velocity.pointer[index] = keep * velocity.pointer[index] + 0.01 * Float(random.normal())
                actorCritic.parameters.pointer[index] += velocity.pointer[index]
                speed += Double(abs(velocity.pointer[index]))
            }
            var update = PolicyUpdate()
            update.outcome = .accepted
            return update
        }
        report.metrics["drift_speed"] = speed
    }
}

/// What a learner keeps besides the `ActorCritic` is in checkpoints, as the rest of a run's state is.
@Suite struct LearnerStateTests {
    private func configuration() throws -> Configuration {
        #expect(Drift.isRegistered)
        var request = RunRequest(task: "bandit", model: "gru", learner: Drift.name, seed: 5)
        request.set(["arms": 2, "episodes": 4, "hidden": 6, "drift-friction": 0.25, "batch-steps": 400])
        var configuration = try request.resolve()
        configuration.iterations = 4
        return configuration
    }

    private func state(_ trainer: Trainer) throws -> Data { try trainer.checkpoint().encoded() }

    @Test func aRegisteredLearnerIsAskedForByName() throws {
        let configuration = try configuration()
        try configuration.validate()
        #expect(configuration.stages.allSatisfy { $0.learner == "drift" })
        #expect(configuration.stages.allSatisfy { $0.learnerOptions["drift-friction"] == 0.25 })
        #expect(try Configuration(yaml: configuration.yaml(), path: "run.yaml") == configuration)
        #expect(MetricsLog.columns(of: configuration).contains("drift_speed"))
    }

    /// Broken off after each iteration and continued in a new trainer: the same bits as without a break, which they would not
    /// be if the velocity began at 0 again.
    @Test func aResumedRunHasTheBitsOfAnUninterruptedOne() throws {
        let configuration = try configuration()
        let straight = try Trainer(configuration, threads: 2)
        var checkpoints = [try state(straight)]
        while !straight.isFinished {
            _ = try straight.step()
            checkpoints.append(try state(straight))
        }
        for iteration in 0...4 {
            let resumed = try Trainer(configuration, threads: 1 + iteration % 3)
            try resumed.restore(SafetensorsFile(decoding: checkpoints[iteration], path: "memory"), path: "memory")
            #expect(try state(resumed) == checkpoints[iteration])
            while !resumed.isFinished { _ = try resumed.step() }
            #expect(try state(resumed) == checkpoints[4], "resumed at iteration \(iteration)")
        }
    }

    @Test func theStateIsATensorOfTheLearnersName() throws {
        let trainer = try Trainer(configuration(), threads: 1)
        _ = try trainer.step()
        let file = try trainer.checkpoint()
        let tensor = try #require(file["learner.drift.velocity"])
        #expect(tensor.shape == [trainer.parameters.count])
        #expect(tensor.values == trainer.learners["drift"]?.state[0].values.values)
        #expect(tensor.values.contains { $0 != 0 })
    }

    @Test func aCheckpointWithoutTheStateIsRefusedAndChangesNothing() throws {
        let file = try Trainer(configuration(), threads: 1).checkpoint()
        func text(_ change: (inout SafetensorsFile) -> Void) throws -> String {
            var changed = file
            change(&changed)
            let trainer = try Trainer(configuration(), threads: 1)
            _ = try trainer.step()
            let before = try state(trainer)
            let text = refusal { try trainer.restore(changed, path: "here.safetensors") }
            #expect(try state(trainer) == before)
            return text
        }
        #expect(
            try text { $0.tensors.removeAll { $0.name == "learner.drift.velocity" } }.contains("learner.drift.velocity")
        )
        #expect(
            try text {
                let place = $0.tensors.firstIndex { $0.name == "learner.drift.velocity" }!
                $0.tensors[place] = .init(name: "learner.drift.velocity", shape: [2], values: [1, 2])
            }.contains("another size"))
    }

    /// In a run directory, with a table of the learner's own columns.
    @Test func aRunIsInterruptedAndResumed() throws {
        try withTemporaryDirectory { directory in
            let configuration = try configuration()
            func train(_ path: String, stopAfter: Int) throws {
                var done = 0
                let session =
                    RunDirectory(path).hasCheckpoint
                    ? try TrainingSession(
                        resuming: RunDirectory(path), iterations: nil, threads: 1, checkpointEvery: 10,
                        command: ["train"])
                    : try TrainingSession(
                        new: configuration, in: RunDirectory(path), existing: .refuse, threads: 1, checkpointEvery: 10,
                        command: ["train"])
                _ = try session.train(shouldStop: { done >= stopAfter }) { _ in done += 1 }
            }
            let (straight, broken) = (directory + "/straight", directory + "/broken")
            try train(straight, stopAfter: 4)
            for _ in 0..<4 { try train(broken, stopAfter: 1) }
            #expect(
                try AtomicFile.read(RunDirectory(broken).checkpointPath)
                    == AtomicFile.read(RunDirectory(straight).checkpointPath))
            let (columns, rows) = try MetricsTable.read(RunDirectory(broken).metricsPath)
            let column = try #require(columns.firstIndex(of: "drift_speed"))
            #expect(rows.count == 4 && rows.allSatisfy { $0[column] > 0 })
        }
    }
}
