/// An option of a task or a model that can be asked for by name: on the command line as `--name`, in a configuration as
/// `name` with underscores.
public struct CatalogueOption: Sendable, Equatable {
    /// What values an option takes.
    public enum Domain: Sendable, Equatable {
        case integer(ClosedRange<Int>)
        case real(ClosedRange<Double>)
        case word([String])
    }

    /// As on the command line: words joined by hyphens.
    public let name: String
    public let domain: Domain
    public let standard: OptionValue
    public let help: String

    public init(_ name: String, _ range: ClosedRange<Int>, standard: Int, help: String) {
        self.init(name: name, domain: .integer(range), standard: .integer(standard), help: help)
    }

    public init(_ name: String, _ range: ClosedRange<Double>, standard: Double, help: String) {
        self.init(name: name, domain: .real(range), standard: .real(standard), help: help)
    }

    public init(_ name: String, _ words: [String], standard: String, help: String) {
        self.init(name: name, domain: .word(words), standard: .word(standard), help: help)
    }

    private init(name: String, domain: Domain, standard: OptionValue, help: String) {
        self.name = name
        self.domain = domain
        self.standard = standard
        self.help = help
    }

    /// The values that are accepted, in words.
    public var range: String {
        switch domain {
        case .integer(let range): "\(range.lowerBound) … \(range.upperBound)"
        case .real(let range): "\(range.lowerBound) … \(range.upperBound)"
        case .word(let words): words.joined(separator: ", ")
        }
    }

    /// The value as this option keeps it (a whole number is a real one too), or nil if it is not in the domain.
    public func accepted(_ value: OptionValue) -> OptionValue? {
        switch (domain, value) {
        case (.integer(let range), .integer(let number)): range.contains(number) ? value : nil
        case (.real(let range), .real(let number)): range.contains(number) ? value : nil
        case (.real(let range), .integer(let number)): range.contains(Double(number)) ? .real(Double(number)) : nil
        case (.word(let words), .word(let word)): words.contains(word) ? value : nil
        default: nil
        }
    }
}

/// A value of an option.
public enum OptionValue: Sendable, Equatable, Codable, CustomStringConvertible {
    case integer(Int)
    case real(Double)
    case word(String)

    /// A number if the text is one, else a word.
    public init(_ text: String) {
        self = Int(text).map { .integer($0) } ?? Double(text).map { .real($0) } ?? .word(text)
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
        case .real(let number): "\(number)"
        case .word(let word): word
        }
    }
}

/// Values of options by name.
public struct OptionValues: Sendable, Equatable, Codable, ExpressibleByDictionaryLiteral {
    private var values: [String: OptionValue]

    public init() { values = [:] }

    public init(dictionaryLiteral elements: (String, OptionValue)...) {
        values = Dictionary(uniqueKeysWithValues: elements)
    }

    /// Standard values, with those of `given` in their place.
    public init(standard options: [CatalogueOption], given: OptionValues = [:]) {
        values = Dictionary(uniqueKeysWithValues: options.map { ($0.name, $0.standard) })
        values.merge(given.values) { _, given in given }
    }

    public init(from decoder: any Decoder) throws {
        values = [:]
        for (key, value) in try decoder.singleValueContainer().decode([String: OptionValue].self) {
            values[key.split(separator: "_").joined(separator: "-")] = value
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        let pairs = values.map { ($0.key.split(separator: "-").joined(separator: "_"), $0.value) }
        try container.encode(Dictionary(uniqueKeysWithValues: pairs))
    }

    public subscript(name: String) -> OptionValue? {
        get { values[name] }
        set { values[name] = newValue }
    }

    public var names: [String] { values.keys.sorted() }
    public var isEmpty: Bool { values.isEmpty }

    /// All values, sorted by name, for a line of text.
    public var summary: String { names.map { "\($0) \(values[$0]!)" }.joined(separator: ", ") }

    public func integer(_ name: String) -> Int {
        guard case .integer(let value)? = values[name] else { preconditionFailure("no whole number '\(name)'") }
        return value
    }

    public func real(_ name: String) -> Double {
        guard case .real(let value)? = values[name] else { preconditionFailure("no number '\(name)'") }
        return value
    }

    public func word(_ name: String) -> String {
        guard case .word(let value)? = values[name] else { preconditionFailure("no word '\(name)'") }
        return value
    }
}

extension OptionValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral {
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .real(value) }
    public init(stringLiteral value: String) { self = .word(value) }
}
