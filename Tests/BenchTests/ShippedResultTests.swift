import Foundation
import Testing

@testable import Bench

/// docs/bandits.md shows what the shipped records say, byte for byte, and README.md its first table.
@Suite struct ShippedResultTests {
    @Test func documentsShowTheTablesOfTheRecords() throws {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        func text(_ path: String) throws -> String {
            try String(contentsOf: package.appendingPathComponent(path), encoding: .utf8)
        }
        let (comparison, failures) = try Comparison.read(package.appendingPathComponent("bench/results/bandits").path)
        #expect(failures.isEmpty, "\(failures)")
        #expect(try text("docs/bandits.md").hasSuffix("\n" + comparison.markdown))
        let first = try #require(comparison.tables.first)
        #expect(try text("README.md").contains(first.table.markdown()))
    }
}
