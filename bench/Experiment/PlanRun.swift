import Foundation
import Interface
import Kernels
import Models
import Tasks
import Training

/// A plan in a directory: what is done of it, and the doing.
///
///     plan.yaml           the plan
///     cells/ID/           a run directory for each cell, with curve.json beside the run's files
///     records/ID.json     what came of it, written when the cell is done
///     replays/ID.json     one member played step by step, for the plan's first seed
///     analyses/ID.json    what it does inside its trials, if the plan wants that, written after the record
///
/// Everything is resumed: a cell from its run's checkpoint, a plan from its records. Several processes may run one plan
/// on one file system: a cell belongs to who locks its directory.
public struct PlanRun {
    public let plan: Plan
    public let directory: String
    public let threads: Int
    /// The words that started the process, for the manifests of runs.
    public let command: [String]

    public enum Outcome: Sendable, Equatable {
        /// Trained and evaluated now.
        case done
        /// Its record was there already.
        case kept
        /// Another process is at it.
        case elsewhere
        /// Stopped by a signal; the next run goes on from here.
        case interrupted
        /// It begins with the weights of another cell, which is not done.
        case withoutParent(String)
        /// One line.
        case failed(String)
    }

    private static let advice = TrainingSession.Advice(
        elsewhere: "move it away to have the cell done anew",
        anew: "move the cell's directory away to have it done anew")

    /// What a plan's directory may hold; that of analyses is made with the first one.
    private static let folders = ["cells", CellRecord.folder, Replay.folder, AnalysisRecord.folder]

    /// - Throws: if the directory holds another plan.
    public init(_ plan: Plan, directory: String, text: String, threads: Int, command: [String] = ["bench", "run"])
        throws
    {
        (self.plan, self.directory, self.threads, self.command) = (plan, directory, threads, command)
        let path = directory + "/plan.yaml"
        // One look: between two, another process of the same plan may have written what the first did not find.
        let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        if files.contains("plan.yaml") {
            let there = try Plan.read(path)
            guard there.name == plan.name else {
                throw UserError("\(directory): holds the plan '\(there.name)'; name another directory with --out")
            }
        } else {
            // What other processes of the same plan, or one that was killed in its first moments, made is no obstacle.
            guard files.allSatisfy({ PlanRun.folders.contains($0) || AtomicFile.isTemporary($0) }) else {
                throw UserError(
                    "\(directory): holds no plan, but other files; name another directory with --out")
            }
        }
        for folder in PlanRun.folders where folder != AnalysisRecord.folder {
            do {
                try FileManager.default.createDirectory(
                    atPath: "\(directory)/\(folder)", withIntermediateDirectories: true)
            } catch {
                throw UserError("\(directory): cannot be written to (\(RunDirectory.reason(error)))")
            }
        }
        try AtomicFile.write(Data(text.utf8), to: path)
    }

    /// Where a cell has its result of a kind.
    public func file(_ kind: any StoredResult.Type, _ cell: Plan.Cell) -> String {
        "\(directory)/\(kind.folder)/\(cell.identifier).json"
    }

    /// Does one cell, unless it is done; whatever goes wrong is its outcome.
    ///
    /// - Parameter notice: is told what the user should know before the cell goes on, a line each.
    public func run(
        _ cell: Plan.Cell, shouldStop: () -> Bool, notice: (String) -> Void = { _ in },
        progress: (IterationReport, Int) -> Void
    ) -> Outcome {
        do {
            let configuration = try configuration(of: cell)
            if FileManager.default.fileExists(atPath: file(CellRecord.self, cell)) {
                try requireSame(CellRecord.read(file(CellRecord.self, cell)), configuration)
                if try !lacksAnalysis(cell, configuration) {
                    try completeReplay(cell, configuration)
                    return .kept
                }
            }
            let path = "\(directory)/cells/\(cell.identifier)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            guard let claim = try RunLock(path) else { return .elsewhere }
            defer { withExtendedLifetime(claim) {} }
            // Another process may have finished it between the two looks.
            let isTrained = FileManager.default.fileExists(atPath: file(CellRecord.self, cell))
            if try isTrained && !lacksAnalysis(cell, configuration) { return .kept }
            if isTrained {
                try completeReplay(cell, configuration)
            } else {
                guard
                    let record = try train(
                        cell, configuration, in: path, shouldStop: shouldStop, notice: notice, progress: progress)
                else { return .interrupted }
                try record.write(to: file(CellRecord.self, cell))
                try writeReplay(cell, configuration)
            }
            if try lacksAnalysis(cell, configuration) { try analyse(cell, configuration, in: path) }
            return .done
        } catch let missing as MissingParent {
            return .withoutParent(missing.identifier)
        } catch let error as UserError {
            return .failed(Plan.inItsWords(error.description))
        } catch let error as FileError {
            return .failed(error.description)
        } catch {
            return .failed("\(cell.identifier): \(error)")
        }
    }

