import Foundation
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
        timesteps: Int, curve: [LearningCurve.Point], trials: Int, also: [(name: String, options: OptionValues)],
        workers: Workers
    ) throws {
        let threads = workers.pool.threadCount
        let costs = try ModelCosts(configuration, threads: threads)
        let manifest = try Manifest.read(run.manifestPath)
        let metrics = RunMetrics(run, configuration)
        self.init(
            version: CellRecord.version, bank: EvaluationBank.version, plan: subject.plan, cell: subject.cell,
            modelName: subject.modelName, taskName: subject.taskName, settingName: subject.settingName,
            seed: configuration.seed, configuration: try configuration.yaml(), parameters: costs.policyParameters,
            actingOperations: costs.actingOperations, learningOperations: costs.learningOperations,
            stateBytes: costs.stateBytes, iterations: iterations, timesteps: timesteps, curve: curve,
            evaluations: try ([("", configuration.taskOptions)] + also).map { name, options in
                try Evaluated(agent, configuration.playing(options), name: name, trials: trials, workers: workers)
            },
            costs: Costs(
                processor: manifest.processor, threads: threads,
                trainingSeconds: manifest.sessions.reduce(0) { $0 + $1.seconds },
                stepsPerSecondActing: metrics.actingStepsPerSecond,
                stepsPerSecondLearning: metrics.learningStepsPerSecond))
    }
}

extension CellRecord.Evaluated {
    /// Plays the bank of a configuration's task.
    init(_ agent: LearnedAgent, _ configuration: Configuration, name: String, trials: Int, workers: Workers) throws {
        let family = try configuration.makeFamily()
        let bank = EvaluationBank(family: family, trials: trials)
        let result = bank.evaluate(agent, workers: workers)
        let landmarks = Landmarks(of: family, members: 0..<trials, seed: EvaluationBank.seed)
        self.init(
            name: name, taskOptions: configuration.taskOptions, trials: result.trials,
            meanTotalReward: result.totalRewards.mean, standardError: result.totalRewards.standardError,
            perEpisodeMean: result.episodeMeans, blockMeans: EvaluationBank.blockMeans(result.totals),
            // Where no formula gives it, as in mazes, the bank itself does.
            random: landmarks.random ?? bank.evaluate(RandomAgent(), workers: workers).totalRewards.mean,
            optimum: landmarks.optimum, informed: landmarks.informed, note: configuration.contextNote,
            maze: (bank.family.heldOut() as? FirstPersonMaze).map { mazes in
                MazeEvaluation(
                    result, of: mazes,
                    shortest: MazeEvaluation.shortest(
                        0..<trials, of: mazes, seed: EvaluationBank.seed, workers: workers))
            })
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
        let text = (try? String(contentsOfFile: run.metricsPath, encoding: .utf8)) ?? ""
        let rows = text.split(whereSeparator: \.isNewline).map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        func column(_ name: Substring) -> [Double] {
            guard let index = rows.first?.firstIndex(of: name) else { return [] }
            return rows.dropFirst().map { $0.count > index ? Double($0[index]) ?? .nan : .nan }
        }
        func median(_ values: [Double]) -> Double {
            let sorted = values.filter(\.isFinite).sorted()
            return sorted.isEmpty ? .nan : sorted[sorted.count / 2]
        }
        let (steps, totals) = (column("timesteps"), column("mean_total_reward"))
        let (rollout, speed) = (column("seconds_rollout"), column("steps_per_second"))
        let stages = column("iteration").map { iteration in
            iteration.isFinite ? configuration.stages[configuration.place(of: Int(iteration)).stage] : nil
        }
        /// Those rows that a condition holds for; all while it holds for none.
        func preferred(_ condition: (Configuration.Stage) -> Bool) -> [Int] {
            let rows = steps.indices.filter { stages[$0].map(condition) ?? false }
            return rows.isEmpty ? Array(steps.indices) : rows
        }
        let improving = preferred { $0.kind == .improvement }
        actingStepsPerSecond = median(improving.map { (steps[$0] - ($0 > 0 ? steps[$0 - 1] : 0)) / rollout[$0] })
        learningStepsPerSecond = median(improving.map { speed[$0] })
        let proper = preferred { $0.kind == .improvement && $0.episodes == nil && $0.taskOptions == nil }
        returns = proper.filter { steps[$0].isFinite && totals[$0].isFinite }.map {
            LearningCurve.Point(steps: Int(steps[$0]), score: totals[$0])
        }
    }
}
