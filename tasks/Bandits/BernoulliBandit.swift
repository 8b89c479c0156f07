import Interface
import Kernels

/// Multi-armed bandits with Bernoulli rewards: k arms, success probabilities drawn once a member, p ~ U(0, 1) or from
/// another prior, n pulls (Duan et al. 2016, section 3.1).
///
/// A pull is an episode of one step, so a trial is n episodes, there is nothing to observe, and the flag d is 1 from the
/// second step on: a policy learns of an arm only through the previous action and reward.
public struct BernoulliBandit: TaskFamily {
    public let arms: Int
    public let episodes: Int
    public let prior: BanditPrior

    /// - Parameters:
    ///   - arms: k, at least 1; 2 with dependent arms.
    ///   - episodes: n pulls, at least 1.
    public init(arms: Int = 5, episodes: Int = 10, prior: BanditPrior = .uniform) {
        precondition(arms >= 1 && episodes >= 1, "a bandit needs an arm and a pull")
        precondition(prior.objection(arms: arms) == nil, prior.objection(arms: arms) ?? "")
        self.arms = arms
        self.episodes = episodes
        self.prior = prior
    }

    public var name: String { "bandit" }
    public var observation: ObservationSpace { .vector(width: 0) }
    public var actions: Int { arms }
    public var maximumEpisodeSteps: Int { 1 }

    public func sample(_ random: inout RandomSource) -> Member {
        Member(probabilities: prior.sample(arms: arms, &random))
    }

    /// n / 2: every prior has the mean 1/2.
    public var randomReturn: Double? { Double(episodes) / 2 }
    /// n times the mean of the largest probability: of k uniform numbers k / (k + 1), of p and 1 − p 3/4.
    public var oracleReturn: Double? {
        switch prior {
        case .uniform: Double(episodes * arms) / Double(arms + 1)
        case .dependent: 0.75 * Double(episodes)
        case .beta: nil
        }
    }
    /// n max p
    public func oracleReturn(of member: Member) -> Double? {
        Double(episodes) * Double(member.probabilities[member.best])
    }

    /// Exact where the beliefs can be counted in a moment.
    public var optimalReturn: Double? {
        switch prior {
        case .dependent: DependentArms.optimum(pulls: episodes)
        case .beta: isQuicklySolved ? solution.value : nil
        }
    }

    public func makeOracle(for member: Member) -> (any Player)? { ScriptedPlayer(actions: [member.best]) }

    public func choices(of member: Member) -> ChoiceTable? {
        // Beta(1, 1), as Greedy and Thompson sampling believe.
        ChoiceTable(
            meanRewards: [member.probabilities.map(Double.init)], bestActions: [[member.best]], priorMean: 0.5,
            priorWeight: 2)
    }

    public struct Member: Environment {
        /// Success probability of each arm [k].
        public let probabilities: [Float]

        public init(probabilities: [Float]) { self.probabilities = probabilities }

        /// The arm of the largest probability; the first of equals.
        var best: Int { probabilities.indices.max { (probabilities[$0], -$0) < (probabilities[$1], -$1) }! }

        public mutating func reset(observation: ObservationWriter, random: inout RandomSource) {}

        public mutating func step(
            action: Int, observation: ObservationWriter, random: inout RandomSource
        ) -> Transition {
            let success = random.uniform() < probabilities[action]
            return Transition(reward: success ? 1 : 0, terminated: true)
        }
    }
}

extension BernoulliBandit {
    static let entry = TaskEntry(
        name: "bandit", summary: "Bernoulli bandits; success probabilities uniform on (0, 1) unless --prior is given",
        options: [
            Option("arms", 2...1000, default: 5, help: "Arms of a bandit"),
            Option("episodes", 1...10_000, default: 10, help: "Pulls of a trial; each is an episode"),
            Option(
                "prior", BanditPrior.words.map(\.word), default: "uniform",
                help: "How success probabilities are drawn: uniform, from Beta(2, 2), or as p and 1 − p of two arms"),
        ], objection: { BanditPrior(named: $0.word("prior")).objection(arms: $0.integer("arms")) },
        training: {
            .byTrialLength(episodes: $0.integer("episodes"), stepsPerEpisode: 1, model: $1)
        },
        make: {
            BernoulliBandit(
                arms: $0.integer("arms"), episodes: $0.integer("episodes"), prior: BanditPrior(named: $0.word("prior")))
        })

    /// Beliefs that may be tabulated.
    public static let mostBeliefs = 20_000_000

    /// Whether the bandit is solved in a moment, so that nobody need ask for it.
    public var isQuicklySolved: Bool {
        prior == .dependent || BayesOptimalBandit.stateCount(arms: arms, pulls: episodes) <= 3_000_000
    }

    /// The exact solution of independent arms, kept for the next caller.
    ///
    /// - Precondition: the prior is not `dependent`, and there are no more than `mostBeliefs` beliefs.
    public var solution: BayesOptimalBandit {
        guard case .beta(let shape) = prior else { preconditionFailure("arms that depend on each other") }
        return BernoulliBandit.solutions.value(for: Solved(arms: arms, pulls: episodes, shape: shape)) {
            do {
                return try BayesOptimalBandit(
                    arms: arms, pulls: episodes, priorShape: shape, maximumStates: BernoulliBandit.mostBeliefs)
            } catch {
                preconditionFailure("\(error)")
            }
        }
    }

    private struct Solved: Hashable {
        let arms: Int
        let pulls: Int
        let shape: Double
    }

    private static let solutions = Memo<Solved, BayesOptimalBandit>()
}
