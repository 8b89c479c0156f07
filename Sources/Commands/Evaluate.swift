import ArgumentParser
import Bench
import Foundation
import Interface
import Models
import Tasks
import Training

struct Evaluate: TakesSettings {
    static let scope = SettingScope.task
    static let ownOptions: Set = ["reset-memory"]
    static let configuration = CommandConfiguration(
        abstract: "Play held-out members with a trained policy and frozen weights.",
        discussion: """
            rl2x evaluate runs/bandit-gru-s0 --trials 10000
            rl2x evaluate runs/bandit-gru-s0 --with-baselines --tune
            rl2x evaluate runs/bandit-gru-s0 --prior beta22 --episodes 30
            rl2x evaluate runs/maze-gru-s0 --maze-size 9 --episodes 5

            Options of the task change the members that are played, as long as inputs and outputs keep their width; those \
            that are left out are as in the training.
            """)

    @Argument(help: "Run directory, whose latest checkpoint is played, or zoo:NAME.")
    var directory: String

    @OptionGroup var held: MemberOptions

    @Flag(help: "Take the policy's most probable action instead of drawing one.")
    var deterministic = false

    @Flag(help: "Let the classic agents of the task play the same members, and print the paired differences.")
    var withBaselines = false

    @Flag(help: "With --with-baselines: choose their options from their grids, by play on as many other members.")
    var tune = false

    @OptionGroup var settings: SettingOptions

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
        guard withBaselines || !tune else {
            throw ValidationError("--tune is about the baselines: add --with-baselines, or leave it out")
        }
    }

    private var choice: ActionChoice { deterministic ? .greedy : .sampled }

    func run() throws {
        let run = try RunDirectory.named(directory)
        var configuration = try run.configuration()
        try configuration.validate()
        if let resetMemory { configuration.modelOptions["reset-memory"] = .word(resetMemory.rawValue) }
        var agent = try LearnedAgent(run, configuration, choice: choice)
        let entry = try taskCatalogue.require(configuration.task)
        configuration = try configuration.playing(
            settings.values(of: entry.options, owner: "task '\(configuration.task)'"))
        agent = try agent.playing(configuration)
        let family = try configuration.makeFamily()
        let (members, seed) = (held.members(of: family), held.seed)
        let workers = Workers(threads: threads.count)
        let result = Evaluation(agent, family: family, members: members, seed: seed, workers: workers)
        let references = ReferenceReturns(of: family, members: members, seed: seed)
        let shortest =
            family.measures.contains(.length)
            ? GoalEvaluation.shortest(members, of: family, seed: seed, workers: workers) : []
        let random: Evaluation? =
            references.random == nil
            ? Evaluation(RandomAgent(), family: family, members: members, seed: seed, workers: workers) : nil
        let record = EvaluationRecord(
            result, name: "", configuration: configuration, references: references,
            random: random?.totalRewards.mean,
            goal: GoalEvaluation(result, of: family, shortest: shortest))
        let baselines =
            withBaselines
            ? AgentRequest.all(of: configuration.task, playing: family) { printError("left out: \($0)") }.map {
                BaselineRow($0, tune: tune, family: family, trials: members.count, seed: seed, workers: workers)
            } : []
        if json {
            var object = try jsonObject(record)
            object.merge(
                [
                    "model": configuration.model, "task": configuration.task, "actions": choice.rawValue, "seed": seed,
                    "memory_reset": configuration.memoryReset.rawValue,
                ]) { _, new in new }
            if withBaselines { object["baselines"] = baselines.map { $0.object(against: result) } }
            return try printJSON(object)
        }
        printTable(result, record, configuration)
        if let goal = record.goal {
            let other = random.flatMap { GoalEvaluation($0, of: family, shortest: shortest) }
            GoalTable(goal, random: other, configuration, family).print()
        }
        if withBaselines { printComparison(result, baselines, name: agent.title) }
    }

    /// The record as plans store it, and the arrays of its goal beside it.
    private func jsonObject(_ record: EvaluationRecord) throws -> [String: Any] {
        let parsed = try JSONSerialization.jsonObject(with: JSONEncoder().encode(record))
        var object = parsed as? [String: Any] ?? [:]
        let unknown = [
            "random", "optimum", "oracle", "note", "regret", "regret_standard_error", "total_reward_by_regret",
        ]
        for key in unknown where object[key] == nil { object[key] = NSNull() }
        guard let goal = record.goal else { return object }
        object["success_rate"] = goal.episodes.map(\.successRate)
        object["mean_length"] = goal.episodes.map { Commands.json($0.length) }
        object["mean_length_standard_error"] = goal.episodes.map { Commands.json($0.standardError) }
        object["length_over_shortest"] = goal.episodes.map { Commands.json($0.lengthOverShortest) }
        object["improved"] = Commands.json(goal.improved)
        object["success_then_failure"] = Commands.json(goal.successThenFailure)
        object["mean_shortest"] = Commands.json(goal.shortest)
        return object
    }

    /// The trained agent among the classic ones, the best first.
    private func printComparison(_ result: Evaluation, _ baselines: [BaselineRow], name: String) {
        var table = TextTable(columns: [
            .init("agent", alignment: .left), .init("parameters", alignment: .left), .init("return"),
            .init("± se"), .init("\(name) − it"), .init("95 % interval", alignment: .left),
        ])
        var rows = baselines.map { row in
            let difference = PairedDifference(result.totals, row.evaluation.totals)
            return (
                row.evaluation.totalRewards,
                [
                    row.agent.name, row.agent.parameters, Display.signed(difference.mean),
                    "\(Display.signed(difference.lowerBound)) … \(Display.signed(difference.upperBound))",
                ]
            )
        }
        rows.append((result.totalRewards, [name, "", "", ""]))
        for (totals, cells) in rows.sorted(by: { $0.0.mean > $1.0.mean }) {
            table.append(
                cells[..<2] + [Display.fixed(totals.mean, 3), Display.fixed(totals.standardError, 3)] + cells[2...])
        }
        print(table.plainText())
        print(
            "on the same members, under the same chance" + (tune ? "; tuned on \(result.trials) others" : ""))
    }

    private func printTable(_ result: Evaluation, _ record: EvaluationRecord, _ configuration: Configuration) {
        let forgets =
            switch configuration.memoryReset {
            case .none: ""
            case .episode: "; the memory is forgotten when an episode ends"
            case .half: "; half of the memory is forgotten when an episode ends"
            }
        print(
            "\(configuration.task) (\(configuration.taskOptions.summary)): \(result.trials) held-out members, "
                + "\(choice.rawValue) actions" + forgets)
        var table = TextTable(columns: [.init("player", alignment: .left), .init("return"), .init("± se")])
        if let random = record.random { table.append(["random", Display.fixed(random, 3), ""]) }
        table.append([
            configuration.modelName, Display.fixed(result.totalRewards.mean, 3),
            Display.fixed(result.totalRewards.standardError, 3),
        ])
        if let optimum = record.optimum { table.append(["Bayes-optimal, exact", Display.fixed(optimum, 3), ""]) }
        if let oracle = record.oracle { table.append(["oracle", Display.fixed(oracle, 3), ""]) }
        print(table.plainText())
        if let note = record.note { print(note) }
        if let regret = record.regret {
            let error = Display.fixed(record.regretStandardError, 3)
            print("regret against the oracle: \(Display.fixed(regret, 3)) ± \(error), member by member")
            if let adjusted = record.returnByRegret {
                print("return with the oracle's as control variate: \(Display.fixed(adjusted, 3)) ± \(error)")
            }
        }
        let means = result.episodeMeans
        let shown = means.count <= 10 ? Array(means.indices) : (0..<10).map { $0 * (means.count - 1) / 9 }
        var episodes = TextTable(columns: [.init("episode")] + shown.map { .init("\($0 + 1)") })
        episodes.append(["mean reward"] + shown.map { Display.fixed(means[$0], 3) })
        print(episodes.plainText())
    }
}

