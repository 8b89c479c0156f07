import Interface
import Kernels
import Tasks
import Training

/// A paper's table beside ours: a function of what classic agents and trained cells are on record with.
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
    public let classic: ClassicResults
    /// Headings of ours, from the left.
    public let columns: [String]
    /// By row, then column.
    public private(set) var cells: [Cell] = []

    /// - Parameters:
    ///   - classic: what the table's agents earn.
    ///   - records: of the trained cells, as `bench run` wrote them; a column for each model of theirs. Those of other
    ///     tasks are left out.
    /// - Throws: if the table's task is not in the catalogue.
    public init(_ table: PaperTable, classic: ClassicResults, records: [CellRecord]) throws {
        (self.table, self.classic) = (table, classic)
        let task = try taskCatalogue.require(table.task)
        let records = records.filter { $0.task == table.task }
        let agents = table.columns.filter { $0.agent != nil }
        let trained = records.map(\.title).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        columns = agents.map(\.title) + (trained.isEmpty ? ["RL²"] : trained)
        for (index, row) in table.rows.enumerated() {
            func add(_ column: String, _ published: Double?, _ outcome: Outcome) {
                cells.append(Cell(row: row, column: column, published: published, outcome: outcome))
            }
            for column in agents {
                let own = classic.cells.first { $0.row == table.label(row) && $0.column == column.title }
                let outcome = own.map { cell in
                    Outcome.played(classic.summary(of: cell), player: cell.player, seconds: cell.seconds)
                }
                let published = column.published[index]
                add(column.title, published, outcome ?? .empty(published == nil ? "not published" : "not played"))
            }
            let published = table.columns.first { $0.title == "RL²" }?.published[index]
            if trained.isEmpty { add("RL²", published, .empty("no record")) }
            let options = Values(defaults: task.options, given: row)
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
