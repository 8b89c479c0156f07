import Interface
import Synchronization
import Tasks

/// A classic agent that can be asked for by name: what it plays, its options, and what tuning tries.
public struct AgentEntry: CatalogueEntry {
    public static let kind = "agent"
    /// As on the command line.
    public let name: String
    /// Task of the task catalogue that it plays; nil: any.
    public let task: String?
    public let summary: String
    public let options: [Option]
    /// What tuning tries: values for some of the options, all combinations of them.
    public let grid: [Tried]
    /// Whether the report page plays it beside a policy.
    public let isShownInReplays: Bool
    /// The options by which it says what it would do where a policy is, if an analysis is to ask it; its player is an
    /// `AdvisingPlayer` then.
    public let advice: Values?
    /// Why it cannot play a family with one value for each option.
    private let objects: @Sendable (any TaskFamily, Values) -> String?
    /// Builds the agent from one value for each option.
    public let make: @Sendable (Values) -> any Agent

    public init(
        name: String, task: String?, summary: String, options: [Option] = [], grid: [Tried] = [],
        isShownInReplays: Bool = false, advice: Values? = nil,
        objection: @escaping @Sendable (any TaskFamily, Values) -> String? = { _, _ in nil },
        make: @escaping @Sendable (Values) -> any Agent
    ) {
        self.name = name
        self.task = task
        self.summary = summary
        self.options = options
        self.grid = grid
        self.isShownInReplays = isShownInReplays
        self.advice = advice
        objects = objection
        self.make = make
    }

    /// The agent with some options given; the others have their defaults.
    public func makeAgent(_ given: Values = [:]) -> any Agent { make(Values(defaults: options, given: given)) }

    /// Why it cannot play a family with some options given, in one line; nil if it can.
    public func objection(_ family: any TaskFamily, given: Values = [:]) -> String? {
        objects(family, Values(defaults: options, given: given))
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
}

/// The classic agents that can be asked for by name, by task. A new one is a file and a line here.
public enum AgentCatalogue {
    private static let list = Mutex<[AgentEntry]>(anyTask + bandit + mdp)

    public static var entries: [AgentEntry] { list.withLock(\.self) }

    /// Adds an agent. Its name is not another's of the same task.
    public static func register(_ entry: AgentEntry) { list.withLock { $0.append(entry) } }

    /// Those of a task, in the order in which tables list them.
    public static func entries(of task: String) -> [AgentEntry] {
        entries.filter { $0.task == task || $0.task == nil }
    }

    public static func entry(named name: String, of task: String) -> AgentEntry? {
        entries(of: task).first { $0.name == name }
    }

    private static let anyTask = [
        AgentEntry(name: "random", task: nil, summary: "uniformly random actions") { _ in RandomAgent() },
        AgentEntry(
            name: "oracle", task: nil, summary: "knows the member: the ceiling",
            objection: { family, _ in OracleAgent.objection(family) }
        ) { _ in OracleAgent() },
    ]

    static let bandit: [AgentEntry] = [
        AgentEntry(
            name: "gittins", task: "bandit", summary: "discounted Gittins index",
            options: [
                Option(
                    "rule", GittinsAgent.Rule.allCases.map(\.rawValue), default: "whittle",
                    help: "closed form of Whittle or of Brezzi and Lai, or the exact index"),
                Option("discount", 0.1...0.9999, default: 0.99, help: "discount β of the index"),
                TieRule.option,
            ],
            grid: [
                AgentEntry.Tried("rule", ["whittle", "brezzi-lai"]),
                AgentEntry.Tried("discount", [0.9, 0.95, 0.97, 0.98, 0.99, 0.995]),
            ],
            objection: { GittinsAgent($1).objection($0) }
        ) { GittinsAgent($0) },
        AgentEntry(
            name: "gittins-finite", task: "bandit", summary: "exact Gittins index of the pulls that are left",
            options: [TieRule.option], objection: { family, _ in FiniteHorizonGittinsAgent.objection(family) }
        ) { FiniteHorizonGittinsAgent(ties: TieRule($0)) },
        AgentEntry(name: "thompson", task: "bandit", summary: "Thompson sampling", isShownInReplays: true) { _ in
            ThompsonSampling()
        },
        AgentEntry(
            name: "optimistic-thompson-mean", task: "bandit",
            summary: "Thompson samples, none below its arm's posterior mean (May et al. 2012)"
        ) { _ in ThompsonSampling(isOptimistic: true) },
        AgentEntry(
            name: "optimistic-thompson", task: "bandit", summary: "the densest of some Thompson samples, as published",
            options: [Option("samples", 1...10_000, default: 20, help: "posterior draws a pull")]
        ) { OptimisticThompsonSampling(samples: $0.integer("samples")) },
        AgentEntry(
            name: "ucb1", task: "bandit", summary: "upper confidence bounds on posterior counts",
            options: [
                Option("c", 0...10.0, default: 0.2, help: "scale of the confidence bound"), TieRule.option,
            ],
            grid: [AgentEntry.Tried("c", [0.05, 0.1, 0.15, 0.2, 0.25, 0.3])]
        ) { UCB1(scale: $0.real("c"), ties: TieRule($0)) },
        AgentEntry(
            name: "epsilon-greedy", task: "bandit", summary: "best posterior mean, or with probability ε any arm",
            options: [
                Option("epsilon", 0...1.0, default: 0.05, help: "probability of a random arm"),
                TieRule.option,
            ],
            grid: [AgentEntry.Tried("epsilon", [0.01, 0.02, 0.05, 0.1])]
        ) { GreedyBandit(epsilon: $0.real("epsilon"), ties: TieRule($0)) },
        AgentEntry(
            name: "greedy", task: "bandit", summary: "best posterior mean", options: [TieRule.option],
            isShownInReplays: true
        ) { GreedyBandit(ties: TieRule($0)) },
        AgentEntry(
            name: "bayes-optimal", task: "bandit", summary: "exact Bayes-optimal play, where the beliefs are few",
            options: [TieRule.option], objection: { family, _ in BayesOptimalAgent.objection(family) }
        ) { BayesOptimalAgent(ties: TieRule($0)) },
    ]
}
