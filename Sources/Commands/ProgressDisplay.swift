import Foundation
import Interface
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
            "rl2x \(Version.number): \(configuration.modelName) on \(configuration.task) ("
                + configuration.taskOptions.summary + "), seed \(configuration.seed), \(threads) threads, "
                + "BLAS kernels \(BLAS.kernelSet.name)")
        printError(
            "\(session.run.path): iterations \(firstIteration) … \(configuration.iterations), "
                + "\(session.trainer.policy.layout.count) parameters in the policy")
        if let parent = configuration.parent {
            printError(
                "it began with the weights of \(parent.run) at iteration \(parent.iteration); time steps are counted from "
                    + "\(parent.lineTimesteps), those of its line")
        }
        for notice in session.notices { printError("warning: \(notice)") }
        let (wanted, scheduled) = (configuration.iterations, configuration.scheduledIterations)
        if wanted < scheduled {
            printError(
                "it stops \(scheduled - wanted) iterations before the end of its schedule, which stays as it is; go on with: "
                    + "rl2x train --resume \(session.run.path) --iterations \(scheduled)")
        } else if wanted > scheduled {
            printError(
                "\(wanted - scheduled) iterations beyond the schedule: the last stage goes on with the trust region, "
                    + "entropy bonus and rates of its end")
        }
    }

    func show(_ report: IterationReport) {
        liveLine.show(describe(report))
        for warning in report.warnings {
            printError("warning: iteration \(report.iteration + 1): \(warning)")
        }
    }

    func end(_ session: TrainingSession, _ outcome: TrainingSession.Outcome) {
        let seconds = (ContinuousClock.now - started).inSeconds
        switch outcome {
        case .finished:
            printError("finished: \(session.trainer.timesteps) time steps, \(Display.fixed(seconds, 1)) s")
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
            let options = stage.taskOptions.names.filter { $0 != "episodes" }.map { "\($0) \(stage.taskOptions[$0]!)" }
            if !options.isEmpty { parts.append(options.joined(separator: ", ")) }
        }
        parts += [report.headline] + report.details
        parts += ["\(Int(report.stepsPerSecond)) steps/s", "left \(Display.duration(left))"]
        return parts.joined(separator: "  ")
    }
}
