import Foundation

/// Where the numbers of an iteration go: a row of `metrics.csv` and scalars for TensorBoard, under the same names.
///
/// TensorBoard's steps are time steps, as in Stable-Baselines and CleanRL, so that runs with other batches compare.
public final class MetricsLog {
    private let table: MetricsTable
    private let events: TensorBoardEventWriter

    public static let columns =
        [
            "iteration", "timesteps", "episodes_per_trial", "mean_total_reward", "first_episode_reward",
            "last_episode_reward", "surrogate_gain", "predicted_gain", "predicted_kl", "actual_kl", "cg_residual",
            "cg_products", "backtracks", "accepted", "gradient_norm", "entropy", "explained_variance", "critic_loss",
            "steps_per_second",
        ] + PhaseClock.Phase.allCases.map { "seconds_" + $0.rawValue }

    /// Opens the log of a run that continues at `iteration` (0: a new one) after `timesteps`.
    public init(_ run: RunDirectory, iteration: Int, timesteps: Int) throws {
        table = try MetricsTable(resuming: run.metricsPath, columns: MetricsLog.columns, atIteration: iteration)
        events = try TensorBoardEventWriter(
            directory: run.path, purgeStep: iteration > 0 ? timesteps + 1 : nil)
    }

    /// What an iteration has not, such as a conjugate gradient's residual under PPO, is `nan` in the table and no point of
    /// TensorBoard's.
    public func append(_ report: IterationReport) throws {
        let (update, step) = (report.update, report.update.naturalStep)
        let played: [Double] = [
            Double(report.iteration), Double(report.timesteps), Double(report.episodes), report.meanTotalReward,
            report.episodeMeans.first ?? .nan, report.episodeMeans.last ?? .nan,
        ]
        let improved: [Double?] = [
            step?.surrogateGain, step?.predictedGain, step?.predictedKL, update.actualKL, step?.residual,
            (step?.products).map(Double.init), (step?.backtracks).map(Double.init),
            update.outcome == .accepted ? 1 : 0, step?.gradientNorm, update.entropy, report.explainedVariance,
            report.criticLoss, report.stepsPerSecond,
        ]
        let seconds = PhaseClock.Phase.allCases.map { report.clock[$0] }
        let row = played + improved.map { $0 ?? .nan } + seconds
        try table.append(row)
        var scalars = zip(MetricsLog.columns, row).dropFirst(2).map { (tag: MetricsLog.tag($0), value: $1) }
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
