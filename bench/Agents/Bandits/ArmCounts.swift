import Interface
import Tasks

/// What is known of the arms of a Bernoulli bandit: the posterior of each success probability is Beta(p, q), from the
/// uniform prior Beta(1, 1). The classic agents believe in it whatever the family's prior is, as a policy must that was
/// trained on it; exact play alone knows the family's.
struct ArmCounts: Sendable {
    /// 1 + successes [k]
    private(set) var p: [Double]
    /// 1 + failures [k]
    private(set) var q: [Double]

    init(arms: Int) {
        p = [Double](repeating: 1, count: arms)
        q = p
    }

    var arms: Int { p.count }

    /// Takes in the previous pull, and returns its arm; nil at the first step.
    @inline(__always)
    mutating func observe(_ input: StepView) -> Int? {
        let arm = input.previousAction
        guard arm >= 0 else { return nil }
        if input.previousReward > 0.5 { p[arm] += 1 } else { q[arm] += 1 }
        return arm
    }
}
