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
    public var randomTotalReward: Double? { Double(episodes) / 2 }
    /// n times the mean of the largest probability: of k uniform numbers k / (k + 1), of p and 1 − p 3/4.
    public var informedTotalReward: Double? {
        switch prior {
        case .uniform: Double(episodes * arms) / Double(arms + 1)
        case .dependent: 0.75 * Double(episodes)
        case .beta: nil
        }
    }
    /// n max p
    public func informedTotalReward(of member: Member) -> Double? {
        Double(episodes) * Double(member.probabilities.max()!)
    }

    public struct Member: Environment {
        /// Success probability of each arm [k].
        public let probabilities: [Float]

        public init(probabilities: [Float]) { self.probabilities = probabilities }

        public mutating func reset(observation: ObservationWriter, random: inout RandomSource) {}

        public mutating func step(
            action: Int, observation: ObservationWriter, random: inout RandomSource
        ) -> Transition {
            let success = random.uniform() < probabilities[action]
            return Transition(reward: success ? 1 : 0, terminated: true)
        }
    }
}
