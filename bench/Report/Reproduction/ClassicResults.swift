import Foundation
import Interface
import Kernels
import Tasks
import Training

/// What the classic agents of a paper's table earn on held-out members, kept so that the table is printed in a moment.
public struct ClassicResults: StoredResult, Sendable, Equatable {
    public static let version = 1
    public static let (title, folder) = ("results of classic agents", "classic")
    public static let advice = "move it away and make it again with `rl2x reproduce TABLE --play --keep DIR`"

    /// What one agent earns in one row of the table.
    public struct Cell: Codable, Sendable, Equatable {
        /// As `PaperTable.label` writes it.
        public let row: String
        public let column: String
        /// The agent's settings.
        public let player: String
        public let meanTotalReward: Double
        public let standardError: Double
        public let seconds: Double

        enum CodingKeys: String, CodingKey {
            case row, column, player, meanTotalReward = "mean_total_reward", standardError = "standard_error", seconds
        }
    }

    public let version: Int
    /// Name of the table.
    public let table: String
    /// Members of each cell.
    public let trials: Int
    /// Of the held-out members.
    public let seed: Int
    public let cells: [Cell]

    public var flaw: String? {
        let areNumbers = cells.allSatisfy { cell in
            [cell.meanTotalReward, cell.standardError, cell.seconds].allSatisfy { abs($0) <= 1e15 }
        }
        return (2...1 << 53).contains(trials) && areNumbers ? nil : "results with numbers that no agent earns"
    }

    /// Plays every classic cell for which the paper has a number.
    /// - Parameters:
    ///   - trials: members of each cell, at least 2; agents with options are tuned on as many others, as the paper's were.
    ///   - told: is called after every cell.
    /// - Throws: if the task is not in the catalogue.
    public init(
        playing table: PaperTable, trials: Int, seed: Int, workers: Workers, told: (Cell) -> Void = { _ in }
    ) throws {
        version = ClassicResults.version
        (self.table, self.trials, self.seed) = (table.name, trials, seed)
        let task = try taskCatalogue.require(table.task)
        var cells: [Cell] = []
        for (index, row) in table.rows.enumerated() {
            let family = task.make(Values(defaults: task.options, given: row))
            for column in table.columns where column.published[index] != nil {
                guard let (name, given) = column.agent,
                    let entry = AgentCatalogue.entry(named: name, of: table.task)
                else { continue }
                let agent = AgentRequest(entry, given: given).tuned(
                    for: family, members: trials..<2 * trials, seed: seed, workers: workers)
                let played = Evaluation(agent, family: family, members: 0..<trials, seed: seed, workers: workers)
                let cell = Cell(
                    row: table.label(row), column: column.title, player: agent.parameters,
                    meanTotalReward: played.totalRewards.mean, standardError: played.totalRewards.standardError,
                    seconds: played.seconds)
                cells.append(cell)
                told(cell)
            }
        }
        self.cells = cells
    }

    /// A cell's numbers.
    public func summary(of cell: Cell) -> Summary {
        Summary(count: trials, mean: cell.meanTotalReward, standardError: cell.standardError)
    }

    /// Those of a table in a directory of results; nil if it holds none of them.
    /// - Throws: one line if a file there cannot be used.
    public static func read(_ directory: String, table: PaperTable) throws -> ClassicResults? {
        let (results, failures) = readAll(directory)
        if let failure = failures.first { throw UserError(failure) }
        return results.first { $0.table == table.name }
    }

    /// Writes them into a directory of results.
    /// - Returns: the path of the file.
    public func keep(in directory: String) throws -> String {
        let folder = "\(directory)/\(Self.folder)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = "\(folder)/\(table).json"
        try write(to: path)
        return path
    }
}
