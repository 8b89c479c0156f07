import ArgumentParser
import Bench
import Conformance
import Kernels
import Models
import Tasks
import Training

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Judge architectures by the conformance kit, and by the RL² contract on each task.",
        discussion: """
            rl2x check
            rl2x check --model gru --task bandit --arms 3

            Models are small and training plays no part; of the options only those of the model and the task count, and \
            --hidden and --reset-memory, with which line 3 of the contract is broken by wish and not judged. Without --task \
            the contract is judged on every task and on a scripted one, whose trials differ in length. Exit code 1 if a \
            line fails.
            """)

    @OptionGroup var options: ModelAndTaskOptions

    @Flag(help: "Print one JSON object on standard output and nothing else.")
    var json = false

    func run() throws {
        let models = try chosen(options.model, "--model", ModelCatalogue.entries, \.name)
        let tasks = try chosen(options.task, "--task", TaskCatalogue.entries, \.name)
        try refuseOthers(
            than: (options.model == nil ? [] : models.flatMap(\.options))
                + (options.task == nil ? [] : tasks.flatMap(\.options)))
        var families: [any TaskFamily] = try tasks.map {
            let values = OptionValues(standard: $0.options, given: try options.values(of: $0.options))
            if let objection = $0.objection(values) { throw ValidationError(objection) }
            return $0.make(values)
        }
        if options.task == nil { families.insert(ScriptedFamily(), at: 0) }

        let start = ContinuousClock.now
        let reports = try models.map { entry in
            let given = try options.values(of: entry.options)
            let candidate = Candidate(
                entry, hidden: options.architecture.hidden, options: given,
                memoryReset: options.architecture.resetMemory ?? .none)
            if let objection = entry.objection(candidate.hidden, candidate.options) { throw ValidationError(objection) }
            printError("checking \(entry.name)")
            return ConformanceReport(candidate, tasks: families)
        }
        let seconds = (ContinuousClock.now - start).inSeconds
        if json {
            try printJSON([
                "passed": reports.allSatisfy(\.passed), "seconds": seconds, "models": reports.map(object),
            ])
        } else {
            printMatrices(reports)
            print("\(reports.reduce(0) { $0 + $1.findings.count }) lines in \(format(seconds, 1)) s")
        }
        let failed = reports.filter { !$0.passed }
        guard failed.isEmpty else {
            let count = failed.reduce(0) { $0 + $1.failures.count }
            throw UserError("check: \(count) lines fail, of \(failed.map(\.name).joined(separator: ", "))")
        }
    }

    private func chosen<Entry>(
        _ name: String?, _ option: String, _ entries: [Entry], _ key: (Entry) -> String
    ) throws -> [Entry] {
        guard let name else { return entries }
        let chosen = entries.filter { key($0) == name }
        guard chosen.isEmpty else { return chosen }
        throw ValidationError(
            "\(option) '\(name)' is unknown: choose one of \(entries.map(key).joined(separator: ", "))")
    }

    private func refuseOthers(than accepted: [CatalogueOption]) throws {
        let names = ["--model", "--task", "--hidden", "--reset-memory"] + accepted.map { "--\($0.name)" }
        if let other = options.given.first(where: { !names.contains($0) }) {
            throw ValidationError(
                "\(other) has no part in this check: leave it out, or name the model or task that it belongs to")
        }
    }

    // MARK: Output

    private func printMatrices(_ reports: [ConformanceReport]) {
        var models = TextTable(columns: [.init("model", alignment: .left)] + reports.map { .init($0.name) })
        for (index, line) in ModelLine.allCases.enumerated() {
            models.append([line.rawValue] + reports.map { $0.model[index].verdict.mark })
        }
        models.append(["parameters of a policy"] + reports.map { "\($0.parameters)" })
        models.append(["state bytes a lane"] + reports.map { "\($0.bytesPerLane)" })
        print(models.plainText())

        var contracts = TextTable(
            columns: [.init("model", alignment: .left), .init("task", alignment: .left)]
                + ContractLine.allCases.map { .init($0.name) })
        for report in reports {
            for contract in report.contracts {
                contracts.append([report.name, contract.task] + contract.findings.map(\.verdict.mark))
            }
        }
        print(contracts.plainText())
        for line in ContractLine.allCases { print("\(line.name): \(line.statement)") }
        print("")
        for report in reports where !report.passed { print("\(report)\n") }
    }

    private func object(_ report: ConformanceReport) -> [String: Any] {
        func objects(_ findings: [Finding]) -> [[String: Any]] {
            findings.map { ["line": $0.line, "verdict": $0.verdict.rawValue, "measured": $0.measured] }
        }
        return [
            "model": report.name, "hidden": report.hidden, "passed": report.passed,
            "parameters": report.parameters, "state_bytes_per_lane": report.bytesPerLane,
            "lines": objects(report.model),
            "contracts": report.contracts.map { ["task": $0.task, "lines": objects($0.findings)] as [String: Any] },
        ]
    }
}
