import ArgumentParser
import Interface
import Models
import Tasks
import Training

/// Values for the options of tasks, models and learners, which the catalogues declare.
///
/// The argument parser knows one option of ours for all of them, `--set NAME=VALUE`; `CalledCommand` turns `--NAME VALUE`
/// into it.
struct SettingOptions: ParsableArguments {
    @Option(
        name: .customLong("set"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("The same as --NAME VALUE, for any option that is listed below.", valueName: "name=value"))
    var pairs: [String] = []

    func validate() throws {
        if let pair = pairs.first(where: { !$0.contains("=") }) {
            throw ValidationError("--set \(pair): write --set NAME=VALUE")
        }
    }

    /// In the order of the call.
    var settings: [RunRequest.Setting] {
        pairs.map { pair in
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return RunRequest.Setting(sides[0], sides.count > 1 ? sides[1] : "")
        }
    }

    /// The values of some options, and nothing else.
    /// - Parameter owner: whose options they are, for an error, such as "task 'maze'".
    func values(of options: [Interface.Option], owner: String) throws -> Values {
        var values = Values()
        for setting in settings {
            guard let option = options.named(setting.name) else {
                throw ValidationError("\(setting.label) is no option of \(owner): leave it out")
            }
            values[option.name] = try calling { try option.value(setting.text, label: setting.label) }
        }
        return values
    }
}

/// A command that takes options of the catalogues.
protocol TakesSettings: ParsableCommand {
    static var scope: SettingScope { get }
    /// Names of catalogue options that the command declares itself, for a meaning of its own.
    static var ownOptions: Set<String> { get }
}

extension TakesSettings {
    static var ownOptions: Set<String> { [] }
}

/// Whose options a command takes.
struct SettingScope: OptionSet {
    let rawValue: Int
    static let task = SettingScope(rawValue: 1)
    static let model = SettingScope(rawValue: 2)
    static let learner = SettingScope(rawValue: 4)
    static let run: SettingScope = [.task, .model, .learner]
}

/// The command that a call names, and its arguments as the argument parser takes them.
struct CalledCommand {
    let command: ParsableCommand.Type
    let words: [String]
    /// Words that lead to the command.
    let depth: Int

    init(_ words: [String], root: ParsableCommand.Type) {
        var (command, depth) = (root, 0)
        var rest = words.first == "help" ? Array(words.dropFirst()) : words
        while let word = rest.first, let next = command.configuration.subcommands.first(where: { $0.word == word }) {
            (command, depth) = (next, depth + 1)
            rest.removeFirst()
        }
        self.command = command
        self.words = words
        self.depth = depth
    }

    var taking: (any TakesSettings.Type)? { command as? any TakesSettings.Type }

    /// `--NAME VALUE` and `--NAME=VALUE` of the catalogues' options as `--set NAME=VALUE`.
    func arguments() throws -> [String] {
        guard let taking else { return words }
        let names = Set(OptionGroups.all(in: .run).map(\.name)).subtracting(taking.ownOptions)
        var result = Array(words.prefix(depth))
        var rest = words.dropFirst(depth)
        while let word = rest.popFirst() {
            let sides = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard word.hasPrefix("--"), let name = sides.first.map(String.init), names.contains(name) else {
                result.append(word)
                continue
            }
            guard let value = sides.count > 1 ? String(sides[1]) : rest.popFirst() else {
                throw ValidationError("--\(name) needs a value")
            }
            result += ["--set", "\(name)=\(value)"]
        }
        return result
    }

    /// The options of the catalogues that the command takes; of the task, model and learner that the call names, if it names
    /// them.
    var help: String {
        func named(_ option: String) -> String? {
            words.firstIndex(of: option).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
        }
        return OptionGroups(
            taking?.scope ?? [], task: named("--task"), model: named("--model"), learner: named("--learner")
        ).text
    }
}

extension ParsableCommand {
    /// The word that calls it.
    static var word: String { configuration.commandName ?? "\(Self.self)".lowercased() }
}

/// The options of the catalogues, grouped by who owns them, as help shows them.
struct OptionGroups {
    private var groups: [(title: String, options: [Interface.Option])] = []

    /// - Parameters:
    ///   - task: only this one's options; nil: all tasks'. Likewise `model` and `learner`.
    init(_ scope: SettingScope, task: String? = nil, model: String? = nil, learner: String? = nil) {
        if scope.contains(.task) { add(taskCatalogue, only: task) }
        if scope.contains(.model) { add(modelCatalogue, only: model) }
        if scope.contains(.learner) {
            groups.append(("EVERY STAGE", [Stage.batchStepsOption]))
            add(learnerCatalogue, only: learner)
        }
    }

    /// What all entries have first, then what each adds.
    private mutating func add<Entry>(_ catalogue: Catalogue<Entry>, only name: String?) {
        let kind = Entry.kind.uppercased()
        let entries = catalogue.entries.filter { name == nil || $0.name == name }
        let counts = entries.flatMap(\.options).reduce(into: [Interface.Option: Int]()) { $0[$1, default: 0] += 1 }
        // Options that several entries have are shown once, with those who have them.
        var shown: Set<Interface.Option> = []
        for entry in entries {
            let shared = entry.options.filter { counts[$0]! > 1 && shown.insert($0).inserted }
            let byOwners = Dictionary(grouping: shared) { option in
                entries.filter { $0.options.contains(option) }.map(\.name)
            }
            for (owners, options) in byOwners.sorted(by: {
                ($1.key.count, $0.key.joined()) < ($0.key.count, $1.key.joined())
            }) {
                groups.append(("\(kind) \(owners.joined(separator: ", "))", options))
            }
            let own = entry.options.filter { counts[$0] == 1 }
            if !own.isEmpty { groups.append(("\(kind) \(entry.name)", own)) }
        }
    }

    /// Every option of a scope, of all entries.
    static func all(in scope: SettingScope) -> [Interface.Option] { OptionGroups(scope).groups.flatMap(\.options) }

    var text: String {
        groups.map { title, options in
            "\(title):\n" + options.map(OptionGroups.lines).joined() + "\n"
        }.joined()
    }

    /// An option as the argument parser lays out its own.
    static func lines(_ option: Interface.Option) -> String {
        let head = "  --\(option.name) <\(option.valueName)>"
        let start = head.count < 26 ? head + String(repeating: " ", count: 26 - head.count) : head + "\n" + indent
        var (lines, line) = ("", start)
        for word in "\(option.help) (\(option.range); default: \(option.defaultValue))".split(separator: " ") {
            let width = line.split(separator: "\n", omittingEmptySubsequences: false).last!.count
            if width + word.count + 1 > 100, width > indent.count {
                lines += line + "\n"
                line = indent
            }
            line += (line.hasSuffix(" ") ? "" : " ") + word
        }
        return lines + line + "\n"
    }

    private static let indent = String(repeating: " ", count: 26)
}

extension Interface.Option {
    fileprivate var valueName: String {
        switch kind {
        case .integer: "n"
        case .real: "x"
        case .word: "word"
        case .text: "text"
        }
    }
}
