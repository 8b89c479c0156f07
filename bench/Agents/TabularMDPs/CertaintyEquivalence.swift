import Kernels
import Tasks

/// Plans as if the expected model were the MDP: Greedy, and with random actions ε-greedy.
public struct CertaintyEquivalence: TabularPlanner {
    public init() {}

    public func plan(
        _ belief: TabularBelief, step: Int, tables: inout PlanningTables,
        into actionValues: UnsafeMutablePointer<Double>,
        random: inout RandomSource
    ) {
        belief.expectedModel(rewards: &tables.rewards, transitions: &tables.transitions)
        BackwardInduction.solve(
            states: belief.states, actions: belief.actions, horizon: belief.horizon, rewards: tables.rewards,
            transitions: tables.transitions, into: actionValues, values: &tables.values)
    }
}
