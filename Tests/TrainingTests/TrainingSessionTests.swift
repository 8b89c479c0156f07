import Foundation
import Interface
import Tasks
import Testing

@testable import Training

@Suite struct TrainingSessionTests {
    private func configuration(iterations: Int = 3) throws -> Configuration {
        try Configuration.tiny("trpo", iterations: iterations, batchSteps: 400)
    }

    private func begin(
        _ configuration: Configuration, _ path: String, existing: TrainingSession.Existing = .refuse,
        checkpointEvery: Int = 10
    ) throws -> TrainingSession {
        try TrainingSession(
            new: configuration, in: RunDirectory(path), existing: existing, threads: 1,
            checkpointEvery: checkpointEvery, command: ["train"])
    }

    private func resume(_ path: String, iterations: Int? = nil) throws -> TrainingSession {
        try TrainingSession(
            resuming: RunDirectory(path), iterations: iterations, threads: 1, checkpointEvery: 10,
            command: ["train", "--resume"])
    }

    private func train(_ session: TrainingSession, stopAfter iterations: Int = .max) throws -> TrainingSession.Outcome {
        var done = 0
        return try session.train(shouldStop: { done >= iterations }) { _ in done += 1 }
    }

    /// The numbers of the metrics but the times, and the iterations.
    private func metrics(_ path: String) throws -> [[UInt64]] {
        let (columns, rows) = try MetricsTable.read(path + "/metrics.csv")
        let kept = columns.indices.filter { !columns[$0].contains("second") }
        return rows.map { row in kept.map { row[$0].bitPattern } }
    }

