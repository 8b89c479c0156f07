import Kernels

/// The families that can be asked for by name. A new one is a file and a line here.
public enum TaskCatalogue {
    public struct Entry: Sendable {
        public let name: String
        public let summary: String
        public let options: [CatalogueOption]
        /// Why a family of these options cannot be, in words that name the option; nil if it can. Values are in range.
        public let objection: @Sendable (OptionValues) -> String?
        /// Options that make the members of such a family easier, in the same spaces, for a training to begin with, the
        /// easiest first; none where none are known or needed.
        public let easier: @Sendable (OptionValues) -> [OptionValues]
        /// Builds the family from one value for each option.
        public let make: @Sendable (OptionValues) -> any TaskFamily

        public init(
            name: String, summary: String, options: [CatalogueOption],
            objection: @escaping @Sendable (OptionValues) -> String? = { _ in nil },
            easier: @escaping @Sendable (OptionValues) -> [OptionValues] = { _ in [] },
            make: @escaping @Sendable (OptionValues) -> any TaskFamily
        ) {
            self.name = name
            self.summary = summary
            self.options = options
            self.objection = objection
            self.easier = easier
            self.make = make
        }
    }

    public static let entries: [Entry] = [
        Entry(
            name: "bandit",
            summary: "Bernoulli bandits, success probabilities uniform on (0, 1) unless --prior is given",
            options: [
                CatalogueOption("arms", 2...1000, standard: 5, help: "Arms of a bandit"),
                CatalogueOption("episodes", 1...10_000, standard: 10, help: "Episodes of a trial; of a bandit, pulls"),
                CatalogueOption(
                    "prior", BanditPrior.words.map(\.word), standard: "uniform",
                    help:
                        "How a bandit's success probabilities are drawn: uniform, by Beta(2, 2), or as p and 1 − p of two arms"
                ),
            ], objection: { BanditPrior(named: $0.word("prior")).objection(arms: $0.integer("arms")) }
        ) {
            BernoulliBandit(
                arms: $0.integer("arms"), episodes: $0.integer("episodes"), prior: BanditPrior(named: $0.word("prior")))
        },
        Entry(
            name: "mdp", summary: "random tabular MDPs, flat Dirichlet transitions, mean rewards N(1, 1)",
            options: [
                CatalogueOption("states", 2...64, standard: 10, help: "States of an MDP"),
                CatalogueOption("actions", 2...64, standard: 5, help: "Actions of an MDP"),
                CatalogueOption("horizon", 1...1000, standard: 10, help: "Steps of an MDP's episode"),
                CatalogueOption("episodes", 1...10_000, standard: 10, help: "Episodes of a trial"),
                CatalogueOption(
                    "reachable-states", 0...64, standard: 0,
                    help: "States of an MDP that transitions lead to, the first so many; 0: all"),
            ],
            objection: {
                $0.integer("reachable-states") <= $0.integer("states")
                    ? nil : "--reachable-states must be at most --states, \($0.integer("states"))"
            }, easier: easierMDPs
        ) {
            let reachable = $0.integer("reachable-states")
            return TabularMDP(
                states: $0.integer("states"), actions: $0.integer("actions"), horizon: $0.integer("horizon"),
                episodes: $0.integer("episodes"), reachableStates: reachable == 0 ? nil : reachable)
        },
        Entry(
            name: "maze",
            summary: "mazes seen through the agent's eyes: find the red block, remember, go straight to it",
            options: FirstPersonMaze.catalogueOptions,
            objection: { FirstPersonMaze.Options($0).objection },
            easier: { $0.integer("maze-size") > 3 ? [["maze-size": 3]] : [] }
        ) { FirstPersonMaze(FirstPersonMaze.Options($0)) },
    ]

    /// From two reachable states upwards, each new one at once in small MDPs, an eighth more in large ones.
    private static func easierMDPs(_ options: OptionValues) -> [OptionValues] {
        let reachable = options.integer("reachable-states")
        let all = reachable == 0 ? options.integer("states") : reachable
        return sequence(first: 2) { $0 + max(1, $0 / 8) }.prefix { $0 < all }.map { ["reachable-states": .integer($0)] }
    }

    public static var names: [String] { entries.map(\.name) }

    public static func entry(named name: String) -> Entry? { entries.first { $0.name == name } }
}
