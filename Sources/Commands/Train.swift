import ArgumentParser
import Bench
import Interface
import Platform
import Training

struct Train: TakesSettings {
    static let scope = SettingScope.run
    static let configuration = CommandConfiguration(
        abstract: "Train a model to be a learning algorithm.",
        discussion: """
            rl2x train --model gru --task bandit
            rl2x train --model gru --task bandit --arms 5 --episodes 100 --seed 1 --run runs/long
            rl2x train --task maze --learner trpo --dry-run
            rl2x train --resume runs/long

            Ctrl-C finishes the iteration, writes a checkpoint and stops; --resume continues with the same bits. So do \
            the signals TERM, HUP, USR1, USR2 and XCPU; a second Ctrl-C or TERM stops at once.
            Exit code: 0 finished, 128 + its number stopped by a signal (Ctrl-C: 130), 64 a wrong call, 1 a failure.

            A task states its own default schedule; --dry-run prints the resolved configuration. An option of a stage goes \
            to all stages that have it.
            """)

    @OptionGroup var options: RunOptions

    @Option(
        parsing: .unconditional,
        help: """
            Iterations after which to stop (default: at the end of the schedule). Fewer change nothing else; more go on as \
            the last stage ends.
            """)
    var iterations: Int?

    @OptionGroup var threads: ThreadOptions

    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("Run directory to make (default: runs/<task>-<model>-s<seed>).", valueName: "dir"))
    var runDirectory: String?

    @Option(
        help: ArgumentHelp(
            "Run directory to continue; only --iterations, --threads and --checkpoint-every go with it.",
            valueName: "dir"))
    var resume: String?

    @Option(
        help: ArgumentHelp(
            "YAML configuration to start from, such as a run's config.yaml or a part of one; options override it.",
            valueName: "file"))
    var config: String?

    @Flag(help: "Replace a run that is in the directory already.")
    var overwrite = false

    @Flag(help: "Print the resolved configuration and train nothing.")
    var dryRun = false

    @Option(parsing: .unconditional, help: "Iterations between checkpoints, 1 or more (default: 10).")
    var checkpointEvery = 10

    func validate() throws {
        try check("iterations", iterations, 1...10_000_000)
        try check("checkpoint-every", checkpointEvery, 1...Int.max)
        guard resume != nil else { return }
        let others =
            options.given + (runDirectory == nil ? [] : ["--run"]) + (config == nil ? [] : ["--config"])
            + (overwrite ? ["--overwrite"] : []) + (dryRun ? ["--dry-run"] : [])
        if let other = others.first {
            throw ValidationError("\(other) cannot go with --resume: the run's own config.yaml decides; leave it out")
        }
    }

    func run() throws {
        let command = Array(CommandLine.arguments.dropFirst())
        if let resume {
            let session = try TrainingSession(
                resuming: RunDirectory(resume), iterations: iterations, threads: threads.count,
                checkpointEvery: checkpointEvery, command: command, teachers: makeTeacher(named:for:))
            return try follow(session, threads: threads.count)
        }
        var request = try options.request(config: config)
        if let iterations { request.iterations = iterations }
        let configuration = try options.resolve(request)
        if dryRun { return print(configuration.yaml(), terminator: "") }
        let path = runDirectory ?? "runs/\(configuration.task)-\(configuration.model)-s\(configuration.seed)"
        let session = try TrainingSession(
            new: configuration, in: RunDirectory(path), existing: overwrite ? .overwrite : .refuse,
            threads: threads.count, checkpointEvery: checkpointEvery, command: command,
            teachers: makeTeacher(named:for:))
        try follow(session, threads: threads.count)
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
