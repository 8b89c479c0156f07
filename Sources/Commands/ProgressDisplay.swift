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
    /// Time steps of the run before this session.
    private var firstTimesteps = 0
    /// The stage that was announced last.
    private var stage = -1

    init(configuration: Configuration) { self.configuration = configuration }

    func begin(_ session: TrainingSession, threads: Int) {
        firstIteration = session.trainer.iteration
        firstTimesteps = session.trainer.ownTimesteps
        printError(
            "rl2x \(Version.number): \(configuration.modelName) on \(configuration.task) ("
                + configuration.taskOptions.summary + "), seed \(configuration.seed), \(threads) threads, "
                + "BLAS kernels \(BLAS.kernelSet.name)")
        printError(
            "\(session.run.path): "
                + (configuration.timestepLimit.map { "from iteration \(firstIteration) until time step \($0), " }
                    ?? "iterations \(firstIteration) … \(configuration.iterations), ")
                + "\(session.trainer.policy.layout.count) parameters in the policy")
        if let parent = configuration.parent {
            printError(
                "it began with the weights of \(parent.run) at iteration \(parent.iteration); time steps are counted from "
                    + "\(parent.lineTimesteps), those of its line")
        }
        for notice in session.notices { printError("warning: \(notice)") }
        let (wanted, scheduled) = (configuration.iterations, configuration.scheduledIterations)
        let about = configuration.timestepLimit == nil ? "" : "about "
        if wanted < scheduled {
            printError(
                "it stops \(about)\(scheduled - wanted) iterations before the end of its schedule, which stays as it is; "
                    + "go on with: rl2x train --resume \(session.run.path) --iterations \(scheduled)")
        } else if wanted > scheduled {
            printError(
                "\(about)\(wanted - scheduled) iterations beyond the schedule: the last stage goes on with the trust region, "
                    + "entropy bonus and rates of its end")
        }
        if let warning = configuration.earlyEndWarning { printError("warning: \(warning)") }
        if !session.trainer.isFinished { announceStage(of: firstIteration) }
    }

    /// A line at the start of each stage, and of each session.
    private func announceStage(of iteration: Int) {
        let place = configuration.place(of: iteration)
        guard place.stage != stage else { return }
        stage = place.stage
        printError(configuration.stageLine(place.stage, from: place.within))
    }

    func show(_ report: IterationReport) {
        liveLine.show(describe(report))
        for warning in report.warnings {
            printError("warning: iteration \(report.iteration + 1): \(warning)")
        }
        let own = configuration.ownTimesteps(of: report.timesteps)
        let goesOn = configuration.timestepLimit.map { own < $0 } ?? (report.iteration + 1 < configuration.iterations)
        if goesOn { announceStage(of: report.iteration + 1) }
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
        let done = report.iteration + 1
        let elapsed = (ContinuousClock.now - started).inSeconds
        // Stages differ in the steps of their batches, so time is counted in steps.
        let stepsNow: Double
        let stepsLeft: Double
        let own = configuration.ownTimesteps(of: report.timesteps)
        if let limit = configuration.timestepLimit {
            (stepsNow, stepsLeft) = (Double(own - firstTimesteps), Double(max(0, limit - own)))
        } else {
            stepsNow = configuration.batchSteps(in: firstIteration..<done)
            stepsLeft = configuration.batchSteps(in: done..<max(done, configuration.iterations))
        }
        let left = elapsed / max(stepsNow, 1) * stepsLeft
        let stage = configuration.stages[configuration.place(of: report.iteration).stage]
        var parts =
            configuration.timestepLimit.map {
                ["\(done)", "step \(own)/\($0)"]
            } ?? ["\(done)/\(configuration.iterations)"]
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

extension Configuration {
    /// Such as "stage 2 of 3: maze-size 5, trpo, 400 iterations of 30000 steps".
    /// - Parameter within: iterations of the stage that are done.
    func stageLine(_ index: Int, from within: Int = 0) -> String {
        let stage = stages[index]
        var parts: [String] = []
        if !stage.taskOptions.isEmpty {
            parts.append(stage.taskOptions.summary)
        } else if stages.contains(where: { !$0.taskOptions.isEmpty }) {
            parts.append("the task itself")
        }
        parts += [stage.learner, "\(stage.iterations) iterations of \(stage.batchSteps) steps"]
        if within >= stage.iterations {
            parts.append("which are done: it goes on beyond the schedule")
        } else if within > 0 {
            parts.append("\(within) of them done")
        }
        return "stage \(index + 1) of \(stages.count): " + parts.joined(separator: ", ")
    }

    /// What to say of a run that ends before the last stage of its schedule begins; nil: it does not.
    var earlyEndWarning: String? {
        let end = place(of: iterations - 1).stage
        guard end < stages.count - 1 else { return nil }
        let proper = stages.firstIndex(where: isProper)
        let place = "the run ends in stage \(end + 1) of \(stages.count): "
        if let proper, proper > end {
            return place + "the task itself is not trained before iteration \(start(ofStage: proper) + 1)"
        }
        return place + "the last stage begins with iteration \(start(ofStage: stages.count - 1) + 1)"
    }
}
