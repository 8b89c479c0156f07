import ArgumentParser
import Bench
import Foundation
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

    @Option(help: "Write one self-contained HTML page here.")
    var out: String?

    enum Format: String, CaseIterable, ExpressibleByArgument { case text, markdown, csv, json }

    @Option(help: "How tables are printed: text, markdown, csv or json (default text).")
    var format: Format = .text

    func run() throws {
        let (comparison, failures) = try Comparison.read(directory)
        if !comparison.records.isEmpty {
            switch format {
            case .text: print(comparison.plainText, terminator: "")
            case .markdown: print(comparison.markdown, terminator: "")
            case .csv: print(comparison.commaSeparated, terminator: "")
            case .json:
                try printJSON([
                    "tables": comparison.tables.map { title, table in
                        ["title": title, "columns": table.columns.map(\.title), "rows": table.rows] as [String: Any]
                    }
                ])
            }
            if let out { try AtomicFile.write(Data(Report(comparison).html.utf8), to: out) }
        }
        for failure in failures { printError("rl2x: " + failure) }
        if !failures.isEmpty { throw UserError("\(failures.count) records could not be read; the lines above say why") }
    }
}
