/// Exact play of two Bernoulli arms with success probabilities p and 1 − p, p ~ U(0, 1) (`BanditPrior.dependent`).
///
/// A success of one arm and a failure of the other tell the same of p, so every pull tells as much whichever arm it is, and
/// nothing is to be explored: the arm with the larger posterior mean is optimal, however many pulls are left.
public enum DependentArms {
    /// Expected total reward of optimal play.
    ///
    /// After t pulls the number s of those that speak for the first arm is uniform on 0 … t, p has the posterior
    /// Beta(1 + s, 1 + t − s), and the better arm pays max(1 + s, 1 + t − s) / (2 + t).
    public static func optimum(pulls: Int) -> Double {
        (0..<pulls).reduce(0) { total, t in
            let best = (0...t).reduce(0) { $0 + max(1 + $1, 1 + t - $1) }
            return total + Double(best) / Double((t + 1) * (t + 2))
        }
    }

    /// The optimal arms for what was seen, in ascending order.
    public static func optimalArms(successes: [Int], failures: [Int]) -> [Int] {
        let (first, second) = (successes[0] + failures[1], successes[1] + failures[0])
        return first > second ? [0] : first < second ? [1] : [0, 1]
    }
}