    /// Makes the replay of a finished cell if it is missing, as after a kill. Where the cell's run is gone, as in a folder
    /// of records, nothing can be made.
    private func completeReplay(_ cell: Plan.Cell, _ configuration: Configuration) throws {
        if FileManager.default.fileExists(atPath: file(Replay.self, cell)) {
            _ = try Replay.read(file(Replay.self, cell))
        } else {
            try writeReplay(cell, configuration)
        }
    }

    /// One seed of a method is enough to look at: the plan's first.
    private func writeReplay(_ cell: Plan.Cell, _ configuration: Configuration) throws {
        let run = run(of: cell)
        guard cell.seed == plan.seeds[0], run.hasCheckpoint else { return }
        let agent = try LearnedAgent(run, configuration)
        try Replay(subject(cell), configuration: configuration, agent: agent)?.write(to: file(Replay.self, cell))
    }

    func requireSame(_ record: CellRecord, _ configuration: Configuration) throws {
        let recorded = try? Configuration(yaml: record.configuration, path: "record")
        guard let recorded, recorded.isSameTraining(as: configuration) else {
            throw UserError(
                "records/\(record.cell).json: made with other settings than the plan's; move it away and "
                    + "cells/\(record.cell) to have the cell done again, or name another directory with --out")
        }
    }

    private func subject(_ cell: Plan.Cell) -> CellRecord.Subject {
        CellRecord.Subject(
            plan: plan.name, cell: cell.identifier, modelName: cell.model.name, taskName: cell.task.name,
            settingName: cell.variant)
    }

    private func train(
        _ cell: Plan.Cell, _ configuration: Configuration, in path: String, shouldStop: () -> Bool,
        notice: (String) -> Void, progress: (IterationReport, Int) -> Void
    ) throws -> CellRecord? {
        let run = RunDirectory(path + "/run")
        let session =
            run.isResumable
            ? try TrainingSession(
                resuming: run, from: .sound, iterations: nil, threads: threads, checkpointEvery: 10, command: command,
                advice: PlanRun.advice, teachers: makeTeacher(named:for:))
            : try TrainingSession(
                new: configuration, in: run, existing: .overwrite, threads: threads, checkpointEvery: 10,
                command: command, advice: PlanRun.advice, teachers: makeTeacher(named:for:))
        for line in session.notices { notice(line) }
        let trainer = session.trainer
        guard trainer.configuration.isSameTraining(as: configuration) else {
            throw UserError(
                "cells/\(cell.identifier): begun with other settings than the plan's; move it away to have the cell done "
                    + "again, or name another directory with --out")
        }
        var curve = try CurveRecorder(cell.task.evaluation, trainer: trainer, path: path + "/curve.json")
        let limit: Double? = if case .seconds(let seconds) = cell.task.budget { Double(seconds) } else { nil }
        let before = try Manifest.read(run.manifestPath).lineSeconds
        if let limit, trainer.iteration == 0, before >= limit {
            throw UserError(
                "cell '\(cell.identifier)': a budget of \(Int(limit)) seconds, of which its parents took \(Int(before)); raise it"
            )
        }
        let started = ContinuousClock.now
        func isSpent() -> Bool { limit.map { before + (ContinuousClock.now - started).inSeconds >= $0 } ?? false }
        try curve.record(trainer)
        let outcome = try session.train(shouldStop: { shouldStop() || isSpent() }) { report in
            try curve.record(trainer)
            progress(report, trainer.configuration.iterations)
        }
        guard outcome == .finished || isSpent() else { return nil }
        try curve.finish(trainer)
        return try CellRecord(
            subject(cell), run: run, configuration: configuration,
            agent: LearnedAgent(name: cell.model.name, policy: trainer.policy, weights: trainer.parameters),
            iterations: trainer.iteration, timesteps: trainer.timesteps, curve: curve.points,
            trials: cell.task.evaluation.trials, also: cell.task.evaluation.also, workers: trainer.actorCritic.workers)
    }
}

