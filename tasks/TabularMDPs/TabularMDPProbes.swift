import Interface

/// What can be asked of a memory in a tabular MDP: for each state and action the posterior mean of its reward under the
/// family's own prior, (1 + Σ r) / (1 + n), and n, the times that it was tried in the trial so far. Action-major [A, S].
struct TabularMDPProbes: TrialProbes {
    typealias Member = TabularMDP.Member

    private var belief: TabularBelief
    private var state = 0

    init(_ family: TabularMDP) {
        belief = TabularBelief(
            states: family.states, actions: family.actions, horizon: family.horizon,
            prior: TabularPrior(rewardMean: 1))
    }

    var quantities: [ProbeQuantity] {
        [
            ProbeQuantity("posterior_mean_reward", "posterior mean of each reward", .vector(belief.pairs)),
            ProbeQuantity("visit_count", "times that each state and action was tried", .vector(belief.pairs)),
        ]
    }

    mutating func observe(
        _ environment: TabularMDP.Member, _ input: StepView, into values: UnsafeMutablePointer<Double>
    ) {
        let now = environment.state
        if input.previousAction >= 0 {
            belief.observe(
                state: state, action: input.previousAction, reward: Double(input.previousReward),
                next: input.endsEpisode ? nil : now)
        }
        state = now
        for pair in 0..<belief.pairs {
            values[pair] = belief.rewardMeans[pair]
            values[belief.pairs + pair] = belief.rewardPrecisions[pair] - belief.prior.rewardPrecision
        }
    }
}
