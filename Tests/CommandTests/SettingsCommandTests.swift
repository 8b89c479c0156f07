import Foundation
import Interface
import Models
import Tasks
import Testing

@testable import Bench
@testable import Training

/// Options of the catalogues on the command line and in configuration files.
@Suite struct SettingsCommandTests {
    private func succeed(_ arguments: String..., in directory: String = NSTemporaryDirectory()) throws -> String {
        try Command.succeed(arguments, in: directory).output
    }

    /// A text whose line breaks and indents are single spaces.
    private func flat(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }

    private func configuration(_ yaml: String) throws -> Configuration {
        try Configuration(yaml: yaml, path: "printed")
    }

    // MARK: Help

    /// Every option stands there with what it does, its range, and the value that it has unless it is given.
    private func expect(_ options: [Option], in help: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let text = flat(help)
        for option in options {
            #expect(text.contains("--\(option.name) <"), "--\(option.name)", sourceLocation: sourceLocation)
            let line = flat("\(option.help) (\(option.range); default: \(option.defaultValue))")
            #expect(text.contains(line), "--\(option.name): \(line)", sourceLocation: sourceLocation)
            switch option.kind {
            case .integer, .real: #expect(OptionValue.number("\(option.defaultValue)") != nil, "--\(option.name)")
            case .word, .text: break
            }
        }
    }

    private static let ofTasks = taskCatalogue.entries.flatMap(\.options)
    private static let ofModels = modelCatalogue.entries.flatMap(\.options)
    /// Of the program; other tests register learners of their own in this process.
    private static let ofLearners =
        Command.learners.flatMap(\.options) + [Stage.batchStepsOption]

    @Test(arguments: [["train"], ["imitate"], ["info"], ["bench", "throughput"]])
    func helpListsEveryOptionOfEveryCatalogue(_ command: [String]) throws {
        let help = try Command.succeed(command + ["--help"], in: NSTemporaryDirectory()).output
        expect(Self.ofTasks + Self.ofModels + Self.ofLearners, in: help)
    }

    @Test func helpOfOtherCommandsListsWhatTheyTake() throws {
        for command in ["evaluate", "baselines", "frames"] {
            let help = try succeed(command, "--help")
            expect(Self.ofTasks, in: help)
            #expect(!help.contains("--damping") && !help.contains("--input-gain"))
        }
        let check = try succeed("check", "--help")
        expect(Self.ofTasks + Self.ofModels, in: check)
        #expect(!check.contains("--damping"))
        let agents = flat(try succeed("baselines", "--help"))
        for entry in AgentCatalogue.entries {
            #expect(agents.contains("\(entry.task ?? "any task") \(entry.name): \(entry.summary)"), "\(entry.name)")
            for option in entry.options {
                #expect(agents.contains("\(option.name)=\(option.defaultValue) (\(option.range))"), "\(entry.name)")
            }
        }
    }

    /// A default is a value, not a promise of one.
    @Test(arguments: [
        ["train"], ["evaluate"], ["imitate"], ["baselines"], ["reproduce"], ["bench", "throughput"], ["bench", "run"],
        ["bench", "report"], ["bench", "compare"], ["bench", "analyse"], ["check"], ["frames"], ["info"],
    ]) func helpNamesDefaults(_ command: [String]) throws {
        let help = try Command.succeed(command + ["--help"], in: NSTemporaryDirectory())
        #expect(!flat(help.output).lowercased().contains("default per task"))
        #expect(help.output.contains("USAGE: rl2x \(command.joined(separator: " "))") && help.errors.isEmpty)
    }

    @Test func helpOfWhatIsNamedLeavesOthersOut() throws {
        let help = try succeed("train", "--task", "maze", "--model", "transformer", "--learner", "ppo", "--help")
        expect(FirstPersonMaze.entryOptions + PPO.entry.options, in: help)
        #expect(help.contains("--attention-window <"))
        for other in ["arms", "reachable-states", "chrono-share", "damping", "teacher"] {
            #expect(!help.contains("--\(other) <"), "--\(other)")
        }
    }