extension PlanRun {
    /// Whether the plan wants an analysis that is not there.
    private func lacksAnalysis(_ cell: Plan.Cell, _ configuration: Configuration) throws -> Bool {
        guard cell.task.analysis else { return false }
        guard FileManager.default.fileExists(atPath: file(AnalysisRecord.self, cell)) else { return true }
        let record = try AnalysisRecord.read(file(AnalysisRecord.self, cell))
        let recorded = try? Configuration(yaml: record.configuration, path: "record")
        guard let recorded, recorded.isSameTraining(as: configuration) else {
            throw UserError(
                "analyses/\(cell.identifier).json: made of a run with other settings than the plan's; move it away to have "
                    + "the analysis done again")
        }
        return false
    }

    /// From the run's last checkpoint, on members of the bank: the same whether the cell was trained just now or long ago.
    private func analyse(_ cell: Plan.Cell, _ configuration: Configuration, in path: String) throws {
        try FileManager.default.createDirectory(
            atPath: "\(directory)/\(AnalysisRecord.folder)", withIntermediateDirectories: true)
        try AnalysisRecord(
            subject(cell), run: RunDirectory(path + "/run"), configuration: configuration,
            trials: AnalysisRecord.standardTrials(of: configuration.makeFamily()), seed: EvaluationBank.seed,
            workers: Workers(threads: threads)
        ).write(to: file(AnalysisRecord.self, cell))
    }
}

/// The learning curve of a cell, kept beside its run so that it survives a kill with it.
struct CurveRecorder {
    private(set) var points: [LearningCurve.Point] = []
    private let plan: EvaluationPlan
    private let path: String
    private let bank: EvaluationBank
    /// Time steps after which a point is due [points].
    private let due: [Int]

    init(_ plan: EvaluationPlan, trainer: Trainer, path: String) throws {
        (self.plan, self.path) = (plan, path)
        let configuration = trainer.configuration
        bank = EvaluationBank(family: try configuration.makeFamily(), trials: plan.pointTrials)
        let (before, total) = (configuration.parent?.lineTimesteps ?? 0, try configuration.scheduledSteps())
        due = (0...plan.points).map { before + total * $0 / plan.points }
        // Points after the checkpoint that the run goes on from are made again.
        if let data = try? AtomicFile.read(path),
            let kept = try? JSONDecoder().decode([LearningCurve.Point].self, from: data)
        {
            points = kept.filter { $0.steps <= trainer.timesteps }
        }
    }

    /// Evaluates the policy if a point is due by now that was not due at the last point.
    mutating func record(_ trainer: Trainer) throws {
        let last = points.last?.steps ?? -1
        guard due.contains(where: { $0 > last && $0 <= trainer.timesteps }) else { return }
        try append(trainer)
    }

    /// The last point, if there is none at the end.
    mutating func finish(_ trainer: Trainer) throws {
        if points.last?.steps != trainer.timesteps { try append(trainer) }
    }

    private mutating func append(_ trainer: Trainer) throws {
        let agent = LearnedAgent(name: "", policy: trainer.policy, weights: trainer.parameters)
        let score = bank.evaluate(agent, workers: trainer.actorCritic.workers).totalRewards.mean
        points.append(LearningCurve.Point(steps: trainer.timesteps, score: score))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try AtomicFile.write(encoder.encode(points), to: path)
    }
}

extension Configuration {
    /// Time steps of the whole training, without its parents', if all trials are of the longest length.
    func scheduledSteps() throws -> Int {
        let steps = try stages.map { stage in
            let longest = try makeFamily(stage: stage).maximumTrialSteps
            return max(1, stage.batchSteps / longest) * longest
        }
        return (0..<iterations).reduce(0) { $0 + steps[place(of: $1).stage] }
    }
}
