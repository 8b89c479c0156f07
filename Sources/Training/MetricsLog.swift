import Foundation

/// Where the numbers of an iteration go: a row of `metrics.csv`, the same as a line of `metrics.jsonl`, and scalars for
/// TensorBoard, under the same names. What Stable-Baselines3 has too, TensorBoard also gets under the name it has there.
///
/// TensorBoard's steps are time steps, as in Stable-Baselines and CleanRL, so that runs with other batches compare.
public final class MetricsLog {
    private let table: MetricsTable
    private let lines: MetricsLines
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
        lines = try MetricsLines(run.metricsLinesPath, rowsOf: run.metricsPath)
        events = try TensorBoardEventWriter(
            directory: run.path, purgeStep: iteration > 0 ? timesteps + 1 : nil)
        try events.write(
            step: timesteps, text: MetricsLog.markdown(configuration.yaml()), tag: "hyperparameters")
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
        try lines.append(row)
        var scalars = zip(table.columns, row).dropFirst(2).map { (tag: MetricsLog.tag($0), value: $1) }
        // Long bandit trials have hundreds of episodes: ten points along the trial show its shape.
        let episodes = report.episodeMeans.count
        let shown = episodes <= 10 ? Array(0..<episodes) : (1...10).map { episodes * $0 / 10 - 1 }
        for episode in shown {
            scalars.append((tag: "episode_reward/\(episode + 1)", value: report.episodeMeans[episode]))
        }
        scalars += MetricsLog.commonTags(report)
        try events.write(step: report.timesteps, scalars: scalars.filter { !$0.value.isNaN })
    }

    /// Makes sure that all rows so far survive a power cut; called before a checkpoint.
    public func flush() throws {
        try table.flush()
        try lines.flush()
        try events.flush()
    }

    public func close() {
        table.close()
        lines.close()
        events.close()
    }

    /// The numbers that mean the same as in Stable-Baselines3, under the names that they have there. While the policy does not
    /// play, as in supervised learning, or does not learn, as in a critic's warm-up, it has none of the numbers of either.
    static func commonTags(_ report: IterationReport) -> [(tag: String, value: Double)] {
        var tags = [(tag: "time/fps", value: report.stepsPerSecond)]
        guard learnerCatalogue.entry(named: report.learner)?.isOuterLoop ?? false else { return tags }
        func metric(_ name: String) -> Double { report.metrics[name] ?? .nan }
        tags += [
            ("rollout/ep_rew_mean", report.meanTotalReward),
            ("train/explained_variance", metric("explained_variance")), ("train/value_loss", metric("critic_loss")),
        ]
        guard report.outcome != .skipped else { return tags }
        // A loss is minimised: it is the negative entropy.
        return tags + [("train/approx_kl", metric("actual_kl")), ("train/entropy_loss", -metric("entropy"))]
    }

    /// Text as a block of code, as TensorBoard's text tab shows Markdown.
    static func markdown(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }.joined(separator: "\n")
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
