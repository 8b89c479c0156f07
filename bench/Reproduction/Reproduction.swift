import Kernels
import Tasks
import Training

/// A paper's table, made again: every cell that there is an agent for, played on unseen members.
public struct Reproduction: Sendable {
    /// A cell of ours beside the published one.
    public struct Cell: Sendable {
        public let row: OptionValues
        public let column: String
        /// Nil where nothing was published.
        public let published: Double?
        public let outcome: Outcome
    }

    public enum Outcome: Sendable {
        /// - Parameter player: what played: an agent's settings, or a run directory.
        case played(Summary, player: String, seconds: Double)
        /// Why there is nothing to compare, such as "no run".
        case empty(String)
    }

    public let table: PaperTable
    public let trials: Int
    public let seed: Int
    /// Headings of ours, from the left.
    public let columns: [String]
    /// By row, then column.
    public private(set) var cells: [Cell] = []

    /// - Parameters:
    ///   - plan: of the trained cells; nil: they stay empty.
    ///   - trials: members of each cell; agents with options are tuned on as many others, as the paper's were.
    ///   - told: is called after every cell.
    /// - Throws: one line, before any play, where the plan names a run that is not there or not the cell's.
    public init(
        _ table: PaperTable, plan: ReproductionPlan?, trials: Int, seed: Int, workers: Workers,
        told: (Cell) -> Void = { _ in }
    ) throws {
        self.table = table
        self.trials = trials
        self.seed = seed
        guard let task = TaskCatalogue.entry(named: table.task) else {
            throw UserError("table '\(table.name)' wants the task '\(table.task)', which this version does not have")
        }
        let classic = table.columns.filter { $0.agent != nil }
        let trained = try (plan?.columns ?? []).map { try TrainedColumn($0, plan!, task) }
        let shown = trained.isEmpty ? ["RL²"] : trained.map(\.title)
        columns = classic.map(\.title) + shown
        for (index, row) in table.rows.enumerated() {
            let family = task.make(OptionValues(standard: task.options, given: row))
            func add(_ column: String, _ published: Double?, _ outcome: Outcome) {
                let cell = Cell(row: row, column: column, published: published, outcome: outcome)
                cells.append(cell)
                told(cell)
            }
            func play(_ agent: any Agent, _ player: String) -> Outcome {
                let result = Evaluation(agent, family: family, members: 0..<trials, seed: seed, workers: workers)
                return .played(result.totalRewards, player: player, seconds: result.seconds)
            }
            for column in classic {
                let published = column.published[index]
                let (name, given) = column.agent!
                if published == nil {
                    add(column.title, nil, .empty("not published"))
                } else if let entry = AgentCatalogue.entry(named: name, of: table.task) {
                    let agent = AgentRequest(entry, given: given).tuned(
                        for: family, members: trials..<2 * trials, seed: seed, workers: workers)
                    add(column.title, published, play(agent, agent.parameters))
                } else {
                    add(column.title, published, .empty("no agent"))
                }
            }
            if trained.isEmpty {
                add("RL²", table.columns.first { $0.title == "RL²" }?.published[index], .empty("no run"))
            }
            for column in trained {
                let published = table.columns.first { $0.title == column.published }?.published[index]
                if let run = column.runs.first(where: { $0.row == row }) {
                    add(column.title, published, play(try LearnedAgent(run.run, run.configuration), run.run.path))
                } else {
                    add(column.title, published, .empty("no run"))
                }
            }
        }
    }
}

extension Reproduction.Cell {
    /// (ours − published) in standard errors of the difference; nil where there is nothing to compare.
    public var deviation: Double? {
        guard let published, case .played(let summary, _, _) = outcome else { return nil }
        return Verdict.deviation(summary, published: published)
    }

    public var verdict: Verdict? { deviation.map { Verdict(deviation: $0) } }
}

/// A column of a plan whose runs were found and are the cells'.
private struct TrainedColumn {
    let title: String
    let published: String
    var runs: [(row: OptionValues, run: RunDirectory, configuration: Configuration)] = []

    init(_ column: ReproductionPlan.Column, _ plan: ReproductionPlan, _ task: TaskCatalogue.Entry) throws {
        title = column.title
        published = column.published
        for planned in column.runs {
            let run = RunDirectory(planned.directory)
            if plan.allowsMissingRuns && !run.hasCheckpoint { continue }
            do {
                let configuration = try run.configuration()
                try configuration.validate()
                let wanted = OptionValues(standard: task.options, given: planned.row)
                guard configuration.task == task.name, configuration.taskOptions == wanted else {
                    throw UserError(
                        "\(run.path): a run of \(configuration.task) (\(configuration.taskOptions.summary)), where the "
                            + "table wants \(task.name) (\(wanted.summary))")
                }
                guard run.hasCheckpoint else {
                    throw UserError("\(run.path): it has no checkpoint yet; train it first")
                }
                runs.append((planned.row, run, configuration))
            } catch let error as UserError {
                throw UserError("\(planned.place): \(error.description)")
            }
        }
    }
}
