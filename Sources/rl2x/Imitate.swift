import ArgumentParser
import Bench
import Foundation
import Kernels
import Tasks
import Training

struct Imitate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Teach a model a classic algorithm by supervised learning, then play it.",
        discussion: """
            rl2x imitate --teacher gittins --task bandit --arms 10 --episodes 100 --model gru

            Asks whether an architecture can be the algorithm at all, apart from whether the outer loop finds it (Duan et \
            al. 2016, section 3.1). The run is one like any other: `rl2x evaluate RUN` plays it, `rl2x train --resume RUN` \
            goes on after an interruption. Teachers are the agents of `rl2x baselines`, with options as there.
            """)

    @Option(help: "Who is imitated: an agent of `rl2x baselines`, such as gittins or ucb1:c=0.3.")
    var teacher = "gittins"

    @OptionGroup var options: ModelAndTaskOptions

    @Option(
        parsing: .unconditional, help: "Batches that the teacher plays, each seen once (1 … 10000000; default 120).")
    var iterations = 120

    @Option(parsing: .unconditional, help: "Adam's first rate; it falls to zero (default 0.003).")
    var learningRate = 3e-3

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
        guard (1...10_000_000).contains(iterations) else {
            throw ValidationError("--iterations is \(iterations): it must lie in 1 … 10000000")
        }
        guard (2...10_000_000).contains(trials) else {
            throw ValidationError("--trials is \(trials): it must lie in 2 … 10000000")
        }
    }

    func run() throws {
        var configuration = try options.resolve(base: nil)
        let family = try configuration.makeFamily()
        // Minibatches of about a hundred trials, a hundred thousand steps a batch.
        let steps = options.outerLoop.batchSteps ?? max(100_000, 100 * family.maximumTrialSteps)
        configuration.stages = [
            Configuration.Stage(
                kind: .imitation, iterations: iterations, batchSteps: steps, discount: 1, gaeLambda: 1, maximumKL: 0.01,
                learningRate: learningRate, teacher: teacher)
        ]
        configuration.criticEpochs = options.outerLoop.criticEpochs ?? 1
        configuration.criticMinibatches =
            options.outerLoop.criticMinibatches ?? max(1, steps / family.maximumTrialSteps / 100)
        let agent: any ClassicAgent
        do {
            try configuration.validate()
            agent = try AgentTeacher(named: teacher, for: family).agent
        } catch let error as UserError {
            throw ValidationError(error.description)
        }
        let run = RunDirectory(
            runDirectory ?? "runs/\(configuration.task)-\(configuration.model)-imitates-s\(configuration.seed)")
        let session = try TrainingSession(
            new: configuration, in: run, existing: overwrite ? .overwrite : .refuse, threads: threads.count,
            checkpointEvery: 10, command: Array(CommandLine.arguments.dropFirst()),
            teachers: AgentTeacher.init(named:for:))
        try follow(session, threads: threads.count)
        try report(session, family, agent)
    }

    private func report(_ session: TrainingSession, _ family: any TaskFamily, _ teacher: any ClassicAgent) throws {
        let configuration = session.trainer.configuration
        let pupil = LearnedAgent(
            name: "\(configuration.model)-\(configuration.hidden)", policy: session.trainer.policy,
            weights: session.trainer.parameters)
        let workers = Workers(threads: threads.count)
        let evaluations = [teacher as any Agent, pupil].map {
            Evaluation($0, family: family, members: 0..<trials, seed: configuration.seed, workers: workers)
        }
        let difference = PairedDifference(evaluations[1].totals, evaluations[0].totals)
        if json {
            try printJSON([
                "model": configuration.model, "task": configuration.task, "trials": trials, "teacher": self.teacher,
                "mean_total_reward": rl2x.json(evaluations[1].totalRewards.mean),
                "standard_error": rl2x.json(evaluations[1].totalRewards.standardError),
                "per_episode_mean": evaluations[1].episodeMeans,
                "teacher_mean_total_reward": rl2x.json(evaluations[0].totalRewards.mean),
                "teacher_standard_error": rl2x.json(evaluations[0].totalRewards.standardError),
                "difference": rl2x.json(difference.mean), "lower_bound": rl2x.json(difference.lowerBound),
                "upper_bound": rl2x.json(difference.upperBound), "random": rl2x.json(family.randomTotalReward),
            ])
            return
        }
        print("\(configuration.task) (\(configuration.taskOptions.summary)): \(trials) unseen members, sampled actions")
        var table = TextTable(columns: [.init("player", alignment: .left), .init("total reward"), .init("± se")])
        for (name, evaluation) in zip(["\(teacher.title) (teacher)", pupil.name], evaluations) {
            table.append([
                name, format(evaluation.totalRewards.mean, 3), format(evaluation.totalRewards.standardError, 3),
            ])
        }
        print(table.plainText())
        print(
            "pupil − teacher on the same members: \(format(difference.mean, 3)), 95 % within "
                + "\(format(difference.lowerBound, 3)) … \(format(difference.upperBound, 3))")
    }
}
