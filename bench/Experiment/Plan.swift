import Foundation
import Interface
import Kernels
import Models
import Tasks
import Training
import Yams

/// A comparison, stated before it is run: models × tasks × settings × seeds, with budgets and evaluations.
///
/// ```yaml
/// plan: 1                                   # version of the format
/// name: positions
/// seeds: [1, 2, 3]
/// match: {by: params, to: gru-256}          # optional: sizes every model that states no width
/// models:
///   - gru                                   # the same as {model: gru}
///   - {model: transformer, name: rotary, options: {position: rotary}, hidden: 64}
/// tasks:
///   - task: bandit
///     name: bandit-10                       # optional
///     options: {arms: 5, episodes: 10}
///     budget: {iterations: 60}              # or steps: or seconds:; without: the task's whole schedule
///     settings: {fisher_share: 0.5}         # options of the model or the learner, batch_steps
///     evaluation: {trials: 10000, points: 10}
///     also:                                 # other members for the same weights: generalization
///       - {name: twice as long, options: {episodes: 20}}
///     analysis: true                        # look inside the trials (analyses/ID.json)
///   - {task: bandit, name: bandit-100, options: {episodes: 100}, from: bandit-10}   # begins with that task's weights, or a run's
/// learners: [trpo, {learner: ppo, name: ppo, settings: {clip_range: 0.1}}]   # optional; else the task's default
/// settings:                                 # optional variants; the same keys
///   - {name: default}
///   - {name: no groups, settings: {trials_per_member: 1}}
/// ```
public struct Plan {
    /// Version of the format that this build reads.
    public static let version = 1

    public struct ModelEntry {
        public let name: String
        public let model: String
        public let options: Values
        public let hidden: Int?
        let node: YAMLNode
    }

    public struct TaskEntry {
        public let name: String
        public let task: String
        public let options: Values
        public let budget: TrainingBudget
        let settings: YAMLNode?
        /// The task, or else the run, whose weights its cells begin with; nil: they begin with random ones.
        public let from: String?
        /// What `from` names, once all tasks are known.
        public internal(set) var origin: Origin?
        public let evaluation: EvaluationPlan
        /// Whether an `AnalysisRecord` of each cell is wanted.
        public let analysis: Bool
        let node: YAMLNode
    }

    public struct Setting {
        public let name: String
        let settings: YAMLNode?
    }

    /// The learner of the outer loop.
    public struct LearnerChoice {
        public let name: String
        /// In the catalogue; nil: the task's default.
        public let learner: String?
        let settings: YAMLNode?
    }

    public struct Match: Sendable {
        public let budget: Budget
        public let model: Models.ModelEntry
        public let hidden: Int
    }

    public let name: String
    public let seeds: [Int]
    public let models: [ModelEntry]
    public let tasks: [TaskEntry]
    public let settings: [Setting]
    public let learners: [LearnerChoice]
    public let match: Match?
    /// What is wrong with entries of the lists, a line each: their cells are left out, those of the others are not.
    public internal(set) var problems: [String]
    /// One training each, in the order in which they are done: seeds outermost, so that every model has a result early, and
    /// parents before children.
    public internal(set) var cells: [Cell]

    /// A training of the plan and its evaluation.
    public struct Cell {
        /// Names directories and records: unique in the plan.
        public fileprivate(set) var identifier: String
        public let model: ModelEntry
        public let task: TaskEntry
        public let learner: LearnerChoice
        public let setting: Setting
        public let seed: Int

        /// What tables call its learner and its setting; "" if the plan names neither.
        var variant: String { [learner.name, setting.name].filter { !$0.isEmpty }.joined(separator: ", ") }
    }

    public static func read(_ path: String) throws -> Plan { try readWithText(path).plan }

