import Kernels

/// Multi-armed bandits with Bernoulli rewards: k arms, success probabilities p ~ U(0, 1) drawn once a member, n pulls
/// (Duan et al. 2016, section 3.1).
///
/// A pull is an episode of one step, so a trial is n episodes, there is nothing to observe, and the flag d is 1 from the
/// second step on: a policy learns of an arm only through the previous action and reward.
public struct BernoulliBandit: TaskFamily {
    public let arms: Int
    public let episodes: Int

    /// - Parameters:
    ///   - arms: k, at least 1.
    ///   - episodes: n pulls, at least 1.
    public init(arms: Int = 5, episodes: Int = 10) {
        precondition(arms >= 1 && episodes >= 1, "a bandit needs an arm and a pull")
        self.arms = arms
        self.episodes = episodes
    }

    public var name: String { "bandit" }
    public var observation: ObservationSpace { .vector(width: 0) }
    public var actions: Int { arms }
    public var maximumEpisodeSteps: Int { 1 }

    public func sample(_ random: inout RandomSource) -> Member {
        Member(probabilities: (0..<arms).map { _ in random.uniform() })
    }

    /// n / 2
    public var randomTotalReward: Double? { Double(episodes) / 2 }
    /// n k / (k + 1): the mean of the largest of k uniform numbers, n times.
    public var informedTotalReward: Double? { Double(episodes * arms) / Double(arms + 1) }
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
