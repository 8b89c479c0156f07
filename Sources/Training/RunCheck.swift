import Foundation
import Interface
import Tasks

/// Whether what a run directory holds is whole and fits together, a finding for each part.
///
/// Nothing is written, and no lock is taken: a run that is being trained can be checked. Parts are read in an order in which
/// what is read later can only have gone further.
public struct RunCheck: Sendable {
    public struct Finding: Sendable, Equatable {
        public enum Verdict: String, Sendable {
            case passed, failed, absent = "not there"
        }

        /// A file of the run, or `counts`.
        public let part: String
        public let verdict: Verdict
        /// What was found, or what is wrong and what to do.
        public let text: String

        /// One line, as `check` prints it.
        public var line: String {
            let mark =
                switch verdict {
                case .passed: "✓"
                case .failed: "✗"
                case .absent: "–"
                }
            return "\(mark) \(part): \(text)"
        }
    }

    public private(set) var findings: [Finding] = []
    public var failures: [Finding] { findings.filter { $0.verdict == .failed } }
    public var passed: Bool { failures.isEmpty }

    /// - Throws: if there is no such directory, or it is no run at all.
    public init(
        _ run: RunDirectory, teachers: @escaping (String, any TaskFamily) throws -> any Teacher = Trainer.noTeacher
    ) throws {
        // Says what is wrong with what is no run.
        if !run.isResumable, !run.isRun { _ = try run.configuration() }
        if run.isPublished { checkPublished(run) } else { checkRun(run, teachers) }
    }

    // MARK: A run

    private struct State {
        let iteration: Int
        let timesteps: Int
    }

    private mutating func checkRun(
        _ run: RunDirectory, _ teachers: @escaping (String, any TaskFamily) throws -> any Teacher
    ) {
        var trainer: Trainer?
        let configuration = judge("config.yaml", "restore it from a copy; the metadata of a checkpoint hold it too") {
            () -> (Configuration, String) in
            let configuration = try run.configuration()
            try configuration.validate()
            trainer = try Trainer(configuration, threads: 1, teachers: teachers)
            return (configuration, RunCheck.text(configuration))
        }
        let manifest = judge("manifest.json") { () -> (Manifest, String) in
            guard FileManager.default.fileExists(atPath: run.manifestPath) else {
                throw UserError("there is none; rl2x train --resume \(run.path) writes a new one")
            }
            let manifest = try Manifest.read(run.manifestPath)
            try RunCheck.require(manifest, fits: configuration, trainer)
            return (manifest, "\(RunCheck.count(manifest.sessions.count, "session")), version \(manifest.version)")
        }
        let previous = checkCheckpoint(run.previousCheckpointPath, of: run, configuration, trainer)
        let latest = checkCheckpoint(run.checkpointPath, of: run, configuration, trainer)
        let rows = judge("metrics.csv") { () -> ([Double], String) in
            guard FileManager.default.fileExists(atPath: run.metricsPath) else {
                guard (latest ?? previous)?.iteration != 0 else {
                    return ([], "there is none, and nothing was trained")
                }
                throw UserError("there is none; restore it from a copy: the run cannot be continued without it")
            }
            let rows = try RunCheck.rows(run, configuration)
            return (rows, RunCheck.count(rows.count, "iteration"))
        }
        guard let latest, let rows else { return }
        judge("counts") { () -> (Void, String) in
            try RunCheck.requireFit(run, configuration, manifest, previous, latest, rows)
            return ((), "those of the files fit each other")
        }
    }

    private mutating func checkCheckpoint(
        _ path: String, of run: RunDirectory, _ configuration: Configuration?, _ trainer: Trainer?
    ) -> State? {
        let name = (path as NSString).lastPathComponent
        let isLatest = path == run.checkpointPath
        guard FileManager.default.fileExists(atPath: path) else {
            switch (isLatest, run.hasPreviousCheckpoint) {
            case (false, _):
                findings.append(
                    .init(part: name, verdict: .absent, text: "there is none yet; the next checkpoint makes it one"))
            case (true, true): fail(name, "there is none; go on from the one before it: \(RunCheck.previous(run))")
            case (true, false): fail(name, "there is none; start the run again with --overwrite")
            }
            return nil
        }
        let previousIsSound = findings.contains {
            $0.verdict == .passed && $0.part == (run.previousCheckpointPath as NSString).lastPathComponent
        }
        let remedy =
            switch (isLatest, previousIsSound) {
            case (false, _): "the next checkpoint replaces it; until then there is none to fall back on"
            case (true, true): "go on from the one before it: \(RunCheck.previous(run))"
            case (true, false): "restore it from a copy, or start the run again with --overwrite"
            }
        return judge(name, remedy) { () -> (State, String) in
            let file = try SafetensorsFile(contentsOf: path)
            let state = State(
                iteration: try Trainer.counter("iteration", in: file, path: path),
                timesteps: try Trainer.counter("timesteps", in: file, path: path))
            let text = "iteration \(state.iteration), \(state.timesteps) time steps, checksum right"
            guard let configuration, let trainer else { return (state, text + "; its shapes cannot be judged") }
            try trainer.restore(file, path: path)
            if let text = file.metadata["configuration"],
                let trained = try? Configuration(yaml: text, path: path), !configuration.continues(trained)
            {
                throw UserError("\(path): trained with other settings than those of config.yaml")
            }
            return (state, text + ", \(RunCheck.count(file.tensors.count, "tensor")) of the configuration's shapes")
        }
    }

    private static func previous(_ run: RunDirectory) -> String { "rl2x train --resume \(run.path) --previous" }

