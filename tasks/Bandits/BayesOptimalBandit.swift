import Foundation
import Interface

/// Exact Bayes-optimal play of a Bernoulli bandit: the highest expected total reward of `pulls` pulls,
/// undiscounted, when the success probability of every arm is drawn independently from Beta(1, 1).
///
/// No policy that does not know the probabilities does better on average, learned or designed, so `value` is the
/// ceiling of a bandit benchmark. What a policy knows after t pulls is the number of successes s and failures f of
/// every arm. Its posterior mean is (1 + s) / (2 + s + f), and with V(belief) the expected reward still to come,
///
///     Q(belief, arm) = mean(arm) · (1 + V(belief, one success more)) + (1 − mean(arm)) · V(belief, one failure more)
///     V(belief)      = max over arms of Q(belief, arm),        V = 0 when no pull is left
///
/// (Bellman 1956, "A problem in the sequential design of experiments"; the bandit of Duan et al. 2016,
/// arXiv 1611.02779, section 3.1). Arms are exchangeable, so a belief is kept as the multiset of the counts of its pulled arms: fifty
/// arms and ten pulls cost what ten arms cost. `BeliefRanking` numbers these multisets without gaps, so the table
/// is one `Double` a belief and no keys.
///
/// Time grows as states × (pulled arms)², memory is 8 bytes a state.
public struct BayesOptimalBandit: Sendable {
    /// Why a bandit is not solved.
    public enum Refusal: Error, Equatable, CustomStringConvertible {
        /// There must be at least one arm and one pull.
        case notPositive(arms: Int, pulls: Int)
        /// `states` beliefs exceed `limit`; with as many arms, `feasiblePulls` pulls would not.
        case tooManyStates(arms: Int, pulls: Int, states: Double, limit: Int, feasiblePulls: Int)

        /// One line: what was asked, why it is refused, what to do.
        public var description: String {
            switch self {
            case .notPositive(let arms, let pulls):
                return "Bayes-optimal play needs at least one arm and one pull, not \(arms) arms and \(pulls) pulls"
            case .tooManyStates(let arms, let pulls, let states, let limit, let feasiblePulls):
                let needed = "\(Display.significant(states, 3)) states (\(Display.significant(states * 8e-9, 3)) GB)"
                let advice = "take at most \(feasiblePulls) pulls, or fewer arms, or raise the limit"
                return "Bayes-optimal play of \(arms) arms and \(pulls) pulls has \(needed), "
                    + "over the limit of \(limit): \(advice)"
            }
        }
    }

    /// Arms of the bandit, at least 1.
    public let arms: Int
    /// Pulls of a whole trial, at least 1.
    public let pulls: Int
    /// a: success probabilities are drawn from Beta(a, a), each by itself; 1: uniform.
    public let priorShape: Double

    private let ranking: BeliefRanking
    /// Where the beliefs after t pulls start in `values`; shape [pulls + 1], the last entry being the state count.
    private let layerStarts: [Int]
    /// Expected reward still to come, by layer and then by rank; shape [stateCount], unit: rewards of 1.
    private var values: [Double]

