import Foundation
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
                guard let (name, given) = column.agent,
                    !AgentCatalogue.entries(of: table.task).filter({ $0.name != "random" }).isEmpty
                else { continue }
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

    private func plan(_ text: String) throws -> ReproductionPlan { try ReproductionPlan(yaml: text, path: "p.yaml") }

    @Test func plansAreRead() throws {
        let plan = try plan(
            """
            table: bandits
            columns:
              - title: GRU-256
                published: RL²
                runs:
                  - {episodes: 10, arms: 5, run: runs/a}
                  - {episodes: 500, arms: 50, run: runs/b}
            """)
        #expect(plan.table.name == "bandits" && !plan.allowsMissingRuns)
        #expect(plan.columns[0].title == "GRU-256" && plan.columns[0].runs.map(\.directory) == ["runs/a", "runs/b"])
        #expect(plan.columns[0].runs[1].row == ["episodes": 500, "arms": 50])
        #expect(plan.columns[0].runs[1].place == "p.yaml:7")
    }

    /// The plans that are shipped name a run for every cell of their table.
    @Test(arguments: ["bandits", "mdps"]) func shippedPlansAreWhole(_ name: String) throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("bench/plans/paper-\(name).yaml")
        let plan = try ReproductionPlan(yaml: String(contentsOf: path, encoding: .utf8), path: path.path)
        #expect(plan.table.name == name && plan.allowsMissingRuns)
        for column in plan.columns { #expect(column.runs.map(\.row) == plan.table.rows) }
    }

    @Test(arguments: [
        ("", "empty"),
        ("- a", "p.yaml:1: a plan must be keys"),
        ("table: chess\ncolumns: []", "p.yaml:1: table is 'chess'"),
        ("columns: []", "'table' is missing"),
        ("table: mdps", "'columns' is missing"),
        ("table: mdps\ncolumns: x", "p.yaml:2: columns must be a list"),
        ("table: mdps\ncolour: red\ncolumns: []", "p.yaml:2: unknown key 'colour'"),
        ("table: mdps\nmissing_runs: maybe\ncolumns: []", "p.yaml:2: missing_runs is 'maybe'"),
        ("table: mdps\ncolumns:\n  - {title: x, published: PSRL, runs: []}", "p.yaml:3: published is 'PSRL'"),
        ("table: mdps\ncolumns:\n  - {title: x, published: RL², runs: [{episodes: 11, run: r}]}", "no row n = 11"),
        ("table: mdps\ncolumns:\n  - {title: x, published: RL², runs: [{episodes: 10}]}", "'run' is missing"),
        ("table: mdps\ncolumns:\n  - {title: x, published: RL², runs: [{arms: 5, run: r}]}", "unknown key 'arms'"),
        (
            "table: mdps\ncolumns:\n- title: x\n  published: RL²\n  runs:\n  - {episodes: 10, run: r}\n"
                + "  - {episodes: 10, run: s}", "p.yaml:7: a second run for n = 10"
        ),
        ("table: [", "not YAML"),
    ]) func wrongPlansAreTold(_ text: String, _ words: String) {
        let error = #expect(throws: UserError.self) { try plan(text) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("\n") == false)
    }

    /// A small play of the whole first table: every classic cell is played where something was published.
    @Test func theFirstTableIsPlayed() throws {
        let table = PaperTable.bandits
        let short = PaperTable(
            name: table.name, title: table.title, task: table.task, rows: Array(table.rows[..<2]),
            columns: table.columns)
        let reproduction = try Reproduction(short, plan: nil, trials: 400, seed: 0, workers: Workers(threads: 2))
        #expect(reproduction.cells.count == 2 * 8)
        for cell in reproduction.cells {
            switch cell.outcome {
            case .played(let summary, _, _):
                // 400 members tell means to 0.1; a published mean of 1000 is as good as 0.06.
                #expect(abs(summary.mean - cell.published!) < 0.5, "\(cell.column): \(summary.mean)")
                #expect(cell.verdict != nil)
            case .empty(let why): #expect(cell.column == "RL²" && why == "no run" && cell.verdict == nil)
            }
        }
    }
}
