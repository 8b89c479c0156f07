import Foundation
import Interface
import Kernels
import Models
import Training

extension Comparison {
    /// Compares runs that were made by hand, each from its latest checkpoint on the bank, and published policies. The
    /// learning curves of runs are the training returns of the task proper; that of a published policy has one point, what
    /// it earned after its training.
    ///
    /// - Throws: one line that names the first run that cannot be compared.
    public init(runs paths: [String], trials: Int, threads: Int, progress: (String) -> Void) throws {
        var (records, replays) = ([CellRecord](), [Replay]())
        let workers = Workers(threads: threads)
        for path in paths {
            let run = try RunDirectory.named(path)
            let configuration = try run.configuration()
            try configuration.validate()
            progress("\(path): playing \(trials) members")
            let agent = try LearnedAgent(run, configuration)
            let published = run.isPublished ? try PolicyRecord(of: run) : nil
            let returns =
                published.map { [LearningCurve.Point(steps: $0.training.steps, score: $0.meanReturn)] }
                ?? RunMetrics(run, configuration).returns
            guard let last = returns.last else { throw UserError("\(path): its metrics.csv has no finished iteration") }
            var subject = CellRecord.Subject(
                plan: "compare", cell: path, modelName: Comparison.name(of: configuration),
                taskName: "\(configuration.task) (\(configuration.taskOptions.summary))", settingName: "")
            // Two runs that differ in something else are told apart by their directories.
            let isTaken = records.contains {
                $0.modelName == subject.modelName && $0.taskName == subject.taskName && $0.seed == configuration.seed
            }
            if isTaken { subject.settingName = path }
            let isShown = replays.contains {
                ($0.modelName, $0.taskName, $0.settingName)
                    == (subject.modelName, subject.taskName, subject.settingName)
            }
            if !isShown, let replay = try Replay(subject, configuration: configuration, agent: agent) {
                replays.append(replay)
            }
            records.append(
                try CellRecord(
                    subject, run: run, configuration: configuration, agent: agent,
                    iterations: published?.training.iterations ?? returns.count,
                    timesteps: last.steps, curve: returns, trials: trials, also: [], workers: workers))
        }
        self.init(records, replays: replays)
    }

    /// "transformer-128, position rotary": the width, and options that are not the model's defaults for its task.
    private static func name(of configuration: Configuration) -> String {
        let defaults = try? Configuration.defaults(
            task: configuration.task, model: configuration.model, taskOptions: configuration.taskOptions)
        let shown = configuration.modelOptions.names.filter { !["hidden", "critic-hidden"].contains($0) }
        let other = shown.filter { configuration.modelOptions[$0] != defaults?.modelOptions[$0] }.map {
            ", \($0) \(configuration.modelOptions[$0]!)"
        }
        return configuration.modelName + other.joined()
    }
}
