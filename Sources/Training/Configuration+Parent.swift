import Autodiff
import Interface
import Models
import Tasks

/// What a run takes from the one that it begins with.
extension Configuration {
    /// Throws a `UserError` that says what cannot be carried over, unless weights that were trained under another
    /// configuration are this one's too: of the same task and model, with the same options of the model, every tensor in
    /// the same shape. Other options of the task are welcome.
    ///
    /// - Parameter name: of the other run, for the error.
    public func requireWeights(of parent: Configuration, named name: String) throws {
        try requireKind(of: parent, named: name)
        if let (option, tensor) = try misfit(parent) {
            throw UserError(
                "\(option.label) is \(option.own), and \(name) has \(option.parents): its weights cannot be carried over "
                    + "('\(tensor.name)' is \(tensor.parents) there and \(tensor.own) here); leave it out, or train without "
                    + "another run's weights")
        }
        for option in modelCatalogue.entry(named: model)?.options ?? [] {
            let (own, parents) = (modelOptions[option.name], parent.modelOptions[option.name])
            guard own != parents else { continue }
            throw UserError(
                "--\(option.name) is \(own.map { "\($0)" } ?? "unset"), and \(name) has "
                    + "\(parents.map { "\($0)" } ?? "none"): a run keeps the model whose weights it begins with; leave it out"
            )
        }
    }

    /// The part of `requireWeights` that concerns names.
    func requireKind(of parent: Configuration, named name: String) throws {
        guard task == parent.task else {
            throw UserError(
                "--task is \(task), and \(name) was trained on \(parent.task): a run can begin with weights of its own task "
                    + "alone; leave it out")
        }
        guard model == parent.model else {
            throw UserError(
                "--model is \(model), and \(name) is of model \(parent.model): a run keeps the model whose weights it "
                    + "begins with; leave it out")
        }
    }

    /// An option whose values differ, and a tensor whose shapes do.
    private typealias Misfit = (
        option: (label: String, own: String, parents: String), tensor: (name: String, own: String, parents: String)
    )

    /// The first tensor that has another shape, or that one of the two lacks, with the option that makes it so.
    private func misfit(_ parent: Configuration) throws -> Misfit? {
        let (own, parents) = (try tensorShapes(), try parent.tensorShapes())
        guard own.names != parents.names || own.shapes != parents.shapes else { return nil }
        let name =
            parents.names.first { own.shapes[$0] != parents.shapes[$0] } ?? own.names.first {
                parents.shapes[$0] == nil
            }
            ?? own.names[0]
        func shape(_ shapes: [String: [Int]]) -> String { shapes[name].map { "\($0)" } ?? "not" }
        // The option that makes the difference by itself; all that differ, if it takes several.
        let differing =
            taskOptions.names.filter { taskOptions[$0] != parent.taskOptions[$0] }
            + modelOptions.names.filter { modelOptions[$0] != parent.modelOptions[$0] }
        func value(_ name: String, _ configuration: Configuration) -> OptionValue? {
            configuration.taskOptions[name] ?? configuration.modelOptions[name]
        }
        let culprit = differing.first { name in
            var alone = parent
            if taskOptions[name] != nil { alone.taskOptions[name] = taskOptions[name] }
            if modelOptions[name] != nil { alone.modelOptions[name] = modelOptions[name] }
            guard let changed = try? alone.tensorShapes() else { return false }
            return changed.names != parents.names || changed.shapes != parents.shapes
        }
        let named = culprit.map { [$0] } ?? differing
        func values(_ configuration: Configuration) -> String {
            named.map { value($0, configuration).map { "\($0)" } ?? "none" }.joined(separator: ", ")
        }
        return (
            (named.map { "--\($0)" }.joined(separator: ", "), values(self), values(parent)),
            (name, shape(own.shapes), shape(parents.shapes))
        )
    }

    /// Names, in the order of a checkpoint, and shapes of the weights of policy and critic.
    private func tensorShapes() throws -> (names: [String], shapes: [String: [Int]]) {
        let tensors = [("policy.", try makePolicy()), ("critic.", try makeCritic())].flatMap { prefix, model in
            model.layout.entries.map { (name: prefix + $0.name, shape: $0.shape) }
        }
        return (tensors.map(\.name), Dictionary(tensors.map { ($0.name, $0.shape) }) { first, _ in first })
    }

    /// Of a task's default schedule what is left for a run that begins with a policy trained under another configuration:
    /// the stages in which an outer loop trains the task proper, and those in which it trains longer trials than that
    /// policy has seen. What is easier, or comes before the outer loop, the policy has behind it. All stages, where none
    /// is left.
    func stagesLeft(of stages: [Stage], after parent: Configuration) throws -> [Stage] {
        let seen = try parent.makeFamily().maximumTrialSteps
        let left = try stages.filter { stage in
            guard learnerCatalogue.entry(named: stage.learner)?.isOuterLoop ?? false else { return false }
            return try stage.taskOptions.isEmpty || makeFamily(stage: stage).maximumTrialSteps > seen
        }
        return left.isEmpty ? stages : left
    }
}
