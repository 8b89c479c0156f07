import Foundation
import Kernels
import Tasks

/// UCRL2 (Jaksch, Ortner and Auer 2010, "Near-optimal regret bounds for reinforcement learning") for episodes of known
/// length: plans in the most favourable model that is plausible, by extended value iteration (their figure 2), anew for
/// each episode.
///
/// Plausible are mean rewards up to r̂ + scale · √(4 L / N_r) and probabilities within scale · √(4 S L / N_p) of p̂ in the
/// L1 norm, with L = log(2 S A (t + 1) / δ) after t steps, N_r the rewards and N_p the transitions seen, at least 1.
/// The centres r̂ and p̂ are the expected model.
///
/// The published column (Duan et al. 2016, table 2) has a fault of the library that its authors used: the probabilities that
/// were made optimistic for one step of the episode take the place of p̂ for the steps before it, so that optimism adds up
/// from the end of the episode to its start.
public struct OptimismUnderUncertainty: TabularPlanner {
    /// δ in (0, 1): how probable it may be that the MDP is not plausible.
    public let delta: Double
    /// 1 gives widths for which regret is bounded; smaller ones earn more in short trials.
    public let scale: Double
    /// Whether it has the published fault.
    public let overwritesEstimate: Bool

    public init(delta: Double = 0.05, scale: Double = 1, overwritesEstimate: Bool = false) {
        self.delta = delta
        self.scale = scale
        self.overwritesEstimate = overwritesEstimate
    }

    public func plan(
        _ belief: TabularBelief, step: Int, tables: inout PlanningTables,
        into actionValues: UnsafeMutablePointer<Double>,
        random: inout RandomSource
    ) {
        let (states, actions, pairs) = (belief.states, belief.actions, belief.pairs)
        let confidence = log(2 * Double(pairs) * Double(step + 1) / delta)
        belief.expectedModel(rewards: &tables.rewards, transitions: &tables.transitions)
        withUnsafeTemporaryAllocation(of: Double.self, capacity: pairs) { widths in
            for pair in 0..<pairs {
                let rewards = max(1, belief.rewardPrecisions[pair] - belief.prior.rewardPrecision)
                let transitions = max(
                    1, belief.concentrationSums[pair] - Double(states) * belief.prior.concentration)
                tables.rewards[pair] += scale * (4 * confidence / rewards).squareRoot()
                widths[pair] = scale * (4 * Double(states) * confidence / transitions).squareRoot()
            }
            tables.values.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
            withUnsafeTemporaryAllocation(of: Int.self, capacity: states) { order in
                for time in (0..<belief.horizon).reversed() {
                    let table = actionValues + time * pairs
                    BackwardInduction.backup(
                        states: states, actions: actions, rewards: tables.rewards, transitions: tables.transitions,
                        values: tables.values, into: table)
                    sort(order, by: tables.values)
                    for pair in 0..<pairs {
                        table[pair] += gain(
                            pair, pairs: pairs, width: widths[pair], order: order, &tables.transitions, tables.values)
                    }
                    BackwardInduction.maximum(states: states, actions: actions, table, into: &tables.values)
                }
            }
        }
    }

    /// What the best plausible probabilities add to Σ p̂ V: the best state gains half of the width, or what is left to 1,
    /// and the worst ones lose it, each no more than it has.
    /// - Parameters:
    ///   - order: states, worst first [S]
    ///   - transitions: p̂ [S′, A, S]; with the fault they become the best plausible ones.
    ///   - values: V [S]
    private func gain(
        _ pair: Int, pairs: Int, width: Double, order: UnsafeMutableBufferPointer<Int>,
        _ transitions: UnsafeMutablePointer<Double>, _ values: UnsafePointer<Double>
    ) -> Double {
        let best = order[order.count - 1]
        var left = min(width / 2, 1 - transitions[best * pairs + pair])
        var gain = left * values[best]
        if overwritesEstimate { transitions[best * pairs + pair] += left }
        for state in order where left > 0 && state != best {
            let lost = min(left, transitions[state * pairs + pair])
            gain -= lost * values[state]
            left -= lost
            if overwritesEstimate { transitions[state * pairs + pair] -= lost }
        }
        return gain
    }

    /// Writes 0 ..< S in the order of their values, lowest first: by insertion, since there are few.
    private func sort(_ order: UnsafeMutableBufferPointer<Int>, by values: UnsafePointer<Double>) {
        for state in order.indices {
            var place = state
            while place > 0 && values[order[place - 1]] > values[state] {
                order[place] = order[place - 1]
                place -= 1
            }
            order[place] = state
        }
    }
}
