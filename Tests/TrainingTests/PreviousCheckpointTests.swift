import Foundation
import Interface
import Tasks
import Testing

@testable import Training

/// The checkpoint before the latest: when it is kept, and how a run goes on from it.
@Suite struct PreviousCheckpointTests {
    private func configuration(iterations: Int = 4) throws -> Configuration {
        try Configuration.tiny("ppo", iterations: iterations, batchSteps: 200)
    }

    @discardableResult
    private func train(_ path: String, every: Int = 1, stopAfter iterations: Int = .max) throws -> RunDirectory {
        let run = RunDirectory(path)
        let session = try TrainingSession(
            new: configuration(), in: run, existing: .refuse, threads: 1, checkpointEvery: every, command: ["train"])
        var done = 0
        _ = try session.train(shouldStop: { done >= iterations }) { _ in done += 1 }
        return run
    }

    private func resume(_ run: RunDirectory, _ generation: TrainingSession.Generation) throws -> TrainingSession {
        try TrainingSession(
            resuming: run, from: generation, iterations: nil, threads: 1, checkpointEvery: 1, command: ["train"])
    }

    private func finish(_ session: TrainingSession) throws {
        #expect(try session.train(shouldStop: { false }) { _ in } == .finished)
    }

    private func iteration(_ path: String) throws -> String? {
        try SafetensorsFile(contentsOf: path).metadata["iteration"]
    }

    /// The numbers of the metrics but the times.
    private func metrics(_ run: RunDirectory) throws -> [[UInt64]] {
        let (columns, rows) = try MetricsTable.read(run.metricsPath)
        let kept = columns.indices.filter { !columns[$0].contains("second") }
        return rows.map { row in kept.map { row[$0].bitPattern } }
    }

    private func damage(_ path: String) throws {
        var data = try AtomicFile.read(path)
        data[data.count - 5] ^= 4
        try AtomicFile.write(data, to: path)
    }

    /// Also where the last iteration is one at which a checkpoint is due: it is not written twice.
    @Test func theOneBeforeTheLatestIsKept() throws {
        try withTemporaryDirectory { directory in
            for (every, before) in [(1, "3"), (2, "2"), (3, "3"), (4, "0"), (10, "0")] {
                let run = try train(directory + "/\(every)", every: every)
                #expect(try iteration(run.checkpointPath) == "4")
                #expect(try iteration(run.previousCheckpointPath) == before)
                try finish(resume(run, .latest))
                #expect(try iteration(run.previousCheckpointPath) == before, "nothing was trained")
                let names = try FileManager.default.contentsOfDirectory(atPath: run.path)
                #expect(!names.contains(where: AtomicFile.isTemporary), "\(names)")
            }
        }
    }

