import ArgumentParser
import Bench
import Foundation
import Kernels
import Platform
import Training

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a model to be a learning algorithm.",
        discussion: """
            rl2x train --model gru --task bandit
            rl2x train --model gru --task bandit --arms 5 --episodes 100 --seed 1 --run runs/long
            rl2x train --resume runs/long

            Ctrl-C finishes the iteration, writes a checkpoint and stops; --resume continues with the same bits. So do \
            the signals TERM, HUP, USR1, USR2 and XCPU; a second Ctrl-C or TERM stops at once.
            Exit code: 0 finished, 128 + its number stopped by a signal (Ctrl-C: 130), 64 a wrong call, 1 a failure.
            """)

    @OptionGroup var options: ModelAndTaskOptions

    @Option(
        parsing: .unconditional,
        help: "Iterations in all: cuts the default schedule, or extends its last stage (default per task).")
    var iterations: Int?

    @OptionGroup var threads: ThreadOptions

    @Option(name: .customLong("run"), help: "Run directory to make (default runs/<task>-<model>-s<seed>).")
    var runDirectory: String?

    @Option(help: "Run directory to continue; only --iterations, --threads and --checkpoint-every go with it.")
    var resume: String?

    @Option(help: "YAML configuration to start from, such as a run's config.yaml; options override it.")
    var config: String?

    @Flag(help: "Replace a run that is in the directory already.")
    var overwrite = false

    @Option(parsing: .unconditional, help: "Iterations between checkpoints (1 or more; default 10).")
    var checkpointEvery = 10

    func validate() throws {
        if let iterations, !(1...10_000_000).contains(iterations) {
            throw ValidationError("--iterations is \(iterations): it must lie in 1 … 10000000")
        }
        guard checkpointEvery >= 1 else {
            throw ValidationError("--checkpoint-every is \(checkpointEvery): it must be 1 or more")
        }
        guard resume != nil else { return }
        let others =
            options.given + (runDirectory == nil ? [] : ["--run"]) + (config == nil ? [] : ["--config"])
            + (overwrite ? ["--overwrite"] : [])
        if let other = others.first {
            throw ValidationError("\(other) cannot go with --resume: the run's own config.yaml decides; leave it out")
        }
    }

    func run() throws {
        try follow(makeSession(), threads: threads.count)
    }

    private func makeSession() throws -> TrainingSession {
        let command = Array(CommandLine.arguments.dropFirst())
        if let resume {
            return try TrainingSession(
                resuming: RunDirectory(resume), iterations: iterations, threads: threads.count,
                checkpointEvery: checkpointEvery, command: command, teachers: AgentTeacher.init(named:for:))
        }
        var base: Configuration?
        if let config {
            guard let text = try? String(contentsOfFile: config, encoding: .utf8) else {
                throw UserError("\(config): cannot be read; --config wants a YAML file such as a run's config.yaml")
            }
            base = try Configuration(yaml: text, path: config)
        }
        var configuration = try options.resolve(base: base)
        if let iterations { configuration.setIterations(iterations) }
        let path = runDirectory ?? "runs/\(configuration.task)-\(configuration.model)-s\(configuration.seed)"
        return try TrainingSession(
            new: configuration, in: RunDirectory(path), existing: overwrite ? .overwrite : .refuse,
            threads: threads.count, checkpointEvery: checkpointEvery, command: command,
            teachers: AgentTeacher.init(named:for:))
    }
}

/// Trains to the end, or until a signal, which ends the process; shows what it does on standard error.
func follow(_ session: TrainingSession, threads: Int) throws {
    let display = ProgressDisplay(configuration: session.trainer.configuration)
    Interruption.install()
    display.begin(session, threads: threads)
    let outcome = try session.train(shouldStop: { Interruption.signal != 0 }) { report in display.show(report) }
    display.end(session, outcome)
    if outcome == .interrupted { Console.exit(128 + Interruption.signal) }
}