    /// The options of what is named, and the training that comes of it as `--dry-run` prints it.
    @Test(arguments: taskCatalogue.names) func infoShowsATasksDefaultTraining(_ task: String) throws {
        let text = try succeed("info", "--task", task)
        let entry = try taskCatalogue.require(task)
        #expect(text.hasPrefix("\(task)  \(entry.summary)\n"))
        expect(entry.options, in: text)
        #expect(text.hasSuffix("\n\n" + (try succeed("train", "--task", task, "--dry-run"))))
    }

    /// Names whole, however long, and apart from what they are.
    @Test func infoShowsTheCatalogues() throws {
        let lines = try succeed("info", "--threads", "1").split(separator: "\n")
        for (name, summary) in modelCatalogue.entries.map({ ($0.name, $0.summary) })
            + Command.learners.map({ ($0.name, $0.summary) })
        {
            #expect(lines.contains { $0.hasPrefix("  \(name)  ") && $0.hasSuffix("  \(summary)") }, "\(name)")
        }
    }

    @Test(arguments: learnerCatalogue.names) func infoShowsALearnersOptions(_ learner: String) throws {
        let entry = try learnerCatalogue.require(learner)
        let text = try succeed("info", "--learner", learner)
        #expect(text.hasPrefix("\(learner)  \(entry.summary)\n"))
        expect(entry.options, in: text)
        #expect(text.contains("learner: \(learner)\n"))
    }

    // MARK: --dry-run and --config

    /// What is printed is a configuration file: fed back it gives the same text, and nothing is trained.
    @Test(arguments: taskCatalogue.names, modelCatalogue.names)
    func aPrintedConfigurationFedBackIsTheSame(_ task: String, _ model: String) throws {
        try withTemporaryDirectory { directory in
            let calls = [
                ["--task", task, "--model", model],
                ["--task", task, "--model", model, "--seed", "3", "--iterations", "70", "--batch-steps", "12345"],
                ["--task", task, "--model", model, "--learner", "ppo", "--clip-range", "0.1", "--hidden", "24"],
                ["--task", task, "--model", model, "--learner", "a2c", "--discount", "0.5", "--episodes", "7"],
            ]
            for call in calls {
                let printed = try Command.succeed(["train"] + call + ["--dry-run"], in: directory)
                #expect(printed.errors.isEmpty && snapshot(directory).isEmpty)
                let path = directory + "/printed.yaml"
                try Data(printed.output.utf8).write(to: URL(fileURLWithPath: path))
                let again = try succeed("train", "--config", "printed.yaml", "--dry-run", in: directory)
                #expect(again == printed.output)
                try FileManager.default.removeItem(atPath: path)
            }
            let defaults = try configuration(try succeed("train", "--task", task, "--model", model, "--dry-run"))
            #expect(defaults == (try Configuration.defaults(task: task, model: model)))
        }
    }

    /// What a run trains by is what `--dry-run` printed of the same call.
    @Test func aRunTrainsWhatWasPrinted() throws {
        try withTemporaryDirectory { directory in
            let printed = try Command.succeed(Command.tiny("run", "--dry-run"), in: directory).output
            #expect(snapshot(directory).isEmpty)
            try Command.succeed(Command.tiny("run"), in: directory)
            #expect(try String(contentsOfFile: directory + "/run/config.yaml", encoding: .utf8) == printed)
        }
    }

