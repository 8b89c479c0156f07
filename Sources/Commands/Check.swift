import ArgumentParser
import Bench
import Conformance
import Interface
import Kernels
import Models
import Tasks
import Training

struct Check: TakesSettings {
    static let scope: SettingScope = [.model, .task]
    static let configuration = CommandConfiguration(
        abstract: "Judge architectures by the conformance kit and the RL² contract, or verify a run directory.",
        discussion: """
            rl2x check
            rl2x check --model gru --task bandit --arms 3
            rl2x check runs/bandit-gru-s0

            With RUN, a run directory or zoo:NAME, its files are verified and nothing else is judged: configuration, manifest, \
            metrics, both checkpoints with checksums and shapes, and whether their counts fit each other. A line for each says \
            ✓, or ✗ with what is wrong and what to do. Nothing is written. Exit code 1 if something is wrong.

            Without RUN, models are judged. Models are small, and no training is done. With --reset-memory line 3 of the \
            contract is broken on request and not judged. Without --task the contract is judged on every task and on a \
            scripted one, whose trials differ in length. Exit code 1 if a line fails.
            """)

    @Argument(help: ArgumentHelp("Run directory to verify, or zoo:NAME.", valueName: "run"))
    var runDirectory: String?

    @Option(
        help: ArgumentHelp("Model: \(modelCatalogue.names.joined(separator: ", ")) (default: all).", valueName: "name"))
    var model: String?

    @Option(
        help: ArgumentHelp("Task: \(taskCatalogue.names.joined(separator: ", ")) (default: all).", valueName: "name"))
    var task: String?

    @OptionGroup var settings: SettingOptions

    @Flag(help: "Print one JSON object on standard output and nothing else.")
    var json = false

    func run() throws {
        if let runDirectory {
            let others =
                settings.settings.map(\.label) + (model == nil ? [] : ["--model"]) + (task == nil ? [] : ["--task"])
            if let other = others.first {
                throw ValidationError("\(other) cannot go with a run: its own config.yaml decides; leave it out")
            }
            return try verify(RunDirectory.named(runDirectory))
        }
        let models = try calling { try model.map { [try modelCatalogue.require($0)] } ?? modelCatalogue.entries }
        let tasks = try calling { try task.map { [try taskCatalogue.require($0)] } ?? taskCatalogue.entries }
        let (modelGiven, taskGiven) = try given()
        var families: [any TaskFamily] = try tasks.map {
            let values = Values(defaults: $0.options, given: taskGiven)
            if let objection = $0.objection(values) { throw ValidationError(objection) }
            return $0.make(values)
        }
        if task == nil { families.insert(ScriptedFamily(), at: 0) }

        let start = ContinuousClock.now
        let reports = try models.map { entry in
            let hidden: Int? = modelGiven["hidden"] == nil ? nil : modelGiven.integer("hidden")
            let candidate = Candidate(
                entry, hidden: hidden, options: modelGiven,
                memoryReset: modelGiven["reset-memory"] == nil ? .none : modelGiven.choice("reset-memory"))
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
            print("\(reports.reduce(0) { $0 + $1.findings.count }) lines in \(Display.fixed(seconds, 1)) s")
        }
        let failed = reports.filter { !$0.passed }
        guard failed.isEmpty else {
            let count = failed.reduce(0) { $0 + $1.failures.count }
            throw UserError("check: \(count) lines fail, of \(failed.map(\.name).joined(separator: ", "))")
        }
    }

    private func verify(_ run: RunDirectory) throws {
        let check = try RunCheck(run, teachers: makeTeacher(named:for:))
        if json {
            let parts = check.findings.map { ["part": $0.part, "verdict": $0.verdict.rawValue, "text": $0.text] }
            try printJSON(["run": run.name, "passed": check.passed, "parts": parts])
        } else {
            for finding in check.findings { print(finding.line) }
        }
        guard !check.passed else { return }
        throw UserError("\(run.name): not sound in \(check.failures.map(\.part).joined(separator: ", "))")
    }

    /// The options that were given, of the model and of the task that are named; of all models those that all have.
    private func given() throws -> (model: Values, task: Values) {
        var (modelGiven, taskGiven) = (Values(), Values())
        let every = modelCatalogue.entries.map(\.options)
        let modelOptions =
            try model.map { try modelCatalogue.require($0).options }
            ?? every[0].filter { option in every.allSatisfy { $0.named(option.name) != nil } }
        let taskOptions = try task.map { try taskCatalogue.require($0).options } ?? []
        for setting in settings.settings {
            if let option = modelOptions.named(setting.name) {
                modelGiven[option.name] = try calling { try option.value(setting.text, label: setting.label) }
            } else if let option = taskOptions.named(setting.name) {
                taskGiven[option.name] = try calling { try option.value(setting.text, label: setting.label) }
            } else {
                throw ValidationError(
                    "\(setting.label) has no part in this check: leave it out, or name the model or task that has it")
            }
        }
        return (modelGiven, taskGiven)
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
