import Foundation
import Tasks
import Testing
import Training

@testable import Bench

/// What the repository says that was measured is what its records hold: docs/bandits.md shows what the shipped records say,
/// byte for byte, and README.md its first table and the MDPs' numbers.
@Suite struct ShippedResultTests {
    private let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func text(_ path: String) throws -> String {
        try String(contentsOf: package.appendingPathComponent(path), encoding: .utf8)
    }

    /// The records of a folder of bench/results, all of which can be read.
    private func shipped(_ folder: String) throws -> Comparison {
        let (comparison, failures) = try Comparison.read(package.appendingPathComponent("bench/results/\(folder)").path)
        #expect(failures.isEmpty, "\(failures)")
        return comparison
    }

    /// The record of a GRU of seed 1, whose configuration must be the task's default.
    private func recordOfTheDefault(_ comparison: Comparison, task: String) throws -> CellRecord {
        let record = try #require(comparison.records.first { $0.seed == 1 && $0.modelName == "gru" })
        let standard = try Configuration.defaults(task: task, model: "gru", seed: 1)
        #expect(try Configuration(yaml: record.configuration, path: "record") == standard)
        return record
    }

    /// Records are of their plan's cells as the plan is read today, so that `bench run` keeps them.
    @Test(arguments: ["bandits", "mdps"]) func recordsAreOfTheirPlan(_ folder: String) throws {
        let records = try shipped(folder).records
        #expect(!records.isEmpty)
        for path in ["bench/results/\(folder)/plan.yaml", "bench/plans/\(folder).yaml"] {
            let plan = try Plan(text(path), file: path)
            #expect(plan.problems.isEmpty, "\(plan.problems)")
            for record in records {
                let cell = try #require(plan.cells.first { $0.identifier == record.cell })
                let configuration = try plan.configuration(of: cell)
                var recorded = try Configuration(yaml: record.configuration, path: record.cell)
                // 0.1.0 cut the stages of a schedule that was not to be trained to its end.
                #expect(recorded.iterations == configuration.iterations && record.iterations == recorded.iterations)
                if recorded.stages.count < configuration.stages.count {
                    let last = recorded.stages.count - 1
                    recorded.stages[last].iterations = configuration.stages[last].iterations
                    recorded.stages += configuration.stages.dropFirst(last + 1)
                    recorded.iterations = configuration.iterations
                }
                #expect(recorded == configuration, "\(path)")
                let options = try taskCatalogue.require(configuration.task).options
                #expect(record.main.taskOptions.kept(by: options) == configuration.taskOptions)
            }
        }
    }

    @Test func documentsShowTheTablesOfTheRecords() throws {
        let comparison = try shipped("bandits")
        #expect(try text("docs/bandits.md").hasSuffix("\n" + comparison.markdown))
        let first = try #require(comparison.tables.first)
        #expect(try text("README.md").contains(first.table.markdown()))
    }

    /// README.md says that the default earns this: a default that changes needs a record made anew.
    @Test func theMDPRecordIsOfTheDefault() throws {
        let record = try recordOfTheDefault(shipped("mdps"), task: "mdp")
        #expect(record.main.meanTotalReward >= 150)
        #expect(record.costs.trainingSeconds <= 90 * 60)
        let total = String(
            format: "%.2f ± %.2f", record.main.meanTotalReward, record.main.standardError)
        #expect(try text("README.md").contains("**\(total)**"))
    }
}
