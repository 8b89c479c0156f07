import Foundation
import Interface
import Kernels
import Tasks

/// A training in a run directory, from its start or its latest checkpoint to its end or its interruption.
public final class TrainingSession {
    public let run: RunDirectory
    public let trainer: Trainer
    /// Iterations between checkpoints.
    public let checkpointEvery: Int

    /// What the user should know before it goes on, a line each.
    public private(set) var notices: [String] = []

    private let log: MetricsLog
    private var manifest: Manifest
    private let lock: RunLock
    /// The iteration of the checkpoint that is written already; nil: what is there must be written anew.
    private var savedIteration: Int?
    private let started = ContinuousClock.now

    public enum Outcome: String, Sendable {
        case finished, interrupted, failed
    }

    /// What to do with a directory that holds a run already.
    public enum Existing: Sendable {
        case refuse, overwrite
    }

    /// Which of a run's two checkpoints a training goes on from.
    public enum Generation: Sendable {
        case latest, previous
        /// The latest, unless that one cannot be used and the one before it can: then a notice says so.
        case sound
    }

    /// What whoever asked for a run can do where it cannot be: in the words of their command.
    public struct Advice: Sendable {
        /// Where the directory holds something else, or cannot be made.
        public let elsewhere: String
        /// Where the run is another than its configuration says.
        public let anew: String

        public init(elsewhere: String, anew: String) { (self.elsewhere, self.anew) = (elsewhere, anew) }

        public static let train = Advice(
            elsewhere: "name another directory with --run", anew: "start another run from it with --config")
    }

    /// Begins a new run.
    public init(
        new configuration: Configuration, in run: RunDirectory, existing: Existing, threads: Int, checkpointEvery: Int,
        command: [String], advice: Advice = .train,
        teachers: @escaping (String, any TaskFamily) throws -> any Teacher = Trainer.noTeacher
    ) throws {
        try configuration.validate()
        let text = configuration.yaml()
        if run.exists && !run.isRun && run.holdsForeignFiles {
            throw UserError("\(run.path): holds files and is not a run; \(advice.elsewhere)")
        }
        try TrainingSession.require(existing, run)
        // Everything that can fail for the sake of the configuration comes before the disk is touched.
        trainer = try Trainer(configuration, threads: threads, teachers: teachers)
        let parent = try TrainingSession.parent(of: configuration, begunIn: run)
        if let parent { try trainer.begin(with: parent) }
        try run.create(advice: advice.elsewhere)
        lock = try run.lock()
        // Another process may have begun and ended a run between the two looks.
        try TrainingSession.require(existing, run)
        if let parent { notices = TrainingSession.notices(of: parent, replacing: run) }
        try run.removeRun()
        try AtomicFile.write(Data(text.utf8), to: run.configurationPath)
        self.run = run
        self.checkpointEvery = checkpointEvery
        manifest = Manifest(configuration: configuration, trainer: trainer, command: command)
        manifest.parentSeconds = parent?.lineSeconds
        log = try MetricsLog(run, configuration, iteration: 0, timesteps: 0)
        try beginSession(threads: threads, command: command)
        try saveCheckpoint()
    }

    private static func require(_ existing: Existing, _ run: RunDirectory) throws {
        guard run.isRun, existing != .overwrite, !run.isHalfMade else { return }
        guard run.isResumable else {
            throw UserError(
                "\(run.path): a run is there that ended before its first checkpoint; replace it with --overwrite, or name "
                    + "another with --run")
        }
        throw UserError(
            "\(run.path): a run is there already; continue it with --resume \(run.path), replace it with "
                + "--overwrite, or name another with --run")
    }

    /// The run that a new one begins with, as its configuration records it; nil: it begins with random weights.
    private static func parent(of configuration: Configuration, begunIn run: RunDirectory) throws -> ParentRun? {
        guard let record = configuration.parent else { return nil }
        let parent = try ParentRun(RunDirectory.named(record.run))
        guard !RunDirectory(record.run).isSame(as: run) else {
            throw UserError(
                "\(run.path): a run cannot take the place of the one that it begins with; name another with --run")
        }
        guard parent.record.digest == record.digest else {
            throw UserError(
                "\(record.run): its weights (\(parent.record.digest), iteration \(parent.record.iteration)) are not those that "
                    + "were to be begun with (\(record.digest), iteration \(record.iteration)): it was trained on or made anew; "
                    + "give --from \(record.run) to begin with what it has now")
        }
        try configuration.requireWeights(of: parent.configuration, named: record.run)
        return parent
    }

