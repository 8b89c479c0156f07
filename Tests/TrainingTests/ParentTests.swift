import Foundation
import Interface
import Testing

@testable import Training

/// Runs that begin with the weights of others.
@Suite struct ParentTests {
    /// Bandits of two arms, trained by small batches in the default schedule.
    private func request(pulls: Int = 4) -> RunRequest {
        var request = RunRequest(task: "bandit", model: "gru", seed: 2)
        request.set(["arms": 2, "episodes": .integer(pulls), "hidden": 6, "batch-steps": 120])
        return request
    }

    @discardableResult
    private func train(_ configuration: Configuration, in path: String, stopAfter iterations: Int = .max) throws
        -> TrainingSession
    {
        let session = try begin(configuration, in: path)
        var done = 0
        _ = try session.train(shouldStop: { done >= iterations }) { _ in done += 1 }
        return session
    }

    private func begin(
        _ configuration: Configuration, in path: String, existing: TrainingSession.Existing = .refuse
    ) throws -> TrainingSession {
        try TrainingSession(
            new: configuration, in: RunDirectory(path), existing: existing, threads: 1, checkpointEvery: 2,
            command: ["train"])
    }

    private func resume(_ path: String, iterations: Int? = nil) throws -> TrainingSession {
        try TrainingSession(
            resuming: RunDirectory(path), iterations: iterations, threads: 2, checkpointEvery: 10, command: ["train"])
    }

    /// A short run, in `directory`/parent.
    private func parent(_ directory: String, iterations: Int = 3) throws -> ParentRun {
        var configuration = try request().resolve()
        configuration.iterations = iterations
        try train(configuration, in: directory + "/parent")
        return try ParentRun(RunDirectory(directory + "/parent"))
    }

    private func child(of parent: ParentRun, _ settings: Values = [:], iterations: Int = 4) throws -> Configuration {
        var request = RunRequest(continuing: parent)
        request.set((["batch-steps": 120] as Values).merging(settings))
        request.iterations = iterations
        return try request.resolve()
    }

    private func column(_ name: String, _ path: String) throws -> [Double] {
        let (columns, rows) = try MetricsTable.read(path + "/metrics.csv")
        let index = try #require(columns.firstIndex(of: name))
        return rows.map { $0[index] }
    }

    // MARK: What is carried over

    /// The weights, to the bit, and nothing else; steps are counted on.
    @Test func aChildBeginsWithWeightsAlone() throws {
        try withTemporaryDirectory { directory in
            let parent = try parent(directory)
            #expect(parent.record.iteration == 3 && parent.record.lineTimesteps == 360)
            for (pulls, learner) in [(4, "trpo"), (9, "trpo"), (4, "ppo")] {
                var request = RunRequest(continuing: parent)
                request.set(["episodes": .integer(pulls)])
                request.learner = learner
                let configuration = try request.resolve()
                #expect(configuration.modelOptions == parent.configuration.modelOptions && configuration.seed == 2)
                let trainer = try begin(configuration, in: directory + "/\(learner)-\(pulls)").trainer
                let before = try Trainer(parent.configuration, threads: 1)
                try before.restore(parent.checkpoint, path: "")
                #expect(trainer.parameters.bits == before.parameters.bits)
                #expect(trainer.critic.parameters.bits == before.critic.parameters.bits)
                #expect(trainer.iteration == 0 && trainer.timesteps == 360)
                #expect(trainer.critic.scale == ReturnScale() && before.critic.scale != ReturnScale())
                #expect(trainer.critic.optimizer.steps == 0 && before.critic.optimizer.steps > 0)
                #expect(trainer.critic.optimizer.firstMoment.values.allSatisfy { $0 == 0 })
                #expect(try trainer.checkpoint().weightsDigest == parent.record.digest)
            }
        }
    }

    /// The streams are those of the line's next iteration: a child that goes on as its parent would have gone on plays the
    /// same trials, so no trial of the parent's is drawn again.
    @Test func aChildDrawsWhereItsParentStopped() throws {
        try withTemporaryDirectory { directory in
            let parent = try parent(directory)
            try train(child(of: parent), in: directory + "/child")
            _ = try resume(directory + "/parent", iterations: 4).train(shouldStop: { false }) { _ in }
            let returns = try [
                column("mean_total_reward", directory + "/parent"), column("mean_total_reward", directory + "/child"),
            ]
            #expect(returns[0].count == 4 && returns[1].count == 4)
            #expect(returns[1][0] == returns[0][3])
            #expect(try column("timesteps", directory + "/child") == [480, 600, 720, 840])
        }
    }

