import Synchronization

/// What stands in a catalogue under a name: a model, a task, a learner.
public protocol CatalogueEntry: Sendable {
    /// What entries of the kind are called, such as "model".
    static var kind: String { get }
    /// As on the command line and in files.
    var name: String { get }
    /// One line for a list.
    var summary: String { get }
    /// The options of this entry alone, and those that it shares with its kin.
    var options: [Option] { get }
}

/// All entries of a kind, in the order in which lists show them. A program that is built on rl2x registers its own before
/// it starts the command line; then they are known to every command, plan, checkpoint and report.
public final class Catalogue<Entry: CatalogueEntry>: Sendable {
    private let list: Mutex<[Entry]>

    public init(_ entries: [Entry]) { list = Mutex(entries) }

    public var entries: [Entry] { list.withLock(\.self) }
    public var names: [String] { entries.map(\.name) }

    /// Adds an entry.
    /// - Precondition: no entry has its name.
    public func register(_ entry: Entry) {
        list.withLock { entries in
            precondition(!entries.contains { $0.name == entry.name }, "a second \(Entry.kind) '\(entry.name)'")
            entries.append(entry)
        }
    }

    public func entry(named name: String) -> Entry? { entries.first { $0.name == name } }

    /// - Throws: a `UserError` that lists the names if there is none of this name.
    public func require(_ name: String) throws -> Entry {
        if let entry = entry(named: name) { return entry }
        throw UserError("unknown \(Entry.kind) '\(name)': choose one of \(names.joined(separator: ", "))")
    }

    /// Names of the entries that have an option, for an error that says who has it.
    public func owners(of option: String) -> [String] {
        entries.filter { $0.options.contains { $0.name == option } }.map(\.name)
    }
}
