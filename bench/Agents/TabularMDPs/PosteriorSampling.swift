import Kernels
import Tasks

/// Plans in models drawn from the posterior: one for PSRL (Strens 2000; Osband, Russo and Van Roy 2013), and for OPSRL
/// the elementwise maximum of the action values of several (Osband and Van Roy 2017, section 3).
public struct PosteriorSampling: TabularPlanner {
    /// Models drawn for an episode, at least 1.
    public let samples: Int

    public init(samples: Int = 1) {
        precondition(samples >= 1, "posterior sampling draws at least one model")
        self.samples = samples
    }

    public func plan(
        _ belief: TabularBelief, step: Int, tables: inout PlanningTables,
        into actionValues: UnsafeMutablePointer<Double>,
        random: inout RandomSource
    ) {
        let count = belief.horizon * belief.pairs
        func solve(into actionValues: UnsafeMutablePointer<Double>) {
            belief.sampleModel(rewards: &tables.rewards, transitions: &tables.transitions, random: &random)
            BackwardInduction.solve(
                states: belief.states, actions: belief.actions, horizon: belief.horizon, rewards: tables.rewards,
                transitions: tables.transitions, into: actionValues, values: &tables.values)
        }
        solve(into: actionValues)
        guard samples > 1 else { return }
        withUnsafeTemporaryAllocation(of: Double.self, capacity: count) { others in
            for _ in 1..<samples {
                solve(into: others.baseAddress!)
                for index in 0..<count where others[index] > actionValues[index] { actionValues[index] = others[index] }
            }
        }
    }
}
