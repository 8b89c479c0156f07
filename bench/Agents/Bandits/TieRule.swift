import Interface
import Kernels

/// Which of several equally good actions is taken. It matters: untried arms tie with each other and with any arm whose
/// successes and failures are equal, and Greedy's total at n = 500 differs by some ten pulls between the rules.
public enum TieRule: String, Sendable, CaseIterable {
    /// The first of them: the rule that reproduces the paper's Greedy and ε-greedy columns.
    case first
    /// One of them, each with equal probability.
    case random

    /// The option of agents for which the rule is a choice.
    static let option = Option(
        "ties", allCases.map(\.rawValue), default: first.rawValue, help: "which of equally good arms is pulled")

    /// The rule that the option names.
    init(_ values: Values) { self = TieRule(rawValue: values.word(TieRule.option.name))! }

    /// Index of the largest value; draws from `random` only where the rule is `random` and there is a tie.
    @inline(__always)
    func argmax(_ values: [Double], _ random: inout RandomSource) -> Int {
        var (best, ties) = (0, 1)
        for index in 1..<max(values.count, 1) {
            if values[index] > values[best] {
                (best, ties) = (index, 1)
            } else if self == .random && values[index] == values[best] {
                // The j-th of equals takes the place with probability 1 / j.
                ties += 1
                if random.integer(below: ties) == 0 { best = index }
            }
        }
        return best
    }
}
