import ArgumentParser
import Foundation
import Interface
import Platform
import Training

/// The command line of rl2x. A program of another package registers its own models, tasks and learners in their catalogues
/// and calls `RL2XCommand.main()`: then every command, plan, checkpoint and report knows them.
public struct RL2XCommand: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "rl2x",
        abstract: "Which sequence model makes the best learned learning algorithm?",
        discussion: """
            rl2x trains sequence models by RL² (Duan et al. 2016) so that their forward pass becomes a reinforcement \
            learning algorithm, and measures how good an algorithm it is.
            """,
        version: Version.number,
        subcommands: [
            Train.self, Evaluate.self, Imitate.self, Baselines.self, Reproduce.self, Bench.self, Check.self,
            Frames.self, ZooCommand.self, DemoCommand.self, Watch.self, Info.self,
        ])

    public init() {}

    /// Parses, runs, and turns every failure into one line on standard error: exit code 64 for a wrong call, 1 for a
    /// failure.
    public static func main() {
        Console.prepare()
        let words = Array(CommandLine.arguments.dropFirst())
        let called = CalledCommand(words, root: RL2XCommand.self)
        do {
            try called.refuseUnknownWords()
            var command = try parseAsRoot(called.arguments())
            try command.run()
            Console.exit(0)
        } catch let error as UserError {
            Console.fail(error.description)
        } catch let error as FileError {
            Console.fail(error.description)
        } catch let error as CallError {
            Console.fail(error.description, code: ExitCode.validationFailure.rawValue)
        } catch {
            // Help and version come as errors too, and are none.
            let code = exitCode(for: error)
            if code.isSuccess {
                print(fullMessage(for: error))
                if words.contains(where: { ["--help", "-h", "help"].contains($0) }) {
                    print(called.help, terminator: "")
                }
                Console.exit(0)
            }
            let lines = message(for: error).split(whereSeparator: \.isNewline)
            let advice = code == .validationFailure ? "; see rl2x --help" : ""
            Console.fail((lines.first ?? "failed") + advice, code: code.rawValue)
        }
    }
}

// `@Option` means the argument parser's in this module.
typealias Option = ArgumentParser.Option

/// An objection to what a call names, which says itself what to do: exit code 64.
struct CallError: Error, CustomStringConvertible {
    let description: String
}

/// Runs what checks a call, and makes its objection one to the call.
func calling<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as UserError { throw CallError(description: error.description) }
}

/// Throws unless a number lies in its range.
func check<Value: Comparable>(_ name: String, _ value: Value?, _ range: ClosedRange<Value>) throws {
    guard let value, !range.contains(value) else { return }
    throw ValidationError("--\(name) is \(value): choose a number in \(range.lowerBound) … \(range.upperBound)")
}

/// Throws unless a seed is 0 or more.
func check(seed: Int?) throws {
    if let seed, seed < 0 { throw ValidationError("--seed is \(seed): choose a whole number of 0 or more") }
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

/// Options as JSON has them: numbers and words by their YAML keys.
func jsonObject(_ values: Values) -> [String: Any] {
    Dictionary(
        uniqueKeysWithValues: values.names.map { name in
            let value: Any =
                switch values[name]! {
                case .integer(let number): number
                case .real(let number): number
                case .word(let word): word
                }
            return (String(name.map { $0 == "-" ? "_" : $0 }), value)
        })
}
