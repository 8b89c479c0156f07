import Interface
import Kernels
import Models
import Tasks
import Training

extension Configuration {
    /// The same run with other options of its task: what a trained policy is judged on beyond what it was trained for.
    ///
    /// - Parameter given: the options that differ.
    /// - Throws: one line if the task has no such option, or if its members are shown in another width, or if the policy's
    ///   weights have other shapes there: one of its own for each action. Those of an arm-symmetric policy have not.
    public func playing(_ given: Values) throws -> Configuration {
        let (shown, trained) = try (makeFamily().observation, makePolicy().layout.entries)
        let entry = try taskCatalogue.require(task)
        var changed = self
        for name in given.names {
            guard entry.options.named(name) != nil else {
                throw UserError("--\(name) is no option of task '\(task)': leave it out")
            }
            changed.taskOptions[name] = given[name]
        }
        func fits(_ configuration: Configuration) throws -> Bool {
            let entries = try configuration.makePolicy().layout.entries
            return try configuration.makeFamily().observation == shown
                && entries.elementsEqual(trained) { $0.name == $1.name && $0.shape == $1.shape }
        }
        guard try !fits(changed) else { return changed }
        let culprit = given.names.first { name in
            var alone = self
            alone.taskOptions[name] = given[name]
            return (try? fits(alone)) == false
        }
        guard let culprit, let value = given[culprit], let before = taskOptions[culprit] else {
            throw UserError("a policy that was trained on (\(taskOptions.summary)) cannot play (\(given.summary))")
        }
        throw UserError(
            "--\(culprit) is \(value), and this policy was trained on \(before), which fixes how wide its inputs and outputs "
                + "are: leave it out, or train a policy on \(value)")
    }

    /// What an architecture with a bounded context does beyond its window, for a row of a table; nil if its context covers
    /// a trial.
    public var contextNote: String? {
        guard case .integer(let window)? = modelOptions["attention-window"], window > 0,
            let steps = try? makeFamily().maximumTrialSteps, window < steps
        else { return nil }
        var note = "each layer sees the last \(window) of \(steps) steps and forgets what is older"
        if case .integer(let layers)? = modelOptions["layers"], layers > 1 {
            note += "; \(layers) layers reach \(layers * (window - 1)) steps back"
        }
        return note
    }
}
