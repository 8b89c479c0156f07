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
            rl2x reproduce mdps --results runs/mdps
            rl2x reproduce mdps --play --trials 10000 --keep runs/mdps

            Trained cells come from the records that `rl2x bench run` wrote, classic cells from results that were kept. \
            Where none are, or with --play, the classic agents are played, tuned per cell on as many other members.
            """)

    @Argument(help: "Table: \(PaperTable.all.map { "\($0.name) (\($0.title))" }.joined(separator: ", ")).")
    var table: String

    @Option(
        help: ArgumentHelp(
            "Directory of results; can be given several times (default: bench/results/TABLE, where it is there).",
            valueName: "dir"))
    var results: [String] = []

    @Flag(help: "Play the classic agents again.")
    var play = false

    @Option(parsing: .unconditional, help: "Members of each played cell, 2 … 10000000 (default: 1000, as the paper's).")
    var trials: Int?

    @Option(parsing: .unconditional, help: "Seed of the held-out members that are played, 0 or more (default: 0).")
    var seed: Int?

    @Option(help: ArgumentHelp("Directory that keeps what is played, for later tables.", valueName: "dir"))
    var keep: String?

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
        try check("trials", trials ?? standardTrials, 2...10_000_000)
        try check(seed: seed ?? 0)
        guard play || (trials == nil && seed == nil && keep == nil) else {
            throw ValidationError("--trials, --seed and --keep are for agents that are played: add --play")
        }
        guard !(markdown && json) else { throw ValidationError("--markdown cannot go with --json: leave one out") }
    }

    /// As the paper's.
    private var standardTrials: Int { PaperTable.members }

    func run() throws {
        let paper = PaperTable.named(table)!
        let directories = results.isEmpty ? shipped : results
        let kept = try directories.map { try ClassicResults.read($0, table: paper) }
        let records = try zip(directories, kept).flatMap { directory, kept in
            // A directory that keeps classic results needs no records.
            let (records, damaged) = try kept == nil ? read(directory) : CellRecord.readAll(directory)
            for line in damaged { printError("rl2x: " + line) }
            guard kept != nil || !records.isEmpty else { throw UserError("\(directory): no record can be read") }
            return records
        }
        let classic = try (play ? nil : kept.lazy.compactMap { $0 }.first) ?? playNow(paper)
        let reproduction = try Reproduction(paper, classic: classic, records: records)
        if json {
            try printJSON([
                "table": table, "trials": classic.trials, "seed": classic.seed, "test": Verdict.statement,
                "cells": reproduction.cells.map(object),
            ])
            return
        }
        print("\(paper.title): \(classic.trials) members a classic cell\n")
        let lines = lines(of: reproduction)
        print(markdown ? lines.markdown() : lines.plainText())
        print(Verdict.statement)
    }

    /// The records of a directory that must hold some.
    private func read(_ directory: String) throws -> (results: [CellRecord], failures: [String]) {
        let (comparison, failures) = try Comparison.read(directory)
        return (comparison.records, failures)
    }

    /// What comes with a checkout of rl2x.
    private var shipped: [String] {
        let directory = "bench/results/\(table)"
        return FileManager.default.fileExists(atPath: directory) ? [directory] : []
    }

    private func playNow(_ paper: PaperTable) throws -> ClassicResults {
        let played = try ClassicResults(
            playing: paper, trials: trials ?? standardTrials, seed: seed ?? 0, workers: Workers(threads: threads.count)
        ) { cell in
            printError(
                "\(cell.row), \(cell.column): \(Display.fixed(cell.meanTotalReward, 3)) ± "
                    + "\(Display.fixed(cell.standardError, 3)), \(Display.fixed(cell.seconds, 1)) s"
                    + (cell.player.isEmpty ? "" : " (\(cell.player))"))
        }
        if let keep { printError("kept: \(try played.keep(in: keep))") }
        return played
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
