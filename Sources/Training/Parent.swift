import Foundation
import Interface

/// The run that another one began with, as the other's records name it. A run, its parent, the parent's parent and so on
/// are a line: what a policy has cost is counted over all of it.
public struct Parent: Sendable, Equatable, Codable {
    /// Its directory, as it was given.
    public var run: String
    /// Of its weights, the policy's and the critic's (see `SafetensorsFile.weightsDigest`).
    public var digest: String
    /// Iterations that it had done.
    public var iteration: Int
    /// Iterations of its line up to then.
    public var lineIterations: Int
    /// Time steps of its line up to then.
    public var lineTimesteps: Int

    enum CodingKeys: String, CodingKey, CaseIterable {
        case run, digest, iteration, lineIterations = "line_iterations", lineTimesteps = "line_timesteps"
    }

    public init(run: String, digest: String, iteration: Int, lineIterations: Int, lineTimesteps: Int) {
        self.run = run
        self.digest = digest
        self.iteration = iteration
        self.lineIterations = lineIterations
        self.lineTimesteps = lineTimesteps
    }

    /// Reads what a run wrote into its config.yaml.
    init(_ node: YAMLNode) throws {
        guard !node.isScalar else {
            throw node.error(
                "'from' is the record that a run keeps of its parent; name a run to begin with on the command line, with "
                    + "--from")
        }
        let keys = try node.mapping(CodingKeys.allCases.map(\.rawValue))
        func value(_ key: CodingKeys) throws -> YAMLNode {
            guard let value = keys[key.rawValue] else { throw node.error("'from' has no '\(key.rawValue)'") }
            return value
        }
        let counts = 0...Trainer.largestCounter
        self.init(
            run: try value(.run).string(), digest: try value(.digest).string(),
            iteration: try value(.iteration).integer(counts),
            lineIterations: try value(.lineIterations).integer(counts),
            lineTimesteps: try value(.lineTimesteps).integer(counts))
    }

    /// Name and text of each of its entries, as files have them.
    var entries: [(key: String, text: String)] {
        let texts = [run, digest, "\(iteration)", "\(lineIterations)", "\(lineTimesteps)"]
        return Array(zip(CodingKeys.allCases.map(\.rawValue), texts)).map { ($0.0, $0.1) }
    }

    /// Whether its weights, as they are on the disk now, are others than those that its child began with; false where there
    /// are none.
    /// - Parameter path: where it is now, if it was moved.
    public func hasChanged(at path: String? = nil) -> Bool {
        guard let (file, _) = try? RunDirectory.named(path ?? run).readPolicy() else { return false }
        return file.weightsDigest != digest
    }
}

/// A run whose weights another one can begin with.
public struct ParentRun: Sendable {
    public let record: Parent
    public let configuration: Configuration
    /// Its latest checkpoint, or the policy that was published.
    let checkpoint: SafetensorsFile
    let checkpointPath: String
    /// Seconds of training of its line; nil if its manifest does not tell.
    let lineSeconds: Double?

    /// Whether it has a critic; a published policy has none, and a run that begins with it begins with a new one.
    public var hasCritic: Bool { checkpoint.tensors.contains { $0.name.hasPrefix("critic.") } }

    /// - Throws: one line if there is no run, or none with a checkpoint.
    public init(_ run: RunDirectory) throws {
        configuration = try run.configuration()
        try configuration.validate()
        guard run.hasCheckpoint || run.isPublished else {
            throw UserError(
                "\(run.name): it has no checkpoint yet, so there are no weights to begin with; train it first")
        }
        (checkpoint, checkpointPath) = try run.readPolicy()
        let iteration = try Trainer.counter("iteration", in: checkpoint, path: checkpointPath)
        record = Parent(
            run: run.name, digest: checkpoint.weightsDigest, iteration: iteration,
            lineIterations: (configuration.parent?.lineIterations ?? 0) + iteration,
            lineTimesteps: try Trainer.counter("timesteps", in: checkpoint, path: checkpointPath))
        lineSeconds = try run.isPublished ? run.publishedSeconds() : try? Manifest.read(run.manifestPath).lineSeconds
    }
}

extension SafetensorsFile {
    /// Eight hexadecimal digits (CRC-32C) of the names, shapes and values of a checkpoint's weights, the policy's and the
    /// critic's: equal weights give equal digits, and a training that changed one gives others, but for a chance of 2⁻³².
    public var weightsDigest: String {
        SafetensorsFile(tensors: tensors.filter { $0.name.hasPrefix("policy.") || $0.name.hasPrefix("critic.") })
            .checksumText
    }
}
