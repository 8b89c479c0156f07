import Interface
import Kernels
import Tasks

/// Exact Bayes-optimal play of a small bandit, with the prior of its family (see `BayesOptimalBandit` and
/// `DependentArms`): no agent does better on average.
public struct BayesOptimalAgent: ClassicAgent {
    public let ties: TieRule

    public init(ties: TieRule = .first) { self.ties = ties }

    public var name: String { "Bayes-optimal" }
    public var parameters: String { ties == .first ? "" : "random ties" }

    /// Why a family cannot be solved: one line that says how many states there are, or nil if it can.
    public static func objection(_ family: any TaskFamily) -> String? {
        let bandit = bandit(family)
        // The refusal comes before any work.
        guard bandit.prior != .dependent,
            BayesOptimalBandit.stateCount(arms: bandit.arms, pulls: bandit.episodes)
                > Double(BernoulliBandit.mostBeliefs)
        else { return nil }
        do {
            _ = try BayesOptimalBandit(
                arms: bandit.arms, pulls: bandit.episodes, maximumStates: BernoulliBandit.mostBeliefs)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// What it believes to play: the family, if it is a bandit.
    private static func bandit(_ family: any TaskFamily) -> BernoulliBandit {
        family as? BernoulliBandit ?? BernoulliBandit(arms: family.actions, episodes: family.episodes)
    }

    public func makePlayer(for family: any TaskFamily) -> TrialPlayer {
        let bandit = Self.bandit(family)
        return TrialPlayer(
            bandit: bandit.prior == .dependent ? nil : bandit.solution, arms: bandit.arms, ties: ties)
    }

    public struct TrialPlayer: Player {
        /// nil: the arms are dependent.
        private let bandit: BayesOptimalBandit?
        private let ties: TieRule
        private var successes, failures: [Int]

        init(bandit: BayesOptimalBandit?, arms: Int, ties: TieRule) {
            self.bandit = bandit
            self.ties = ties
            successes = [Int](repeating: 0, count: arms)
            failures = successes
        }

        public mutating func act(_ input: StepView, random: inout RandomSource) -> Int {
            if input.previousAction >= 0 {
                if input.previousReward > 0.5 {
                    successes[input.previousAction] += 1
                } else {
                    failures[input.previousAction] += 1
                }
            }
            let arms =
                bandit?.optimalArms(successes: successes, failures: failures)
                ?? DependentArms.optimalArms(successes: successes, failures: failures)
            return ties == .first ? arms[0] : arms[random.integer(below: arms.count)]
        }
    }
}
