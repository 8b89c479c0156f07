import ArgumentParser
import Bench
import Foundation
import Interface
import Kernels
import Tasks
import Training

struct Baselines: TakesSettings {
    static let scope = SettingScope.task
    static let configuration = CommandConfiguration(
        abstract: "Play the classic agents of a task on held-out members.",
        discussion: """
            rl2x baselines --task bandit --arms 10 --episodes 100 --tune
            rl2x baselines --task bandit --agents ucb1:c=0.3,gittins:rule=exact:discount=0.99
            rl2x baselines --task bandit --agents ucb1:c=0.1/0.2/0.3 --tune

            Agents and their options:

            \(Baselines.catalogue)
            """)

    @OptionGroup var options: TaskOptions

    @Option(parsing: .unconditional, help: "Seed of the held-out members, 0 or more (default: 0).")
    var seed = 0

    @Option(parsing: .unconditional, help: "Members to play, one trial each, 2 … 10000000 (default: 1000).")
    var trials = 1000

    @Option(
        help: "Agents, separated by commas, each with options as in name:option=value (default: all of the task's).")
    var agents: String?

    @Flag(help: "Choose each agent's options from its grid, by play on as many other members.")
    var tune = false

    @OptionGroup var threads: ThreadOptions

    @Flag(help: "Print one JSON object on standard output and nothing else.")
    var json = false

    func validate() throws {
        try check("trials", trials, 2...10_000_000)
        try check(seed: seed)
    }

    func run() throws {
        let (entry, values) = try options.resolve()
        let family = entry.make(values)
        let requests = try requests(of: entry.name, family)
        let workers = Workers(threads: threads.count)
        let rows = requests.map { request in
            BaselineRow(request, tune: tune, family: family, trials: trials, seed: seed, workers: workers)
        }
        let references = ReferenceReturns(of: family, members: 0..<trials, seed: seed)
        if json {
            try printJSON([
                "task": entry.name, "task_options": jsonObject(values), "trials": trials, "seed": seed, "tuned": tune,
                "random": Commands.json(references.random), "optimum": Commands.json(references.optimum),
                "oracle": Commands.json(references.oracle), "rows": rows.map(\.object),
            ])
        } else {
            print(
                "\(entry.name) (\(values.summary)): \(trials) held-out members"
                    + (tune ? ", tuned on as many others" : ""))
            var table = TextTable(columns: [
                .init("agent", alignment: .left), .init("parameters", alignment: .left), .init("return"),
                .init("± se"), .init("seconds"),
            ])
            for row in rows {
                table.append([
                    row.agent.name, row.agent.parameters, Display.fixed(row.evaluation.totalRewards.mean, 3),
                    Display.fixed(row.evaluation.totalRewards.standardError, 3),
                    Display.fixed(row.evaluation.seconds, 2),
                ])
            }
            print(table.plainText())
            if let optimum = references.optimum { print("Bayes-optimal, exact: \(Display.fixed(optimum, 5))") }
            if let oracle = references.oracle { print("oracle: \(Display.fixed(oracle, 3))") }
        }
    }

    private func requests(of task: String, _ family: any TaskFamily) throws -> [AgentRequest] {
        guard let agents else {
            return AgentRequest.all(of: task, playing: family) { printError("left out: \($0)") }
        }
        return try calling {
            let requests = try agents.split(separator: ",", omittingEmptySubsequences: false).map {
                try AgentRequest(String($0), task: task)
            }
            for request in requests {
                if let objection = request.objection(family) { throw UserError(objection) }
                if request.wantsTuning && !tune {
                    throw UserError(
                        "agent '\(request.entry.name)': \(request.tried[0].option) has several values; add --tune")
                }
            }
            if tune && requests.allSatisfy({ $0.settings.count == 1 }) {
                throw UserError(
                    "--tune has nothing to try: of \(requests.map(\.entry.name).joined(separator: ", ")) no option is "
                        + "left open; leave --tune out")
            }
            return requests
        }
    }

    /// The agents of all tasks, a line each.
    private static var catalogue: String {
        AgentCatalogue.entries.map { entry in
            let options = entry.options.map { "\($0.name)=\($0.defaultValue) (\($0.range))" }.joined(separator: ", ")
            return "\(entry.task ?? "any task")  \(entry.name): \(entry.summary)"
                + (options.isEmpty ? "" : "; \(options)")
        }.joined(separator: "\n")
    }
}

/// An agent of a table and what it earned.
struct BaselineRow {
    let agent: any Agent
    let evaluation: Evaluation

    /// Plays members 0 ..< trials; tunes on as many after them.
    init(
        _ request: AgentRequest, tune: Bool, family: any TaskFamily, trials: Int, seed: Int, workers: Workers
    ) {
        agent =
            tune
            ? request.tuned(for: family, members: trials..<2 * trials, seed: seed, workers: workers) : request.agent
        evaluation = Evaluation(agent, family: family, members: 0..<trials, seed: seed, workers: workers)
        printError(
            "\(agent.title): \(Display.fixed(evaluation.totalRewards.mean, 3)), \(Display.fixed(evaluation.seconds, 2)) s"
        )
    }

    var object: [String: Any] {
        [
            "name": agent.name, "parameters": agent.parameters,
            "mean_total_reward": Commands.json(evaluation.totalRewards.mean),
            "standard_error": Commands.json(evaluation.totalRewards.standardError), "seconds": evaluation.seconds,
        ]
    }

    /// With what another agent earned more on the same members, and the 95 % interval of that.
    func object(against other: Evaluation) -> [String: Any] {
        let difference = PairedDifference(other.totals, evaluation.totals)
        return object.merging([
            "difference": Commands.json(difference.mean), "lower_bound": Commands.json(difference.lowerBound),
            "upper_bound": Commands.json(difference.upperBound),
        ]) { _, new in new }
    }
}