    /// Bits and rows are those of a run that was never stopped; and a kill after each step of going back does no harm.
    @Test func goingOnFromThePreviousOneGivesTheSameBits() throws {
        try withTemporaryDirectory { directory in
            let (straight, run) = (try train(directory + "/straight"), try train(directory + "/run", stopAfter: 3))
            #expect(try iteration(run.previousCheckpointPath) == "2")
            try damage(run.checkpointPath)
            var session: TrainingSession? = try resume(run, .previous)
            #expect(session?.trainer.iteration == 2)
            #expect(try metrics(run).count == 2)
            #expect(try iteration(run.checkpointPath) == "2", "what is damaged is not kept")
            #expect(try iteration(run.previousCheckpointPath) == "2")
            session = nil
            session = try resume(run, .latest)
            try finish(#require(session))
            for path in [\RunDirectory.checkpointPath, \.previousCheckpointPath] {
                #expect(try AtomicFile.read(run[keyPath: path]) == AtomicFile.read(straight[keyPath: path]))
            }
            #expect(try metrics(run) == metrics(straight))
            #expect(try Manifest.read(run.manifestPath).sessions.map(\.firstIteration) == [0, 2, 2])
            let names = try FileManager.default.contentsOfDirectory(atPath: run.path)
            #expect(!names.contains(where: AtomicFile.isTemporary), "\(names)")
        }
    }

    /// On request also where the latest is sound.
    @Test func goingBackOnRequest() throws {
        try withTemporaryDirectory { directory in
            let run = try train(directory + "/run", every: 2)
            let latest = try AtomicFile.read(run.checkpointPath)
            try finish(resume(run, .previous))
            #expect(try AtomicFile.read(run.checkpointPath) == latest)
            #expect(try metrics(run).count == 4)
        }
    }

    @Test func aDamagedOneIsToldAndTheOtherOffered() throws {
        try withTemporaryDirectory { directory in
            let run = try train(directory + "/run", every: 2)
            let (latest, previous) = (
                try AtomicFile.read(run.checkpointPath), try AtomicFile.read(run.previousCheckpointPath)
            )
            func message(_ generation: TrainingSession.Generation) -> String {
                let error = #expect(throws: (any Error).self) { _ = try resume(run, generation) }
                return error.map { "\($0)" } ?? ""
            }
            try damage(run.checkpointPath)
            let offered = message(.latest)
            #expect(offered.hasPrefix(run.checkpointPath + ": cannot load: its content"), "\(offered)")
            #expect(
                offered.hasSuffix("(iteration 2) is sound: continue from it with --resume \(run.path) --previous"),
                "\(offered)")
            #expect(try metrics(run).count == 4, "nothing is changed by asking")

            try FileManager.default.removeItem(atPath: run.checkpointPath)
            #expect(message(.latest).contains("there is no such checkpoint; checkpoint-previous"))
            try AtomicFile.write(latest, to: run.checkpointPath)

            try damage(run.previousCheckpointPath)
            #expect(message(.previous).hasSuffix("checkpoint.safetensors (iteration 4) is sound: leave --previous out"))
            _ = try resume(run, .latest)

            try damage(run.checkpointPath)
            for generation in [TrainingSession.Generation.latest, .previous, .sound] {
                #expect(message(generation).contains("cannot be used either"), "\(message(generation))")
            }

            try FileManager.default.removeItem(atPath: run.previousCheckpointPath)
            #expect(message(.latest).hasSuffix("use another checkpoint") || message(.latest).contains("cannot load"))
            #expect(!message(.latest).contains("--previous"))
            try AtomicFile.write(latest, to: run.checkpointPath)
            #expect(message(.previous).contains("there is no such checkpoint; checkpoint.safetensors (iteration 4)"))

            // As `bench run` goes on.
            try AtomicFile.write(previous, to: run.previousCheckpointPath)
            try damage(run.checkpointPath)
            let session = try resume(run, .sound)
            #expect(session.notices.count == 1 && session.trainer.iteration == 2)
            #expect(
                session.notices.first?.hasSuffix("the run goes on from checkpoint-previous.safetensors (iteration 2)")
                    == true)
            try finish(session)
            #expect(try AtomicFile.read(run.checkpointPath) == latest)
        }
    }

    /// The old content stays under its second name; a link stays a link, and what it leads to is kept and not the link.
    @Test func keepingAFile() throws {
        try withTemporaryDirectory { directory in
            let (path, other, link) = (directory + "/new", directory + "/old", directory + "/link")
            func write(_ text: String, _ path: String) throws {
                try AtomicFile.write(Data(text.utf8), to: path, keeping: other)
            }
            func text(_ path: String) throws -> String { String(decoding: try AtomicFile.read(path), as: UTF8.self) }
            try write("1", path)
            #expect(access(other, F_OK) != 0)
            try write("2", path)
            #expect(try text(path) == "2" && text(other) == "1")
            try AtomicFile.keep(path, as: other)
            try AtomicFile.keep(path, as: other)
            #expect(try text(path) == "2" && text(other) == "2")
            try write("3", path)
            #expect(try text(path) == "3" && text(other) == "2")
            #expect(symlink(path, link) == 0)
            try write("4", link)
            #expect(try text(path) == "4" && text(link) == "4" && text(other) == "3")
            #expect(throws: FileError.self) { try AtomicFile.keep(directory + "/none", as: other) }
            #expect(try text(other) == "3")
            try FileManager.default.removeItem(atPath: other)
            try FileManager.default.createDirectory(atPath: other + "/in", withIntermediateDirectories: true)
            #expect(throws: FileError.self) { try write("5", path) }
            #expect(try text(path) == "4")
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).sorted() == ["link", "new", "old"])
        }
    }
}
