import Kernels
import Training
import Yams

/// A YAML node with the place it came from, so that a mistake in a plan is told with its line.
struct PlanNode {
    let node: Node
    /// Name of the file, for messages.
    let file: String
    /// What the node is, such as "tasks[2]".
    let place: String

    /// The root of a YAML text.
    init(text: String, file: String) throws {
        do {
            guard let node = try Yams.compose(yaml: text) else { throw UserError("\(file): the plan is empty") }
            (self.node, self.file, place) = (node, file, "the plan")
        } catch let error as YamlError {
            let reason = String(describing: error).split(whereSeparator: \.isNewline).joined(separator: " ")
            throw UserError("\(file): not YAML (\(reason.prefix(160)))")
        }
    }

    private init(_ node: Node, _ file: String, _ place: String) {
        (self.node, self.file, self.place) = (node, file, place)
    }

    /// An error at this node: one line with file, line and what to do.
    func error(_ message: String) -> UserError {
        UserError("\(file):\(node.mark.map { "\($0.line):" } ?? "") \(message)")
    }

    /// The values of a mapping by key; refuses keys that are not `known`.
    func mapping(_ known: [String]) throws -> [String: PlanNode] {
        guard let mapping = node.mapping else { throw error("\(place) must be a mapping (key: value)") }
        var values: [String: PlanNode] = [:]
        for (key, value) in mapping {
            let name = key.string ?? ""
            let child = PlanNode(value, file, name)
            guard known.contains(name) else {
                throw PlanNode(key, file, place).error(
                    "unknown key '\(name)' in \(place); known are \(known.joined(separator: ", "))")
            }
            values[name] = child
        }
        return values
    }

    /// The entries of a sequence; at least one.
    func sequence() throws -> [PlanNode] {
        guard let sequence = node.sequence, !sequence.isEmpty else {
            throw error("\(place) must be a list with at least one entry (- entry)")
        }
        return sequence.enumerated().map { PlanNode($1, file, "\(place)[\($0 + 1)]") }
    }

    var isScalar: Bool { node.scalar != nil }

    func string() throws -> String {
        guard let text = node.scalar?.string, !text.isEmpty else { throw error("\(place) must be a word") }
        return text
    }

    func integer(_ range: ClosedRange<Int>) throws -> Int {
        guard let value = node.int, range.contains(value) else {
            throw error("\(place) must be a whole number in \(range.lowerBound) … \(range.upperBound)")
        }
        return value
    }

    func boolean() throws -> Bool {
        guard let value = node.bool else { throw error("\(place) must be true or false") }
        return value
    }

    func real() throws -> Double {
        guard let value = node.float ?? node.int.map(Double.init) else { throw error("\(place) must be a number") }
        return value
    }

    /// A mapping of option names to values, checked against a catalogue entry's options.
    func options(_ options: [CatalogueOption], of owner: String) throws -> OptionValues {
        guard let mapping = node.mapping else { throw error("\(place) must be a mapping (option: value)") }
        var values = OptionValues()
        for (key, value) in mapping {
            let (name, entry) = (key.string ?? "", PlanNode(value, file, key.string ?? ""))
            guard let option = options.first(where: { $0.name == name }) else {
                let known = options.map(\.name)
                throw PlanNode(key, file, place).error(
                    "\(owner) has no option '\(name)'"
                        + (known.isEmpty ? "; it has none" : "; it has \(known.joined(separator: ", "))"))
            }
            guard let given = value.scalar?.string, let accepted = option.accepted(OptionValue(given)) else {
                throw entry.error("'\(name)' must lie in \(option.range)")
            }
            values[name] = accepted
        }
        return values
    }
}
