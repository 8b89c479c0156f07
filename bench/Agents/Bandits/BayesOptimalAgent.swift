import Kernels
import Tasks

/// Exact Bayes-optimal play of a small bandit, with the prior of its family (see `BayesOptimalBandit` and
/// `DependentArms`): no agent does better on average.
public struct BayesOptimalAgent: ClassicAgent {
    public let ties: TieRule

    public init(ties: TieRule = .first) { self.ties = ties }

    public var name: String { "Bayes-optimal" }
    public var parameters: String { ties == .first ? "" : "random ties" }

    /// Beliefs that may be tabulated.
    public static let mostStates = 20_000_000

    /// Whether a bandit is solved in a moment, so that nobody need ask for it.
    static func isQuick(_ family: BernoulliBandit) -> Bool {
        family.prior == .dependent
            || BayesOptimalBandit.stateCount(arms: family.arms, pulls: family.episodes) <= 3_000_000
    }

    /// Why a family cannot be solved: one line that says how many states there are, or nil if it can.
    public static func objection(_ family: any TaskFamily) -> String? {
        let (arms, pulls) = (family.actions, family.episodes)
        // The refusal comes before any work.
        guard prior(of: family) != .dependent,
            BayesOptimalBandit.stateCount(arms: arms, pulls: pulls) > Double(mostStates)
        else { return nil }
        do {
            _ = try BayesOptimalBandit(arms: arms, pulls: pulls, maximumStates: mostStates)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// Mean total reward of this agent on a family's members; nil where it would take more than a moment.
    static func optimum(of family: BernoulliBandit) -> Double? {
        switch family.prior {
        case .dependent: return DependentArms.optimum(pulls: family.episodes)
        case .beta(let shape):
            guard isQuick(family) else { return nil }
            return solution(arms: family.arms, pulls: family.episodes, priorShape: shape).value
        }
    }

    private static func prior(of family: any TaskFamily) -> BanditPrior {
        (family as? BernoulliBandit)?.prior ?? .uniform
    }

    /// The solved bandit of a family of independent arms, kept for the next caller.
    ///
    /// - Precondition: there is no objection.
    static func solution(arms: Int, pulls: Int, priorShape: Double = 1) -> BayesOptimalBandit {
        solutions.value(for: Key(arms: arms, pulls: pulls, priorShape: priorShape)) {
            guard
                let bandit = try? BayesOptimalBandit(
                    arms: arms, pulls: pulls, priorShape: priorShape, maximumStates: mostStates)
            else {
                preconditionFailure("a bandit of \(arms) arms and \(pulls) pulls was not asked about first")
            }
            return bandit
        }
    }

    public func makePlayer(for family: any TaskFamily) -> TrialPlayer {
        switch Self.prior(of: family) {
        case .dependent: return TrialPlayer(bandit: nil, arms: family.actions, ties: ties)
        case .beta(let shape):
            let bandit = Self.solution(arms: family.actions, pulls: family.episodes, priorShape: shape)
            return TrialPlayer(bandit: bandit, arms: family.actions, ties: ties)
        }
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

        public mutating func act(_ input: PlayerInput, random: inout RandomSource) -> Int {
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

    private struct Key: Hashable {
        let arms: Int
        let pulls: Int
        let priorShape: Double
    }

    private static let solutions = Memo<Key, BayesOptimalBandit>()
}
