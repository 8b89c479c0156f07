import ArgumentParser
import Kernels
import Models
import Tasks

extension ArgumentHelp {
    /// What the catalogues of tasks and models say of an option: what it is, its values, its default.
    static func catalogued(_ name: String) -> ArgumentHelp {
        let options = (TaskCatalogue.entries.flatMap(\.options) + ModelCatalogue.entries.flatMap(\.options))
            .filter { $0.name == name }
        guard let option = options.first else { preconditionFailure("no option '\(name)' in the catalogues") }
        let standard = options.allSatisfy { $0.standard == option.standard } ? "\(option.standard)" : "per task"
        return "\(option.help) (\(option.range); default \(standard))."
    }
}
