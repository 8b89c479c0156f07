/// Optimal play of a known tabular MDP over a finite horizon, undiscounted (Puterman 1994, section 4.5):
///
///     Q_t(s, a) = r(s, a) + Σ_s′ p(s′ | s, a) V_{t+1}(s′),        V_t(s) = max_a Q_t(s, a),        V_T = 0
///
/// Tables are action-major, rewards [A, S] and transitions [S′, A, S], so that the sum over s′ and the maximum over a both
/// run along memory: a backup is S passes over A·S numbers. Agents solve a sampled model for every episode, a thousand
/// times a second and more; nothing is allocated here.
public enum BackwardInduction {
    /// One step back in time: Q_t from V_{t+1}.
    ///
    /// - Parameters:
    ///   - rewards: r [A, S]
    ///   - transitions: p [S′, A, S]
    ///   - values: V_{t+1} [S]
    ///   - actionValues: Q_t [A, S]
    public static func backup(
        states: Int, actions: Int, rewards: UnsafePointer<Double>, transitions: UnsafePointer<Double>,
        values: UnsafePointer<Double>, into actionValues: UnsafeMutablePointer<Double>
    ) {
        let pairs = states * actions
        actionValues.update(from: rewards, count: pairs)
        for next in 0..<states {
            let (value, row) = (values[next], transitions + next * pairs)
            for pair in 0..<pairs { actionValues[pair] += value * row[pair] }
        }
    }

    /// V_t from Q_t.
    ///
    /// - Parameters:
    ///   - actionValues: Q_t [A, S]
    ///   - values: V_t [S]
    public static func maximum(
        states: Int, actions: Int, _ actionValues: UnsafePointer<Double>, into values: UnsafeMutablePointer<Double>
    ) {
        values.update(from: actionValues, count: states)
        for action in 1..<max(actions, 1) {
            let row = actionValues + action * states
            for state in 0..<states { values[state] = row[state] > values[state] ? row[state] : values[state] }
        }
    }

    /// Q of every step.
    ///
    /// - Parameters:
    ///   - horizon: T, at least 1.
    ///   - rewards: r [A, S]
    ///   - transitions: p [S′, A, S]
    ///   - actionValues: Q [T, A, S]
    ///   - values: [S]; holds V_0 afterwards.
    public static func solve(
        states: Int, actions: Int, horizon: Int, rewards: UnsafePointer<Double>, transitions: UnsafePointer<Double>,
        into actionValues: UnsafeMutablePointer<Double>, values: UnsafeMutablePointer<Double>
    ) {
        values.update(repeating: 0, count: states)
        for step in (0..<horizon).reversed() {
            let table = actionValues + step * states * actions
            backup(
                states: states, actions: actions, rewards: rewards, transitions: transitions, values: values,
                into: table)
            maximum(states: states, actions: actions, table, into: values)
        }
    }
}
