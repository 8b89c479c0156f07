/// Values of options by name.
public struct Values: Sendable, Equatable, Codable, ExpressibleByDictionaryLiteral {
    private var values: [String: OptionValue]

    public init() { values = [:] }

    public init(dictionaryLiteral elements: (String, OptionValue)...) {
        values = Dictionary(uniqueKeysWithValues: elements)
    }

    /// The default of each option, with the values of `given` in their place, as the options keep them. An option that
    /// follows another takes that one's given value unless it is given itself. What no option takes stays, for `check` to
    /// find.
    public init(defaults options: [Option], given: Values = [:]) {
        values = given.values
        for option in options {
            let value = given[option.name] ?? option.follows.flatMap { given[$0] } ?? option.defaultValue
            values[option.name] = option.accepted(value) ?? value
        }
    }

    /// These values as options keep them: a whole number becomes a real one where a real one is wanted, so that equal
    /// settings are equal whoever wrote them.
    public func kept(by options: [Option]) -> Values {
        var result = self
        for option in options {
            if let value = self[option.name] { result[option.name] = option.accepted(value) ?? value }
        }
        return result
    }

    /// Reads keys with underscores as the names with hyphens that they stand for.
    public init(from decoder: any Decoder) throws {
        values = [:]
        for (key, value) in try decoder.singleValueContainer().decode([String: OptionValue].self) {
            values[Option.name(ofKey: key)] = value
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        let pairs = values.map { (String($0.key.map { $0 == "-" ? "_" : $0 }), $0.value) }
        try container.encode(Dictionary(uniqueKeysWithValues: pairs))
    }

    public subscript(name: String) -> OptionValue? {
        get { values[name] }
        set { values[name] = newValue }
    }

    /// These values, with those of `others` in their place.
    public func merging(_ others: Values) -> Values {
        var result = self
        result.values.merge(others.values) { _, new in new }
        return result
    }

    /// Only the values of some options.
    public func only(_ options: [Option]) -> Values {
        var result = Values()
        for option in options { result[option.name] = values[option.name] }
        return result
    }

    public var names: [String] { values.keys.sorted() }
    public var isEmpty: Bool { values.isEmpty }

    /// All values, sorted by name, for a line of text.
    public var summary: String { names.map { "\($0) \(values[$0]!)" }.joined(separator: ", ") }

    /// Throws a `UserError` unless there is one value for each option, each in its range, and no other.
    /// - Parameter owner: such as "task 'bandit'".
    public func check(_ options: [Option], of owner: String) throws {
        for option in options {
            guard let value = values[option.name] else {
                throw UserError(
                    "\(owner) has no value for '\(option.name)': give --\(option.name), or add it to the file")
            }
            _ = try option.check(value, label: "--\(option.name)")
        }
        for name in names where !options.contains(where: { $0.name == name }) {
            throw UserError("\(owner) has no option '\(name)'")
        }
    }

    // MARK: What owners read

    public func integer(_ name: String) -> Int {
        guard case .integer(let value)? = values[name] else { preconditionFailure("no whole number '\(name)'") }
        return value
    }

    public func real(_ name: String) -> Double {
        switch values[name] {
        case .real(let value): return value
        case .integer(let value): return Double(value)
        default: preconditionFailure("no number '\(name)'")
        }
    }

    public func word(_ name: String) -> String {
        guard case .word(let value)? = values[name] else { preconditionFailure("no word '\(name)'") }
        return value
    }

    /// The case of an enumeration that a word names.
    public func choice<Choice: RawRepresentable<String>>(_ name: String, as type: Choice.Type = Choice.self) -> Choice {
        guard let choice = Choice(rawValue: word(name)) else { preconditionFailure("'\(name)' is \(word(name))") }
        return choice
    }
}