    /// What the user should know of a parent.
    /// - Parameter run: where the new run is to be; one that is there already may have begun with the same parent.
    private static func notices(of parent: ParentRun, replacing run: RunDirectory) -> [String] {
        let (record, wanted) = (parent.record, parent.configuration.iterations)
        var notices: [String] = []
        if record.iteration < wanted, parent.configuration.timestepLimit == nil {
            notices.append(
                "\(record.run) has done \(record.iteration) of its \(wanted) iterations: the run begins with what it has learned "
                    + "by then")
        }
        if !parent.hasCritic {
            notices.append(
                "\(record.run) has no critic: the run begins with its policy and with a critic of random weights")
        }
        if parent.lineSeconds == nil {
            notices.append("\(record.run) has no readable manifest.json: its seconds of training are not counted")
        }
        if run.isRun, let before = try? run.configuration().parent,
            RunDirectory(before.run).isSame(as: RunDirectory(record.run)), before.digest != record.digest
        {
            notices.append(
                "\(record.run) has other weights now than those that the run which is replaced began with (iteration "
                    + "\(record.iteration), then \(before.iteration)): the new one begins with those of now")
        }
        return notices
    }

    /// Continues a run. Its parent need not be there: the checkpoint holds everything.
    ///
    /// - Parameters:
    ///   - generation: the checkpoint to go on from. The one before the latest takes its place; what the metrics tell of
    ///     later iterations is dropped.
    ///   - iterations: iterations in all, if other than the run's own.
    ///   - timesteps: time steps of the run in all, in place of its own limit.
    public init(
        resuming run: RunDirectory, from generation: Generation = .latest, iterations: Int?, timesteps: Int? = nil,
        threads: Int, checkpointEvery: Int, command: [String],
        advice: Advice = .train,
        teachers: @escaping (String, any TaskFamily) throws -> any Teacher = Trainer.noTeacher
    ) throws {
        guard !run.name.hasPrefix(Zoo.prefix), !run.isPublished else {
            throw UserError(
                "\(run.name): a published policy, without the state of its training, cannot be resumed; begin a new run with "
                    + "its weights: --from \(run.name)")
        }
        _ = try run.configuration()
        guard run.isResumable else {
            throw UserError("\(run.path): no checkpoint to resume from; start it again with --overwrite")
        }
        lock = try run.lock()
        // What counts is what another process left before it let the directory go.
        var configuration = try run.configuration()
        try configuration.validate()
        if let iterations { configuration.iterations = max(iterations, 1) }
        if let timesteps { configuration.timestepLimit = timesteps }
        trainer = try Trainer(configuration, threads: threads, teachers: teachers)
        let (file, path, notice) = try TrainingSession.restore(trainer, from: run, generation)
        if let iterations, iterations < max(trainer.iteration, 1) {
            throw UserError("--iterations is \(iterations): the run has done \(trainer.iteration) already")
        }
        if let timesteps {
            guard timesteps >= max(trainer.ownTimesteps, 1) else {
                throw UserError("--timesteps is \(timesteps): the run has done \(trainer.ownTimesteps) already")
            }
        }
        if let notice { notices.append(notice) }
        if let text = file.metadata["configuration"],
            let trained = try? Configuration(yaml: text, path: path),
            !configuration.continues(trained)
        {
            throw UserError(
                "\(run.configurationPath): not what the checkpoint was trained with; undo the change, or "
                    + advice.anew)
        }
        if iterations != nil || timesteps != nil {
            try AtomicFile.write(Data(configuration.yaml().utf8), to: run.configurationPath)
        }
        self.run = run
        self.checkpointEvery = checkpointEvery
        manifest =
            FileManager.default.fileExists(atPath: run.manifestPath)
            ? try Manifest.read(run.manifestPath)
            : Manifest(configuration: configuration, trainer: trainer, command: command)
        let before = manifest.sessions.last?.blasKernels ?? manifest.blasKernels
        if before != BLAS.kernelSet.name {
            notices.append(
                "the run was trained with BLAS kernels \(before) and goes on with \(BLAS.kernelSet.name): from here on "
                    + "its bits are others than on the first machine; OPENBLAS_CORETYPE=\(before) would keep them")
        }
        if let parent = configuration.parent, parent.hasChanged() {
            notices.append(
                "\(parent.run) has other weights now than those that this run began with at iteration \(parent.iteration) "
                    + "(\(parent.digest)): it was trained on or made anew; the run goes on as it began")
        }
        savedIteration = iterations == nil ? trainer.iteration : nil
        // Before the metrics are cut to it: a checkpoint may not be ahead of them. And what cannot be used must not become
        // the one to fall back on.
        if path != run.checkpointPath { try AtomicFile.keep(path, as: run.checkpointPath) }
        log = try MetricsLog(run, configuration, iteration: trainer.iteration, timesteps: trainer.timesteps)
        try beginSession(threads: threads, command: command)
    }

