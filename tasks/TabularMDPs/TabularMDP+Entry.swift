import Interface

extension TabularMDP {
    static let entry = TaskEntry(
        name: "mdp", summary: "random tabular MDPs, flat Dirichlet transitions, mean rewards N(1, 1)",
        options: [
            Option("states", 2...64, default: 10, help: "States of an MDP"),
            Option("actions", 2...64, default: 5, help: "Actions of an MDP"),
            Option("horizon", 1...1000, default: 10, help: "Steps of an MDP's episode"),
            Option("episodes", 1...10_000, default: 10, help: "Episodes of a trial"),
            Option(
                "reachable-states", 0...64, default: 0,
                help: "How many of an MDP's states transitions lead to, the first ones; 0: all"),
        ],
        objection: {
            $0.integer("reachable-states") <= $0.integer("states")
                ? nil
                : "--reachable-states is \($0.integer("reachable-states")): it must be at most --states, "
                    + "\($0.integer("states"))"
        },
        training: { training($0, $1) },
        make: {
            let reachable = $0.integer("reachable-states")
            return TabularMDP(
                states: $0.integer("states"), actions: $0.integer("actions"), horizon: $0.integer("horizon"),
                episodes: $0.integer("episodes"), reachableStates: reachable == 0 ? nil : reachable)
        })

    /// States are met again within a trial, so what was earned must be kept by state *and* action. No policy gradient finds
    /// that in the steps at hand: it settles on keeping it by action alone. So the memory learns to predict rewards first,
    /// with two states, then three, and so on: one new state is little beside what is known, all of them at once are too
    /// much (docs/experiments.md). Then the outer loop of RL² takes over, on the task itself.
    ///
    /// Trials of at most 30 steps are too short for this to matter: they are trained by length, as bandits are.
    private static func training(_ values: Values, _ model: ModelTraits) -> TrainingDefaults {
        let (episodes, horizon) = (values.integer("episodes"), values.integer("horizon"))
        let growing = growingStates(values)
        guard episodes * horizon > 30, !growing.isEmpty else {
            return .byTrialLength(episodes: episodes, stepsPerEpisode: horizon, model: model)
        }
        func prediction(_ iterations: Int, _ options: Values) -> Stage {
            var options = options
            if episodes > 10 { options["episodes"] = 10 }
            return Stage(
                taskOptions: options, learner: "reward_prediction",
                learnerOptions: ["learning-rate": .real(model.predictionRate), "epochs": 1, "minibatches": 40],
                iterations: iterations, batchSteps: 50_000)
        }
        let playing = Stage(
            learner: "trpo",
            learnerOptions: TrainingDefaults.longTrials.merging([
                "gae-lambda": 0.9, "maximum-kl": 0.02, "final-maximum-kl": 0.003, "entropy-bonus": 0.02,
                "final-entropy-bonus": 0, "critic-warmup": 2, "trials-per-member": 4,
            ]), iterations: 100, batchSteps: episodes * horizon > 100 ? 500_000 : 200_000)
        return TrainingDefaults(
            modelOptions: [
                "chrono-t-max": 1, "input-gain": 6.0, "critic-hidden": .integer(max(1, model.hidden / 2)),
            ],
            stages: growing.enumerated().map { place, options in
                prediction(min(30 + 10 * max(0, place - 1), 100), options)
            } + [prediction(350, [:]), playing])
    }

    /// From two reachable states upwards, each new one at once in small MDPs, an eighth more in large ones.
    private static func growingStates(_ values: Values) -> [Values] {
        let reachable = values.integer("reachable-states")
        let all = reachable == 0 ? values.integer("states") : reachable
        return sequence(first: 2) { $0 + max(1, $0 / 8) }.prefix { $0 < all }.map { ["reachable-states": .integer($0)] }
    }
}
