import ArgumentParser
import Bench
import Foundation
import Interface
import Training

struct ZooCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "zoo",
        abstract: "Trained policies that come with rl2x.",
        discussion: """
            rl2x zoo                                     what there is
            rl2x evaluate zoo:maze-gru                   zoo:NAME stands wherever a command takes a run
            rl2x zoo export runs/bandit-gru-s0 my-gru    such a folder of any run
            """,
        subcommands: [ZooListCommand.self, ZooExportCommand.self], defaultSubcommand: ZooListCommand.self)
}

struct ZooListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the policies with their tasks and returns.")

    @Flag(help: "Print one JSON object on standard output and nothing else.")
    var json = false

    func run() throws {
        guard let zoo = Zoo.found() else {
            throw UserError(
                "there is no zoo beside this program; set RL2X_ZOO to the directory that holds its folders")
        }
        var records: [PolicyRecord] = []
        for name in zoo.names {
            do { records.append(try PolicyRecord(of: zoo.policy(name))) } catch { printError("left out: \(error)") }
        }
        if json {
            let entries = try records.map { record in
                var object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(record)) as? [String: Any]
                object?["sample"] = nil
                return object ?? [:]
            }
            return try printJSON(["path": zoo.path, "policies": entries])
        }
        guard !records.isEmpty else { throw UserError("\(zoo.path): there is no policy in the zoo") }
        print(ZooListCommand.table(records).plainText())
        print("Optimum: exact Bayes-optimal play. Classic: the best classic agent. Names stand as zoo:NAME for a run.")
    }

    static func table(_ records: [PolicyRecord]) -> TextTable {
        var table = TextTable(columns: [
            .init("name", alignment: .left), .init("task", alignment: .left), .init("model", alignment: .left),
            .init("parameters"), .init("return"), .init("± se"), .init("optimum"), .init("classic"),
            .init("success"), .init("steps trained"), .init("kB"),
        ])
        for record in records {
            let success = record.goal.map { goal in
                Display.percent(goal.episodes.map(\.successRate).reduce(0, +) / Double(max(1, goal.episodes.count)))
            }
            table.append([
                record.name, record.taskTitle, record.modelName, Display.grouped(record.parameters),
                Display.fixed(record.meanReturn, 3), Display.fixed(record.standardError, 3),
                Display.fixed(record.optimum, 3), Display.fixed(record.classic?.meanReturn, 3), success ?? "–",
                Display.grouped(record.training.steps), Display.grouped(record.bytes / 1000),
            ])
        }
        return table
    }
}

extension PolicyExport.Precision: ExpressibleByArgument {}

struct ZooExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Make a folder of a run's policy to publish: weights, configuration, results, model card.",
        discussion: """
            rl2x zoo export runs/bandit-gru-s0 my-gru
            rl2x zoo export runs/maze-gru-s0 bench/zoo/my-maze --trials 2000 --license apache-2.0

            The policy is evaluated first. Its weights are written in half precision where an evaluation on the same members \
            agrees with single precision within its noise. DIR is written whole or not at all, and must not be there.
            """)

    @Argument(help: ArgumentHelp("Run directory, or zoo:NAME.", valueName: "run"))
    var source: String

    @Argument(help: ArgumentHelp("Folder to make; its last part is the policy's name.", valueName: "dir"))
    var folder: String

    @OptionGroup var held: MemberOptions

    @Option(help: "How weights are stored: auto, float16 or float32 (default: auto).")
    var precision = PolicyExport.Precision.auto

    @Option(help: "Licence that the model card states, as model hubs spell it, such as apache-2.0 (default: none).")
    var license: String?

    @OptionGroup var threads: ThreadOptions

    func run() throws {
        let run = try RunDirectory.named(source)
        try PolicyExport.requireFree(folder)
        let name = URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent
        let export = try PolicyExport(
            run, name: name, trials: held.trials, seed: held.seed, precision: precision, licence: license,
            workers: Workers(threads: threads.count), progress: printError)
        try export.write(to: folder)
        print(ZooListCommand.table([export.record]).plainText())
        let weights = export.record.weights == "F16" ? "half precision" : "single precision"
        print("\(folder): \(PolicyExport.files.joined(separator: ", ")); weights in \(weights)")
        print("next: rl2x evaluate \(folder)")
    }
}
