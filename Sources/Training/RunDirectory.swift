import Foundation
import Interface
import Kernels

/// A run on disk: all that is needed to continue it, to judge it, and to do it again.
///
///     config.yaml             the resolved configuration
///     manifest.json           version, commit, seed, processor, kernel set, threads, start and end of each session
///     metrics.csv             a row an iteration
///     metrics.jsonl           the same, a JSON object a line
///     events.out.tfevents.*   the same for TensorBoard
///     checkpoint.safetensors  the latest state, replaced atomically
///     checkpoint-previous.safetensors  the one before it, to fall back on
///
/// A published policy (`rl2x zoo export`) is one to look at: it has `config.yaml`, and in place of a checkpoint
///
///     model.safetensors       the policy's weights, and no state of a training
///     results.json            how it was trained and what it earned, with the digest of its weights
public struct RunDirectory: Sendable {
    public let path: String
    /// What errors and records call it: its path, or `zoo:NAME`.
    public let name: String

    /// - Parameter name: nil: the path.
    public init(_ path: String, name: String? = nil) { (self.path, self.name) = (path, name ?? path) }

    public var configurationPath: String { path + "/config.yaml" }
    public var manifestPath: String { path + "/manifest.json" }
    public var metricsPath: String { path + "/metrics.csv" }
    public var metricsLinesPath: String { path + "/metrics.jsonl" }
    public var checkpointPath: String { path + "/checkpoint.safetensors" }
    public var previousCheckpointPath: String { path + "/checkpoint-previous.safetensors" }
    /// Of a published policy.
    public var policyPath: String { path + "/model.safetensors" }
    /// Of a published policy.
    public var resultsPath: String { path + "/results.json" }

    public var exists: Bool { FileManager.default.fileExists(atPath: path) }
    /// Whether a run has begun here.
    public var isRun: Bool { FileManager.default.fileExists(atPath: configurationPath) }
    public var hasCheckpoint: Bool { FileManager.default.fileExists(atPath: checkpointPath) }
    public var hasPreviousCheckpoint: Bool { FileManager.default.fileExists(atPath: previousCheckpointPath) }
    /// Whether there is a state to go on from.
    public var isResumable: Bool { hasCheckpoint || hasPreviousCheckpoint }
    /// Whether it is a published policy: weights to play with, and no training to go on with.
    public var isPublished: Bool { isRun && !hasCheckpoint && FileManager.default.fileExists(atPath: policyPath) }

    /// Whether the directory holds something that no run writes. What a run writes may stand there without its
    /// config.yaml: it was killed in its first moments.
    public var holdsForeignFiles: Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return !names.allSatisfy(RunDirectory.isOwn)
    }

    /// Whether a run was begun here and ended before its first checkpoint, with nothing trained and nothing else in the
    /// directory: nothing is lost where it is begun anew.
    var isHalfMade: Bool {
        guard isRun, !isResumable, !holdsForeignFiles else { return false }
        guard FileManager.default.fileExists(atPath: metricsPath) else { return true }
        // The header alone, or a part of it.
        guard let table = try? AtomicFile.read(metricsPath) else { return false }
        return table.split(separator: UInt8(ascii: "\n")).count <= 1
    }

    /// The files that a run writes; `--overwrite` removes these and no others.
    public func removeRun() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: path) where RunDirectory.isOwn(name) {
            try FileManager.default.removeItem(atPath: path + "/" + name)
        }
    }

    private static func isOwn(_ name: String) -> Bool {
        [
            "config.yaml", "manifest.json", "metrics.csv", "metrics.jsonl", "checkpoint.safetensors",
            "checkpoint-previous.safetensors",
        ].contains(name) || name.hasPrefix("events.out.tfevents.") || AtomicFile.isTemporary(name)
    }

    /// Whether two paths lead to one directory.
    func isSame(as other: RunDirectory) -> Bool {
        func resolved(_ path: String) -> String {
            URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
        }
        return resolved(path) == resolved(other.path)
    }

    /// - Parameter advice: what to do where that fails.
    func create(advice: String) throws {
        guard !path.hasPrefix(Zoo.prefix) else {
            throw UserError("\(path): the zoo is read-only; name a directory of your own")
        }
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw UserError(
                "\(path): the run directory cannot be made (\(RunDirectory.reason(error))); \(advice)")
        }
    }

    /// The configuration of the run here.
    public func configuration() throws -> Configuration {
        guard exists else { throw UserError("\(path): there is no such directory; name a run's with its path") }
        guard isRun else {
            throw UserError("\(path): not a run (it has no config.yaml); name the directory that `rl2x train` wrote")
        }
        let text: String
        do {
            text = try String(contentsOfFile: configurationPath, encoding: .utf8)
        } catch {
            throw UserError("\(configurationPath): cannot be read (\(RunDirectory.reason(error)))")
        }
        return try Configuration(yaml: text, path: configurationPath)
    }

    /// The file with the policy's weights: the latest checkpoint, or what was published; and where it lies.
    ///
    /// - Throws: one line if there is none, if it is damaged, or if what was published has been changed since.
    public func readPolicy() throws -> (file: SafetensorsFile, path: String) {
        if hasCheckpoint { return (try SafetensorsFile(contentsOf: checkpointPath), checkpointPath) }
        guard isPublished else { throw UserError("\(name): it has no checkpoint yet; train it first") }
        let data = try AtomicFile.read(policyPath)
        let digest = SHA256.digest(of: data)
        let published = try publishedWeights().sha256
        guard digest == published else {
            throw UserError(
                "\(name): model.safetensors is not the file that was published (its SHA-256 begins with "
                    + "\(digest.prefix(12)), results.json has \(published.prefix(12))); restore it, or export it anew")
        }
        return (try SafetensorsFile(decoding: data, path: policyPath), policyPath)
    }

    /// What results.json must state of the weights.
    private struct PublishedWeights: Decodable {
        struct Training: Decodable { let seconds: Double? }
        let sha256: String
        let training: Training?
    }

    private func publishedWeights() throws -> PublishedWeights {
        let data = try AtomicFile.read(resultsPath)
        guard let results = try? JSONDecoder().decode(PublishedWeights.self, from: data) else {
            throw UserError(
                "\(resultsPath): it states no digest of model.safetensors, so the weights cannot be trusted; restore it"
            )
        }
        return results
    }

    /// Seconds that the training of a published policy took; nil if they are not known.
    func publishedSeconds() throws -> Double? { try publishedWeights().training?.seconds }

    /// Takes the directory for this process, as long as the lock lives: two trainings in one would spoil both.
    func lock() throws -> RunLock {
        guard let lock = try RunLock(path) else {
            throw UserError("\(path): another process is training in this run directory; wait for it or name another")
        }
        return lock
    }

    /// What is wrong with a file, without what to do about it.
    static func problem(_ error: any Error) -> String {
        if let error = error as? FileError, error.description.hasSuffix("; " + error.remedy) {
            return String(error.description.dropLast(error.remedy.count + 2))
        }
        let text = (error as? UserError)?.description ?? reason(error)
        return text.range(of: "; ", options: .backwards).map { String(text[..<$0.lowerBound]) } ?? text
    }

    public static func reason(_ error: any Error) -> String {
        if let posix = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError, posix.domain == NSPOSIXErrorDomain
        {
            return String(cString: strerror(Int32(posix.code)))
        }
        return error.localizedDescription
    }
}

