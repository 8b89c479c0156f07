import Foundation
import Kernels
import Models
import Tasks
import Training
import Yams

extension Plan {
    /// What a cell trains, resolved. Settings of the variant go over those of the task, those over the task's defaults.
    public func configuration(of cell: Cell) throws -> Configuration {
        var configuration = try Configuration.standard(
            task: cell.task.task, model: cell.model.model, taskOptions: cell.task.options,
            modelOptions: cell.model.options, seed: cell.seed)
        for settings in [cell.task.settings, cell.setting.settings].compactMap({ $0 }) {
            configuration = try Plan.apply(settings, to: configuration)
        }
        if let hidden = cell.model.hidden {
            configuration.hidden = hidden
        } else if let match {
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

    /// A configuration with keys of `config.yaml` replaced; those of a stage in every stage.
    private static func apply(_ settings: PlanNode, to configuration: Configuration) throws -> Configuration {
        let known = Configuration.CodingKeys.allCases.map(\.rawValue)
        let fixed = ["task", "task_options", "model", "model_options", "seed"]
        let inStage = Configuration.Stage.CodingKeys.allCases.map(\.rawValue)
        let given = try settings.mapping((known + inStage).filter { !fixed.contains($0) })
        guard var mapping = try Yams.compose(yaml: configuration.yaml())?.mapping else { return configuration }
        for (key, value) in given where known.contains(key) { mapping[Node(key)] = value.node }
        var stages = mapping["stages"]?.sequence.map(Array.init) ?? []
        for index in stages.indices {
            guard var stage = stages[index].mapping else { continue }
            for (key, value) in given where inStage.contains(key) { stage[Node(key)] = value.node }
            stages[index] = .mapping(stage)
        }
        mapping["stages"] = Node(stages)
        do {
            return try Configuration(yaml: Yams.serialize(node: .mapping(mapping)), path: settings.file)
        } catch let error as UserError {
            throw settings.error(error.description.replacingOccurrences(of: settings.file + ": ", with: ""))
        }
    }
}

extension TrainingBudget {
    /// Cuts or extends a schedule. A budget of seconds leaves it; who trains looks at the clock.
    func apply(to configuration: inout Configuration) throws {
        switch self {
        case .schedule, .seconds: break
        case .iterations(let count): configuration.setIterations(count)
        case .steps(let wanted):
            var (steps, iterations) = (0, 0)
            while steps < wanted {
                let stage = configuration.stages[configuration.place(of: iterations).stage]
                let longest = try configuration.makeFamily(stage: stage).maximumTrialSteps
                steps += max(1, stage.batchSteps / longest) * longest
                iterations += 1
            }
            configuration.setIterations(iterations)
        }
    }
}