    /// Iterations, steps and seconds add up over grandparents.
    @Test func aLineIsCountedWhole() throws {
        try withTemporaryDirectory { directory in
            let parent = try parent(directory)
            try train(child(of: parent, ["episodes": 6]), in: directory + "/child")
            let grown = try ParentRun(RunDirectory(directory + "/child"))
            #expect(grown.record.iteration == 4 && grown.record.lineIterations == 7)
            #expect(grown.record.lineTimesteps == 360 + 4 * 120)
            let configuration = try child(of: grown, ["episodes": 8], iterations: 1)
            #expect(configuration.parent == grown.record)
            try train(configuration, in: directory + "/grandchild")
            let manifests = try ["parent", "child", "grandchild"].map {
                try Manifest.read("\(directory)/\($0)/manifest.json")
            }
            #expect(manifests[0].parent == nil && manifests[0].parentSeconds == nil)
            #expect(manifests[1].parent == parent.record && manifests[2].parent == grown.record)
            let seconds = manifests.map { $0.sessions.reduce(0) { $0 + $1.seconds } }
            #expect(abs(manifests[2].lineSeconds - seconds.reduce(0, +)) < 1e-9 && seconds.allSatisfy { $0 > 0 })
        }
    }

    // MARK: Resuming

    /// Stopped and resumed, with its parent gone, it ends with the bytes of one that was not.
    @Test func aResumedChildNeedsNoParent() throws {
        try withTemporaryDirectory { directory in
            let configuration = try child(of: parent(directory), ["episodes": 40])
            let (straight, broken) = (directory + "/straight", directory + "/broken")
            try train(configuration, in: straight)
            try train(configuration, in: broken, stopAfter: 1)
            try FileManager.default.removeItem(atPath: directory + "/parent")
            let session = try resume(broken)
            #expect(session.notices.isEmpty)
            #expect(try session.train(shouldStop: { false }) { _ in } == .finished)
            #expect(
                try Data(contentsOf: URL(fileURLWithPath: broken + "/checkpoint.safetensors"))
                    == Data(contentsOf: URL(fileURLWithPath: straight + "/checkpoint.safetensors")))
            #expect(try RunDirectory(broken).configuration().parent == configuration.parent)
            let error = #expect(throws: UserError.self) { try begin(configuration, in: directory + "/late") }
            #expect(error?.description.contains("no such directory") == true)
        }
    }

    /// A parent that was trained on: a new child of the old weights is refused, what has begun goes on and says so.
    @Test func aParentThatWasTrainedOnIsNoticed() throws {
        try withTemporaryDirectory { directory in
            let parent = try parent(directory)
            let configuration = try child(of: parent)
            try train(configuration, in: directory + "/child", stopAfter: 1)
            #expect(parent.record.hasChanged() == false)
            _ = try resume(directory + "/parent", iterations: 5).train(shouldStop: { false }) { _ in }
            #expect(parent.record.hasChanged())

            let late = #expect(throws: UserError.self) { try begin(configuration, in: directory + "/late") }
            #expect(
                late?.description.contains("parent: its weights (") == true
                    && late?.description.contains("--from") == true)
            #expect(!RunDirectory(directory + "/late").exists)

            let before = try Data(contentsOf: URL(fileURLWithPath: directory + "/child/config.yaml"))
            let notices = try resume(directory + "/child").notices
            #expect(
                notices.count == 1 && notices[0].contains("other weights now") && notices[0].contains("iteration 3"))
            #expect(try Data(contentsOf: URL(fileURLWithPath: directory + "/child/config.yaml")) == before)

            let now = try child(of: ParentRun(RunDirectory(directory + "/parent/")))
            let replacing = try begin(now, in: directory + "/child", existing: .overwrite).notices
            #expect(
                replacing.contains { $0.contains("other weights now") && $0.contains("iteration 5, then 3") },
                "\(replacing)")
        }
    }

    /// It would remove what it begins with.
    @Test func aRunCannotReplaceItsParent() throws {
        try withTemporaryDirectory { directory in
            let configuration = try child(of: parent(directory))
            let before = try Data(contentsOf: URL(fileURLWithPath: directory + "/parent/checkpoint.safetensors"))
            let path = directory + "/other/../parent/"
            let error = #expect(throws: UserError.self) { try begin(configuration, in: path, existing: .overwrite) }
            #expect(error?.description.contains("cannot take the place") == true)
            #expect(try Data(contentsOf: URL(fileURLWithPath: directory + "/parent/checkpoint.safetensors")) == before)
        }
    }

    @Test func aParentThatHasNotFinishedIsNoticed() throws {
        try withTemporaryDirectory { directory in
            try train(request().resolve(), in: directory + "/parent", stopAfter: 2)
            let parent = try ParentRun(RunDirectory(directory + "/parent"))
            let session = try begin(child(of: parent), in: directory + "/child")
            #expect(session.notices.count == 1 && session.notices[0].contains("has done 2 of its 60 iterations"))
        }
    }

    @Test func aRunWithoutACheckpointIsNoParent() throws {
        try withTemporaryDirectory { directory in
            _ = try parent(directory)
            try FileManager.default.removeItem(atPath: directory + "/parent/checkpoint.safetensors")
            let error = #expect(throws: UserError.self) { _ = try ParentRun(RunDirectory(directory + "/parent")) }
            #expect(error?.description.contains("no checkpoint yet") == true)
        }
    }

    // MARK: The record

    /// Whatever the name of the directory.
    @Test(arguments: ["runs/a", "./a b", "yes", "1e3", "- x: #y", "läufe/\"q\"", "a\nb"])
    func theRecordIsReadAsItWasWritten(_ path: String) throws {
        var configuration = try request().resolve()
        configuration.parent = Parent(
            run: path, digest: "00e12345", iteration: 3, lineIterations: 12, lineTimesteps: 1 << 40)
        #expect(try Configuration(yaml: configuration.yaml(), path: "c.yaml") == configuration)
        var moved = configuration
        moved.parent?.run = "elsewhere"
        #expect(moved != configuration && moved.isSameTraining(as: configuration))
        moved.parent?.digest = "00e12346"
        #expect(!moved.isSameTraining(as: configuration))
    }

    @Test(arguments: [
        ("from: runs/a", "c.yaml:1: 'from' is the record"), ("from: {run: runs/a}", "c.yaml:1: 'from' has no 'digest'"),
        (
            "from: {run: a, digest: b, iteration: -1, line_iterations: 1, line_timesteps: 1}",
            "iteration must be a whole"
        ),
        ("from: {run: a, digest: b, iteration: 1, line_iterations: 1, line_timesteps: 1, x: 1}", "unknown key 'x'"),
        ("from: {run: a, digest: b, iteration: 1, line_iterations: 1, line_timesteps: 1}", "needs its 'stages'"),
    ]) func aRecordThatIsNoneIsRefused(_ text: String, _ words: String) {
        let message = refusal { _ = try RunRequest(yaml: text, path: "c.yaml").resolve() }
        #expect(message.contains(words), "\(message)")
    }

    /// Not on names or order in the file, on nothing but the weights.
    @Test func theDigestIsOfTheWeights() {
        func file(_ values: [Float], _ optimizer: Float = 0, reversed: Bool = false) -> SafetensorsFile {
            let tensors = [
                SafetensorsFile.Tensor(name: "policy.a", shape: [2], values: Array(values.prefix(2))),
                .init(name: "critic.a", shape: [1], values: Array(values.suffix(1))),
                .init(name: "policy_optimizer.exp_avg", shape: [1], values: [optimizer]),
            ]
            return SafetensorsFile(
                metadata: ["iteration": "\(optimizer)"], tensors: reversed ? tensors.reversed() : tensors)
        }
        let digest = file([1, 2, 3]).weightsDigest
        #expect(digest.count == 8)
        #expect(file([1, 2, 3], 5, reversed: true).weightsDigest == digest)
        #expect(file([1, 2, Float(3).nextUp]).weightsDigest != digest)
        #expect(file([2, 1, 3]).weightsDigest != digest)
    }
}
