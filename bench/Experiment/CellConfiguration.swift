import Foundation
import Interface
import Models
import Tasks
import Training

extension Plan {
    /// What a cell trains, resolved. Settings of the variant go over those of the task, those over the task's defaults; a
    /// cell that begins with another's weights has that one's options in place of the defaults.
    ///
    /// - Parameter record: of the run that it begins with; nil: there is none, or its weights are not there yet.
    public func configuration(of cell: Cell, after record: Parent? = nil) throws -> Configuration {
        let origin = try originConfiguration(of: cell)
        var request = origin.map { RunRequest(continuing: $0.configuration, named: $0.name) } ?? RunRequest()
        (request.task, request.model) = (cell.task.task, cell.model.model)
        (request.learner, request.seed) = (cell.learner.learner, cell.seed)
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
        do {
            try cell.task.budget.apply(to: &configuration, after: record?.lineTimesteps ?? origin?.steps ?? 0)
        } catch let error as UserError {
            throw cell.task.node.error("cell '\(cell.identifier)': \(error.description)")
        }
        do {
            try configuration.validate()
            if let origin { try configuration.requireWeights(of: origin.configuration, named: origin.name) }
        } catch let error as UserError {
            throw cell.model.node.error("cell '\(cell.identifier)': \(error.description)")
        }
        configuration.parent = record
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

    /// What a cell begins with: the configuration, what errors call it, and the time steps of its line, if all trials are of
    /// the longest length.
    private func originConfiguration(of cell: Cell) throws -> (configuration: Configuration, name: String, steps: Int)?
    {
        switch cell.task.origin {
        case nil: return nil
        case .run(let path):
            let run = try ParentRun(RunDirectory.named(path))
            return (run.configuration, path, run.record.lineTimesteps)
        case .task(let name):
            guard let parent = parent(of: cell) else {
                throw cell.task.node.error("cell '\(cell.identifier)' begins from that of '\(name)', which is left out")
            }
            let configuration = try configuration(of: parent)
            let before = try originConfiguration(of: parent)?.steps ?? 0
            return (configuration, name, before + (try configuration.scheduledSteps()))
        }
    }
}

extension TrainingBudget {
    /// Says where in its schedule, or how far beyond it, a training stops. A budget of seconds leaves that open; who trains looks at the clock.
    /// - Parameter spent: time steps of its parents.
    func apply(to configuration: inout Configuration, after spent: Int) throws {
        switch self {
        case .schedule, .seconds: break
        case .iterations(let count): configuration.iterations = count
        case .steps(let wanted):
            guard spent < wanted else {
                throw UserError("a budget of \(wanted) steps, of which its parents take \(spent); raise it")
            }
            var (steps, iterations) = (spent, 0)
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
