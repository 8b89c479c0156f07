import Foundation
import Interface

/// The trained policies that come with rl2x, each a folder that `rl2x zoo export` wrote. `zoo:NAME` names one wherever a
/// command takes a run.
public struct Zoo: Sendable {
    /// What a name begins with where a run may be named too.
    public static let prefix = "zoo:"

    /// The directory that holds the folders.
    public let path: String

    public init(_ path: String) { self.path = path }

    /// The zoo of this program: what the environment variable `RL2X_ZOO` names; else a folder `zoo` beside the program, or
    /// `bench/zoo` in a directory above it, as in a checkout; else that of the source tree which the program was built
    /// from. Nil if there is none.
    public static func found(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        program: String? = Bundle.main.executablePath
    ) -> Zoo? {
        if let named = environment["RL2X_ZOO"], !named.isEmpty { return Zoo(named) }
        var places: [String] = []
        if let program {
            var directory = URL(fileURLWithPath: program).resolvingSymlinksInPath().deletingLastPathComponent()
            places += [directory.appendingPathComponent("zoo").path]
            while directory.path != "/" {
                places.append(directory.appendingPathComponent("bench/zoo").path)
                directory.deleteLastPathComponent()
            }
        }
        // Sources/Training/Zoo.swift is three levels below the root.
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        places.append(root.appendingPathComponent("bench/zoo").path)
        return places.first { !Zoo($0).names.isEmpty }.map { Zoo($0) }
    }

    /// Names of the policies in it, sorted.
    public var names: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { RunDirectory(path + "/" + $0).isPublished }.sorted()
    }

    /// The folder of a policy.
    /// - Throws: a `UserError` that suggests the nearest names if there is none of this name.
    public func policy(_ name: String) throws -> RunDirectory {
        let names = names
        guard names.contains(name) else {
            guard !names.isEmpty else {
                throw UserError("\(Zoo.prefix)\(name): there is no policy in the zoo at \(path)")
            }
            let near = Zoo.nearest(to: name, among: names).map { Zoo.prefix + $0 }.joined(separator: ", ")
            throw UserError(
                "\(Zoo.prefix)\(name): the zoo has no such policy; the nearest names are \(near); `rl2x zoo` lists all")
        }
        return RunDirectory(path + "/" + name, name: Zoo.prefix + name)
    }

    /// At most three names, the nearest first, by the letters that must be added, removed or replaced; what one name is a
    /// part of counts as nearer.
    static func nearest(to wanted: String, among names: [String]) -> [String] {
        let wanted = String(wanted.prefix(100))
        let scored = names.map { name in
            (name, distance(wanted, name) - (!wanted.isEmpty && name.contains(wanted) ? name.count : 0))
        }
        return scored.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.prefix(3).map(\.0)
    }

    /// The edit distance of Levenshtein.
    public static func distance(_ one: String, _ other: String) -> Int {
        let (one, other) = (Array(one), Array(other))
        var row = Array(0...other.count)
        for (index, letter) in one.enumerated() {
            var before = row[0]
            row[0] = index + 1
            for place in other.indices {
                let kept = before + (letter == other[place] ? 0 : 1)
                before = row[place + 1]
                row[place + 1] = min(kept, before + 1, row[place] + 1)
            }
        }
        return row[other.count]
    }
}

extension RunDirectory {
    /// What a call names as a run: a directory, or `zoo:NAME`.
    /// - Throws: a `UserError` if the zoo has no such policy.
    public static func named(_ text: String) throws -> RunDirectory {
        guard text.hasPrefix(Zoo.prefix) else { return RunDirectory(text) }
        guard let zoo = Zoo.found() else {
            throw UserError(
                "\(text): there is no zoo beside this program; set RL2X_ZOO to the directory that holds its folders")
        }
        return try zoo.policy(String(text.dropFirst(Zoo.prefix.count)))
    }
}
