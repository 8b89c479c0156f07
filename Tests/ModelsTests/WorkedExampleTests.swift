import Foundation
import Testing

/// What README.md shows of "Add a model" is the file that is built and tested.
@Suite struct WorkedExampleTests {
    @Test func readmeShowsTheWholeModel() throws {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        func text(_ path: String) throws -> String {
            try String(contentsOf: package.appendingPathComponent(path), encoding: .utf8)
        }
        let readme = try text("README.md")
        #expect(readme.contains(try text("models/Elman.swift")))
        let line = try #require(readme.split(separator: "\n").first { $0.hasPrefix("ModelEntry(name: \"elman\"") })
        #expect(try text("models/ModelCatalogue.swift").contains(line))
    }
}
