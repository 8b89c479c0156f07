import ArgumentParser
import Bench
import Foundation
import Interface
import Training

struct BenchReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Tables and a page of what `bench run` recorded.",
        discussion: """
            rl2x bench report runs/smoke --out report.html
            rl2x bench report runs/smoke --format markdown

            Records that cannot be read are named, and the rest is reported; the exit code is 1 then.
            """)

    @Argument(help: "Directory that `bench run` wrote, or a folder of records.")
    var directory: String

    @OptionGroup var output: ComparisonOutput

    func run() throws {
        let (comparison, damaged) = try Comparison.read(directory)
        let analyses = AnalysisRecord.readAll(directory)
        if !comparison.records.isEmpty { try output.show(comparison, analyses: analyses.results) }
        for line in CellRecord.changedParents(of: comparison.records, in: directory) { printError("warning: \(line)") }
        let failures = damaged + analyses.failures
        for failure in failures { printError("rl2x: " + failure) }
        if !failures.isEmpty { throw UserError("\(failures.count) files could not be read; the lines above say why") }
    }
}

struct BenchCompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "The tables and the page of `bench report` for runs made by hand.",
        discussion: "rl2x bench compare runs/bandit-gru-s0 runs/bandit-lstm-s0 --out report.html")

    @Argument(help: "Run directories, whose latest checkpoints are played, or zoo:NAMEs; at least two.")
    var runs: [String]

    @Option(parsing: .unconditional, help: "Members to play (100 … 10000000; default 10000).")
    var trials = 10_000

    @OptionGroup var threads: ThreadOptions
    @OptionGroup var output: ComparisonOutput

    func validate() throws {
        guard runs.count > 1 else { throw ValidationError("one run is nothing to compare: name another") }
        try check("trials", trials, 100...10_000_000)
    }

    func run() throws {
        try output.show(Comparison(runs: runs, trials: trials, threads: threads.count) { printError($0) })
    }
}

/// Where the tables of a comparison go, and how they look.
struct ComparisonOutput: ParsableArguments {
    enum Format: String, CaseIterable, ExpressibleByArgument { case text, markdown, csv, json }

    @Option(help: "Write one self-contained HTML page here.")
    var out: String?

    @Option(help: "How tables are printed: text, markdown, csv or json (default text).")
    var format: Format = .text

    func show(_ comparison: Comparison, analyses: [AnalysisRecord] = []) throws {
        switch format {
        case .text: print(comparison.plainText, terminator: "")
        case .markdown: print(comparison.markdown, terminator: "")
        case .csv: print(comparison.commaSeparated, terminator: "")
        case .json: print(comparison.json, terminator: "")
        }
        if let out { try AtomicFile.write(Data(Report(comparison, analyses: analyses).html.utf8), to: out) }
    }
}
