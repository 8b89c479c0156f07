import Foundation
import Interface
import Models
import Tasks
import Testing

@testable import Bench
@testable import Training

/// An option's name, range and default stand in one place: where its owner declares it.
@Suite struct OptionSourceTests {
    private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Swift files of the program by their path.
    private static let sources: [(path: String, text: String)] = ["Sources", "models", "tasks", "bench"].flatMap {
        folder -> [(String, String)] in
        let root = package.appendingPathComponent(folder)
        return (FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []).compactMap {
            guard $0.hasSuffix(".swift"),
                let text = try? String(contentsOf: root.appendingPathComponent($0), encoding: .utf8)
            else { return nil }
            return ("\(folder)/\($0)", text)
        }
    }

    /// Names that are declared as options, with the files that declare them.
    private static let declarations: [String: [String]] = sources.reduce(into: [:]) { found, source in
        for match in source.text.matches(of: /\bOption\(\s*"([a-z-]+)",/) {
            found[String(match.output.1), default: []].append(source.path)
        }
    }

    private static var options: [Option] {
        taskCatalogue.entries.flatMap(\.options) + modelCatalogue.entries.flatMap(\.options)
            + Command.learners.flatMap(\.options)
            + [Stage.batchStepsOption, Stage.iterationsOption]
    }

    @Test func everyOptionIsDeclaredOnceByItsOwner() {
        for (name, options) in Dictionary(
            grouping: Self.options + AgentCatalogue.entries.flatMap(\.options), by: \.name)
        {
            let files = Self.declarations[name] ?? []
            // Owners that mean different things by a name declare it apart, each once.
            #expect(files.count <= Set(options).count, "--\(name) is declared in \(files)")
            #expect(Set(files).count == files.count || Set(options).count > 1, "--\(name) is declared in \(files)")
            #expect(!files.isEmpty, "--\(name) is declared nowhere")
        }
    }

    /// The command line has no second declaration of an option, with a range or a default of its own.
    @Test func theCommandLineDeclaresNoOptionOfACatalogue() {
        let names = Set(Self.options.map(\.name)).subtracting(["iterations"])
        for source in Self.sources where source.path.hasPrefix("Sources/Commands/") {
            let properties = source.text.matches(of: /@Option(?:.|\n)*?\n\s*var (\w+)/).map { String($0.output.1) }
            for property in properties {
                let name = property.reduce(into: "") { $0 += $1.isUppercase ? "-\($1.lowercased())" : "\($1)" }
                // `evaluate` plays a trained model with another memory, which is no training option there.
                #expect(!names.contains(name) || name == "reset-memory", "\(source.path): --\(name)")
            }
        }
    }
}
