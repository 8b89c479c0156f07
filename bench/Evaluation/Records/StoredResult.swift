import Foundation
import Interface
import Training

/// What a directory of results keeps as JSON, one file each. Another build may have written it, or half of it: what cannot
/// be used is told in a line.
public protocol StoredResult: Codable {
    /// Version of the format that this build writes and reads.
    static var version: Int { get }
    /// Version of the evaluation bank that its numbers depend on; nil: they depend on none.
    static var bankVersion: Int? { get }
    /// What it is called, such as "a record".
    static var title: String { get }
    /// Where files of its kind lie in a directory of results.
    static var folder: String { get }
    /// What to do about one that cannot be used.
    static var advice: String { get }
    /// Whether people read it too.
    static var isIndented: Bool { get }
    /// Why its numbers cannot belong together, in words that follow the path; nil: they do.
    var flaw: String? { get }
    /// Keys of rl2x 0.1.0 that have other names today.
    static var renamedKeys: [String: String] { get }
}

/// What every stored result begins with.
private struct Versions: Decodable { let version: Int, bank: Int? }

extension StoredResult {
    public static var bankVersion: Int? { nil }
    public static var isIndented: Bool { true }
    public var flaw: String? { nil }
    public static var renamedKeys: [String: String] { [:] }

    /// Said of a file that is no such result.
    static var brokenWords: String { "not \(title), or half of one" }

    public func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if Self.isIndented { encoder.outputFormatting.insert(.prettyPrinted) }
        return try encoder.encode(self) + Data("\n".utf8)
    }

    public func write(to path: String) throws { try AtomicFile.write(encoded(), to: path) }

    /// - Throws: one line if the file is damaged or of another version.
    public static func read(_ path: String) throws -> Self {
        let data = current(try AtomicFile.read(path))
        let broken = UserError("\(path): \(brokenWords); \(advice)")
        guard let found = try? JSONDecoder().decode(Versions.self, from: data) else { throw broken }
        guard found.version == version, found.bank == bankVersion else {
            throw UserError(
                "\(path): \(title) of \(words(found.version, bank: found.bank)); this build has "
                    + "\(words(version, bank: bankVersion)); \(advice)")
        }
        guard let result = try? JSONDecoder().decode(Self.self, from: data) else { throw broken }
        if let flaw = result.flaw { throw UserError("\(path): \(flaw); \(advice)") }
        return result
    }

    /// A file with the keys of today.
    private static func current(_ data: Data) -> Data {
        guard !renamedKeys.isEmpty else { return data }
        return Data(
            renamedKeys.reduce(String(decoding: data, as: UTF8.self)) { text, key in
                text.replacing("\"\(key.key)\" :", with: "\"\(key.value)\" :")
                    .replacing("\"\(key.key)\":", with: "\"\(key.value)\":")
            }.utf8)
    }

    private static func words(_ version: Int, bank: Int?) -> String {
        "version \(version)" + (bank.map { " on bank \($0)" } ?? "")
    }

    /// All of a folder, sorted by name, none if it is not there; and what could not be read, a line each.
    static func readAll(in folder: String) -> (results: [Self], failures: [String]) {
        var (results, failures) = ([Self](), [String]())
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for file in files.sorted() where file.hasSuffix(".json") {
            do { results.append(try read("\(folder)/\(file)")) } catch { failures.append("\(error)") }
        }
        return (results, failures)
    }

    /// All of a directory that `bench run` wrote.
    public static func readAll(_ directory: String) -> (results: [Self], failures: [String]) {
        readAll(in: "\(directory)/\(folder)")
    }
}
