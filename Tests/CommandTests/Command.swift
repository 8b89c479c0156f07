import Foundation
import Testing

@testable import Training

/// The program `rl2x` of this build, run as its users run it.
enum Command {
    /// Root of the package; Tests/CommandTests/Command.swift is three levels below it.
    static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// Beside the test bundle, where SwiftPM puts all products of a build; else in the package's `.build/debug`.
    static let executable: URL = {
        let beside = Bundle.main.executableURL?.deletingLastPathComponent().appendingPathComponent("rl2x")
        if let beside, FileManager.default.isExecutableFile(atPath: beside.path) { return beside }
        return URL(fileURLWithPath: package + "/.build/debug/rl2x")
    }()

    struct Result {
        /// Exit code, or 128 + the signal that ended it.
        var code: Int32
        var output: String
        var errors: String

        /// Lines of standard error.
        var errorLines: [Substring] { errors.split(separator: "\n") }
        /// Lines that report a failure; a training's progress stands there too.
        var failures: [Substring] { errorLines.filter { $0.hasPrefix("rl2x: ") } }
    }

    /// A process whose streams go to files, so that no pipe can fill up.
    final class Running {
        private let process = Process()
        private let directory: String
        private let prefix: String

        /// - Parameters:
        ///   - executable: rl2x, or a program that starts it.
        ///   - errors: takes standard error; nil: a file, which `wait` reads.
        init(
            _ arguments: [String], in directory: String, executable: URL = Command.executable,
            errors: FileHandle? = nil
        ) throws {
            self.directory = directory
            prefix = NSTemporaryDirectory() + "rl2x-streams-\(UUID().uuidString)"
            process.executableURL = executable
            process.arguments = arguments
            process.currentDirectoryURL = URL(fileURLWithPath: directory)
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = try Running.stream(prefix + ".out")
            let file = try Running.stream(prefix + ".err")
            process.standardError = errors ?? file
            // Threads of Swift concurrency block all signals, and a child inherits the mask of the thread that starts it.
            var (all, before) = (sigset_t(), sigset_t())
            sigfillset(&all)
            pthread_sigmask(SIG_UNBLOCK, &all, &before)
            defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
            try process.run()
        }

        private static func stream(_ path: String) throws -> FileHandle {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
            return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        }

        var isRunning: Bool { process.isRunning }
        var identifier: Int32 { process.processIdentifier }

        func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

        func wait() throws -> Result {
            process.waitUntilExit()
            defer {
                unlink(prefix + ".out")
                unlink(prefix + ".err")
            }
            let isSignal = process.terminationReason == .uncaughtSignal
            return Result(
                code: process.terminationStatus + (isSignal ? 128 : 0),
                output: try String(contentsOfFile: prefix + ".out", encoding: .utf8),
                errors: try String(contentsOfFile: prefix + ".err", encoding: .utf8))
        }
    }

    static func run(_ arguments: [String], in directory: String) throws -> Result {
        try Running(arguments, in: directory).wait()
    }

    /// Starts a script of the shell, in which `"$0"` is rl2x.
    static func start(script: String, in directory: String, errors: FileHandle? = nil) throws -> Running {
        try Running(
            ["-c", script, executable.path], in: directory, executable: URL(fileURLWithPath: "/bin/sh"), errors: errors)
    }

    static func run(script: String, in directory: String) throws -> Result {
        try start(script: script, in: directory).wait()
    }

    /// Runs a command that must succeed.
    @discardableResult
    static func succeed(
        _ arguments: [String], in directory: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Result {
        let result = try run(arguments, in: directory)
        try #require(result.code == 0, "\(result.errors)", sourceLocation: sourceLocation)
        return result
    }

    /// Mazes of four rooms, in which an episode ends after 63 steps.
    static let smallMaze = ["--task", "maze", "--maze-size", "3", "--training-mazes", "0", "--hold-out", "draws"]

    /// The learners that the program has: a test of learners' states registers one more in this process.
    static var learners: [LearnerEntry] { learnerCatalogue.entries.filter { $0.name != "drift" } }

    /// A plan of one cell, trained in a moment.
    static let tinyPlan = """
        plan: 1
        name: small
        seeds: [1]
        models: [{model: gru, hidden: 8}]
        tasks: [{task: bandit, budget: {iterations: 1}, evaluation: {trials: 100}}]
        """

    /// A training of a few milliseconds an iteration.
    static func tiny(_ run: String, iterations: Int = 2, hidden: Int = 8, _ more: String...) -> [String] {
        [
            "train", "--arms", "2", "--episodes", "5", "--hidden", "\(hidden)", "--batch-steps", "200", "--threads",
            "1",
            "--iterations", "\(iterations)", "--seed", "3", "--run", run,
        ] + more
    }
}

/// Runs `body` with the path of an empty directory, which is removed afterwards.
func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    let directory = NSTemporaryDirectory() + "rl2x-command-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    return try body(directory)
}

/// All files below a directory, with their content.
func snapshot(_ directory: String) -> [String: Data] {
    var files: [String: Data] = [:]
    for case let name as String in FileManager.default.enumerator(atPath: directory) ?? .init() {
        files[name] = FileManager.default.contents(atPath: directory + "/" + name)
    }
    return files
}

/// Tensors of a run's checkpoint, and its counters; NaN would not equal itself, and must not be there.
func checkpoint(_ run: String) throws -> SafetensorsFile {
    try SafetensorsFile(contentsOf: run + "/checkpoint.safetensors")
}

/// The iterations that a run's metrics hold.
func loggedIterations(_ run: String) -> Int {
    ((try? MetricsTable.read(run + "/metrics.csv"))?.rows.count) ?? 0
}

/// A training whose schedule has two stages.
enum TwoStages {
    /// Longer trials, a smaller trust region and less entropy from stage to stage.
    static let schedule = """
        task: bandit
        task_options: {arms: 2, episodes: 6}
        model_options: {hidden: 6}
        seed: 4
        stages:
          - learner: trpo
            iterations: 2
            batch_steps: 200
            task_options: {episodes: 2}
            learner_options: {maximum_kl: 0.02, final_maximum_kl: 0.01, entropy_bonus: 0.03, final_entropy_bonus: 0.01}
          - learner: trpo
            iterations: 4
            batch_steps: 300
            learner_options: {maximum_kl: 0.01, final_maximum_kl: 0.001, entropy_bonus: 0.01, final_entropy_bonus: 0}
        """

    static func train(_ run: String, _ more: [String], in directory: String) throws -> Command.Result {
        try Data(schedule.utf8).write(to: URL(fileURLWithPath: directory + "/c.yaml"))
        return try Command.succeed(
            ["train", "--config", "c.yaml", "--threads", "1", "--run", run] + more, in: directory)
    }
}
