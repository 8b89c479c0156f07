import Interface
import Kernels
import Tasks
import Training

/// A paper's table, made again: every cell that there is an agent for, played on held-out members.
public struct Reproduction: Sendable {
    /// A cell of ours beside the published one.
    public struct Cell: Sendable {
        public let row: Values
        public let column: String
        /// Nil where nothing was published.
        public let published: Double?
        public let outcome: Outcome
    }

    public enum Outcome: Sendable {
        /// - Parameter player: what played: an agent's settings, or the seeds of a trained cell.
        case played(Summary, player: String, seconds: Double)
        /// Why there is nothing to compare, such as "no record".
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
    ///   - records: of the trained cells, as `bench run` wrote them; a column for each model of theirs. Those of other
    ///     tasks are left out.
    ///   - trials: members of each cell; agents with options are tuned on as many others, as the paper's were.
    ///   - told: is called after every cell.
    public init(
        _ table: PaperTable, records: [CellRecord], trials: Int, seed: Int, workers: Workers,
        told: (Cell) -> Void = { _ in }
    ) throws {
        self.table = table
        self.trials = trials
        self.seed = seed
        let task = try taskCatalogue.require(table.task)
        let records = records.filter { $0.task == table.task }
        let classic = table.columns.filter { $0.agent != nil }
        let trained = records.map(\.title).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        columns = classic.map(\.title) + (trained.isEmpty ? ["RL²"] : trained)
        for (index, row) in table.rows.enumerated() {
            let options = Values(defaults: task.options, given: row)
            let family = task.make(options)
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
            let published = table.columns.first { $0.title == "RL²" }?.published[index]
            if trained.isEmpty { add("RL²", published, .empty("no record")) }
            for column in trained {
                let own = records.filter {
                    $0.title == column && Values(defaults: task.options, given: $0.main.taskOptions) == options
                }
                add(column, published, own.isEmpty ? .empty("no record") : Reproduction.outcome(of: own))
            }
        }
    }

    /// The mean over the seeds of a trained cell; its standard error is that of the members, as the published one's.
    private static func outcome(of records: [CellRecord]) -> Outcome {
        let mean = Summary(records.map(\.main.meanTotalReward)).mean
        let error = Summary(records.map(\.main.standardError)).mean
        let seeds = records.count == 1 ? "1 seed" : "\(records.count) seeds"
        return .played(
            Summary(count: records[0].main.trials, mean: mean, standardError: error), player: seeds, seconds: 0)
    }
}

extension CellRecord {
    /// In the catalogue of tasks; nil for a configuration that cannot be read.
    fileprivate var task: String? { try? Configuration(yaml: configuration, path: cell).task }

    /// What tables call its model with its setting.
    fileprivate var title: String { settingName.isEmpty ? modelName : "\(modelName), \(settingName)" }
}

extension Reproduction.Cell {
    /// (ours − published) in standard errors of the difference; nil where there is nothing to compare.
    public var deviation: Double? {
        guard let published, case .played(let summary, _, _) = outcome else { return nil }
        return Verdict.deviation(summary, published: published)
    }

    public var verdict: Verdict? { deviation.map { Verdict(deviation: $0) } }
}
