import Kernels

/// The classic agents that can be asked for by name, by task. A new one is a file and a line here.
public enum AgentCatalogue {
    public struct Entry: Sendable {
        /// As on the command line.
        public let name: String
        /// Task of the task catalogue that it plays.
        public let task: String
        public let summary: String
        public let options: [CatalogueOption]
        /// What tuning tries: values for some of the options, all combinations of them.
        public let grid: [Tried]
        /// Builds the agent from one value for each option.
        public let make: @Sendable (OptionValues) -> any Agent

        public init(
            name: String, task: String, summary: String, options: [CatalogueOption] = [], grid: [Tried] = [],
            make: @escaping @Sendable (OptionValues) -> any Agent
        ) {
            self.name = name
            self.task = task
            self.summary = summary
            self.options = options
            self.grid = grid
            self.make = make
        }

        /// The agent with some options given, the others standard.
        public func makeAgent(_ given: OptionValues = [:]) -> any Agent {
            make(OptionValues(standard: options, given: given))
        }

        /// All settings that tuning tries, the given options kept; at least one.
        public func settings(given: OptionValues = [:]) -> [OptionValues] {
            grid.filter { given[$0.option] == nil }.reduce([given]) { settings, tried in
                settings.flatMap { setting in
                    tried.values.map { value in
                        var setting = setting
                        setting[tried.option] = value
                        return setting
                    }
                }
            }
        }
    }

    /// An option and the values that tuning tries for it.
    public struct Tried: Sendable {
        public let option: String
        public let values: [OptionValue]

        public init(_ option: String, _ values: [OptionValue]) {
            self.option = option
            self.values = values
        }
    }

    public static let entries: [Entry] = bandit + mdp

    /// Those of a task, in the order in which tables list them.
    public static func entries(of task: String) -> [Entry] { entries.filter { $0.task == task } }

    private static let bandit: [Entry] = [
        Entry(name: "random", task: "bandit", summary: "uniformly random arms") { _ in RandomAgent() }
    ]
}
