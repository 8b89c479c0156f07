import Foundation
import Testing

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
