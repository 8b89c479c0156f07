import Kernels
import Tasks

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
        /// Why it cannot play a family, in one line; nil if it can.
        public let objection: @Sendable (any TaskFamily) -> String?
        /// Builds the agent from one value for each option.
        public let make: @Sendable (OptionValues) -> any Agent

        public init(
            name: String, task: String, summary: String, options: [CatalogueOption] = [], grid: [Tried] = [],
            objection: @escaping @Sendable (any TaskFamily) -> String? = { _ in nil },
            make: @escaping @Sendable (OptionValues) -> any Agent
        ) {
            self.name = name
            self.task = task
            self.summary = summary
            self.options = options
            self.grid = grid
            self.objection = objection
            self.make = make
        }

        /// The agent with some options given, the others standard.
        public func makeAgent(_ given: OptionValues = [:]) -> any Agent {
            make(OptionValues(standard: options, given: given))
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

    public static func entry(named name: String, of task: String) -> Entry? {
        entries.first { $0.name == name && $0.task == task }
    }

    private static let bandit: [Entry] = [
        Entry(name: "random", task: "bandit", summary: "uniformly random arms") { _ in RandomAgent() },
        Entry(
            name: "gittins", task: "bandit", summary: "discounted Gittins index",
            options: [
                CatalogueOption(
                    "rule", GittinsAgent.Rule.allCases.map(\.rawValue), standard: "whittle",
                    help: "closed form of Whittle or of Brezzi and Lai, or the exact index"),
                CatalogueOption("discount", 0.1...0.9999, standard: 0.99, help: "discount β of the index"),
                TieRule.option,
            ],
            grid: [
                Tried("rule", ["whittle", "brezzi-lai"]), Tried("discount", [0.9, 0.95, 0.97, 0.98, 0.99, 0.995]),
            ]
        ) {
            GittinsAgent(
                rule: GittinsAgent.Rule(rawValue: $0.word("rule"))!, discount: $0.real("discount"), ties: TieRule($0))
        },
        Entry(
            name: "gittins-finite", task: "bandit", summary: "exact Gittins index of the pulls that are left",
            options: [TieRule.option], objection: { FiniteHorizonGittinsAgent.objection($0) }
        ) { FiniteHorizonGittinsAgent(ties: TieRule($0)) },
        Entry(name: "thompson", task: "bandit", summary: "Thompson sampling") { _ in ThompsonSampling() },
        Entry(
            name: "optimistic-thompson", task: "bandit", summary: "the densest of some Thompson samples",
            options: [CatalogueOption("samples", 1...10_000, standard: 50, help: "posterior draws a pull")]
        ) { OptimisticThompsonSampling(samples: $0.integer("samples")) },
        Entry(
            name: "ucb1", task: "bandit", summary: "upper confidence bounds on posterior counts",
            options: [
                CatalogueOption("c", 0...10.0, standard: 0.2, help: "scale of the confidence bound"), TieRule.option,
            ],
            grid: [Tried("c", [0.05, 0.1, 0.15, 0.2, 0.25, 0.3])]
        ) { UCB1(scale: $0.real("c"), ties: TieRule($0)) },
        Entry(
            name: "epsilon-greedy", task: "bandit", summary: "best posterior mean, or with probability ε any arm",
            options: [
                CatalogueOption("epsilon", 0...1.0, standard: 0.05, help: "probability of a random arm"),
                TieRule.option,
            ],
            grid: [Tried("epsilon", [0.01, 0.02, 0.05, 0.1])]
        ) { GreedyBandit(epsilon: $0.real("epsilon"), ties: TieRule($0)) },
        Entry(
            name: "greedy", task: "bandit", summary: "best posterior mean", options: [TieRule.option]
        ) { GreedyBandit(ties: TieRule($0)) },
        Entry(
            name: "bayes-optimal", task: "bandit", summary: "exact Bayes-optimal play, where the beliefs are few",
            options: [TieRule.option], objection: { BayesOptimalAgent.objection($0) }
        ) { BayesOptimalAgent(ties: TieRule($0)) },
    ]
}