    /// A file that says nothing of the width leaves it to the model, whichever that is in the end.
    @Test func aPartOfAConfigurationLeavesTheRestToDefaults() throws {
        try withTemporaryDirectory { directory in
            func resolved(_ text: String, _ more: String...) throws -> Configuration {
                try Data(text.utf8).write(to: URL(fileURLWithPath: directory + "/gru.yaml"))
                let call = ["train", "--config", "gru.yaml", "--dry-run"] + more
                return try configuration(Command.succeed(call, in: directory).output)
            }
            let plain = "task: bandit\ntask_options: {episodes: 20}\nmodel: gru\n"
            let own = try resolved(plain)
            #expect(own == (try Configuration.defaults(task: "bandit", model: "gru", taskOptions: ["episodes": 20])))
            #expect(own.hidden == 256)
            let other = try resolved(plain, "--model", "transformer")
            let defaults = try Configuration.defaults(
                task: "bandit", model: "transformer", taskOptions: ["episodes": 20])
            #expect(other == defaults && other.hidden == 128)

            // What the file does say holds for the other model too, as far as it has such an option.
            let sized = plain + "model_options: {hidden: 40, chrono_share: 0.5}\n"
            #expect(try resolved(sized).modelOptions["chrono-share"] == 0.5)
            let changed = try resolved(sized, "--model", "transformer")
            #expect(changed.hidden == 40 && changed.modelOptions["chrono-share"] == nil)
            // An option of the call goes over the file's.
            #expect(try resolved(sized, "--hidden", "16").hidden == 16)
        }
    }

    /// `--learner` takes the place of the outer loop of a whole configuration; what the new one lacks is left out.
    @Test func anotherLearnerTakesTheFilesPlace() throws {
        try withTemporaryDirectory { directory in
            let printed = try succeed("train", "--learner", "trpo", "--damping", "0.5", "--dry-run", in: directory)
            #expect(try configuration(printed).stages.allSatisfy { $0.learnerOptions["damping"] == 0.5 })
            try Data(printed.utf8).write(to: URL(fileURLWithPath: directory + "/trpo.yaml"))
            let other = try configuration(
                succeed("train", "--config", "trpo.yaml", "--learner", "ppo", "--dry-run", in: directory))
            #expect(other.stages.allSatisfy { $0.learner == "ppo" && $0.learnerOptions["damping"] == nil })
            #expect(other.stages.map(\.iterations) == (try configuration(printed)).stages.map(\.iterations))
        }
    }

    // MARK: Who has an option

    /// One line that says who has it.
    @Test(arguments: [
        (["train", "--damping", "1", "--learner", "ppo"], "--damping is no option of learner 'ppo': trpo has it"),
        (
            ["train", "--model", "transformer", "--chrono-share", "0.5"],
            "--chrono-share is no option of model 'transformer': gru, lstm, symmetric-gru, symmetric-lstm, min-gru, min-lstm have it"
        ),
        (["train", "--maze-size", "5"], "--maze-size is no option of task 'bandit': maze has it"),
        (["train", "--nonsense-of-mine", "5"], "--nonsense-of-mine"),
        (["train", "--set", "nonsense=5"], "--nonsense: there is no such option"),
    ]) func whoHasAnOptionIsSaid(_ arguments: [String], _ words: String) throws {
        try withTemporaryDirectory { directory in
            let result = try Command.run(arguments, in: directory)
            #expect(result.code == 64 && result.errorLines.count == 1 && result.output.isEmpty, "\(result.errors)")
            #expect(result.errors.contains(words), "\(result.errors)")
            #expect(snapshot(directory).isEmpty)
        }
    }

    /// `--NAME VALUE`, `--NAME=VALUE` and `--set NAME=VALUE` are one; the last of several holds.
    @Test func spellingsAreOne() throws {
        let spelled = try [
            succeed("train", "--arms", "7", "--maximum-kl", "0.002", "--dry-run"),
            succeed("train", "--arms=7", "--maximum-kl=0.002", "--dry-run"),
            succeed("train", "--set", "arms=7", "--set", "maximum-kl=0.002", "--dry-run"),
            succeed("train", "--arms", "3", "--maximum-kl", "0.5", "--arms", "7", "--maximum-kl", "2e-3", "--dry-run"),
        ]
        #expect(Set(spelled).count == 1)
        #expect(try configuration(spelled[0]).taskOptions["arms"] == 7)
    }
}

extension FirstPersonMaze {
    fileprivate static var entryOptions: [Option] { taskCatalogue.entry(named: "maze")?.options ?? [] }
}
