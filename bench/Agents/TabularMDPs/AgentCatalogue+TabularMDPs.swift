import Kernels

/// The classic agents of random tabular MDPs. Each stands twice: with μ₀ = 0, by which the published tables were made, and
/// with μ₀ = 1, the mean by which members are drawn, which is the honest bar; the strongest of these also with a new plan
/// at each step.
extension AgentCatalogue {
    static let mdp: [Entry] =
        [Entry(name: "random", task: "mdp", summary: "uniformly random actions") { _ in RandomAgent() }]
        + tabular(suffix: "", priorMean: 0, epsilon: 0.1, bonus: 0.0015, optimism: 0.2)
        + tabular(suffix: "-correct-prior", priorMean: 1, epsilon: 0.05, bonus: 4e-4, optimism: 0.05)
        + tabular(
            suffix: "-each-step", priorMean: 1, replan: .step, epsilon: 0.05, bonus: 4e-4, optimism: 0.05
        ).filter { $0.name == "beb-each-step" }

    private static func tabular(
        suffix: String, priorMean: Double, replan: Replanning = .episode, epsilon: Double, bonus: Double,
        optimism: Double
    ) -> [Entry] {
        let prior = CatalogueOption(
            "prior-mean", -100...100, standard: priorMean, help: "μ₀: what rewards are believed to be at first")
        let replanning = CatalogueOption(
            "replan", Replanning.allCases.map(\.rawValue), standard: replan.rawValue,
            help: "plan anew before each episode, as published, or before each step")
        func entry<Planner: TabularPlanner>(
            _ name: String, _ title: String, _ summary: String, options: [CatalogueOption] = [], grid: [Tried] = [],
            exploration: @escaping @Sendable (OptionValues) -> Double = { _ in 0 },
            settings: @escaping @Sendable (OptionValues) -> [String] = { _ in [] },
            planner: @escaping @Sendable (OptionValues) -> Planner
        ) -> Entry {
            Entry(
                name: name + suffix, task: "mdp",
                summary: summary + ", μ₀ = \(shortest(priorMean))"
                    + (replan == .step ? ", plans each step" : ""),
                options: [prior, replanning] + options, grid: grid
            ) { values in
                TabularMDPAgent(
                    name: title, prior: TabularPrior(rewardMean: values.real("prior-mean")), planner: planner(values),
                    replanning: Replanning(rawValue: values.word("replan"))!, exploration: exploration(values),
                    settings: settings(values))
            }
        }
        return [
            entry("psrl", "PSRL", "plans in one model drawn from the posterior") { _ in PosteriorSampling() },
            entry(
                "opsrl", "OPSRL", "the highest action values of several models drawn",
                options: [CatalogueOption("samples", 1...1000, standard: 10, help: "models drawn for an episode")],
                settings: { ["\($0.integer("samples")) samples"] }
            ) { PosteriorSampling(samples: $0.integer("samples")) },
            entry(
                "ucrl2", "UCRL2", "plans in the most favourable plausible model",
                options: [
                    CatalogueOption("delta", 1e-9...1, standard: 0.05, help: "δ: probability of an implausible MDP"),
                    CatalogueOption("scale", 0...100, standard: optimism, help: "factor of the confidence widths"),
                ],
                grid: [Tried("scale", [0.02, 0.05, 0.1, 0.2, 0.3])],
                settings: { ["δ = \(shortest($0.real("delta")))", "scale = \(shortest($0.real("scale")))"] }
            ) { OptimismUnderUncertainty(delta: $0.real("delta"), scale: $0.real("scale")) },
            entry(
                "beb", "BEB", "expected model and a bonus for what was seen rarely",
                options: [
                    CatalogueOption("scaling", 0...10, standard: bonus, help: "factor of the bonus for transitions"),
                    CatalogueOption(
                        "reward-bonus", 0.0...100, standard: 1.0, help: "ρ, factor of the bonus for rewards"),
                ],
                grid: [
                    Tried("scaling", [5e-5, 1e-4, 2e-4, 4e-4, 8e-4, 1.5e-3]), Tried("reward-bonus", [1.0, 1.5, 2.0]),
                ],
                settings: {
                    ["scaling = \(shortest($0.real("scaling")))"]
                        + ($0.real("reward-bonus") == 1 ? [] : ["ρ = \(shortest($0.real("reward-bonus")))"])
                }
            ) { BayesianExplorationBonus(scaling: $0.real("scaling"), rewardBonus: $0.real("reward-bonus")) },
            entry(
                "epsilon-greedy", "ε-greedy", "expected model and random actions",
                options: [
                    CatalogueOption("epsilon", 0...1, standard: epsilon, help: "ε: share of random actions")
                ],
                grid: [Tried("epsilon", [0.01, 0.02, 0.05, 0.1, 0.2])],
                exploration: { $0.real("epsilon") }, settings: { ["ε = \(shortest($0.real("epsilon")))"] }
            ) { _ in CertaintyEquivalence() },
            entry("greedy", "Greedy", "plans in the expected model") { _ in CertaintyEquivalence() },
        ]
    }
}
