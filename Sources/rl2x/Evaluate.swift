import ArgumentParser
import Bench
import Foundation
import Kernels
import Models
import Tasks
import Training

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Play unseen members with a trained policy and frozen weights.",
        discussion: """
            rl2x evaluate runs/bandit-gru-s0 --trials 10000
            rl2x evaluate runs/bandit-gru-s0 --with-baselines --tune
            rl2x evaluate runs/bandit-gru-s0 --prior beta22 --episodes 30
            rl2x evaluate runs/maze-gru-s0 --maze-size 9 --episodes 5

            Options of the task play other members than those of the training, as long as inputs and outputs keep their width; \
            those that are left out are as in the training.
            """)

    @Argument(help: "Run directory; its latest checkpoint is played.")
    var directory: String

    @Option(
        parsing: .unconditional, help: "Members to play, one trial each (2 … 10000000; default 10000, of mazes 1000).")
    var trials: Int?

    @Option(
        parsing: .unconditional, help: "Seed of the unseen members and of the actions drawn (0 or more; default 0).")
    var seed = 0

    @Option(help: "How actions are chosen: sampled or greedy (default sampled).")
    var actions: ActionChoice = .sampled

    @Flag(help: "Let the classic agents of the task play the same members, and tell the paired differences.")
    var withBaselines = false

    @Flag(help: "With --with-baselines: choose their options from their grids, by play on as many other members.")
    var tune = false

    @OptionGroup var members: MemberOptions

    @Option(
        help: """
            What the policy's memory forgets when an episode ends, if not as in training: none, episode (all of it), half \
            (half of the units or heads).
            """)
    var resetMemory: MemoryReset?

    @OptionGroup var threads: ThreadOptions

    @Flag(help: "Print one JSON object on standard output and nothing else.")
    var json = false

    func validate() throws {
        if let trials, !(2...10_000_000).contains(trials) {
            throw ValidationError("--trials is \(trials): it must lie in 2 … 10000000")
        }
        guard seed >= 0 else { throw ValidationError("--seed is \(seed): it must be 0 or more") }
        guard withBaselines || !tune else {
            throw ValidationError("--tune is about the baselines: add --with-baselines, or leave it out")
        }
    }

    func run() throws {
        let run = RunDirectory(directory)
        var configuration = try run.configuration()
        try configuration.validate()
        if let resetMemory { configuration.memoryReset = resetMemory }
        let entry = TaskCatalogue.entry(named: configuration.task)!
        let agent = try LearnedAgent(run, configuration, choice: actions)
        configuration = try configuration.playing(entry.accepted(members.values))
        if try evaluateMaze(agent, configuration) { return }
        let family = try configuration.makeFamily()
        let played = 0..<(trials ?? 10_000)
        let workers = Workers(threads: threads.count)
        let result = Evaluation(agent, family: family, members: played, seed: seed, workers: workers)
        let baselines = withBaselines ? playBaselines(of: configuration.task, family, played.count, workers) : []
        let landmarks = Landmarks(of: family, members: played, seed: seed)
        let regret = landmarks.regret(of: result)
        if json {
            var object: [String: Any] = [
                "model": configuration.model, "task": configuration.task, "trials": result.trials,
                "actions": actions.rawValue, "seed": seed, "memory_reset": configuration.memoryReset.rawValue,
                "task_options": jsonObject(configuration.taskOptions),
                "note": configuration.contextNote.map { $0 as Any } ?? NSNull(),
                "mean_total_reward": rl2x.json(result.totalRewards.mean),
                "standard_error": rl2x.json(result.totalRewards.standardError),
                "per_episode_mean": result.episodeMeans, "random": rl2x.json(landmarks.random),
                "optimum": rl2x.json(landmarks.optimum), "informed": rl2x.json(landmarks.informed),
                "regret": rl2x.json(regret?.mean), "regret_standard_error": rl2x.json(regret?.standardError),
                "total_reward_by_regret": rl2x.json(regret.flatMap(landmarks.totalReward)),
            ]
            if withBaselines { object["baselines"] = baselines.map { $0.object(against: result) } }
            try printJSON(object)
        } else {
            printTable(result, landmarks, regret, configuration)
            if withBaselines { printComparison(result, baselines, name: agent.title) }
        }
    }

    private func playBaselines(
        of task: String, _ family: any TaskFamily, _ trials: Int, _ workers: Workers
    ) -> [BaselineRow] {
        AgentRequest.all(of: task, playing: family) { printError("left out: \($0)") }.map {
            BaselineRow($0, tune: tune, family: family, trials: trials, seed: seed, workers: workers)
        }
    }

    /// The trained agent among the classic ones, the best first.
    private func printComparison(_ result: Evaluation, _ baselines: [BaselineRow], name: String) {
        var table = TextTable(columns: [
            .init("agent", alignment: .left), .init("parameters", alignment: .left), .init("total reward"),
            .init("± se"), .init("\(name) − it"), .init("95 % interval", alignment: .left),
        ])
        var rows = baselines.map { row in
            let difference = PairedDifference(result.totals, row.evaluation.totals)
            return (
                row.evaluation.totalRewards,
                [
                    row.agent.name, row.agent.parameters, String(format: "%+.3f", difference.mean),
                    String(format: "%+.3f … %+.3f", difference.lowerBound, difference.upperBound),
                ]
            )
        }
        rows.append((result.totalRewards, [name, "", "", ""]))
        for (totals, cells) in rows.sorted(by: { $0.0.mean > $1.0.mean }) {
            table.append(
                cells[..<2] + [format(totals.mean, 3), format(totals.standardError, 3)] + cells[2...])
        }
        print(table.plainText())
        print(
            "on the same members, under the same chance" + (tune ? "; tuned on \(result.trials) others" : ""))
    }

    private func printTable(
        _ result: Evaluation, _ landmarks: Landmarks, _ regret: PairedDifference?, _ configuration: Configuration
    ) {
        print(
            "\(configuration.task) (\(configuration.taskOptions.summary)): \(result.trials) unseen members, "
                + "\(actions.rawValue) actions" + configuration.forgetting)
        var table = TextTable(columns: [.init("player", alignment: .left), .init("total reward"), .init("± se")])
        if let random = landmarks.random { table.append(["random", format(random, 3), ""]) }
        table.append([
            "\(configuration.model)-\(configuration.hidden)", format(result.totalRewards.mean, 3),
            format(result.totalRewards.standardError, 3),
        ])
        if let optimum = landmarks.optimum { table.append(["Bayes-optimal, exact", format(optimum, 3), ""]) }
        if let informed = landmarks.informed { table.append(["knows the member", format(informed, 3), ""]) }
        print(table.plainText())
        if let note = configuration.contextNote { print(note) }
        if let regret {
            let error = format(regret.standardError, 3)
            print("regret against knowing the member: \(format(regret.mean, 3)) ± \(error), member by member")
            if let adjusted = landmarks.totalReward(by: regret) {
                print("total reward by that, the luck of these members taken away: \(format(adjusted, 3)) ± \(error)")
            }
        }
        let means = result.episodeMeans
        let shown = means.count <= 10 ? Array(means.indices) : (0..<10).map { $0 * (means.count - 1) / 9 }
        var episodes = TextTable(columns: [.init("episode")] + shown.map { .init("\($0 + 1)") })
        episodes.append(["mean reward"] + shown.map { format(means[$0], 3) })
        print(episodes.plainText())
    }
}

extension Configuration {
    /// What a policy forgets when an episode ends, for the end of a line; empty if nothing.
    var forgetting: String {
        switch memoryReset {
        case .none: ""
        case .episode: "; memory forgotten when an episode ends"
        case .half: "; half of the memory forgotten when an episode ends"
        }
    }
}

extension ActionChoice: ExpressibleByArgument {}