    private static func require(_ manifest: Manifest, fits configuration: Configuration?, _ trainer: Trainer?) throws {
        let remedy = "move it away to have a new one written, or restore config.yaml"
        if let configuration, manifest.seed != configuration.seed {
            throw UserError("its seed is \(manifest.seed), that of config.yaml \(configuration.seed); \(remedy)")
        }
        if let trainer, manifest.parameters != trainer.policy.layout.count {
            throw UserError(
                "it has \(manifest.parameters) parameters, config.yaml's policy \(trainer.policy.layout.count); "
                    + remedy)
        }
        let counts = 0...Trainer.largestCounter
        guard manifest.sessions.allSatisfy({ counts.contains($0.firstIteration) && counts.contains($0.iterations) })
        else { throw UserError("it has counts out of their range; \(remedy)") }
    }

    /// Time steps after each iteration.
    private static func rows(_ run: RunDirectory, _ configuration: Configuration?) throws -> [Double] {
        let (columns, rows) = try MetricsTable.read(run.metricsPath)
        let remedy = "restore it from a copy"
        if let configuration,
            let column = MetricsLog.columns(of: configuration).first(where: { !columns.contains($0) })
        {
            throw UserError("it has no column '\(column)', which config.yaml's training writes; \(remedy)")
        }
        guard let iteration = columns.firstIndex(of: "iteration"), let timesteps = columns.firstIndex(of: "timesteps")
        else { throw UserError("it has no columns 'iteration' and 'timesteps'; \(remedy)") }
        var before = 0.0
        for (index, row) in rows.enumerated() {
            guard row[iteration] == Double(index) else {
                throw UserError("line \(index + 2) should be that of iteration \(index); \(remedy)")
            }
            guard row[timesteps] > before else {
                throw UserError("line \(index + 2) has not more time steps than the line before; \(remedy)")
            }
            before = row[timesteps]
        }
        return rows.map { $0[timesteps] }
    }

    private static func requireFit(
        _ run: RunDirectory, _ configuration: Configuration?, _ manifest: Manifest?, _ previous: State?,
        _ latest: State, _ rows: [Double]
    ) throws {
        let back =
            previous == nil
            ? "restore the files from one copy" : "go on from the one before it: \(self.previous(run))"
        if let previous, previous.iteration > latest.iteration {
            throw UserError(
                "checkpoint-previous.safetensors is of iteration \(previous.iteration), later than checkpoint.safetensors "
                    + "(\(latest.iteration)); delete it if the latter is the right one")
        }
        if let configuration, latest.iteration > configuration.iterations {
            throw UserError(
                "checkpoint.safetensors is of iteration \(latest.iteration), config.yaml has \(configuration.iterations); "
                    + "restore config.yaml")
        }
        for (name, state) in [("checkpoint.safetensors", latest), ("checkpoint-previous.safetensors", previous)] {
            guard let state, state.iteration > 0 else { continue }
            guard state.iteration <= rows.count else {
                throw UserError(
                    "\(name) is of iteration \(state.iteration), metrics.csv has \(count(rows.count, "row")); restore "
                        + "metrics.csv from a copy")
            }
            guard rows[state.iteration - 1] == Double(state.timesteps) else {
                throw UserError(
                    "\(name) has \(state.timesteps) time steps, metrics.csv \(MetricsTable.text(rows[state.iteration - 1])) "
                        + "at its iteration; \(back)")
            }
        }
        if let session = manifest?.sessions.last, session.firstIteration + session.iterations > latest.iteration {
            throw UserError(
                "manifest.json has come to iteration \(session.firstIteration + session.iterations), "
                    + "checkpoint.safetensors to \(latest.iteration); restore the later checkpoint, or go on from this one "
                    + "with --resume \(run.path)")
        }
    }

    // MARK: A published policy

    private mutating func checkPublished(_ run: RunDirectory) {
        let configuration = judge("config.yaml", "restore it, or export the run anew") {
            let configuration = try run.configuration()
            try configuration.validate()
            return (configuration, RunCheck.text(configuration))
        }
        judge("results.json") { () -> (Void, String) in
            let seconds = try run.publishedSeconds() == nil ? "no" : "the"
            return ((), "it states the digest of the weights and \(seconds) seconds of training")
        }
        judge("model.safetensors", "restore it, or export the run anew") { () -> (Void, String) in
            let (file, path) = try run.readPolicy()
            let iteration = try Trainer.counter("iteration", in: file, path: path)
            let text = "iteration \(iteration), SHA-256 as published"
            guard let configuration else { return ((), text + "; its shapes cannot be judged") }
            _ = try Trainer.policyParameters(of: configuration.makePolicy(), in: file, path: path)
            return ((), text + ", \(RunCheck.count(file.tensors.count, "tensor")) of the configuration's shapes")
        }
    }

    // MARK: Findings

    /// - Parameter remedy: what to do if it fails; nil: the error says so.
    @discardableResult
    private mutating func judge<Value>(
        _ part: String, _ remedy: String? = nil, _ body: () throws -> (Value, String)
    ) -> Value? {
        do {
            let (value, text) = try body()
            findings.append(.init(part: part, verdict: .passed, text: text))
            return value
        } catch {
            let text = remedy.map { "\(RunDirectory.problem(error)); \($0)" } ?? "\(error)"
            // The line begins with the file's name already.
            let path = text.range(of: "/\(part): ")
            fail(part, path.map { String(text[$0.upperBound...]) } ?? text)
            return nil
        }
    }

    private mutating func fail(_ part: String, _ text: String) {
        findings.append(.init(part: part, verdict: .failed, text: text))
    }

    private static func text(_ configuration: Configuration) -> String {
        "\(configuration.model) on \(configuration.task), \(count(configuration.iterations, "iteration"))"
    }

    private static func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
}
