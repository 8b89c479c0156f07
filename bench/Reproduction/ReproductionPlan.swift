import Kernels
import Training
import Yams

/// Which run directories fill the trained cells of a paper's table: a YAML file.
///
///     table: bandits
///     missing_runs: empty           # cells without their run stay empty; refuse (the default): they are an error
///     columns:
///       - title: GRU-256
///         published: RL²            # the published column that it is compared with
///         runs:
///           - {episodes: 10, arms: 5, run: runs/bandit-n10-k5-gru}
public struct ReproductionPlan: Sendable {
    public struct Column: Sendable {
        public let title: String
        /// Column of the paper's table that it stands beside.
        public let published: String
        public let runs: [Run]
    }

    public struct Run: Sendable {
        /// The row's options, as in `PaperTable.rows`.
        public let row: OptionValues
        public let directory: String
        /// File and line that name it.
        public let place: String
    }

    public let table: PaperTable
    public let allowsMissingRuns: Bool
    public let columns: [Column]

    /// - Throws: one line with file, line and what is wrong there.
    public init(yaml text: String, path: String) throws {
        let reader = ReproductionPlanReader(path: path)
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            let reason = String(describing: error).split(whereSeparator: \.isNewline).joined(separator: " ")
            throw UserError("\(path): not YAML (\(reason.prefix(160)))")
        }
        guard let root else { throw UserError("\(path): the plan is empty; it needs 'table' and 'columns'") }
        let plan = try reader.mapping(root, known: ["table", "missing_runs", "columns"], of: "a plan")
        let name = try reader.text("table", in: plan, root)
        guard let table = PaperTable.named(name.text) else {
            let names = PaperTable.all.map(\.name).joined(separator: ", ")
            throw reader.error(name.node, "table is '\(name.text)': choose one of \(names)")
        }
        self.table = table
        switch try plan["missing_runs"].map({ try reader.text($0, "missing_runs") }) ?? "refuse" {
        case "refuse": allowsMissingRuns = false
        case "empty": allowsMissingRuns = true
        case let other:
            throw reader.error(plan["missing_runs"]!, "missing_runs is '\(other)': choose one of refuse, empty")
        }
        columns = try reader.list("columns", in: plan, root).map { try reader.column($0, table) }
    }
}

/// Takes a plan's nodes apart; what is wrong is told with its line.
private struct ReproductionPlanReader {
    let path: String

    func place(_ node: Node) -> String { node.mark.map { "\(path):\($0.line)" } ?? path }

    func error(_ node: Node, _ text: String) -> UserError { UserError("\(place(node)): \(text)") }

    func mapping(_ node: Node, known: [String], of what: String) throws -> [String: Node] {
        guard case .mapping(let pairs) = node else {
            throw error(node, "\(what) must be keys and values: \(known.joined(separator: ", "))")
        }
        var values: [String: Node] = [:]
        for (key, value) in pairs {
            guard let name = key.string, known.contains(name) else {
                throw error(
                    key, "unknown key '\(key.string ?? "?")' in \(what); known are \(known.joined(separator: ", "))")
            }
            values[name] = value
        }
        return values
    }

    func text(_ node: Node, _ key: String) throws -> String {
        guard let text = node.string, !text.isEmpty else { throw error(node, "\(key) must be a word") }
        return text
    }

    func text(_ key: String, in values: [String: Node], _ owner: Node) throws -> (text: String, node: Node) {
        guard let node = values[key] else { throw error(owner, "the key '\(key)' is missing") }
        return (try text(node, key), node)
    }

    func list(_ key: String, in values: [String: Node], _ owner: Node) throws -> [Node] {
        guard let node = values[key] else { throw error(owner, "the key '\(key)' is missing") }
        guard case .sequence(let items) = node else { throw error(node, "\(key) must be a list") }
        return Array(items)
    }

    func column(_ node: Node, _ table: PaperTable) throws -> ReproductionPlan.Column {
        let values = try mapping(node, known: ["title", "published", "runs"], of: "a column")
        let published = try text("published", in: values, node)
        let trained = table.columns.filter { $0.agent == nil }.map(\.title)
        guard trained.contains(published.text) else {
            throw error(
                published.node,
                "published is '\(published.text)': choose one of \(trained.joined(separator: ", "))")
        }
        let nodes = try list("runs", in: values, node)
        let runs = try nodes.map { try run($0, table) }
        for (index, one) in runs.enumerated() where runs[..<index].contains(where: { $0.row == one.row }) {
            throw error(nodes[index], "a second run for \(table.label(one.row))")
        }
        return ReproductionPlan.Column(
            title: try text("title", in: values, node).text, published: published.text, runs: runs)
    }

    private func run(_ node: Node, _ table: PaperTable) throws -> ReproductionPlan.Run {
        let names = table.rows[0].names
        let values = try mapping(node, known: names + ["run"], of: "a run")
        var row = OptionValues()
        for name in names {
            guard let value = values[name] else { throw error(node, "the key '\(name)' is missing") }
            guard let number = value.int else { throw error(value, "\(name) must be a whole number") }
            row[name] = .integer(number)
        }
        guard table.rows.contains(row) else {
            let known = table.rows.map(table.label).joined(separator: "; ")
            throw error(node, "the table has no row \(table.label(row)); it has \(known)")
        }
        return ReproductionPlan.Run(
            row: row, directory: try text("run", in: values, node).text, place: place(node))
    }
}
