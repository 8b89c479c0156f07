import Interface
import Kernels
import Tasks

/// The classic agents of random tabular MDPs. Each stands twice: with μ₀ = 0, by which the published tables were made, and
/// with μ₀ = 1, the mean by which members are drawn, which is the honest bar; the strongest of these also with a new plan
/// at each step. Of three agents the published columns are of other priors, or of a faulty planner: these have the names
/// "as published".
extension AgentCatalogue {
    static let mdp: [AgentEntry] =
        tabular(suffix: "", epsilon: 0.1, bonus: 0.0015, optimism: 0.2)
        + tabular(
            suffix: "-correct-prior", prior: TabularPrior(rewardMean: 1), epsilon: 0.05, bonus: 4e-4, optimism: 0.05)
        + tabular(
            suffix: "-each-step", prior: TabularPrior(rewardMean: 1), replan: .step, epsilon: 0.05, bonus: 4e-4,
            optimism: 0.05
        ).filter { $0.name == "beb-each-step" }
        + tabular(
            suffix: asPublished, prior: TabularPrior(rewardPrecision: 1e-4, concentration: 1e-4), epsilon: 0.1,
            bonus: 0.0015, optimism: 0.2
        ).filter { ["epsilon-greedy", "greedy"].map { $0 + asPublished }.contains($0.name) }
        + tabular(suffix: asPublished, epsilon: 0.1, bonus: 0.0015, optimism: 0.398).filter {
            $0.name == "ucrl2" + asPublished
        }

    private static let asPublished = "-as-published"

    /// Those that are asked what they would do where a policy is. They plan at each step, since a policy uses at once what
    /// it sees, and they draw nothing.
    private static let advising: [String: Values] = [
        "greedy-correct-prior": ["replan": .word(Replanning.step.rawValue)], "beb-each-step": [:],
    ]

    private static func tabular(
        suffix: String, prior: TabularPrior = TabularPrior(), replan: Replanning = .episode, epsilon: Double,
        bonus: Double, optimism: Double
    ) -> [AgentEntry] {
        let isPublished = suffix == asPublished
        let priors = [
            Option(
                "prior-mean", -100...100, default: prior.rewardMean,
                help: "μ₀: what rewards are believed to be at first"
            ),
            Option(
                "prior-precision", 1e-6...1e6, default: prior.rewardPrecision,
                help: "τ₀: rewards that the first belief in μ₀ weighs"),
            Option(
                "prior-concentration", 1e-6...1e6, default: prior.concentration,
                help: "α₀: transitions to each state that the first belief in equal chances weighs"),
        ]
        let replanning = Option(
            "replan", Replanning.allCases.map(\.rawValue), default: replan.rawValue,
            help: "plan anew before each episode, as published, or before each step")
        func entry<Planner: TabularPlanner>(
            _ name: String, _ title: String, _ summary: String, options: [Option] = [], grid: [AgentEntry.Tried] = [],
            exploration: @escaping @Sendable (Values) -> Double = { _ in 0 },
            settings: @escaping @Sendable (Values) -> [String] = { _ in [] },
            planner: @escaping @Sendable (Values) -> Planner
        ) -> AgentEntry {
            AgentEntry(
                name: name + suffix, task: "mdp",
                summary: summary + ", μ₀ = \(decimal(prior.rewardMean))"
                    + (prior.concentration < 1 ? ", nearly flat priors" : "")
                    + (replan == .step ? ", plans each step" : "") + (isPublished ? ": as published" : ""),
                options: priors + [replanning] + options, grid: grid,
                isShownInReplays: ["greedy-correct-prior", "psrl-correct-prior"].contains(name + suffix),
                advice: advising[name + suffix]
            ) { values in
                TabularMDPAgent(
                    name: title + (isPublished ? ", as published" : ""),
                    prior: TabularPrior(
                        rewardMean: values.real("prior-mean"), rewardPrecision: values.real("prior-precision"),
                        concentration: values.real("prior-concentration")), planner: planner(values),
                    replanning: Replanning(rawValue: values.word("replan"))!, exploration: exploration(values),
                    settings: settings(values))
            }
        }
        return [
            entry("psrl", "PSRL", "plans in one model drawn from the posterior") { _ in PosteriorSampling() },
            entry(
                "opsrl", "OPSRL", "the highest action values of several models drawn",
                options: [Option("samples", 1...1000, default: 10, help: "models drawn for an episode")],
                settings: { ["\($0.integer("samples")) samples"] }
            ) { PosteriorSampling(samples: $0.integer("samples")) },
            entry(
                "ucrl2", "UCRL2",
                "plans in the most favourable plausible model"
                    + (isPublished ? ", of which each step overwrites the estimate" : ""),
                options: [
                    Option("delta", 1e-9...1, default: 0.05, help: "δ: probability of an implausible MDP"),
                    Option("scale", 0...100, default: optimism, help: "factor of the confidence widths"),
                ],
                grid: [
                    AgentEntry.Tried(
                        "scale", isPublished ? [0.1, 0.158, 0.251, 0.398, 0.631, 1.0] : [0.02, 0.05, 0.1, 0.2, 0.3])
                ],
                settings: { ["δ = \(decimal($0.real("delta")))", "scale = \(decimal($0.real("scale")))"] }
            ) {
                OptimismUnderUncertainty(
                    delta: $0.real("delta"), scale: $0.real("scale"), overwritesEstimate: isPublished)
            },
            entry(
                "beb", "BEB", "expected model and a bonus for what was seen rarely",
                options: [
                    Option("scaling", 0...10, default: bonus, help: "factor of the bonus for transitions"),
                    Option(
                        "reward-bonus", 0.0...100, default: 1.0, help: "ρ, factor of the bonus for rewards"),
                ],
                grid: [
                    AgentEntry.Tried("scaling", [5e-5, 1e-4, 2e-4, 4e-4, 8e-4, 1.5e-3]),
                    AgentEntry.Tried("reward-bonus", [1.0, 1.5, 2.0]),
                ],
                settings: {
                    ["scaling = \(decimal($0.real("scaling")))"]
                        + ($0.real("reward-bonus") == 1 ? [] : ["ρ = \(decimal($0.real("reward-bonus")))"])
                }
            ) { BayesianExplorationBonus(scaling: $0.real("scaling"), rewardBonus: $0.real("reward-bonus")) },
            entry(
                "epsilon-greedy", "ε-greedy", "expected model and random actions",
                options: [
                    Option("epsilon", 0...1, default: epsilon, help: "ε: share of random actions")
                ],
                grid: [AgentEntry.Tried("epsilon", [0.01, 0.02, 0.05, 0.1, 0.2])],
                exploration: { $0.real("epsilon") }, settings: { ["ε = \(decimal($0.real("epsilon")))"] }
            ) { _ in CertaintyEquivalence() },
            entry("greedy", "Greedy", "plans in the expected model") { _ in CertaintyEquivalence() },
        ]
    }
}