    /// Solves the bandit by backward induction.
    ///
    /// - Parameters:
    ///   - arms: number of arms, at least 1.
    ///   - pulls: number of pulls in a trial, at least 1.
    ///   - priorShape: a of the prior Beta(a, a) of each arm, above 0.
    ///   - maximumStates: how many beliefs may be tabulated, at 8 bytes each.
    /// - Throws: `Refusal`, before any work is done.
    public init(arms: Int, pulls: Int, priorShape: Double = 1, maximumStates: Int = 20_000_000) throws {
        guard arms >= 1, pulls >= 1 else { throw Refusal.notPositive(arms: arms, pulls: pulls) }
        let layerCounts = Self.layerCounts(arms: arms, pulls: pulls)
        let states = layerCounts.reduce(0, +)
        guard states <= Double(maximumStates) else {
            var feasiblePulls = 0
            var total = layerCounts[0]
            while total <= Double(maximumStates) {
                feasiblePulls += 1
                total += layerCounts[feasiblePulls]
            }
            throw Refusal.tooManyStates(
                arms: arms, pulls: pulls, states: states, limit: maximumStates, feasiblePulls: feasiblePulls)
        }
        self.arms = arms
        self.pulls = pulls
        self.priorShape = priorShape
        ranking = BeliefRanking(maximumArms: min(arms, pulls - 1), maximumPulls: pulls - 1)
        layerStarts = layerCounts.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int($1)) }
        values = [Double](repeating: 0, count: Int(states))
        for pullsDone in (0..<pulls).reversed() { solveLayer(pullsDone: pullsDone) }
    }

    /// Expected return of a trial under optimal play from the prior; between pulls / 2 and what knowing the
    /// probabilities is worth, with the uniform prior pulls · arms / (arms + 1).
    public var value: Double { values[0] }

    /// Number of tabulated beliefs: those in which a pull is left.
    public var stateCount: Int { values.count }

    /// Number of beliefs in which a pull is left, found without enumerating them, in time that grows as
    /// pulls² · min(arms, pulls). Exact up to 2⁵³, rounded above.
    ///
    /// - Precondition: `arms` and `pulls` are at least 1.
    public static func stateCount(arms: Int, pulls: Int) -> Double {
        layerCounts(arms: arms, pulls: pulls).reduce(0, +)
    }

    /// Expected reward of all pulls that are left when each arm is pulled next and play is optimal afterwards.
    ///
    /// - Parameters:
    ///   - successes: pulls of each arm that paid 1 so far, shape [arms].
    ///   - failures: pulls of each arm that paid 0 so far, shape [arms].
    /// - Returns: shape [arms]; arms with equal counts have equal values.
    /// - Precondition: the counts are non-negative and sum to less than `pulls`, so that there is a pull to choose.
    public func actionValues(successes: [Int], failures: [Int]) -> [Double] {
        precondition(
            successes.count == arms && failures.count == arms,
            "a belief of \(arms) arms has \(successes.count) successes and \(failures.count) failures")
        precondition(successes.allSatisfy { $0 >= 0 } && failures.allSatisfy { $0 >= 0 }, "negative counts")
        let pullsDone = successes.reduce(0, +) + failures.reduce(0, +)
        precondition(pullsDone < pulls, "no pull is left after \(pullsDone) of \(pulls)")

        let types = zip(successes, failures).map { ArmType.index(successes: $0, failures: $1) }
        let pulledArms = (0..<arms).filter { types[$0] != ArmType.untouched }.sorted { types[$0] > types[$1] }
        let belief = pulledArms.map { types[$0] }
        var result = [Double](repeating: 0, count: arms)
        for (position, arm) in pulledArms.enumerated() {
            let repeatsPrevious = position > 0 && belief[position] == belief[position - 1]
            result[arm] =
                repeatsPrevious
                ? result[pulledArms[position - 1]]
                : actionValue(of: position, belief: belief, pullsDone: pullsDone)
        }
        if pulledArms.count < arms {
            let untouchedValue = actionValue(of: belief.count, belief: belief, pullsDone: pullsDone)
            for arm in 0..<arms where types[arm] == ArmType.untouched { result[arm] = untouchedValue }
        }
        return result
    }

    /// The arms that optimal play may pull next, in ascending order: all whose action value is within 10⁻¹² of the
    /// best. Exact ties are common (every untouched arm ties), and their rounding errors are near 10⁻¹⁵ · pulls.
    ///
    /// - Parameters and preconditions: those of `actionValues(successes:failures:)`.
    /// - Returns: at least one arm.
    public func optimalArms(successes: [Int], failures: [Int]) -> [Int] {
        let candidates = actionValues(successes: successes, failures: failures)
        let best = candidates.max() ?? 0
        return candidates.indices.filter { candidates[$0] >= best - 1e-12 }
    }

    /// Fills the values after `pullsDone` pulls; those after `pullsDone + 1` must be there.
    private mutating func solveLayer(pullsDone: Int) {
        var beliefs = BeliefCursor(ranking: ranking, pulls: pullsDone)
        var index = layerStarts[pullsDone]
        repeat {
            let belief = beliefs.types
            var best = -Double.infinity
            for position in belief.indices where position == 0 || belief[position] != belief[position - 1] {
                best = max(best, actionValue(of: position, belief: belief, pullsDone: pullsDone))
            }
            if belief.count < arms {
                best = max(best, actionValue(of: belief.count, belief: belief, pullsDone: pullsDone))
            }
            values[index] = best
            index += 1
        } while beliefs.advance()
        assert(index == layerStarts[pullsDone + 1])
    }

    /// Q of the arm at `position` in the descending `belief`, or of an untouched arm if `position` is its end.
    private func actionValue(of position: Int, belief: [Int], pullsDone: Int) -> Double {
        let type = position < belief.count ? belief[position] : ArmType.untouched
        let armPulls = position < belief.count ? ranking.pulls[type] : 0
        let successes = type - ArmType.first(pulls: armPulls)
        let mean = (priorShape + Double(successes)) / (2 * priorShape + Double(armPulls))
        guard pullsDone + 1 < pulls else { return mean }
        let start = layerStarts[pullsDone + 1]
        func next(_ newType: Int) -> Double {
            values[start + ranking.rank(of: belief, replacing: position, with: newType, pulls: pullsDone + 1)]
        }
        let failure = ArmType.afterFailure(type, pulls: armPulls)
        return mean * (1 + next(failure + 1)) + (1 - mean) * next(failure)
    }

    /// Number of beliefs after t pulls for t in 0 ..< pulls; shape [pulls].
    ///
    /// An arm that was pulled j times has j + 1 possible counts, so multisets of p arms and t pulls in total are
    /// counted by the coefficient of yᵖ xᵗ in ∏ⱼ (1 − y xʲ)^−(j+1), and a factor by ∑ᵢ C(j + i, i) yⁱ xⁱʲ.
    private static func layerCounts(arms: Int, pulls: Int) -> [Double] {
        let maximumArms = min(arms, pulls - 1)
        // coefficients[p][t], multiplied by the factors from the largest j down: before factor j, every counted arm
        // has more than j pulls, so only p ≤ t / j can be other than zero after it.
        var coefficients = [[Double]](repeating: [Double](repeating: 0, count: pulls), count: maximumArms + 1)
        coefficients[0][0] = 1
        for armPulls in stride(from: pulls - 1, to: 0, by: -1) {
            var multiplicities = [1.0]
            for copies in stride(from: 1, through: min(maximumArms, (pulls - 1) / armPulls), by: 1) {
                multiplicities.append(multiplicities[copies - 1] * Double(armPulls + copies) / Double(copies))
            }
            for armCount in stride(from: min(maximumArms, (pulls - 1) / armPulls), to: 0, by: -1) {
                for copies in 1...armCount {
                    let shift = copies * armPulls
                    let multiplicity = multiplicities[copies]
                    for total in shift..<pulls {
                        coefficients[armCount][total] +=
                            multiplicity * coefficients[armCount - copies][total - shift]
                    }
                }
            }
        }
        return (0..<pulls).map { total in coefficients.reduce(0) { $0 + $1[total] } }
    }
}