    /// Gives a trainer the state of one of a run's checkpoints.
    /// - Throws: one line that offers the other one if that can be used.
    /// - Returns: the checkpoint, where it lies, and what the user should know of the choice.
    private static func restore(
        _ trainer: Trainer, from run: RunDirectory, _ generation: Generation
    ) throws -> (file: SafetensorsFile, path: String, notice: String?) {
        func restored(_ path: String) throws -> SafetensorsFile {
            let file = try SafetensorsFile(contentsOf: path)
            try trainer.restore(file, path: path)
            return file
        }
        func lastComponent(_ path: String) -> String { (path as NSString).lastPathComponent }
        let paths = [run.checkpointPath, run.previousCheckpointPath]
        let (wanted, other) = generation == .previous ? (paths[1], paths[0]) : (paths[0], paths[1])
        do { return (try restored(wanted), wanted, nil) } catch {
            guard FileManager.default.fileExists(atPath: other) else {
                guard FileManager.default.fileExists(atPath: wanted) else {
                    throw UserError("\(wanted): there is no such checkpoint; the run has no other one")
                }
                throw error
            }
            let problem =
                FileManager.default.fileExists(atPath: wanted)
                ? RunDirectory.problem(error) : "\(wanted): there is no such checkpoint"
            guard let file = try? restored(other) else {
                throw UserError(
                    "\(problem); \(lastComponent(other)) cannot be used either: restore one of them from a copy, or "
                        + "start anew")
            }
            let iteration = "\(lastComponent(other)) (iteration \(trainer.iteration))"
            switch generation {
            case .sound: return (file, other, "\(problem); the run goes on from \(iteration)")
            case .latest:
                throw UserError(
                    "\(problem); \(iteration) is sound: continue from it with --resume \(run.path) --previous")
            case .previous: throw UserError("\(problem); \(iteration) is sound: leave --previous out")
            }
        }
    }

    /// Trains to the end, or until `shouldStop` says so after an iteration. Writes a checkpoint in either case.
    public func train(shouldStop: () -> Bool, progress: (IterationReport) throws -> Void) throws -> Outcome {
        do {
            while !trainer.isFinished {
                if shouldStop() {
                    try save(.interrupted)
                    return .interrupted
                }
                let report = try trainer.step()
                try log.append(report)
                if trainer.iteration % checkpointEvery == 0 { try save(nil) }
                try progress(report)
            }
            try save(.finished)
            return .finished
        } catch {
            // The disk may be full: the manifest is the least of what could be lost.
            try? writeManifest(.failed)
            throw error
        }
    }

    private func save(_ outcome: Outcome?) throws {
        try log.flush()
        try saveCheckpoint()
        try writeManifest(outcome)
    }

    private func saveCheckpoint() throws {
        // Written twice, it would take the place of the one before it.
        guard savedIteration != trainer.iteration else { return }
        try trainer.checkpoint().write(to: run.checkpointPath, keeping: run.previousCheckpointPath)
        savedIteration = trainer.iteration
    }

    private func beginSession(threads: Int, command: [String]) throws {
        manifest.sessions.append(
            Manifest.Session(
                started: Manifest.now(), ended: nil, firstIteration: trainer.iteration, iterations: 0,
                threads: threads, seconds: 0, outcome: "running", command: command))
        try manifest.write(to: run.manifestPath)
    }

    private func writeManifest(_ outcome: Outcome?) throws {
        let last = manifest.sessions.count - 1
        manifest.sessions[last].iterations = trainer.iteration - manifest.sessions[last].firstIteration
        manifest.sessions[last].seconds = (ContinuousClock.now - started).inSeconds
        if let outcome {
            manifest.sessions[last].ended = Manifest.now()
            manifest.sessions[last].outcome = outcome.rawValue
        }
        try manifest.write(to: run.manifestPath)
    }
}
