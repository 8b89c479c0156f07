import Foundation
import Interface
import Kernels
import Models
import Tasks
import Training

extension CellRecord {
    /// What a record is about, by the names that tables use.
    struct Subject {
        var plan: String
        var cell: String
        var modelName: String
        var taskName: String
        var settingName: String
    }

    /// Evaluates a trained policy on the bank.
    /// - Parameters:
    ///   - run: where its metrics and manifest are.
    ///   - also: other options of the task for the same weights.
    init(
        _ subject: Subject, run: RunDirectory, configuration: Configuration, agent: LearnedAgent, iterations: Int,
        timesteps: Int, curve: [LearningCurve.Point], trials: Int, also: [(name: String, options: Values)],
        workers: Workers
    ) throws {
        let threads = workers.pool.threadCount
        let costs = try ModelCosts(configuration, threads: threads)
        let origin = try CellRecord.origin(of: run)
        let metrics = RunMetrics(run, configuration)
        self.init(
            version: CellRecord.version, bank: EvaluationBank.version, plan: subject.plan, cell: subject.cell,
            modelName: subject.modelName, taskName: subject.taskName, settingName: subject.settingName,
            seed: configuration.seed, configuration: configuration.yaml(), parameters: costs.policyParameters,
            actingOperations: costs.actingOperations, learningOperations: costs.learningOperations,
            stateBytes: costs.stateBytes, iterations: iterations, timesteps: timesteps, curve: curve,
            evaluations: try ([("", configuration.taskOptions)] + also).map { name, options in
                try EvaluationRecord(
                    agent, configuration.playing(options), name: name, trials: trials, workers: workers)
            },
            costs: Costs(
                processor: origin.processor, threads: threads, trainingSeconds: origin.seconds,
                stepsPerSecondActing: metrics.actingStepsPerSecond,
                stepsPerSecondLearning: metrics.learningStepsPerSecond))
    }

    /// Where and how long a policy was trained; of a published one what its record tells, NaN where it does not.
    private static func origin(of run: RunDirectory) throws -> (processor: String, seconds: Double) {
        guard run.isPublished else {
            let manifest = try Manifest.read(run.manifestPath)
            return (manifest.processor, manifest.lineSeconds)
        }
        let training = try PolicyRecord(of: run).training
        return (training.processor ?? "unknown", training.seconds ?? .nan)
    }
}

extension EvaluationRecord {
    /// Plays the bank of a configuration's task.
    init(_ agent: LearnedAgent, _ configuration: Configuration, name: String, trials: Int, workers: Workers) throws {
        let family = try configuration.makeFamily()
        let bank = EvaluationBank(family: family, trials: trials)
        let result = bank.evaluate(try agent.playing(configuration), workers: workers)
        let references = ReferenceReturns(of: family, members: 0..<trials, seed: EvaluationBank.seed)
        self.init(
            result, name: name, configuration: configuration, references: references,
            random: references.random == nil
                ? bank.evaluate(RandomAgent(), workers: workers).totalRewards.mean : nil,
            goal: GoalEvaluation(
                result, of: family,
                shortest: GoalEvaluation.shortest(
                    0..<trials, of: family, seed: EvaluationBank.seed, workers: workers)))
    }
}

/// A run's metrics.csv.
struct RunMetrics {
    /// Medians over iterations of the outer loop, if there are any; NaN where there are none at all.
    let actingStepsPerSecond: Double
    let learningStepsPerSecond: Double
    /// Training returns of the iterations in which the policy played the task proper, not a curriculum's shorter trials or
    /// easier members; those of all iterations while there are none.
    let returns: [LearningCurve.Point]

    init(_ run: RunDirectory, _ configuration: Configuration) {
        let (names, rows) = (try? MetricsTable.read(run.metricsPath)) ?? ([], [])
        func column(_ name: String) -> [Double] {
            guard let index = names.firstIndex(of: name) else { return rows.map { _ in .nan } }
            return rows.map { $0[index] }
        }
        func median(_ values: [Double]) -> Double {
            let sorted = values.filter(\.isFinite).sorted()
            return sorted.isEmpty ? .nan : sorted[sorted.count / 2]
        }
        let (steps, totals) = (column("timesteps"), column("mean_total_reward"))
        let (rollout, speed) = (column("seconds_rollout"), column("steps_per_second"))
        let stages = column("iteration").map { iteration in
            iteration.isFinite ? configuration.stages[configuration.place(of: Int(exactly: iteration) ?? 0).stage] : nil
        }
        /// Those rows that a condition holds for; all while it holds for none.
        func preferred(_ condition: (Stage) -> Bool) -> [Int] {
            let rows = steps.indices.filter { stages[$0].map(condition) ?? false }
            return rows.isEmpty ? Array(steps.indices) : rows
        }
        let improving = preferred { learnerCatalogue.entry(named: $0.learner)?.isOuterLoop ?? false }
        let before = Double(configuration.parent?.lineTimesteps ?? 0)
        actingStepsPerSecond = median(improving.map { (steps[$0] - ($0 > 0 ? steps[$0 - 1] : before)) / rollout[$0] })
        learningStepsPerSecond = median(improving.map { speed[$0] })
        let proper = preferred(configuration.isProper)
        returns = proper.filter { totals[$0].isFinite }.compactMap { row in
            Int(exactly: steps[row]).map { LearningCurve.Point(steps: $0, score: totals[row]) }
        }
    }
}
