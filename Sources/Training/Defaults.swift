import Tasks

/// Settings that train well, per task: the result of measurements, which the README states.
extension Configuration {
    /// A task's and model's defaults.
    ///
    /// - Parameters:
    ///   - taskOptions: those of the task that are given; the others take their standard values.
    public static func standard(
        task: String, model: String, taskOptions: [String: Int] = [:], seed: Int = 0
    ) throws -> Configuration {
        guard let entry = TaskCatalogue.entry(named: task) else {
            throw UserError("unknown task '\(task)': choose one of \(TaskCatalogue.names.joined(separator: ", "))")
        }
        var options = Dictionary(uniqueKeysWithValues: entry.options.map { ($0.name, $0.standard) })
        options.merge(taskOptions) { _, given in given }
        return Configuration(
            task: task, taskOptions: options, model: model, hidden: 256, seed: seed,
            stages: banditStages(episodes: options["episodes"] ?? 10),
            conjugateGradientIterations: 10, damping: 1e-3, fisherShare: 0.2, criticEpochs: 2, criticMinibatches: 10,
            criticLearningRate: 1e-3, criticLambda: 1, advantageScale: .step)
    }

    /// Bandits: short trials first. A policy that is trained on long trials from the start settles on the first arm that
    /// pays; one that has learned to compare arms in short trials keeps doing so in longer ones.
    static func banditStages(episodes: Int) -> [Stage] {
        func stage(_ length: Int, _ iterations: Int, _ steps: Int, _ kl: Double) -> Stage {
            Stage(
                iterations: iterations, batchSteps: steps, episodes: length == episodes ? nil : length,
                discount: 0.99, gaeLambda: 0.3, maximumKL: kl)
        }
        if episodes <= 15 { return [stage(episodes, 60, 25_000, 0.01)] }
        return [stage(10, 30, 25_000, 0.01), stage(episodes, 100, 100_000, 0.01)]
    }
}
