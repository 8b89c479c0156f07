import ArgumentParser
import Bench
import Foundation
import Kernels
import Models
import Tasks
import Training

/// Options that decide what is trained, shared by `train` and `bench throughput`.
struct ModelAndTaskOptions: ParsableArguments {
    @Option(help: "Architecture: \(ModelCatalogue.names.joined(separator: ", ")).")
    var model: String?

    @Option(help: "Task family: \(TaskCatalogue.names.joined(separator: ", ")).")
    var task: String?

    @OptionGroup var members: MemberOptions

    @Option(
        name: .customLong("actions"), parsing: .unconditional, help: .catalogued("actions"))
    var actionCount: Int?

    @OptionGroup var architecture: ArchitectureOptions

    @OptionGroup var outerLoop: OuterLoopOptions

    @Option(parsing: .unconditional, help: "Seed of every random choice (0 or more; default 0).")
    var seed: Int?

    /// The options of tasks and models, by their names in the catalogues; nil: not given.
    private var catalogueOptions: [(String, OptionValue?)] {
        members.values + [("actions", actionCount.map { .integer($0) })] + architecture.values
    }

    /// Options that were given.
    var given: [String] {
        let values: [(String, Any?)] =
            [("model", model), ("task", task), ("seed", seed)] + architecture.others
            + catalogueOptions.map { ($0.0, $0.1) }
        return (values.filter { $0.1 != nil }.map(\.0) + outerLoop.given).map { "--" + $0 }
    }

    /// Those of a catalogue entry's options that were given.
    func values(of options: [CatalogueOption]) throws -> OptionValues {
        var values = OptionValues()
        for case (let name, let value?) in catalogueOptions {
            guard let option = options.first(where: { $0.name == name }) else { continue }
            values[name] = try accept(value, for: option)
        }
        return values
    }

    /// The task and a value for each of its options, for commands that train nothing: any other option but --seed is
    /// refused.
    func resolveTask() throws -> (TaskCatalogue.Entry, OptionValues) {
        let name = task ?? "bandit"
        guard let entry = TaskCatalogue.entry(named: name) else {
            throw ValidationError(
                "--task '\(name)' is unknown: choose one of \(TaskCatalogue.names.joined(separator: ", "))")
        }
        let accepted = ["--task", "--seed"] + entry.options.map { "--\($0.name)" }
        if let other = given.first(where: { !accepted.contains($0) }) {
            throw ValidationError("\(other) has no part in this: leave it out")
        }
        let values = OptionValues(standard: entry.options, given: try values(of: entry.options))
        if let objection = entry.objection(values) { throw ValidationError(objection) }
        return (entry, values)
    }

    /// The catalogue's defaults, or a file's configuration, with the given options in their place.
    func resolve(base: Configuration?) throws -> Configuration {
        let modelName = model ?? base?.model ?? "gru"
        let taskName = task ?? base?.task ?? "bandit"
        guard let modelEntry = ModelCatalogue.entry(named: modelName) else {
            throw ValidationError(
                "--model '\(modelName)' is unknown: choose one of \(ModelCatalogue.names.joined(separator: ", "))")
        }
        guard let entry = TaskCatalogue.entry(named: taskName) else {
            throw ValidationError(
                "--task '\(taskName)' is unknown: choose one of \(TaskCatalogue.names.joined(separator: ", "))")
        }
        var taskOptions = base?.task == taskName ? base!.taskOptions : [:]
        var modelOptions = base?.model == modelName ? base!.modelOptions : [:]
        for case (let name, let value?) in catalogueOptions {
            if let option = entry.options.first(where: { $0.name == name }) {
                taskOptions[name] = try accept(value, for: option)
            } else if let option = modelEntry.options.first(where: { $0.name == name }) {
                modelOptions[name] = try accept(value, for: option)
            } else {
                throw ValidationError("--\(name) is no option of task '\(taskName)' or model '\(modelName)'")
            }
        }
        if let objection = entry.objection(OptionValues(standard: entry.options, given: taskOptions)) {
            throw ValidationError(objection)
        }
        var configuration: Configuration
        if let base, base.task == taskName {
            configuration = base
            configuration.taskOptions = taskOptions
            configuration.model = modelName
            configuration.modelOptions = OptionValues(standard: modelEntry.options, given: modelOptions)
        } else {
            configuration = try Configuration.standard(
                task: taskName, model: modelName, taskOptions: taskOptions, modelOptions: modelOptions)
        }
        try architecture.apply(to: &configuration)
        outerLoop.apply(to: &configuration)
        if let seed { configuration.seed = seed }
        do {
            try architecture.matchWidth(of: &configuration)
            try configuration.validate()
        } catch let error as UserError {
            throw ValidationError(error.description)
        }
        return configuration
    }
}

extension TaskCatalogue.Entry {
    /// Those of some options that were given, as the catalogue keeps them.
    /// - Throws: one line about an option that the task does not have, or a value out of range.
    func accepted(_ pairs: [(name: String, value: OptionValue?)]) throws -> OptionValues {
        var result = OptionValues()
        for case (let name, let value?) in pairs {
            guard let option = options.first(where: { $0.name == name }) else {
                throw ValidationError("--\(name) is no option of task '\(self.name)': leave it out")
            }
            result[name] = try accept(value, for: option)
        }
        return result
    }
}

/// A given value as its option keeps it; throws where it is out of range.
private func accept(_ value: OptionValue, for option: CatalogueOption) throws -> OptionValue {
    if let accepted = option.accepted(value) { return accepted }
    let must = if case .word = option.domain { "choose one of" } else { "it must lie in" }
    throw ValidationError("--\(option.name) is \(value): \(must) \(option.range)")
}

struct ThreadOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help:
            "Worker threads (1 … 1024; default: the processors that this process may use). Results do not depend on it."
    )
    var threads: Int?

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads): it must lie in 1 … 1024")
        }
    }

    var count: Int { threads ?? Processor.current.coreCount }
}
