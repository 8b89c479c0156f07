import Foundation
import Kernels
import Models
import Tasks
import Testing
import Training

@testable import Bench

/// The plans in bench/plans.
@Suite struct ShippedPlanTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("bench/plans")

    private static func plan(_ name: String) throws -> Plan {
        try Plan.read(folder.appendingPathComponent(name + ".yaml").path)
    }

    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }()

    @Test func theyAreThere() {
        let expected = [
            "bandits", "generalization", "maze", "memory-reset", "paper-bandits", "paper-bandits-line", "paper-mdps",
            "positions", "smoke",
        ]
        #expect(Set(Self.names).isSuperset(of: expected))
    }

    /// Every cell can be trained, and its policy can play all that it is to be judged on.
    @Test(arguments: names) func everyCellHasItsConfiguration(_ name: String) throws {
        let plan = try Self.plan(name)
        #expect(plan.problems.isEmpty, "\(plan.problems)")
        for cell in plan.cells {
            let configuration = try plan.configuration(of: cell)
            #expect(configuration.seed == cell.seed && configuration.task == cell.task.task)
            for other in cell.task.evaluation.also {
                #expect(try configuration.playing(other.options) != configuration, "'\(other.name)' changes nothing")
            }
        }
    }

    @Test func theSmokePlanTriesEverything() throws {
        let plan = try Self.plan("smoke")
        #expect(plan.models.map(\.model) == ["gru", "lstm", "transformer", "feedforward"])
        #expect(Set(plan.tasks.map(\.task)) == Set(taskCatalogue.names) && plan.seeds.count == 2)
        let bandit = try #require(plan.tasks.first { $0.task == "bandit" })
        #expect(bandit.options == ["arms": 5, "episodes": 10])
        let maze = try #require(plan.tasks.first { $0.task == "maze" })
        #expect(maze.options["maze-size"] == 5)
    }

    /// All nine rows of table 1 and all five of table 2.
    @Test func thePapersTablesAreWhole() throws {
        let bandits = try Self.plan("paper-bandits").tasks.map(\.options)
        #expect(bandits.count == 9)
        for pulls in [10, 100, 500] {
            for arms in [5, 10, 50] {
                #expect(bandits.contains(["arms": .integer(arms), "episodes": .integer(pulls)]))
            }
        }
        let lines = try Self.plan("paper-bandits-line")
        #expect(bandits.allSatisfy(lines.tasks.map(\.options).contains))
        // Every cell begins with shorter trials of as many arms, or with nothing.
        for cell in lines.cells {
            let pulls = cell.task.options.integer("episodes")
            guard let parent = lines.parent(of: cell) else {
                #expect(pulls == 10)
                continue
            }
            #expect(parent.task.options["arms"] == cell.task.options["arms"])
            #expect(parent.task.options.integer("episodes") < pulls)
        }
        #expect(
            try Self.plan("paper-mdps").tasks.map(\.options)
                == [10, 25, 50, 75, 100].map { ["episodes": .integer($0)] })
    }

    @Test func theMazePlanGeneralizesAsThePaperDoes() throws {
        let task = try #require(try Self.plan("maze").tasks.first)
        #expect(task.options == ["maze-size": 5, "episodes": 2])
        let also = task.evaluation.also.map(\.options)
        #expect(
            also == [
                ["hold-out": "draws"], ["maze-size": 9], ["episodes": 5], ["maze-size": 9, "episodes": 5],
            ])
    }

    @Test func theMemoryPlanHasAllModes() throws {
        let plan = try Self.plan("memory-reset")
        let modes = try plan.cells.map { try plan.configuration(of: $0).memoryReset }
        #expect(Set(modes) == Set(MemoryReset.allCases))
        #expect(plan.settings.count == MemoryReset.allCases.count)
    }

    @Test func theGeneralizationPlanShiftsPriorAndHorizon() throws {
        let also = try Self.plan("generalization").tasks.flatMap { $0.evaluation.also.map(\.options) }
        #expect(also.contains { $0["prior"] == "beta22" } && also.contains { $0["prior"] == "dependent" })
        #expect(also.contains { $0["episodes"] != nil } && also.contains { $0["horizon"] != nil })
    }
}
