import Interface
import Kernels
import Models
import Tasks
import Testing

@testable import Training

/// What an update needs beside its batch is counted before any work is done.
@Suite struct UpdateMemoryTests {
    private let family = BernoulliBandit(arms: 3, episodes: 40)

    private func policy(_ model: String, hidden: Int) throws -> any SequencePolicy {
        try Configuration.defaults(
            task: "bandit", model: model, taskOptions: ["arms": 3, "episodes": 40],
            modelOptions: ["hidden": .integer(hidden)]
        ).makePolicy()
    }

    /// The estimate is at most what TRPO's records took, and no small part of it: arenas grow by up to a half at a time.
    @Test func theEstimateIsTheRecordsOfAnUpdate() throws {
        let played = PlayedBatch(family, trials: 256, hidden: 32)
        played.setRandomAdvantages()
        let optimizer = played.optimizer
        _ = played.update(optimizer, .all(backtrackLimit: 0))
        let memory = UpdateMemory(played.policy, family, recording: 1)
        let records = memory.bytes(trials: 256, threads: 1).records
        #expect(records == memory.bytesPerStep * 256 * 40)
        #expect(Double(optimizer.recordBytes) >= records)
        #expect(Double(optimizer.recordBytes) < 3 * records)
    }

    /// Of each model: more for a wider one, and at least its state and its outputs.
    @Test(arguments: modelCatalogue.names) func widerModelsRecordMore(_ model: String) throws {
        let (narrow, wide) = try (policy(model, hidden: 16), policy(model, hidden: 32))
        let bytes = [narrow, wide].map { UpdateMemory($0, family, recording: 0).bytesPerStep }
        #expect(bytes[0] >= Double(4 * (16 + 3)) && bytes[1] > bytes[0], "\(bytes)")
    }

    /// The share of the Fisher matrix counts, and one shard for each thread in any case.
    @Test func theRecordsThatAreKeptAtATimeCount() throws {
        let policy = try policy("gru", hidden: 16)
        let (whole, none) = (
            UpdateMemory(policy, family, recording: 1), UpdateMemory(policy, family, recording: 0)
        )
        let steps = 1_000_000 / 40 * 40
        #expect(whole.bytes(trials: steps / 40, threads: 1).records == whole.bytesPerStep * Double(steps))
        let shard = Sharding(trials: steps / 40, steps: 40).lanes.max()! * 40
        #expect(none.bytes(trials: steps / 40, threads: 2).records == none.bytesPerStep * Double(2 * shard))
        let (batch, records) = whole.bytes(trials: steps / 40, threads: 1)
        let line = #expect(throws: UserError.self) {
            try whole.require(trials: steps / 40, threads: 1, available: Int(batch + records) - 1)
        }
        #expect(line?.description.contains("--fisher-share") == true)
        try whole.require(trials: steps / 40, threads: 1, available: Int(batch + records) + 1)
        let entry = try learnerCatalogue.require("trpo")
        let options = Values(defaults: entry.options, given: ["fisher-share": 0.5, "updates": 5])
        #expect(abs(entry.recordedShare(options) - 0.1) < 1e-12)
        #expect(try learnerCatalogue.require("ppo").recordedShare([:]) == 0)
    }

    /// A training that could not do its first update is refused by the trainer, before a directory is made.
    @Test func aTrainerAsksBeforeItIsMade() throws {
        var configuration = try Configuration.defaults(
            task: "bandit", model: "gru", taskOptions: ["episodes": 10_000], modelOptions: ["hidden": 4096])
        configuration.stages = [.complete("trpo", ["fisher-share": 1.0], iterations: 1, batchSteps: 100_000_000)]
        let error = #expect(throws: UserError.self) { _ = try Trainer(configuration, threads: 1) }
        #expect(error?.description.contains("GiB") == true)
    }
}
