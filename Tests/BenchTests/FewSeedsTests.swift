import Foundation
import Testing

@testable import Bench

/// Of one seed nothing is known about others, and tables say so with a dash.
@Suite struct FewSeedsTests {
    private func golden() throws -> [CellRecord] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return try Comparison.read(folder.appendingPathComponent("golden/records").path).comparison.records
    }

    private func cells(_ comparison: Comparison, _ table: String, _ column: String) throws -> [String] {
        let tables = comparison.tables.filter { $0.title.hasPrefix(table) }.map(\.table)
        try #require(!tables.isEmpty)
        return try tables.flatMap { table in
            let place = try #require(table.columns.firstIndex { $0.title == column })
            return table.rows.map { $0[place] }
        }
    }

    private static let overSeeds = [
        ("Sample efficiency", "95 % interval"), ("Paired differences", "95 %, seeds"),
        ("Paired differences", "P(first beats second)"),
        ("Paired differences", "smallest difference that so many seeds would show"),
        ("Share of the gap", "95 % interval"),
    ]

    @Test func oneSeedHasNoInterval() throws {
        let all = try golden()
        let one = Comparison(all.filter { $0.seed == 1 })
        for (table, column) in FewSeedsTests.overSeeds {
            #expect(try cells(one, table, column).allSatisfy { $0 == "–" }, "\(table): \(column)")
            #expect(try cells(Comparison(all), table, column).allSatisfy { $0 != "–" }, "\(table): \(column)")
        }
        // Baselines' rows have none in any case.
        #expect(try cells(one, "Return", "± se, seeds").allSatisfy { $0 == "–" || $0.isEmpty })
        // What is known of the members played is told all the same.
        #expect(try cells(one, "Paired differences", "95 %, members").allSatisfy { $0.contains(" … ") })
        let page = Report(one).html
        #expect(!page.contains("class=\"band\"") && !page.contains("class=\"whisker\""))
        #expect(!page.contains("nan"))
    }

    /// One seed on one side is as little known.
    @Test func oneSeedBesideTwoHasNoInterval() throws {
        let all = try golden()
        let first = all[0].modelName
        let mixed = Comparison(all.filter { $0.seed == 1 || $0.modelName != first })
        for column in ["95 %, seeds", "P(first beats second)"] {
            #expect(try cells(mixed, "Paired differences", column).allSatisfy { $0 == "–" })
        }
    }
}

/// Numbers that no training gives, in files that are JSON all the same.
@Suite struct RecordNumberTests {
    @Test(arguments: [
        ("steps\" : 9600", "steps\" : 9223372036854775807"), ("steps\" : 0", "steps\" : -9223372036854775808"),
        ("steps\" : 9600", "steps\" : 1e30"), ("score\" : 4.485", "score\" : 1e300"),
        ("acting_operations\" : 672", "acting_operations\" : 1e300"),
        ("acting_operations\" : 672", "acting_operations\" : 99999999999999999999"),
    ]) func aNumberThatOverflowsIsNamed(_ own: String, _ wrong: String) throws {
        let path =
            URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
            + "/golden/records/bandit--gru--s1.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try #require(text.contains(own))
        let directory = NSTemporaryDirectory() + "rl2x-numbers-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Data(text.utf8).write(to: URL(fileURLWithPath: directory + "/sound.json"))
        try Data(text.replacing(own, with: wrong).utf8).write(to: URL(fileURLWithPath: directory + "/wrong.json"))
        let (comparison, failures) = try Comparison.read(directory)
        #expect(comparison.records.count == 1)
        #expect(failures.count == 1 && failures[0].contains("wrong.json: "), "\(failures)")
        // The tables of the rest are made.
        #expect(!comparison.plainText.isEmpty && !Report(comparison).html.isEmpty)
    }
}
