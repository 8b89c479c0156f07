import Foundation
import Interface
import Testing
import Training

@testable import Bench

/// Tables are a pure function of records, to the byte.
@Suite struct ComparisonTests {
    /// Of the records that lie in golden/records; golden/make_tables.sh made both, and a person looked at the tables.
    @Test func recordsGiveTheSameTablesByteForByte() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("golden")
        let (comparison, failures) = try Comparison.read(folder.appendingPathComponent("records").path)
        #expect(failures.isEmpty && comparison.records.count == 8, "\(failures)")
        for (format, text) in [
            ("text", comparison.plainText), ("markdown", comparison.markdown), ("csv", comparison.commaSeparated),
            ("json", comparison.json),
        ] {
            let golden = try String(contentsOf: folder.appendingPathComponent("tables.\(format)"), encoding: .utf8)
            #expect(text == golden, "\(format)")
        }
    }

    /// What differs from machine to machine is in no table.
    @Test func costsOfAMachineAreInNoTable() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "golden/records")
        let comparison = try Comparison.read(folder.path).comparison
        let slower = try comparison.records.map { record -> CellRecord in
            var object = try #require(
                JSONSerialization.jsonObject(with: JSONEncoder().encode(record)) as? [String: Any])
            object["costs"] = [
                "processor": "abacus", "threads": 1, "training_seconds": 1e6, "steps_per_second_acting": 1,
                "steps_per_second_learning": 1,
            ]
            return try JSONDecoder().decode(CellRecord.self, from: JSONSerialization.data(withJSONObject: object))
        }
        #expect(Comparison(slower).plainText == comparison.plainText)
        #expect(Report(Comparison(slower)).html != Report(comparison).html)
    }
}

@Suite struct GoalTableTests {
    /// Tables and page are made of what a record says, not of its configuration: that of a maze of 0.1.0 is refused today.
    @Test func recordsOfAChangedTaskAreShown() throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let configuration = try String(
            contentsOf: tests.appendingPathComponent("TrainingTests/version1/maze-gru.yaml"), encoding: .utf8)
        #expect(throws: UserError.self) { try Configuration(yaml: configuration, path: "old.yaml") }
        let path = tests.appendingPathComponent("BenchTests/golden/records").path
        let some = try #require(try Comparison.read(path).comparison.records.first)
        var object = try #require(JSONSerialization.jsonObject(with: some.encoded()) as? [String: Any])
        var evaluation = try #require((object["evaluations"] as? [[String: Any]])?.first)
        let goal = GoalEvaluation(
            successes: [true, true], steps: [8, 4], shortest: [4], episodes: 2)
        evaluation["per_episode_mean"] = [0, 0]
        evaluation["task_options"] = ["maze-size": 5]
        evaluation["maze"] = try JSONSerialization.jsonObject(with: JSONEncoder().encode(goal))
        (object["configuration"], object["evaluations"]) = (configuration, [evaluation])
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("rl2x-records-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try JSONSerialization.data(withJSONObject: object).write(to: folder.appendingPathComponent("old.json"))
        let (comparison, failures) = try Comparison.read(folder.path)
        #expect(failures.isEmpty && comparison.records.count == 1, "\(failures)")
        let table = try #require(comparison.goalTable(some.taskName))
        #expect(table.rows.first?.prefix(5) == [some.modelName, "as trained", "1", "100.0 %", "8.0"])
        #expect(comparison.markdown.contains("Success and length"))
        #expect(Report(comparison).html.contains("Success and length"))
    }

    /// Two seeds on 5 × 5 mazes, of which one was also played on mazes that nothing was published of: by hand.
    @Test func successAndLengthByHand() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("golden/records")
        let some = try #require(try Comparison.read(path.path).comparison.records.first)
        func record(seed: Int, _ mazes: [(name: String, size: Int, goal: GoalEvaluation)]) throws -> CellRecord {
            var object = try #require(JSONSerialization.jsonObject(with: some.encoded()) as? [String: Any])
            object["seed"] = seed
            var evaluation = try #require((object["evaluations"] as? [[String: Any]])?.first)
            evaluation["per_episode_mean"] = [0, 0]
            object["evaluations"] = try mazes.map { name, size, goal in
                evaluation["name"] = name
                evaluation["task_options"] = ["maze-size": size]
                evaluation["goal"] = try JSONSerialization.jsonObject(with: JSONEncoder().encode(goal))
                return evaluation
            }
            return try JSONDecoder().decode(CellRecord.self, from: JSONSerialization.data(withJSONObject: object))
        }
        // Two trials each of two episodes of up to 10 steps; shortest ways of 4 and 5 steps.
        func played(_ steps: [Int32]) -> GoalEvaluation {
            GoalEvaluation(successes: steps.map { $0 < 10 }, steps: steps, shortest: [4, 5], episodes: 2)
        }
        let comparison = try Comparison([
            record(seed: 1, [("", 5, played([8, 4, 10, 6])), ("7 x 7", 7, played([10, 10, 10, 10]))]),
            record(seed: 2, [("", 5, played([6, 4, 8, 6]))]),
        ])
        let table = try #require(comparison.goalTable(some.taskName))
        let model = some.modelName
        #expect(
            table.rows == [
                // Lengths 8 and (6 + 8) / 2; over shortest 8/4 and (6/4 + 8/5) / 2. Then 5 and 5; (4/4 + 6/5) / 2; 5/8, 5/7.
                [model, "as trained", "1", "75.0 %", "7.5", "0.5", "1.0", "1.77", "1.000"],
                [model, "as trained", "2", "100.0 %", "5.0", "0.0", "1.0", "1.10", "0.670"],
                ["RL² as published", "as trained", "1", "99.3 %", "–", "–", "–", "–", "1.000"],
                ["RL² as published", "as trained", "2", "99.6 %", "–", "–", "–", "–", "0.746"],
                [model, "7 x 7", "1", "0.0 %", "–", "–", "–", "–", "–"],
                [model, "7 x 7", "2", "0.0 %", "–", "–", "–", "–", "–"],
            ])
        #expect(comparison.markdown.contains("### Success and length: \(some.taskName)"))
    }
}
