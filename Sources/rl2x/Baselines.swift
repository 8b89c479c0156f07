import ArgumentParser
import Bench
import Foundation
import Kernels
import Tasks
import Training

struct Baselines: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Play the classic agents of a task on unseen members.",
        discussion: """
            rl2x baselines --task bandit --arms 10 --episodes 100 --tune
            rl2x baselines --task bandit --agents ucb1:c=0.3,gittins:rule=exact:discount=0.99
            rl2x baselines --task bandit --agents ucb1:c=0.1/0.2/0.3 --tune

            Of the options of training only those of the task count, and --seed. Agents and their options:

            \(Baselines.catalogue)
            """)

    @OptionGroup var options: ModelAndTaskOptions

    @Option(parsing: .unconditional, help: "Members to play, one trial each (2 … 10000000; default 1000).")
    var trials = 1000

    @Option(help: "Agents, separated by commas, each with options as in name:option=value (default: all of the task).")
    var agents: String?

    @Flag(help: "Choose each agent's options from its grid, by play on as many other members.")
    var tune = false

    @OptionGroup var threads: ThreadOptions

    @Flag(help: "Print one JSON object on standard output and nothing else.")
    var json = false

    func validate() throws {
        guard (2...10_000_000).contains(trials) else {
            throw ValidationError("--trials is \(trials): it must lie in 2 … 10000000")
        }
        if let seed = options.seed, seed < 0 { throw ValidationError("--seed is \(seed): it must be 0 or more") }
    }

    func run() throws {
        let (entry, values) = try options.resolveTask()
        let family = entry.make(values)
        let requests = try requests(of: entry.name, family)
        let seed = options.seed ?? 0
        let workers = Workers(threads: threads.count)
        let rows = requests.map { request in
            BaselineRow(request, tune: tune, family: family, trials: trials, seed: seed, workers: workers)
        }
        let landmarks = Landmarks(of: family, members: 0..<trials, seed: seed)
        if json {
            try printJSON([
                "task": entry.name, "task_options": jsonObject(values), "trials": trials, "seed": seed, "tuned": tune,
                "random": rl2x.json(landmarks.random), "optimum": rl2x.json(landmarks.optimum),
                "informed": rl2x.json(landmarks.informed), "rows": rows.map(\.object),
            ])
        } else {
            print(
                "\(entry.name) (\(values.summary)): \(trials) unseen members"
                    + (tune ? ", tuned on as many others" : ""))
            var table = TextTable(columns: [
                .init("agent", alignment: .left), .init("parameters", alignment: .left), .init("total reward"),
                .init("± se"), .init("seconds"),
            ])
            for row in rows {
                table.append([
                    row.agent.name, row.agent.parameters, format(row.evaluation.totalRewards.mean, 3),
                    format(row.evaluation.totalRewards.standardError, 3), format(row.evaluation.seconds, 2),
                ])
            }
            print(table.plainText())
            if let optimum = landmarks.optimum { print("Bayes-optimal, exact: \(format(optimum, 5))") }
            if let informed = landmarks.informed { print("knows the member: \(format(informed, 3))") }
        }
    }

    private func requests(of task: String, _ family: any TaskFamily) throws -> [AgentRequest] {
        guard let agents else {
            return AgentRequest.all(of: task, playing: family) { printError("left out: \($0)") }
        }
        do {
            let requests = try agents.split(separator: ",", omittingEmptySubsequences: false).map {
                try AgentRequest(String($0), task: task)
            }
            for request in requests {
                if let objection = request.entry.objection(family) { throw UserError(objection) }
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
        } catch let error as UserError {
            throw ValidationError(error.description)
        }
    }

    /// The agents of all tasks, a line each.
    private static var catalogue: String {
        TaskCatalogue.names.flatMap { task in
            AgentCatalogue.entries(of: task).map { entry in
                let options = entry.options.map { "\($0.name)=\($0.standard) (\($0.range))" }.joined(separator: ", ")
                return "\(task)  \(entry.name): \(entry.summary)" + (options.isEmpty ? "" : "; \(options)")
            }
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
            "\(agent.title): \(format(evaluation.totalRewards.mean, 3)), \(format(evaluation.seconds, 2)) s")
    }

    var object: [String: Any] {
        [
            "name": agent.name, "parameters": agent.parameters,
            "mean_total_reward": rl2x.json(evaluation.totalRewards.mean),
            "standard_error": rl2x.json(evaluation.totalRewards.standardError), "seconds": evaluation.seconds,
        ]
    }

    /// With what another agent earned more on the same members, and the 95 % interval of that.
    func object(against other: Evaluation) -> [String: Any] {
        let difference = PairedDifference(other.totals, evaluation.totals)
        return object.merging([
            "difference": rl2x.json(difference.mean), "lower_bound": rl2x.json(difference.lowerBound),
            "upper_bound": rl2x.json(difference.upperBound),
        ]) { _, new in new }
    }
}

/// Options as JSON has them: numbers and words, names joined by underscores.
func jsonObject(_ values: OptionValues) -> [String: Any] {
    Dictionary(
        uniqueKeysWithValues: values.names.map { name in
            let value: Any =
                switch values[name]! {
                case .integer(let number): number
                case .real(let number): number
                case .word(let word): word
                }
            return (name.split(separator: "-").joined(separator: "_"), value)
        })
}
