import ArgumentParser
import Foundation
import Platform
import Training

/// The command line: parse, call, print.
@main
struct RL2X: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rl2x",
        abstract: "Which sequence model makes the best learned learning algorithm?",
        discussion: """
            rl2x trains sequence models by RL² (Duan et al. 2016) so that their forward pass becomes a reinforcement \
            learning algorithm, and measures how good an algorithm it is.
            """,
        version: Version.number,
        subcommands: [
            Train.self, Evaluate.self, Imitate.self, Baselines.self, Reproduce.self, Bench.self, Check.self,
            Frames.self, Info.self,
        ])

    /// Parses, runs, and turns every failure into one line on standard error: exit code 64 for a wrong call, 1 for a
    /// failure.
    static func main() {
        Console.prepare()
        do {
            var command = try parseAsRoot()
            try command.run()
            Console.exit(0)
        } catch let error as UserError {
            Console.fail(error.description)
        } catch let error as FileError {
            Console.fail(error.description)
        } catch {
            // Help and version come as errors too, and are none.
            let code = exitCode(for: error)
            if code.isSuccess {
                print(fullMessage(for: error))
                Console.exit(0)
            }
            let lines = message(for: error).split(whereSeparator: \.isNewline)
            let advice = code == .validationFailure ? "; see rl2x --help" : ""
            Console.fail((lines.first ?? "failed") + advice, code: code.rawValue)
        }
    }
}

/// Writes a line to standard error.
func printError(_ line: String) { Console.error(line) }

/// Prints on standard output. It stands in for the standard library's function, which does not tell whether it could
/// write.
func print(_ items: Any..., separator: String = " ", terminator: String = "\n") {
    Console.output(items.map { "\($0)" }.joined(separator: separator) + terminator)
}

/// Prints exactly one JSON object on standard output.
func printJSON(_ object: [String: Any]) throws {
    let data = try JSONSerialization.data(
        withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    print(String(decoding: data, as: UTF8.self))
}

/// NSNull for nil, because JSON has no other word for what is not known.
func json(_ value: Double?) -> Any {
    guard let value, value.isFinite else { return NSNull() }
    return value
}

func format(_ value: Double?, _ digits: Int) -> String { value.map { String(format: "%.\(digits)f", $0) } ?? "–" }