/// Holds a run directory for one training; the system lets it go if the process dies.
public final class RunLock {
    private let descriptor: Int32

    /// Nil if another process holds the directory.
    /// - Throws: `FileError`, when the directory cannot be opened or its file system cannot lock it.
    public init?(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path: path, action: "cannot open the directory", code: errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) != 0 else {
            self.descriptor = descriptor
            return
        }
        let code = errno
        close(descriptor)
        if let failure = RunLock.failure(path, code: code) { throw failure }
        return nil
    }

    /// Why a directory that could be opened could not be locked; nil: another process holds it.
    static func failure(_ path: String, code: Int32) -> FileError? {
        switch code {
        case EWOULDBLOCK: nil
        case ENOLCK, EOPNOTSUPP, ENOSYS, EINVAL, EBADF:
            FileError(
                path: path, problem: "the file system cannot lock it (\(String(cString: strerror(code))))",
                remedy: "choose a directory on another disk, or have the file system mounted with locks")
        default: FileError(path: path, action: "cannot lock the directory", code: code)
        }
    }

    deinit { close(descriptor) }
}

/// What a run was made with and when.
public struct Manifest: Codable, Sendable {
    public struct Session: Codable, Sendable {
        public var started: String
        public var ended: String?
        public var firstIteration: Int
        public var iterations: Int
        public var threads: Int
        /// Seconds of training, checkpoints included.
        public var seconds: Double
        /// `finished`, `interrupted`, `failed`, or `running` (or killed).
        public var outcome: String
        /// Of the session's machine and program, which may be others than those that began the run; nil in manifests of
        /// rl2x 0.1.0.
        public var version: String? = Version.number
        public var commit: String? = Version.commit
        public var processor: String? = Processor.current.name
        public var blasKernels: String? = BLAS.kernelSet.name
        public var command: [String]?

        enum CodingKeys: String, CodingKey {
            case started, ended, firstIteration = "first_iteration", iterations, threads, seconds, outcome
            case version, commit, processor, blasKernels = "blas_kernels", command
        }
    }

    public var version: String
    public var commit: String
    public var seed: Int
    public var processor: String
    public var blasKernels: String
    public var parameters: Int
    public var criticParameters: Int
    public var command: [String]
    public var sessions: [Session]
    /// The run whose weights it began with; nil if with random ones.
    public var parent: Parent?
    /// Seconds of training of the parent's line; nil without a parent, or if its manifest did not tell.
    public var parentSeconds: Double?

    enum CodingKeys: String, CodingKey {
        case version, commit, seed, processor, blasKernels = "blas_kernels", parameters
        case criticParameters = "critic_parameters", command, sessions, parent, parentSeconds = "parent_seconds"
    }

    /// Seconds of training of the run and of its parents, as far as they are known.
    public var lineSeconds: Double { sessions.reduce(parentSeconds ?? 0) { $0 + $1.seconds } }

    public init(configuration: Configuration, trainer: Trainer, command: [String]) {
        version = Version.number
        commit = Version.commit
        seed = configuration.seed
        processor = Processor.current.name
        blasKernels = BLAS.kernelSet.name
        parameters = trainer.policy.layout.count
        criticParameters = trainer.critic.model.layout.count
        self.command = command
        sessions = []
        parent = configuration.parent
    }

    public static func read(_ path: String) throws -> Manifest {
        let data = try AtomicFile.read(path)
        do {
            return try JSONDecoder().decode(Manifest.self, from: data)
        } catch {
            throw UserError("\(path): not a manifest of a run; move it away to have a new one written")
        }
    }

    public func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(try encoder.encode(self) + Data("\n".utf8), to: path)
    }

    /// The present moment, in ISO 8601.
    public static func now() -> String { ISO8601DateFormatter().string(from: Date()) }
}
