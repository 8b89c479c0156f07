import ArgumentParser
import Bench
import Foundation
import Interface
import Kernels
import Tasks
import Training

struct Imitate: TakesSettings {
    static let scope: SettingScope = [.task, .model, .learner]
    static let configuration = CommandConfiguration(
        abstract: "Teach a model a classic algorithm by supervised learning, then play it.",
        discussion: """
            rl2x imitate --teacher gittins --task bandit --arms 10 --episodes 100 --model gru

            Asks whether an architecture can be the algorithm at all, apart from whether the outer loop finds it (Duan et \
            al. 2016, section 3.1). The run is one like any other: `rl2x evaluate RUN` plays it, `rl2x train --resume RUN` \
            goes on after an interruption. Teachers are the agents of `rl2x baselines`, with options as there.
            """)

    @OptionGroup var options: RunOptions

    @Option(
        parsing: .unconditional, help: "Batches that the teacher plays, each seen once (1 … 10000000; default 120).")
    var iterations = 120

    @Option(parsing: .unconditional, help: "Unseen members to play at the end (2 … 10000000; default 10000).")
    var trials = 10_000

    @OptionGroup var threads: ThreadOptions

    @Option(name: .customLong("run"), help: "Run directory to make (default runs/<task>-<model>-imitates-s<seed>).")
    var runDirectory: String?

    @Flag(help: "Replace a run that is in the directory already.")
    var overwrite = false

    @Flag(help: "Print one JSON object on standard output and nothing else.")
    var json = false

    func validate() throws {
        try check("iterations", iterations, 1...10_000_000)
        try check("trials", trials, 2...10_000_000)
        if options.learner != nil {
            throw ValidationError("--learner has no part in this: the learner is imitation; leave it out")
        }
    }

    func run() throws {
        let configuration = try makeConfiguration()
        let family = try configuration.makeFamily()
        let name = configuration.stages[0].learnerOptions.word("teacher")
        let teacher = try calling { try agent(named: name, for: family) }
        let run = RunDirectory(
            runDirectory ?? "runs/\(configuration.task)-\(configuration.model)-imitates-s\(configuration.seed)")
        let session = try TrainingSession(
            new: configuration, in: run, existing: overwrite ? .overwrite : .refuse, threads: threads.count,
            checkpointEvery: 10, command: Array(CommandLine.arguments.dropFirst()),
            teachers: makeTeacher(named:for:))
        try follow(session, threads: threads.count)
        try report(session, family, teacher, teacher: name)
    }

    private func agent(named name: String, for family: any TaskFamily) throws -> any Agent {
        guard let agent = try makeTeacher(named: name, for: family) as? any Agent else {
            throw UserError("'\(name)' plays no trials of its own")
        }
        return agent
    }

    /// One stage of imitation on the task proper, in minibatches of about a hundred trials.
    private func makeConfiguration() throws -> Configuration {
        var request = try options.request()
        let given = Set(request.settings.map(\.name))
        let trialSteps = try calling { try request.resolveTask().maximumTrialSteps }
        let batchSteps = max(100_000, 100 * trialSteps)
        var learnerOptions: Values = ["minibatches": .integer(max(1, batchSteps / trialSteps / 100))]
        if !given.contains("teacher") {
            let names = AgentCatalogue.entries(of: request.task).map(\.name)
            learnerOptions["teacher"] = .word(names.contains("gittins") ? "gittins" : "oracle")
        }
        request.stages = [
            Stage(
                learner: "imitation", learnerOptions: learnerOptions, iterations: iterations, batchSteps: batchSteps)
        ]
        return try options.resolve(request)
    }

    private func report(
        _ session: TrainingSession, _ family: any TaskFamily, _ teacher: any Agent, teacher name: String
    ) throws {
        let configuration = session.trainer.configuration
        let pupil = LearnedAgent(
            name: configuration.modelName, policy: session.trainer.policy,
            weights: session.trainer.parameters)
        let workers = Workers(threads: threads.count)
        let evaluations = [teacher, pupil as any Agent].map {
            Evaluation($0, family: family, members: 0..<trials, seed: configuration.seed, workers: workers)
        }
        let difference = PairedDifference(evaluations[1].totals, evaluations[0].totals)
        if json {
            try printJSON([
                "model": configuration.model, "task": configuration.task, "trials": trials, "teacher": name,
                "mean_total_reward": Commands.json(evaluations[1].totalRewards.mean),
                "standard_error": Commands.json(evaluations[1].totalRewards.standardError),
                "per_episode_mean": evaluations[1].episodeMeans,
                "teacher_mean_total_reward": Commands.json(evaluations[0].totalRewards.mean),
                "teacher_standard_error": Commands.json(evaluations[0].totalRewards.standardError),
                "difference": Commands.json(difference.mean), "lower_bound": Commands.json(difference.lowerBound),
                "upper_bound": Commands.json(difference.upperBound), "random": Commands.json(family.randomReturn),
            ])
            return
        }
        print(
            "\(configuration.task) (\(configuration.taskOptions.summary)): \(trials) held-out members, sampled actions")
        var table = TextTable(columns: [.init("player", alignment: .left), .init("return"), .init("± se")])
        for (name, evaluation) in zip(["\(teacher.title) (teacher)", pupil.name], evaluations) {
            table.append([
                name, Display.fixed(evaluation.totalRewards.mean, 3),
                Display.fixed(evaluation.totalRewards.standardError, 3),
            ])
        }
        print(table.plainText())
        print(
            "pupil − teacher on the same members: \(Display.fixed(difference.mean, 3)), 95 % within "
                + "\(Display.fixed(difference.lowerBound, 3)) … \(Display.fixed(difference.upperBound, 3))")
    }
}
