/// An option of a task, a model, a learner or a classic agent: declared once, by its owner, and read by it from `Values`.
///
/// The command line spells it `--name value`, a YAML file `name: value` with underscores for hyphens.
public struct Option: Sendable, Hashable {
    /// Which values an option takes.
    public enum Kind: Sendable, Hashable {
        case integer(ClosedRange<Int>)
        case real(ClosedRange<Double>)
        /// One of some words.
        case word([String])
        /// Any text without line breaks.
        case text
    }

    /// As on the command line: words joined by hyphens.
    public let name: String
    public let kind: Kind
    public let defaultValue: OptionValue
    /// What it does, for a line of help: no range and no default, which are added.
    public let help: String
    /// Another option that this one equals unless it is given itself, such as the value at the start of a schedule.
    public let follows: String?

    public init(_ name: String, _ range: ClosedRange<Int>, default value: Int, help: String) {
        self.init(name, .integer(range), .integer(value), help)
    }

    public init(
        _ name: String, _ range: ClosedRange<Double>, default value: Double, follows: String? = nil, help: String
    ) {
        self.init(name, .real(range), .real(value), help, follows: follows)
    }

    public init(_ name: String, _ words: [String], default value: String, help: String) {
        self.init(name, .word(words), .word(value), help)
    }

    /// An option of the cases of an enumeration, by their raw values.
    public init<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, _ type: Choice.Type, default value: Choice, help: String
    ) {
        self.init(name, type.allCases.map(\.rawValue), default: value.rawValue, help: help)
    }

    public init(_ name: String, text value: String, help: String) { self.init(name, .text, .word(value), help) }

    private init(_ name: String, _ kind: Kind, _ value: OptionValue, _ help: String, follows: String? = nil) {
        self.name = name
        self.kind = kind
        defaultValue = value
        self.help = help
        self.follows = follows
    }

    /// As YAML files and JSON spell it.
    public var key: String { String(name.map { $0 == "-" ? "_" : $0 }) }

    /// The name that belongs to a YAML key.
    public static func name(ofKey key: String) -> String { String(key.map { $0 == "_" ? "-" : $0 }) }

    /// The values that it takes, such as "2 … 1000" or "none, gru".
    public var range: String {
        switch kind {
        case .integer(let range): "\(range.lowerBound) … \(range.upperBound)"
        case .real(let range): "\(decimal(range.lowerBound)) … \(decimal(range.upperBound))"
        case .word(let words): words.joined(separator: ", ")
        case .text: "text"
        }
    }

    /// The value as this option keeps it (a whole number is a real one too), or nil if it is out of range or of another
    /// kind.
    public func accepted(_ value: OptionValue) -> OptionValue? {
        switch (kind, value) {
        case (.integer(let range), .integer(let number)): range.contains(number) ? value : nil
        case (.real(let range), .real(let number)): range.contains(number) ? value : nil
        case (.real(let range), .integer(let number)): range.contains(Double(number)) ? .real(Double(number)) : nil
        case (.word(let words), .word(let word)): words.contains(word) ? value : nil
        case (.text, .word(let text)): text.contains(where: \.isNewline) ? nil : value
        default: nil
        }
    }

    /// The value that a text spells.
    /// - Parameter label: what an error calls the option, such as "--arms".
    /// - Throws: a `UserError` if the text is no such value.
    public func value(_ text: String, label: String) throws -> OptionValue {
        let spelled: OptionValue?
        let wanted: String
        switch kind {
        case .integer: (spelled, wanted) = (OptionValue.integer(text), "choose a whole number in \(range)")
        case .real: (spelled, wanted) = (OptionValue.number(text), "choose a number in \(range)")
        case .word: (spelled, wanted) = (.word(text), "choose one of \(range)")
        case .text: (spelled, wanted) = (.word(text), "write it on one line")
        }
        guard let value = spelled.flatMap(accepted) else {
            let shown = text.split(whereSeparator: \.isNewline).joined(separator: " ")
            throw UserError("\(label) is \(shown.isEmpty ? "empty" : shown): \(wanted)")
        }
        return value
    }

    /// Throws a `UserError` unless the value is one that this option takes; returns it as the option keeps it.
    public func check(_ value: OptionValue, label: String) throws -> OptionValue {
        if let accepted = accepted(value) { return accepted }
        return try self.value("\(value)", label: label)
    }
}

/// A value of an option.
public enum OptionValue: Sendable, Hashable, Codable, CustomStringConvertible {
    case integer(Int)
    case real(Double)
    case word(String)

    /// The whole number that a text spells: decimal digits, no leading zeros; nil if it spells none.
    public static func integer(_ text: String) -> OptionValue? {
        let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        guard digits == "0" || (digits.first != "0" && digits.allSatisfy { $0.isASCII && $0.isNumber }) else {
            return nil
        }
        return Int(text).map { .integer($0) }
    }

    /// The finite number that a text spells, whole or not; nil if it spells none.
    public static func number(_ text: String) -> OptionValue? {
        if let whole = integer(text) { return whole }
        let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        // "010" is eight to some readers, "0x1p3" and "1:30" are numbers to others.
        let hasLeadingZero = digits.first == "0" && digits.dropFirst().first?.isNumber ?? false
        guard !hasLeadingZero, text.allSatisfy({ "+-.eE0123456789".contains($0) }) else { return nil }
        return Double(text).flatMap { $0.isFinite ? .real($0) : nil }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int.self) {
            self = .integer(number)
        } else if let number = try? container.decode(Double.self) {
            self = .real(number)
        } else {
            self = .word(try container.decode(String.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .integer(let number): try container.encode(number)
        case .real(let number): try container.encode(number)
        case .word(let word): try container.encode(word)
        }
    }

    public var description: String {
        switch self {
        case .integer(let number): "\(number)"
        case .real(let number): decimal(number)
        case .word(let word): word
        }
    }
}

extension OptionValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral {
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .real(value) }
    public init(stringLiteral value: String) { self = .word(value) }
}

/// A number as people write it, in the fewest digits that give it back: "0.2", "256", "0.00001"; "1e-9" where that is
/// shorter.
public func decimal(_ number: Double) -> String {
    let text = "\(number)"
    guard let split = text.firstIndex(of: "e"), let exponent = Int(text[text.index(after: split)...]) else {
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
    let mantissa = text[..<split].hasSuffix(".0") ? text[..<split].dropLast(2) : text[..<split]
    guard exponent < 0, exponent >= -6 else { return "\(mantissa)e\(exponent)" }
    let sign = mantissa.hasPrefix("-") ? "-" : ""
    return sign + "0." + String(repeating: "0", count: -exponent - 1) + mantissa.filter(\.isNumber)
}