    /// A plan and the text of its file.
    public static func readWithText(_ path: String) throws -> (plan: Plan, text: String) {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw UserError("\(path): cannot be read; name a plan, such as bench/plans/smoke.yaml")
        }
        return (try Plan(text, file: path), text)
    }

    /// Reads a plan.
    ///
    /// - Throws: one line with the place in the file, if what is wrong concerns every cell: a mistake outside of the lists,
    ///   or one in every entry of a list.
    public init(_ text: String, file: String) throws {
        let root = try YAMLNode(text: text, file: file, kind: "plan")
        let keys = try root.mapping(["plan", "name", "seeds", "models", "tasks", "learners", "settings", "match"])
        func require(_ key: String) throws -> YAMLNode {
            guard let node = keys[key] else { throw root.error("the key '\(key)' is missing") }
            return node
        }
        let version = try require("plan").integer(1...Int.max)
        guard version == Plan.version else {
            throw root.error("this is a plan of version \(version); this build reads version \(Plan.version)")
        }
        name = try require("name").string()
        var problems: [String] = []
        seeds = Plan.sound(
            try require("seeds").sequence(), name: { "\($0)" }, &problems, read: { try $0.integer(0...Int.max) })
        models = Plan.sound(try require("models").sequence(), name: \.name, &problems, read: Plan.model)
        tasks = try Plan.inLines(
            Plan.sound(try require("tasks").sequence(), name: \.name, &problems, read: Plan.task), &problems)
        settings =
            try keys["settings"].map { Plan.sound(try $0.sequence(), name: \.name, &problems, read: Plan.setting) }
            ?? [Setting(name: "", settings: nil)]
        learners =
            try keys["learners"].map { Plan.sound(try $0.sequence(), name: \.name, &problems, read: Plan.learner) }
            ?? [LearnerChoice(name: "", learner: nil, settings: nil)]
        self.problems = problems
        match = try keys["match"].map(Plan.match)
        var cells: [Cell] = []
        for seed in seeds {
            for task in tasks {
                for setting in settings {
                    for learner in learners {
                        for model in models {
                            let parts =
                                [task.name, model.name, learner.name, setting.name].filter { !$0.isEmpty }
                                + ["s\(seed)"]
                            let identifier = parts.map(Plan.slug).joined(separator: "--")
                            cells.append(
                                Cell(
                                    identifier: identifier, model: model, task: task, learner: learner,
                                    setting: setting, seed: seed))
                        }
                    }
                }
            }
        }
        self.cells = Plan.identified(cells)
        leaveOutMisfits()
        if self.cells.isEmpty, let first = self.problems.first { throw UserError(first) }
    }

    /// The entries of a list that can be read, each name once; what is wrong with the others goes to `problems`.
    private static func sound<Entry>(
        _ nodes: [YAMLNode], name: (Entry) -> String, _ problems: inout [String], read: (YAMLNode) throws -> Entry
    ) -> [Entry] {
        var entries: [Entry] = []
        var taken: Set<String> = []
        for node in nodes {
            do {
                let entry = try read(node)
                guard taken.insert(name(entry)).inserted else {
                    throw node.error(
                        "\(node.place) is a second '\(name(entry))', and its cells would be done twice; give it another "
                            + "'name', or drop it")
                }
                entries.append(entry)
            } catch { problems.append("\(error)") }
        }
        return entries
    }

    /// A name as a part of a file's name: its ASCII letters and digits. A name that has others, or none of these, gets a hash
    /// of all of it, so that 学習 and 強化 are two names.
    public static func slug(_ name: String) -> String {
        let words = name.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".")) }
        let slug = words.joined(separator: "-")
        guard slug.isEmpty || !name.allSatisfy(\.isASCII) || slug.allSatisfy({ $0 == "." }) else { return slug }
        return [slug, hash(name)].filter { !$0.isEmpty }.joined(separator: "-")
    }

    /// An error that names options of the command line, such as --batch-steps, with the keys that they are in a plan. What
    /// `bench run` has itself stays.
    static func inItsWords(_ text: String) -> String {
        let keys = Set(
            (taskCatalogue.entries.flatMap(\.options) + modelCatalogue.entries.flatMap(\.options)
                + learnerCatalogue.entries.flatMap(\.options)).map(\.name)
                + ["task", "model", "learner", "iterations", "batch-steps"])
        return text.replacing(/--([a-z][a-z-]*[a-z])/) { match in
            let name = String(match.output.1)
            return keys.contains(name) ? name.replacing("-", with: "_") : String(match.output.0)
        }
    }

    /// Eight hexadecimal digits (FNV-1a, 32 bits).
    private static func hash(_ name: String) -> String {
        let hash = name.utf8.reduce(UInt32(0x811C_9DC5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// The cells with names of their own: where two names differ in nothing that a file's name keeps, both get a hash.
    private static func identified(_ cells: [Cell]) -> [Cell] {
        let counts = cells.reduce(into: [String: Int]()) { $0[$1.identifier, default: 0] += 1 }
        return cells.map { cell in
            guard counts[cell.identifier] ?? 0 > 1 else { return cell }
            let names = [cell.task.name, cell.model.name, cell.learner.name, cell.setting.name].joined(separator: "\n")
            var cell = cell
            cell.identifier += "--" + hash(names)
            return cell
        }
    }

    private static func model(_ node: YAMLNode) throws -> ModelEntry {
        let keys = node.isScalar ? ["model": node] : try node.mapping(["model", "name", "options", "hidden"])
        guard let named = keys["model"] else { throw node.error("\(node.place) has no 'model'") }
        let entry = try named.entry(of: modelCatalogue)
        return ModelEntry(
            name: try keys["name"]?.string() ?? entry.name, model: entry.name,
            options: try keys["options"]?.options(entry.options, of: "model '\(entry.name)'") ?? [:],
            hidden: try keys["hidden"]?.integer(1...8192), node: node)
    }

    private static func task(_ node: YAMLNode) throws -> TaskEntry {
        let keys =
            node.isScalar
            ? ["task": node]
            : try node.mapping([
                "task", "name", "options", "from", "budget", "settings", "evaluation", "also", "analysis",
            ])
        guard let named = keys["task"] else { throw node.error("\(node.place) has no 'task'") }
        let entry = try named.entry(of: taskCatalogue)
        let task = entry.name
        return TaskEntry(
            name: try keys["name"]?.string() ?? task, task: task,
            options: try keys["options"]?.options(entry.options, of: "task '\(task)'") ?? [:],
            budget: try keys["budget"].map(TrainingBudget.init) ?? .schedule, settings: keys["settings"],
            from: try keys["from"]?.string(), origin: nil,
            evaluation: try EvaluationPlan(keys["evaluation"], also: keys["also"], task: entry),
            analysis: try keys["analysis"]?.boolean() ?? false,
            node: node)
    }

    private static func setting(_ node: YAMLNode) throws -> Setting {
        let keys = try node.mapping(["name", "settings"])
        guard let name = try keys["name"]?.string() else { throw node.error("\(node.place) has no 'name'") }
        return Setting(name: name, settings: keys["settings"])
    }

    private static func learner(_ node: YAMLNode) throws -> LearnerChoice {
        let keys = node.isScalar ? ["learner": node] : try node.mapping(["learner", "name", "settings"])
        guard let named = keys["learner"] else { throw node.error("\(node.place) has no 'learner'") }
        let entry = try named.entry(of: learnerCatalogue)
        return LearnerChoice(
            name: try keys["name"]?.string() ?? entry.name, learner: entry.name, settings: keys["settings"])
    }

    private static func match(_ node: YAMLNode) throws -> Match {
        let keys = try node.mapping(["by", "to"])
        let by = try keys["by"]?.string() ?? "params"
        guard let budget = Budget(rawValue: by) else {
            throw node.error(
                "match.by is '\(by)': choose one of \(Budget.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let to = try keys["to"]?.string() ?? "gru-256"
        guard let (model, hidden) = modelCatalogue.modelAndWidth(to), (1...8192).contains(hidden) else {
            throw node.error("match.to is '\(to)': it must be a model and its width, such as gru-256")
        }
        return Match(budget: budget, model: model, hidden: hidden)
    }
}

/// How long a cell is trained. Steps and seconds are those of its whole line: what its parents took is counted.
public enum TrainingBudget: Sendable, Equatable {
    /// The task's whole schedule.
    case schedule
    case iterations(Int)
    /// Time steps, if all trials are of the longest length; the schedule is cut, or its last stage extended.
    case steps(Int)
    /// Seconds of training, over all sessions. What is reached depends on the machine, and is not the same twice.
    case seconds(Int)

    init(_ node: YAMLNode) throws {
        let keys = try node.mapping(["iterations", "steps", "seconds"])
        guard keys.count == 1, let (key, value) = keys.first else {
            throw node.error("a budget is one of iterations, steps or seconds")
        }
        switch key {
        case "iterations": self = .iterations(try value.integer(1...10_000_000))
        case "steps": self = .steps(try value.integer(1...1_000_000_000_000))
        default: self = .seconds(try value.integer(1...100_000_000))
        }
    }
}

/// On what members a cell is judged, and when.
public struct EvaluationPlan: Sendable {
    /// Members of each evaluation.
    public let trials: Int
    /// Evaluations along the training after the first policy's, evenly spaced in time steps, the last at its end.
    public let points: Int
    /// Members of an evaluation along the training.
    public let pointTrials: Int
    /// Other tasks' options for the same weights.
    public let also: [(name: String, options: Values)]

    init(_ node: YAMLNode?, also others: YAMLNode?, task: Tasks.TaskEntry) throws {
        let keys = try node?.mapping(["trials", "points", "point_trials"]) ?? [:]
        trials = try keys["trials"]?.integer(EvaluationBank.blocks...10_000_000) ?? 10_000
        points = try keys["points"]?.integer(1...1000) ?? 10
        pointTrials = try keys["point_trials"]?.integer(EvaluationBank.blocks...10_000_000) ?? min(trials, 1000)
        also =
            try others?.sequence().map { other in
                let keys = try other.mapping(["name", "options"])
                guard let name = try keys["name"]?.string(), let options = keys["options"] else {
                    throw other.error("\(other.place) wants a 'name' and 'options'")
                }
                return (name, try options.options(task.options, of: "task '\(task.name)'"))
            } ?? []
    }
}

extension YAMLNode {
    /// The entry of a catalogue that a node names.
    func entry<Entry>(of catalogue: Catalogue<Entry>) throws -> Entry {
        do { return try catalogue.require(try string()) } catch let unknown as UserError {
            throw unknown.description.hasPrefix(file) ? unknown : error(unknown.description)
        }
    }
}
