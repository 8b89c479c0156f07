import Foundation
import Interface
import Kernels
import Tasks
import Testing
import Training

@testable import Bench

@Suite struct ReproductionTests {
    /// Every column has a number for every row, and every classic one an agent that takes its options.
    @Test func tablesAreWhole() {
        for table in PaperTable.all {
            let names = table.rows[0].names
            #expect(table.rows.allSatisfy { $0.names == names })
            for column in table.columns {
                #expect(column.published.count == table.rows.count, "\(table.name), \(column.title)")
                guard let (name, given) = column.agent else { continue }
                let entry = AgentCatalogue.entry(named: name, of: table.task)
                #expect(entry != nil, "\(table.name): no agent '\(name)'")
                for option in given.names {
                    let known = entry?.options.first { $0.name == option }
                    #expect(known?.accepted(given[option]!) != nil, "\(name): \(option)")
                }
            }
        }
        #expect(PaperTable.bandits.label(PaperTable.bandits.rows[1]) == "n = 10, k = 10")
        #expect(PaperTable.mdps.label(PaperTable.mdps.rows[4]) == "n = 100")
    }

    /// 1000 members of deviation 2, 4000 of ours: √(4/1000 + 4/4000 + 0.01/12) = √0.0058333.
    @Test func verdictByHand() {
        let values = (0..<4000).map { $0 % 2 == 0 ? 8.0 : 12.0 }
        let ours = Summary(values)
        let deviation = Verdict.deviation(ours, published: 9.8)
        #expect(abs(deviation - 0.2 / (0.005 + 0.01 / 12).squareRoot()) < 1e-3)
        #expect(Verdict(deviation: deviation) == .agrees)
        #expect(Verdict(deviation: 3.01) == .better && Verdict(deviation: -3.01) == .worse)
        #expect(Verdict(deviation: -3) == .agrees)
    }

    /// Some rows of a table.
    private func short(_ table: PaperTable, rows: [Int], classic: Bool = true) -> PaperTable {
        let columns = table.columns.filter { classic || $0.agent == nil }.map { column in
            PaperTable.Column(
                column.title, agent: column.agent?.name, given: column.agent?.given ?? [:],
                rows.map { column.published[$0] })
        }
        return PaperTable(
            name: table.name, title: table.title, task: table.task, rows: rows.map { table.rows[$0] }, columns: columns)
    }

    /// A table whose classic columns are left out or not played.
    private func reproduction(_ table: PaperTable, _ records: [CellRecord]) throws -> Reproduction {
        let none = try ClassicResults(
            playing: short(table, rows: []), trials: 2, seed: 0, workers: Workers(threads: 1))
        return try Reproduction(table, classic: none, records: records)
    }

    private func shipped(_ folder: String) throws -> [CellRecord] {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("bench/results/\(folder)").path
        let (comparison, failures) = try Comparison.read(path)
        #expect(failures.isEmpty, "\(failures)")
        return comparison.records
    }

    /// A column for each trained model, a cell where its task is the row's: the mean of its seeds.
    @Test func trainedCellsAreThoseOfTheRecords() throws {
        let records = try shipped("bandits")
        let reproduction = try reproduction(short(PaperTable.bandits, rows: [0, 1, 3, 9], classic: false), records)
        #expect(reproduction.columns == ["gru", "lstm", "transformer"])
        #expect(reproduction.cells.count == 4 * 3)
        for cell in reproduction.cells {
            let published = ["10": 6.7, "100": 78.7, "1000": 847.4]["\(cell.row["episodes"]!)"]
            #expect(cell.published == published)
            let own = records.filter {
                $0.modelName == cell.column && $0.main.taskOptions["episodes"] == cell.row["episodes"]
                    && $0.main.taskOptions["arms"] == cell.row["arms"]
            }
            switch cell.outcome {
            case .played(let summary, let player, _):
                #expect(own.count == 3 && player == "3 seeds" && summary.count == 10_000)
                #expect(summary.mean == Summary(own.map(\.main.meanTotalReward)).mean)
                let error = Summary(own.map(\.main.standardError)).mean
                #expect(abs(summary.standardError / error - 1) < 1e-12)
                #expect(cell.verdict == Verdict(deviation: Verdict.deviation(summary, published: published!)))
            case .empty(let why):
                #expect(own.isEmpty && why == "no record" && cell.verdict == nil)
            }
        }
        #expect(reproduction.cells.count { $0.verdict != nil } == 2 * 3)
    }

    /// Likewise of the MDPs, of which one seed of a GRU is shipped.
    @Test func theTrainedCellOfTheMDPs() throws {
        let records = try shipped("mdps")
        let reproduction = try reproduction(short(PaperTable.mdps, rows: [0, 1], classic: false), records)
        #expect(reproduction.cells.map(\.column) == ["gru", "gru"])
        guard case .played(let summary, let player, _) = reproduction.cells[0].outcome,
            case .empty(let why) = reproduction.cells[1].outcome
        else {
            Issue.record("\(reproduction.cells)")
            return
        }
        #expect(player == "1 seed" && summary.mean == records[0].main.meanTotalReward && why == "no record")
        #expect(reproduction.cells[0].published == 156.2 && reproduction.cells[0].verdict == .agrees)
    }

    /// Records of another task are no part of a table.
    @Test func recordsOfAnotherTaskAreLeftOut() throws {
        let records = try shipped("mdps")
        let reproduction = try reproduction(short(PaperTable.bandits, rows: [0], classic: false), records)
        #expect(reproduction.columns == ["RL²"])
        #expect(reproduction.cells.allSatisfy { $0.deviation == nil })
    }

    /// A small play of the whole first table: every classic cell is played where something was published.
    @Test func theFirstTableIsPlayed() throws {
        let short = short(PaperTable.bandits, rows: [0, 1])
        let played = try ClassicResults(playing: short, trials: 400, seed: 0, workers: Workers(threads: 2))
        let reproduction = try Reproduction(short, classic: played, records: [])
        #expect(reproduction.cells.count == 2 * 8)
        for cell in reproduction.cells {
            switch cell.outcome {
            case .played(let summary, _, _):
                // 400 members tell means to 0.1; a published mean of 1000 is as good as 0.06.
                #expect(abs(summary.mean - cell.published!) < 0.5, "\(cell.column): \(summary.mean)")
                #expect(cell.verdict != nil)
            case .empty(let why): #expect(cell.column == "RL²" && why == "no record" && cell.verdict == nil)
            }
        }
    }

    /// What is kept is read again as it was; damaged numbers are told in a line.
    @Test func classicResultsAreKept() throws {
        let directory = FileManager.default.temporaryDirectory.path + "/classic-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let table = short(PaperTable.bandits, rows: [0])
        #expect(try ClassicResults.read(directory, table: table) == nil)
        let played = try ClassicResults(playing: table, trials: 20, seed: 3, workers: Workers(threads: 1))
        let path = try played.keep(in: directory)
        #expect(try ClassicResults.read(directory, table: table) == played)
        #expect(try ClassicResults.read(directory, table: PaperTable.mdps) == nil)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try text.replacing("\"trials\" : 20", with: "\"trials\" : 1").write(
            toFile: path, atomically: true, encoding: .utf8)
        #expect(throws: UserError.self) { try ClassicResults.read(directory, table: table) }
    }
}