    @Test func aRunWritesItsRecords() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/deep/run"
            let configuration = try configuration()
            let session = try begin(configuration, path)
            #expect(try train(session) == .finished)
            let run = RunDirectory(path)
            #expect(try run.configuration() == configuration)
            let manifest = try Manifest.read(run.manifestPath)
            #expect(manifest.seed == 2 && manifest.version == Version.number && manifest.command == ["train"])
            #expect(manifest.sessions.count == 1)
            #expect(manifest.sessions[0].outcome == "finished" && manifest.sessions[0].iterations == 3)
            #expect(manifest.parameters == session.trainer.policy.layout.count)
            #expect(try metrics(path).map { Double(bitPattern: $0[0]) } == [0, 1, 2])
            let file = try SafetensorsFile(contentsOf: run.checkpointPath)
            #expect(try file == session.trainer.checkpoint())
            #expect(file.metadata["iteration"] == "3" && file.metadata["timesteps"] == "1200")
        }
    }

    /// What is trained must be what the file says to its last digit, or a resumed run would differ.
    @Test func trainsOnTheConfigurationThatItWrote() throws {
        try withTemporaryDirectory { directory in
            var configuration = try configuration()
            configuration.stages[0].learnerOptions["discount"] = .real(0.1 + 0.2)
            configuration.stages[0].learnerOptions["gae-lambda"] = .real(2 / 3.0)
            let session = try begin(configuration, directory + "/run")
            #expect(try RunDirectory(directory + "/run").configuration() == session.trainer.configuration)
            #expect(session.trainer.configuration == configuration)
        }
    }

    @Test func anInterruptedAndResumedRunEndsWithTheSameBytes() throws {
        try withTemporaryDirectory { directory in
            let (straight, broken) = (directory + "/straight", directory + "/broken")
            #expect(try train(begin(configuration(), straight)) == .finished)
            #expect(try train(begin(configuration(), broken), stopAfter: 1) == .interrupted)
            #expect(try train(resume(broken), stopAfter: 1) == .interrupted)
            #expect(try train(resume(broken)) == .finished)
            #expect(
                try Data(contentsOf: URL(fileURLWithPath: broken + "/checkpoint.safetensors"))
                    == Data(contentsOf: URL(fileURLWithPath: straight + "/checkpoint.safetensors")))
            #expect(try metrics(broken) == metrics(straight))
            let sessions = try Manifest.read(broken + "/manifest.json").sessions
            #expect(sessions.map(\.outcome) == ["interrupted", "interrupted", "finished"])
            #expect(sessions.map(\.firstIteration) == [0, 1, 2])
        }
    }

    /// Killed between two checkpoints: rows of the metrics that no checkpoint backs are done anew.
    @Test func aRunThatWasKilledGoesOnFromItsCheckpoint() throws {
        try withTemporaryDirectory { directory in
            let (straight, killed) = (directory + "/straight", directory + "/killed")
            #expect(try train(begin(configuration(iterations: 4), straight)) == .finished)
            struct Killed: Error {}
            var session: TrainingSession? = try begin(configuration(iterations: 4), killed, checkpointEvery: 2)
            var reports = 0
            #expect(throws: Killed.self) {
                _ = try session!.train(shouldStop: { false }) { _ in
                    reports += 1
                    if reports == 3 { throw Killed() }
                }
            }
            session = nil
            #expect(try metrics(killed).count == 3)
            #expect(try SafetensorsFile(contentsOf: killed + "/checkpoint.safetensors").metadata["iteration"] == "2")
            #expect(try train(resume(killed)) == .finished)
            #expect(try metrics(killed) == metrics(straight))
            #expect(
                try Data(contentsOf: URL(fileURLWithPath: killed + "/checkpoint.safetensors"))
                    == Data(contentsOf: URL(fileURLWithPath: straight + "/checkpoint.safetensors")))
        }
    }

    /// A run that was told to stop early goes on as if it had not.
    @Test func moreIterationsExtendAFinishedRun() throws {
        try withTemporaryDirectory { directory in
            let (straight, extended) = (directory + "/straight", directory + "/extended")
            let whole = try configuration(iterations: 4)
            var stopped = whole
            stopped.iterations = 2
            _ = try train(begin(whole, straight))
            _ = try train(begin(stopped, extended))
            let done = #expect(throws: UserError.self) { _ = try resume(extended, iterations: 1) }
            #expect(done?.description.contains("has done 2 already") == true)
            #expect(try train(resume(extended, iterations: 4)) == .finished)
            #expect(try RunDirectory(extended).configuration() == RunDirectory(straight).configuration())
            #expect(
                try Data(contentsOf: URL(fileURLWithPath: extended + "/checkpoint.safetensors"))
                    == Data(contentsOf: URL(fileURLWithPath: straight + "/checkpoint.safetensors")))
        }
    }

    @Test func overwritingRemovesTheRunsFilesAndNoOthers() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/run"
            #expect(try train(begin(configuration(), path)) == .finished)
            try Data("mine".utf8).write(to: URL(fileURLWithPath: path + "/notes.txt"))
            let before = try Data(contentsOf: URL(fileURLWithPath: path + "/checkpoint.safetensors"))
            let refused = #expect(throws: UserError.self) { _ = try begin(configuration(), path) }
            #expect(refused?.description.contains("--overwrite") == true)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path + "/checkpoint.safetensors")) == before)

            let session = try begin(configuration(iterations: 1), path, existing: .overwrite)
            #expect(try metrics(path).isEmpty)
            #expect(try train(session) == .finished)
            #expect(try String(contentsOfFile: path + "/notes.txt", encoding: .utf8) == "mine")
            let names = try FileManager.default.contentsOfDirectory(atPath: path)
            #expect(names.count { $0.hasPrefix("events.out.tfevents.") } == 1)
        }
    }

    /// Two trainings in one directory would spoil both.
    @Test func aRunDirectoryBelongsToOneTrainingAtATime() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/run"
            var session: TrainingSession? = try begin(configuration(), path)
            let before = try Data(contentsOf: URL(fileURLWithPath: path + "/checkpoint.safetensors"))
            for attempt in [{ _ = try resume(path) }, { _ = try begin(configuration(), path, existing: .overwrite) }] {
                let error = #expect(throws: UserError.self) { try attempt() }
                #expect(error?.description.contains("another process") == true)
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: path + "/checkpoint.safetensors")) == before)
            #expect(try session.map { try train($0) } == .finished)
            session = nil
            #expect(try resume(path).trainer.isFinished)
        }
    }
}