/// Success and length of a task with a goal, episode by episode, beside random play and the published numbers.
struct GoalTable {
    private let own: GoalEvaluation
    private let random: GoalEvaluation?
    private let configuration: Configuration
    private let family: any TaskFamily
    private let published: GoalEvaluation.Published?

    init(
        _ own: GoalEvaluation, random: GoalEvaluation?, _ configuration: Configuration, _ family: any TaskFamily
    ) {
        (self.own, self.random) = (own, random)
        (self.configuration, self.family) = (configuration, family)
        published = GoalEvaluation.Published.of(configuration.taskOptions)
    }

    func print() {
        let name = configuration.modelName
        var table = TextTable(
            columns: [.init("", alignment: .left)] + own.episodes.indices.map { .init("episode \($0 + 1)") })
        func row(_ title: String, of goal: GoalEvaluation?, _ cell: (GoalEvaluation.Episode) -> String) {
            if let goal { table.append([title] + goal.episodes.map(cell)) }
        }
        func length(_ episode: GoalEvaluation.Episode) -> String {
            "\(Display.fixed(episode.length, 1)) ± \(Display.fixed(episode.standardError, 1))"
        }
        func success(_ episode: GoalEvaluation.Episode) -> String { Display.percent(episode.successRate) }
        func publishedRow(_ cells: ((GoalEvaluation.Published) -> [String])) {
            guard let cells = published.map(cells) else { return }
            table.append(["RL² as published¹"] + own.episodes.indices.map { $0 < cells.count ? cells[$0] : "" })
        }
        row("length of successful episodes, \(name)", of: own, length)
        row("random play", of: random, length)
        publishedRow { zip($0.lengths, $0.errors).map { "\(Display.fixed($0, 1)) ± \(Display.fixed($1, 1))" } }
        row("length over shortest, \(name)", of: own) { Display.fixed($0.lengthOverShortest, 2) }
        table.append(
            ["length over episode 1, \(name)"] + own.episodes.indices.map { Display.fixed(own.lengthOverFirst($0), 3) })
        publishedRow { $0.lengthsOverFirst.map { Display.fixed($0, 3) } }
        row("success, \(name)", of: own, success)
        row("random play", of: random, success)
        publishedRow { $0.successRates.map { Display.percent($0) } }
        Commands.print(table.plainText())
        Commands.print(
            "shortest ways of \(Display.fixed(own.shortest, 1)) steps; an episode has at most \(family.maximumEpisodeSteps)"
        )
        if let improved = own.improved {
            let other = published.map { " (published: \(Display.percent($0.improved)))" } ?? ""
            Commands.print(
                "episode 2 no longer than episode 1: \(Display.percent(improved)) of the trials\(other)")
        }
        if let lapsed = own.successThenFailure {
            Commands.print("a failure after a success: \(Display.percent(lapsed)) of the trials with a success")
        }
        if published != nil {
            Commands.print("¹ Duan et al. 2016, whose steps have another size: compare ratios and shares, not lengths.")
        }
    }
}

extension MemoryReset: ExpressibleByArgument {}
