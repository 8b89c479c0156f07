import Foundation
import Interface
import Yams

/// A YAML node with the place it came from, so that a mistake in a file is told with its line. The one reader of YAML files:
/// configurations, plans.
public struct YAMLNode {
    private let node: Node
    /// Name of the file, for messages.
    public let file: String
    /// What the node is, such as "tasks[2]".
    public let place: String

    /// The root of a YAML text.
    public init(text: String, file: String, kind: String) throws {
        do {
            guard let node = try Yams.compose(yaml: text) else { throw UserError("\(file): the \(kind) is empty") }
            (self.node, self.file, place) = (node, file, "the \(kind)")
        } catch let error as YamlError {
            let reason = String(describing: error).split(whereSeparator: \.isNewline).joined(separator: " ")
            throw UserError("\(file): not YAML (\(reason.prefix(160)))")
        }
    }

    private init(_ node: Node, _ file: String, _ place: String) {
        (self.node, self.file, self.place) = (node, file, place)
    }

    /// An error at this node: one line with file, line and what to do.
    public func error(_ message: String) -> UserError {
        UserError("\(file):\(node.mark.map { "\($0.line):" } ?? "") \(message)")
    }

    /// The values of a mapping by key; refuses keys that are not `known`.
    public func mapping(_ known: [String]) throws -> [String: YAMLNode] {
        guard let mapping = node.mapping else { throw error("\(place) must be a mapping (key: value)") }
        var values: [String: YAMLNode] = [:]
        for (key, value) in mapping {
            let name = key.string ?? ""
            let child = YAMLNode(value, file, name)
            guard known.contains(name) else {
                throw YAMLNode(key, file, place).error(
                    "unknown key '\(name)' in \(place); known are \(known.joined(separator: ", "))")
            }
            values[name] = child
        }
        return values
    }

    /// The entries of a sequence; at least one.
    public func sequence() throws -> [YAMLNode] {
        guard let sequence = node.sequence, !sequence.isEmpty else {
            throw error("\(place) must be a list with at least one entry (- entry)")
        }
        return sequence.enumerated().map { YAMLNode($1, file, "\(place)[\($0 + 1)]") }
    }

    public var isScalar: Bool { node.scalar != nil }

    public func string() throws -> String {
        guard let text = node.scalar?.string, !text.isEmpty else { throw error("\(place) must be a word") }
        return text
    }

    public func integer(_ range: ClosedRange<Int>) throws -> Int {
        guard case .integer(let value)? = OptionValue.integer(node.scalar?.string ?? ""), range.contains(value) else {
            throw error("\(place) must be a whole number in \(range.lowerBound) … \(range.upperBound)")
        }
        return value
    }

    public func boolean() throws -> Bool {
        guard let value = node.bool else { throw error("\(place) must be true or false") }
        return value
    }

    public func real() throws -> Double {
        switch OptionValue.number(node.scalar?.string ?? "") {
        case .integer(let value)?: return Double(value)
        case .real(let value)?: return value
        default: throw error("\(place) must be a number")
        }
    }

    /// The text of a scalar as it is written, such as "no", "5.0" or "010": what it means is for who reads it.
    public func text() throws -> String {
        guard let text = node.scalar?.string else { throw error("\(place) must be a single value") }
        return text
    }

    /// The entries of a mapping of settings, in the order of the file, by their names with hyphens.
    public func entries() throws -> [(name: String, node: YAMLNode)] {
        guard let mapping = node.mapping else { throw error("\(place) must be a mapping (option: value)") }
        var seen: Set<String> = []
        return try mapping.map { key, value in
            let name = Option.name(ofKey: key.string ?? "")
            guard seen.insert(name).inserted else {
                throw YAMLNode(key, file, place).error("'\(name)' is given twice in \(place)")
            }
            return (name, YAMLNode(value, file, key.string ?? ""))
        }
    }

    /// A mapping of option names to values, checked against the options that there are.
    public func options(_ options: [Option], of owner: String) throws -> Values {
        var values = Values()
        for (name, node) in try entries() {
            guard let option = options.first(where: { $0.name == name }) else {
                let known = options.map(\.key)
                throw node.error(
                    "\(owner) has no option '\(name)'"
                        + (known.isEmpty ? "; it has none" : "; it has \(known.joined(separator: ", "))"))
            }
            values[name] = try node.value(of: option)
        }
        return values
    }

    /// The value of an option.
    public func value(of option: Option) throws -> OptionValue {
        let text = try text()
        do {
            return try option.value(text, label: option.key)
        } catch let objection as UserError {
            throw error(objection.description)
        }
    }
}
