import ArgumentParser
import Bench
import Foundation
import Interface
import Kernels
import Training

struct Reproduce: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make the paper's tables again: published numbers beside ours, with a verdict on each cell.",
        discussion: """
            rl2x reproduce bandits
            rl2x reproduce mdps --results bench/results/mdps --trials 10000

            Classic agents are tuned per cell on as many other members. Trained cells come from the records that \
            `rl2x bench run` wrote.
            """)

    @Argument(help: "Table: \(PaperTable.all.map { "\($0.name) (\($0.title))" }.joined(separator: ", ")).")
    var table: String

    @Option(help: ArgumentHelp("Directory that `rl2x bench run` wrote; can be given several times.", valueName: "dir"))
    var results: [String] = []

    @Option(parsing: .unconditional, help: "Members of each cell (2 … 10000000; default 1000, as the paper's).")
    var trials = 1000

    @Option(parsing: .unconditional, help: "Seed of the held-out members (0 or more; default 0).")
    var seed = 0

    @OptionGroup var threads: ThreadOptions

    @Flag(help: "Print the table in Markdown.")
    var markdown = false

    @Flag(help: "Print one JSON object on standard output and nothing else.")
    var json = false

    func validate() throws {
        guard PaperTable.named(table) != nil else {
            throw ValidationError(
                "table '\(table)' is unknown: choose one of \(PaperTable.all.map(\.name).joined(separator: ", "))")
        }
        try check("trials", trials, 2...10_000_000)
        try check(seed: seed)
        guard !(markdown && json) else { throw ValidationError("--markdown cannot go with --json: leave one out") }
    }

    func run() throws {
        let paper = PaperTable.named(table)!
        let records = try results.flatMap { directory in
            let (comparison, damaged) = try Comparison.read(directory)
            for line in damaged { printError("rl2x: " + line) }
            guard !comparison.records.isEmpty else { throw UserError("\(directory): no record can be read") }
            return comparison.records
        }
        let reproduction = try Reproduction(
            paper, records: records, trials: trials, seed: seed, workers: Workers(threads: threads.count)
        ) { cell in
            if case .played(_, let player, let seconds) = cell.outcome {
                printError(
                    "\(paper.label(cell.row)), \(cell.column): \(ours(cell)), published \(published(cell)), "
                        + "\(Display.fixed(seconds, 1)) s" + (player.isEmpty ? "" : " (\(player))"))
            }
        }
        if json {
            try printJSON([
                "table": table, "trials": trials, "seed": seed, "test": Verdict.statement,
                "cells": reproduction.cells.map(object),
            ])
            return
        }
        print("\(paper.title): \(trials) members a cell\n")
        let lines = lines(of: reproduction)
        print(markdown ? lines.markdown() : lines.plainText())
        print(Verdict.statement)
    }

    private func published(_ cell: Reproduction.Cell) -> String { cell.published.map { Display.fixed($0, 1) } ?? "" }

    private func ours(_ cell: Reproduction.Cell) -> String {
        switch cell.outcome {
        case .played(let summary, _, _):
            // Two digits of the standard error.
            let digits = summary.standardError < 0.095 ? 3 : 2
            return "\(Display.fixed(summary.mean, digits)) ± \(Display.fixed(summary.standardError, digits))"
        case .empty(let why): return why
        }
    }

    /// The paper's rows and columns; of each row the published means, ours, and what to think of them.
    private func lines(of reproduction: Reproduction) -> TextTable {
        var table = TextTable(
            columns: [.init("setup", alignment: .left), .init("", alignment: .left)]
                + reproduction.columns.map { .init($0) })
        for row in reproduction.table.rows {
            let cells = reproduction.cells.filter { $0.row == row }
            table.append([reproduction.table.label(row), "published"] + cells.map(published))
            table.append(["", "ours"] + cells.map(ours))
            table.append(
                ["", "verdict"]
                    + cells.map { cell in
                        guard let deviation = cell.deviation else { return "" }
                        return "\(Verdict(deviation: deviation).rawValue) (\(Display.signed(deviation, 1)))"
                    })
        }
        return table
    }

    private func object(_ cell: Reproduction.Cell) -> [String: Any] {
        var object = jsonObject(cell.row)
        object["column"] = cell.column
        object["published"] = Commands.json(cell.published)
        object["verdict"] = cell.verdict?.rawValue ?? NSNull()
        object["deviation"] = Commands.json(cell.deviation)
        switch cell.outcome {
        case .played(let summary, let player, let seconds):
            object["player"] = player
            object["mean_total_reward"] = Commands.json(summary.mean)
            object["standard_error"] = Commands.json(summary.standardError)
            object["seconds"] = seconds
        case .empty(let why): object["empty"] = why
        }
        return object
    }
}
