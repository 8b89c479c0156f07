import Kernels
import Tasks

/// BEB (Kolter and Ng 2009, "Near-Bayesian exploration in polynomial time"): plans in the expected model with bonuses for
/// what was seen rarely,
///
///     Q_t(s, a) = E μ(s, a) + ρ / (1 + τ(s, a)) + i β T / (1 + Σ_s′ α(s, a, s′)) + Σ_s′ E p(s′ | s, a) V_{t+1}(s′)
///
/// with β = 2 T² · scaling and i = T − 1 − t, the steps that remain after this one: a wrong transition costs more the more
/// steps it spoils. The first bonus is for rewards, the second for transitions; the published column has both, with ρ = 1.
public struct BayesianExplorationBonus: TabularPlanner {
    /// Of the bonus for transitions.
    public let scaling: Double
    /// ρ
    public let rewardBonus: Double

    public init(scaling: Double, rewardBonus: Double = 1) {
        self.scaling = scaling
        self.rewardBonus = rewardBonus
    }

    public func plan(
        _ belief: TabularBelief, step: Int, tables: inout PlanningTables,
        into actionValues: UnsafeMutablePointer<Double>,
        random: inout RandomSource
    ) {
        let (pairs, horizon) = (belief.pairs, Double(belief.horizon))
        let bonus = 2 * horizon * horizon * scaling * horizon
        belief.expectedModel(rewards: &tables.rewards, transitions: &tables.transitions)
        for pair in 0..<pairs { tables.rewards[pair] += rewardBonus / (1 + belief.rewardPrecisions[pair]) }
        tables.values.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
        for time in (0..<belief.horizon).reversed() {
            let table = actionValues + time * pairs
            BackwardInduction.backup(
                states: belief.states, actions: belief.actions, rewards: tables.rewards,
                transitions: tables.transitions, values: tables.values, into: table)
            BackwardInduction.maximum(
                states: belief.states, actions: belief.actions, table, into: &tables.values)
            // i is one more at the step before.
            for pair in 0..<pairs { tables.rewards[pair] += bonus / (1 + belief.concentrationSums[pair]) }
        }
    }
}
