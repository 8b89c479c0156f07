import Foundation
import Models
import Tasks
import Testing

/// The outer loop knows protocols only: no architecture's name stands in Sources/Training, and no task's.
@Suite struct SourceTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Sources/Training")

    /// Words of code in lower case, identifiers cut at their capitals; comments are left out, because they cite papers.
    static func words(_ code: String) -> [String] {
        var words: [String] = []
        for line in code.split(whereSeparator: \.isNewline) {
            let code = line.range(of: "//").map { line[..<$0.lowerBound] } ?? line
            var (word, previous) = ("", Character(" "))
            for character in code + " " {
                let begins = character.isUppercase && previous.isLowercase
                if begins || !(character.isLetter || character.isNumber) {
                    if !word.isEmpty { words.append(word.lowercased()) }
                    word = ""
                }
                if character.isLetter || character.isNumber { word.append(character) }
                previous = character
            }
        }
        return words
    }

    /// Whether a name such as `two-words` occurs, its words one after the other or run together.
    static func contains(_ name: String, _ words: [String]) -> Bool {
        let parts = name.split(separator: "-").map { $0.lowercased() }
        return words.contains(parts.joined())
            || words.indices.contains { words[$0...].prefix(parts.count).elementsEqual(parts) }
    }

    @Test func wordsAreFoundInIdentifiersAndStrings() {
        let words = SourceTests.words("let makeGRU = \"lstm-256\" // transformer\nfeedForward(tinyMaze)")
        #expect(["gru", "lstm", "feed-forward", "maze"].allSatisfy { SourceTests.contains($0, words) }, "\(words)")
        #expect(!["transformer", "feed-backward", "lst"].contains { SourceTests.contains($0, words) })
    }

    @Test func noNameOfACatalogueStandsInTraining() throws {
        let files = try #require(
            FileManager.default.enumerator(at: SourceTests.folder, includingPropertiesForKeys: nil)
        )
        .compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
        #expect(files.count > 20)
        for file in files {
            let words = SourceTests.words(try String(contentsOf: file, encoding: .utf8))
            for name in modelCatalogue.names + taskCatalogue.names {
                #expect(!SourceTests.contains(name, words), "\(file.lastPathComponent) names '\(name)'")
            }
        }
    }
}
