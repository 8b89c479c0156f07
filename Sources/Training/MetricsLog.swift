import Foundation

/// Where the numbers of an iteration go: a row of `metrics.csv` and scalars for TensorBoard, under the same names.
///
/// TensorBoard's steps are time steps, as in Stable-Baselines and CleanRL, so that runs with other batches compare.
public final class MetricsLog {
    private let table: MetricsTable
    private let events: TensorBoardEventWriter

    private static let played = [
        "iteration", "timesteps", "episodes_per_trial", "mean_total_reward", "first_episode_reward",
        "last_episode_reward",
    ]
    private static let timed = ["steps_per_second"] + PhaseClock.Phase.allCases.map { "seconds_" + $0.rawValue }

    /// Columns of a run's table: those of every iteration, and between them those of its learners.
    public static func columns(of configuration: Configuration) -> [String] {
        let entries = learnerCatalogue.entries.filter { entry in
            configuration.stages.contains { $0.learner == entry.name }
        }
        return entries.flatMap(\.columns).reduce(into: played) { columns, column in
            if !columns.contains(column) { columns.append(column) }
        } + timed
    }

    /// Opens the log of a run that continues at `iteration` (0: a new one) after `timesteps`.
    public init(_ run: RunDirectory, _ configuration: Configuration, iteration: Int, timesteps: Int) throws {
        table = try MetricsTable(
            resuming: run.metricsPath, columns: MetricsLog.columns(of: configuration), atIteration: iteration)
        events = try TensorBoardEventWriter(
            directory: run.path, purgeStep: iteration > 0 ? timesteps + 1 : nil)
    }

    /// What an iteration has not, such as a conjugate gradient's residual under PPO, is `nan` in the table and no point of
    /// TensorBoard's.
    public func append(_ report: IterationReport) throws {
        var values = report.metrics
        let (first, last) = (report.episodeMeans.first ?? .nan, report.episodeMeans.last ?? .nan)
        values["iteration"] = Double(report.iteration)
        values["timesteps"] = Double(report.timesteps)
        values["episodes_per_trial"] = Double(report.episodes)
        values["mean_total_reward"] = report.meanTotalReward
        (values["first_episode_reward"], values["last_episode_reward"]) = (first, last)
        values["steps_per_second"] = report.stepsPerSecond
        for phase in PhaseClock.Phase.allCases { values["seconds_" + phase.rawValue] = report.clock[phase] }
        let row = table.columns.map { values[$0] ?? .nan }
        try table.append(row)
        var scalars = zip(table.columns, row).dropFirst(2).map { (tag: MetricsLog.tag($0), value: $1) }
        // Long bandit trials have hundreds of episodes: ten points along the trial show its shape.
        let episodes = report.episodeMeans.count
        let shown = episodes <= 10 ? Array(0..<episodes) : (1...10).map { episodes * $0 / 10 - 1 }
        for episode in shown {
            scalars.append((tag: "episode_reward/\(episode + 1)", value: report.episodeMeans[episode]))
        }
        try events.write(step: report.timesteps, scalars: scalars.filter { !$0.value.isNaN })
    }

    /// Makes sure that all rows so far survive a power cut; called before a checkpoint.
    public func flush() throws {
        try table.flush()
        try events.flush()
    }

    public func close() {
        table.close()
        events.close()
    }

    /// TensorBoard groups by the part before the slash.
    private static func tag(_ column: String) -> String {
        switch column {
        case _ where column.hasPrefix("seconds_"): "time/" + column.dropFirst("seconds_".count)
        case "steps_per_second": "time/steps_per_second"
        case "mean_total_reward", "first_episode_reward", "last_episode_reward", "episodes_per_trial":
            "rollout/" + column
        case "explained_variance", "critic_loss": "critic/" + column
        default: "policy/" + column
        }
    }
}
