import ArgumentParser
import Bench
import Foundation
import Interface
import Platform
import Training

struct BenchRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Train and evaluate what a plan lacks.",
        discussion: """
            rl2x bench run bench/plans/smoke.yaml --out runs/smoke
            rl2x bench run PLAN --out DIR --index $SLURM_ARRAY_TASK_ID

            What is done is kept, what was interrupted goes on. Several processes may share a plan and its directory; a \
            cell is done by one of them.
            An entry of the plan that cannot be used, or a cell that fails, is told in a line, and the others are done.
            A task with `from:` begins with the weights of another task's cell (same model, learner, setting and seed), or \
            of a run; parents are done before their children, and the children of one that fails are left out.
            Exit code: 0 all cells are done or others are at them, 1 something failed, 128 + its number \
            stopped by a signal.
            """)

    @Argument(help: "Plan: a YAML file.")
    var plan: String

    @Option(help: "Directory of runs and records (default runs/<name of the plan>).")
    var out: String?

    @Option(help: "Only cells whose name contains this; can be given several times.")
    var only: [String] = []

    @Option(parsing: .unconditional, help: "Only the cell of this number, from 0 (--list shows them).")
    var index: Int?

    @Flag(help: "List the cells and what is done of them, and do nothing.")
    var list = false

    @OptionGroup var threads: ThreadOptions

    func run() throws {
        let (plan, text) = try Plan.readWithText(self.plan)
        for problem in plan.problems { printError("rl2x: " + problem) }
        let cells = try chosen(plan)
        let directory = out ?? "runs/\(Plan.slug(plan.name))"
        if list {
            for (number, cell) in plan.cells.enumerated() {
                let record = "\(directory)/\(CellRecord.folder)/\(cell.identifier).json"
                let done = FileManager.default.fileExists(atPath: record)
                let origin = cell.task.from.map { "  from \(plan.parent(of: cell)?.identifier ?? $0)" } ?? ""
                print("\(number)  \(cell.identifier)\(origin)\(done ? "  done" : "")")
            }
            return try requireSound(plan)
        }
        let planRun = try PlanRun(
            plan, directory: directory, text: text, threads: threads.count,
            command: Array(CommandLine.arguments.dropFirst()))
        Interruption.install()
        var failed = 0
        var outcomes: [String: PlanRun.Outcome] = [:]
        for (number, cell) in cells.enumerated() {
            let name = "\(number + 1)/\(cells.count) \(cell.identifier)"
            let outcome = planRun.run(
                cell, shouldStop: { Interruption.signal != 0 }, notice: { printError("warning: \(name)  \($0)") }
            ) { report, iterations in
                if (report.iteration + 1) % 10 == 0 || report.iteration + 1 == iterations {
                    printError(
                        "\(name)  iteration \(report.iteration + 1)/\(iterations)  \(report.headline)")
                }
            }
            outcomes[cell.identifier] = outcome
            switch outcome {
            case .done: printError("\(name)  done")
            case .kept: printError("\(name)  was done")
            case .elsewhere: printError("\(name)  another process is at it")
            case .interrupted:
                printError("\(name)  stopped; the same command goes on from here")
                Console.exit(128 + Interruption.signal)
            case .failed(let line):
                failed += 1
                printError("rl2x: " + line)
            case .withoutParent(let parent):
                if outcomes[parent] == .elsewhere {
                    outcomes[cell.identifier] = .elsewhere
                    printError(
                        "\(name)  another process is at its parent \(parent); the same command does it after that")
                } else {
                    failed += 1
                    printError("rl2x: " + line(of: cell, without: parent, wasTried: outcomes[parent] != nil))
                }
            }
        }
        if failed > 0 { throw UserError("\(failed) of \(cells.count) cells failed; the lines above say why") }
        try requireSound(plan)
    }

    /// What is said of a cell whose parent is not done.
    private func line(of cell: Plan.Cell, without parent: String, wasTried: Bool) -> String {
        wasTried
            ? "\(cell.identifier) is left out: its parent \(parent) was not done"
            : "\(cell.identifier) begins with the weights of \(parent), which is not done; do that first, such as with --only "
                + parent
    }

    private func requireSound(_ plan: Plan) throws {
        let count = plan.problems.count
        guard count > 0 else { return }
        throw UserError(
            (count == 1 ? "1 entry of the plan was" : "\(count) entries of the plan were")
                + " left out; the lines above say why")
    }

    private func chosen(_ plan: Plan) throws -> [Plan.Cell] {
        if let index {
            guard plan.cells.indices.contains(index) else {
                throw ValidationError("--index is \(index): it must lie in 0 … \(plan.cells.count - 1)")
            }
            return [plan.cells[index]]
        }
        guard !only.isEmpty else { return plan.cells }
        let cells = plan.cells.filter { cell in only.contains { cell.identifier.contains($0) } }
        guard !cells.isEmpty else {
            throw ValidationError(
                "--only \(only.joined(separator: ", ")): no cell has this in its name; --list shows the names")
        }
        return cells
    }
}
