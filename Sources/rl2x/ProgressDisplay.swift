import Foundation
import Kernels
import Platform
import Training

/// What a training shows of itself on standard error: one live line on a terminal, a plain line an iteration elsewhere.
final class ProgressDisplay {
    private let configuration: Configuration
    private let liveLine = LiveLine()
    private let started = ContinuousClock.now
    private var firstIteration = 0

    init(configuration: Configuration) { self.configuration = configuration }

    func begin(_ session: TrainingSession, threads: Int) {
        firstIteration = session.trainer.iteration
        printError(
            "rl2x \(Version.number): \(configuration.model)-\(configuration.hidden) on \(configuration.task) ("
                + configuration.taskOptions.summary + "), seed \(configuration.seed), \(threads) threads, "
                + "BLAS kernels \(BLAS.kernelSet.name)")
        printError(
            "\(session.run.path): iterations \(firstIteration) … \(configuration.iterations), "
                + "\(session.trainer.policy.layout.count) parameters in the policy")
    }

    func show(_ report: IterationReport) {
        liveLine.show(describe(report))
        if report.update.outcome == .notFinite {
            printError(
                "warning: iteration \(report.iteration + 1): the update was not finite and was undone; if it comes back, "
                    + (configuration.ppo == nil
                        ? "lower --maximum-kl or raise --damping" : "lower --maximum-kl or --ppo-learning-rate"))
        }
        if report.criticLoss == nil {
            printError(
                "warning: iteration \(report.iteration + 1): a fit by Adam was not finite and was undone; if it comes back, "
                    + "lower --critic-learning-rate, or the stage's learning_rate")
        }
    }

    func end(_ session: TrainingSession, _ outcome: TrainingSession.Outcome) {
        let seconds = (ContinuousClock.now - started).inSeconds
        switch outcome {
        case .finished:
            printError("finished: \(session.trainer.timesteps) time steps, \(format(seconds, 1)) s")
            printError("next: rl2x evaluate \(session.run.path)")
        case .interrupted, .failed:
            printError(
                "stopped after iteration \(session.trainer.iteration); continue with: rl2x train --resume "
                    + session.run.path)
        }
    }

    private func describe(_ report: IterationReport) -> String {
        let total = configuration.iterations
        let done = report.iteration + 1
        let elapsed = (ContinuousClock.now - started).inSeconds
        let left = elapsed / Double(max(done - firstIteration, 1)) * Double(total - done)
        let stage = configuration.stages[configuration.place(of: report.iteration).stage]
        var parts = ["\(done)/\(total)"]
        if configuration.stages.count > 1 {
            parts.append("n \(report.episodes)")
            if let options = stage.taskOptions { parts.append(options.summary) }
        }
        parts += report.numbers
        parts += ["\(Int(report.stepsPerSecond)) steps/s", "left \(duration(left))"]
        if report.kind == .improvement && report.update.outcome != .accepted {
            parts.append(report.update.outcome.rawValue)
        }
        return parts.joined(separator: "  ")
    }

    private func duration(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        if whole >= 3600 { return "\(whole / 3600) h \(whole % 3600 / 60) min" }
        if whole >= 60 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole) s"
    }
}

extension IterationReport {
    /// What came of the iteration, first what counts most.
    fileprivate var numbers: [String] {
        guard kind == .improvement else { return [result] }
        let numbers = [
            result,
            "kl \(String(format: "%.4f", update.actualKL))",
            "entropy \(format(update.entropy, 3))",
            "ev \(format(explainedVariance, 3))",
        ]
        guard let step = update.naturalStep else { return numbers }
        return numbers + ["cg \(String(format: "%.2g", step.residual))", "back \(step.backtracks)"]
    }

    /// The one number by which an iteration of its kind is judged.
    var result: String {
        let fit = criticLoss.map { format($0, 4) } ?? "undone"
        return switch kind {
        case .improvement: "return \(format(meanTotalReward, 3))"
        case .rewardPrediction: "prediction error \(fit) of the variance"
        case .imitation: "teacher's return \(format(meanTotalReward, 3))  cross-entropy \(fit) nats a step"
        }
    }
}
