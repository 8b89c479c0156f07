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
            rl2x train --resume runs/long --previous
            rl2x train --from runs/bandit-gru-s0 --episodes 100

            Ctrl-C finishes the iteration, writes a checkpoint and stops; --resume continues with the same bits. So do \
            the signals TERM, HUP, USR1, USR2 and XCPU; a second Ctrl-C or TERM stops at once.
            Exit code: 0 finished, 128 + its number stopped by a signal (Ctrl-C: 130), 64 a wrong call, 1 a failure.

            A task states its own default schedule; --dry-run prints the resolved configuration. An option of a stage goes \
            to all stages that have it.

            --from RUN begins a new run with the weights of another, policy's and critic's, and with nothing else of it: \
            optimisers and the scale of returns start anew. Task, model, their options and the seed are the other run's; \
            options of the task, the learner, the schedule and the seed may differ, the model may not, and no option that \
            changes the shape of a weight, such as --arms. By default it trains what is left of the task's schedule: the \
            stages of an outer loop on the task itself, and those on longer trials than the other run's. The steps and \
            seconds of the other run are counted as its own.
            """)

    @OptionGroup var options: RunOptions

    @Option(
        parsing: .unconditional,
        help: """
            Iterations after which to stop (default: at the end of the schedule). Fewer change nothing else; more go on as \
            the last stage ends.
            """)
    var iterations: Int?

    @Option(
        parsing: .unconditional,
        help: """
            Time steps of this run after which to stop, in place of --iterations: it ends with the iteration in which they \
            are reached.
            """)
    var timesteps: Int?

    @OptionGroup var threads: ThreadOptions

    @Option(
        name: .customLong("run"),
        help: ArgumentHelp(
            "Run directory to make (default: runs/<task>-<model>-s<seed>; with --from that one's, with -next).",
            valueName: "dir"))
    var runDirectory: String?

    @Option(help: ArgumentHelp("Run directory whose weights the new run begins with, or zoo:NAME.", valueName: "run"))
    var from: String?

    @Option(
        help: ArgumentHelp(
            "Run directory to continue; only --previous, --iterations, --timesteps, --threads and --checkpoint-every go with "
                + "it.",
            valueName: "dir"))
    var resume: String?

    @Flag(
        help: """
            With --resume: continue from the checkpoint before the latest, as where the latest is damaged. What came after \
            it is done anew.
            """)
    var previous = false

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
        try check("timesteps", timesteps, Configuration.timesteps)
        if iterations != nil, timesteps != nil {
            throw ValidationError("--timesteps cannot go with --iterations: both say where to stop; leave one out")
        }
        try check("checkpoint-every", checkpointEvery, 1...Int.max)
        guard resume != nil else {
            guard !previous else { throw ValidationError("--previous goes with --resume RUN only; add it") }
            return
        }
        let others =
            options.given + (runDirectory == nil ? [] : ["--run"]) + (config == nil ? [] : ["--config"])
            + (from == nil ? [] : ["--from"]) + (overwrite ? ["--overwrite"] : []) + (dryRun ? ["--dry-run"] : [])
        if let other = others.first {
            throw ValidationError("\(other) cannot go with --resume: the run's own config.yaml decides; leave it out")
        }
    }

    func run() throws {
        let command = Array(CommandLine.arguments.dropFirst())
        if let resume {
            let session = try TrainingSession(
                resuming: RunDirectory(resume), from: previous ? .previous : .latest, iterations: iterations,
                timesteps: timesteps, threads: threads.count,
                checkpointEvery: checkpointEvery, command: command, teachers: makeTeacher(named:for:))
            return try follow(session, threads: threads.count)
        }
        var request = try options.request(config: config, from: from)
        if iterations != nil || timesteps != nil {
            (request.iterations, request.timesteps) = (iterations, timesteps)
        }
        let configuration = try options.resolve(request)
        if dryRun { return print(configuration.yaml(), terminator: "") }
        let path = runDirectory ?? defaultDirectory(configuration)
        let session = try TrainingSession(
            new: configuration, in: RunDirectory(path), existing: overwrite ? .overwrite : .refuse,
            threads: threads.count, checkpointEvery: checkpointEvery, command: command,
            teachers: makeTeacher(named:for:))
        try follow(session, threads: threads.count)
    }

    private func defaultDirectory(_ configuration: Configuration) -> String {
        guard let from else { return "runs/\(configuration.task)-\(configuration.model)-s\(configuration.seed)" }
        let name = from.reversed().drop { $0 == "/" }.reversed()
        return String(name) + "-next"
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
