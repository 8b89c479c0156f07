import Interface
import Kernels

/// A table of Duan et al. 2016 (arXiv 1611.02779) with its published numbers, and which agents of ours belong to its
/// columns: mean total rewards of 1000 members, to one decimal.
public struct PaperTable: Sendable {
    public struct Column: Sendable {
        /// As the paper heads it.
        public let title: String
        /// Agent of the catalogue and its options that are not tuned; nil: a trained policy's.
        public let agent: (name: String, given: Values)?
        /// [rows]; nil where nothing was published.
        public let published: [Double?]

        init(_ title: String, agent: String? = nil, given: Values = [:], _ published: [Double?]) {
            self.title = title
            self.agent = agent.map { ($0, given) }
            self.published = published
        }
    }

    /// As on the command line.
    public let name: String
    public let title: String
    /// Task of the task catalogue.
    public let task: String
    /// Options of the task in each row, those that differ between rows.
    public let rows: [Values]
    public let columns: [Column]

    /// Members of a published mean.
    public static let members = 1000
    /// A published mean is rounded to a whole number of these.
    public static let resolution = 0.1

    public static let all = [bandits, mdps]

    public static func named(_ name: String) -> PaperTable? { all.first { $0.name == name } }

    /// A row's cell as the paper writes it, such as "n = 10, k = 5".
    public func label(_ row: Values) -> String {
        [("n", "episodes"), ("k", "arms")].compactMap { letter, name in row[name].map { "\(letter) = \($0)" } }
            .joined(separator: ", ")
    }

    /// Table 1; SNAIL's column is that of Mishra et al. 2018 on the same task.
    public static let bandits = PaperTable(
        name: "bandits", title: "Duan et al. 2016, table 1", task: "bandit",
        rows: [10, 100, 500].flatMap { episodes in
            [5, 10, 50].map { ["episodes": .integer(episodes), "arms": .integer($0)] as Values }
        } + [["episodes": 1000, "arms": 50]],
        columns: [
            Column("Random", agent: "random", [5.0, 5.0, 5.1, 49.9, 49.9, 49.8, 249.8, 249.0, 249.6, 499.8]),
            Column("Gittins", agent: "gittins", [6.6, 6.6, 6.5, 78.3, 82.8, 85.2, 405.8, 437.8, 463.7, 944.1]),
            Column("TS", agent: "thompson", [5.7, 5.5, 5.2, 74.7, 76.7, 64.5, 402.0, 429.5, 427.2, nil]),
            Column("OTS", agent: "optimistic-thompson", [6.5, 6.2, 5.5, 77.9, 81.4, 67.7, 406.7, 438.9, 437.6, nil]),
            Column("UCB1", agent: "ucb1", [6.7, 6.7, 6.6, 78.0, 82.4, 84.3, 405.8, 437.1, 457.6, nil]),
            Column("ε-Greedy", agent: "epsilon-greedy", [6.6, 6.6, 6.5, 75.4, 77.4, 78.3, 388.2, 408.0, 413.6, nil]),
            Column("Greedy", agent: "greedy", [6.6, 6.6, 6.5, 74.8, 77.1, 78.0, 380.6, 395.0, 402.8, nil]),
            Column("RL²", [6.7, 6.7, 6.8, 78.7, 83.5, 84.9, 401.6, 432.5, 438.9, 847.4]),
            Column("SNAIL", [6.6, 6.7, 6.7, 79.1, 83.5, 85.1, 408.1, 432.4, 442.6, 889.8]),
        ])

    /// Table 2. The published columns come out with a prior mean of 0 for rewards that are drawn around 1, those of Greedy
    /// and ε-greedy with priors that weigh almost nothing beside, and that of UCRL2 with a faulty planner; what the
    /// algorithms earn with the correct prior, and without the fault, is told by `rl2x baselines`.
    public static let mdps = PaperTable(
        name: "mdps", title: "Duan et al. 2016, table 2", task: "mdp",
        rows: [10, 25, 50, 75, 100].map { ["episodes": .integer($0)] as Values },
        columns: [
            Column("Random", agent: "random", [100.1, 250.2, 499.7, 749.9, 999.4]),
            Column("PSRL", agent: "psrl", given: ["prior-mean": 0.0], [138.1, 408.8, 904.4, 1417.1, 1939.5]),
            Column("OPSRL", agent: "opsrl", given: ["prior-mean": 0.0], [144.1, 425.2, 930.7, 1449.2, 1973.9]),
            Column(
                "UCRL2", agent: "ucrl2-as-published", given: ["scale": 0.398], [146.6, 424.1, 918.9, 1427.6, 1942.1]),
            Column(
                "BEB", agent: "beb", given: ["prior-mean": 0.0, "scaling": 0.0015, "reward-bonus": 1.0],
                [150.2, 427.8, 917.8, 1422.6, 1935.1]),
            Column(
                "ε-Greedy", agent: "epsilon-greedy-as-published", given: ["epsilon": 0.1],
                [132.8, 377.3, 823.3, 1293.9, 1778.2]),
            Column("Greedy", agent: "greedy-as-published", [134.8, 368.8, 769.3, 1172.9, 1578.5]),
            Column("RL²", [156.2, 445.7, 936.1, 1428.8, 1913.7]),
            Column("SNAIL", [159.1, 447.2, 942.3, 1447.5, 1953.1]),
        ])
}
