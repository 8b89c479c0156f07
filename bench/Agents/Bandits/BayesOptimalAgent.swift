import Kernels
import Tasks

/// Exact Bayes-optimal play of a small bandit (see `BayesOptimalBandit`): no agent does better on average.
public struct BayesOptimalAgent: ClassicAgent {
    public let ties: TieRule

    public init(ties: TieRule = .first) { self.ties = ties }

    public var name: String { "Bayes-optimal" }
    public var parameters: String { ties == .first ? "" : "random ties" }

    /// Beliefs that may be tabulated.
    public static let mostStates = 20_000_000

    /// Whether a bandit is solved in a moment, so that nobody need ask for it.
    static func isQuick(arms: Int, pulls: Int) -> Bool {
        BayesOptimalBandit.stateCount(arms: arms, pulls: pulls) <= 3_000_000
    }

    /// Why a family cannot be solved: one line that says how many states there are, or nil if it can.
    public static func objection(_ family: any TaskFamily) -> String? {
        let (arms, pulls) = (family.actions, family.episodes)
        // The refusal comes before any work.
        guard BayesOptimalBandit.stateCount(arms: arms, pulls: pulls) > Double(mostStates) else { return nil }
        do {
            _ = try BayesOptimalBandit(arms: arms, pulls: pulls, maximumStates: mostStates)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// The solved bandit of a family, kept for the next caller.
    ///
    /// - Precondition: there is no objection.
    static func solution(arms: Int, pulls: Int) -> BayesOptimalBandit {
        solutions.value(for: [arms, pulls]) {
            guard let bandit = try? BayesOptimalBandit(arms: arms, pulls: pulls, maximumStates: mostStates) else {
                preconditionFailure("a bandit of \(arms) arms and \(pulls) pulls was not asked about first")
            }
            return bandit
        }
    }

    public func makePlayer(for family: any TaskFamily) -> TrialPlayer {
        TrialPlayer(bandit: Self.solution(arms: family.actions, pulls: family.episodes), ties: ties)
    }

    public struct TrialPlayer: Player {
        private let bandit: BayesOptimalBandit
        private let ties: TieRule
        private var successes, failures: [Int]

        init(bandit: BayesOptimalBandit, ties: TieRule) {
            self.bandit = bandit
            self.ties = ties
            successes = [Int](repeating: 0, count: bandit.arms)
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
            let arms = bandit.optimalArms(successes: successes, failures: failures)
            return ties == .first ? arms[0] : arms[random.integer(below: arms.count)]
        }
    }

    private static let solutions = Memo<[Int], BayesOptimalBandit>()
}
