import Foundation
import Interface
import Models
import Tasks
import Training

extension Plan {
    /// What a cell trains, resolved. Settings of the variant go over those of the task, those over the task's defaults.
    public func configuration(of cell: Cell) throws -> Configuration {
        var request = RunRequest(
            task: cell.task.task, model: cell.model.model, learner: cell.learner.learner, seed: cell.seed)
        request.set(cell.task.options)
        request.set(cell.model.options)
        for node in [cell.task.settings, cell.learner.settings, cell.setting.settings].compactMap({ $0 }) {
            request.settings += try node.settings()
        }
        if let hidden = cell.model.hidden { request.set(["hidden": .integer(hidden)]) }
        var configuration: Configuration
        do {
            configuration = try request.resolve()
        } catch let error as UserError {
            throw cell.task.node.error("cell '\(cell.identifier)': \(error.description)")
        }
        if cell.model.hidden == nil, let match {
            do {
                let reference = try configuration.with(match.model, hidden: match.hidden)
                configuration.hidden = try WidthMatch(configuration, to: reference, by: match.budget).width
            } catch let error as UserError {
                throw cell.model.node.error("'\(cell.model.name)' cannot be matched (\(error.description))")
            }
        }
        try cell.task.budget.apply(to: &configuration)
        do {
            try configuration.validate()
        } catch let error as UserError {
            throw cell.model.node.error("cell '\(cell.identifier)': \(error.description)")
        }
        // Before hours of training, not after them.
        for other in cell.task.evaluation.also {
            do {
                _ = try configuration.playing(other.options)
            } catch let error as UserError {
                throw cell.task.node.error("evaluation '\(other.name)': \(error.description)")
            }
        }
        return configuration
    }
}

extension TrainingBudget {
    /// Says where in its schedule, or how far beyond it, a training stops. A budget of seconds leaves that open; who trains looks at the clock.
    func apply(to configuration: inout Configuration) throws {
        switch self {
        case .schedule, .seconds: break
        case .iterations(let count): configuration.iterations = count
        case .steps(let wanted):
            var (steps, iterations) = (0, 0)
            while steps < wanted {
                let stage = configuration.stages[configuration.place(of: iterations).stage]
                let longest = try configuration.makeFamily(stage: stage).maximumTrialSteps
                steps += max(1, stage.batchSteps / longest) * longest
                iterations += 1
            }
            configuration.iterations = iterations
        }
    }
}
