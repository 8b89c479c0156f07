import Foundation
import Tasks

/// A rule that says from the counts of the arms alone which of them may be pulled next: what a network's choices are held
/// against.
struct ChoiceRule: Sendable {
    let name: String
    /// The arms that the rule allows, at least one; all of equals.
    /// - Parameters:
    ///   - pull: number of the pull, from 0.
    let arms: @Sendable (_ successes: [Int], _ failures: [Int], _ pull: Int) -> [Int]

    /// Values this close are equal: the finite-horizon indices are kept to seven digits.
    private static let tolerance = 1e-6

    /// Rules for a bandit, the most exact first: Bayes-optimal play if its beliefs can be counted, the Gittins index of
    /// the pulls that are left if there are not too many, UCB1 and Greedy. Exact play knows the family's prior; the others
    /// believe in the uniform one, as the agents of their names do.
    ///
    /// - Parameter leftOut: is told why another is missing.
    static func rules(for family: BernoulliBandit, leftOut: (String) -> Void) -> [ChoiceRule] {
        var rules: [ChoiceRule] = []
        if case .dependent = family.prior {
            rules.append(
                ChoiceRule(name: "Bayes-optimal") { successes, failures, _ in
                    DependentArms.optimalArms(successes: successes, failures: failures)
                })
        } else if family.isQuicklySolved {
            let bandit = family.solution
            rules.append(
                ChoiceRule(name: "Bayes-optimal") { successes, failures, _ in
                    bandit.optimalArms(successes: successes, failures: failures)
                })
        } else {
            leftOut(
                "Bayes-optimal play: "
                    + String(
                        format: "%.3g beliefs are too many",
                        BayesOptimalBandit.stateCount(arms: family.arms, pulls: family.episodes)))
        }
        if let objection = FiniteHorizonGittinsAgent.objection(family) {
            leftOut(objection)
        } else {
            let table = FiniteHorizonGittinsAgent.table(pulls: family.episodes)
            rules.append(
                index("Gittins, finite horizon") { s, f, pull in
                    table.index(pulls: s + f, successes: s, left: table.pulls - pull)
                })
        }
        let scale = UCB1().scale
        rules.append(
            index("UCB1, c = \(scale)") { s, f, pull in
                let pulls = Double(s + f + 2)
                return Double(s + 1) / pulls + scale * (2 * log(Double(pull + 1)) / pulls).squareRoot()
            })
        rules.append(index("Greedy") { s, f, _ in Double(s + 1) / Double(s + f + 2) })
        return rules
    }

    /// Pulls an arm of the highest index.
    private static func index(
        _ name: String, _ value: @escaping @Sendable (_ successes: Int, _ failures: Int, _ pull: Int) -> Double
    ) -> ChoiceRule {
        ChoiceRule(name: name) { successes, failures, pull in
            let values = successes.indices.map { value(successes[$0], failures[$0], pull) }
            let best = values.max() ?? 0
            return values.indices.filter { values[$0] >= best - tolerance }
        }
    }
}
