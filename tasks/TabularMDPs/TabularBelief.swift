import Kernels

/// What an agent believes of a tabular MDP before it has seen any of it: independently for each state and action, mean
/// rewards μ ~ N(μ₀, 1/τ₀), rewards N(μ, 1), transition probabilities Dirichlet(α₀, …, α₀).
public struct TabularPrior: Sendable, Equatable {
    /// μ₀. The members of `TabularMDP` are drawn with 1; the published tables come from agents that believe 0.
    public var rewardMean: Double
    /// τ₀, above 0.
    public var rewardPrecision: Double
    /// α₀, above 0.
    public var concentration: Double

    public init(rewardMean: Double = 0, rewardPrecision: Double = 1, concentration: Double = 1) {
        self.rewardMean = rewardMean
        self.rewardPrecision = rewardPrecision
        self.concentration = concentration
    }
}

/// What an agent believes of a tabular MDP after some steps: the conjugate posterior of `TabularPrior`.
public struct TabularBelief: Sendable {
    /// S
    public let states: Int
    /// A
    public let actions: Int
    /// T: steps of an episode.
    public let horizon: Int
    public let prior: TabularPrior
    /// Posterior means of μ(s, a) [A, S]
    public private(set) var rewardMeans: [Double]
    /// τ(s, a) = τ₀ + rewards seen [A, S]
    public private(set) var rewardPrecisions: [Double]
    /// α(s, a, s′) = α₀ + transitions seen [A, S, S′]
    public private(set) var concentrations: [Double]
    /// Σ_s′ α(s, a, s′) [A, S]
    public private(set) var concentrationSums: [Double]

    public init(states: Int, actions: Int, horizon: Int, prior: TabularPrior) {
        self.states = states
        self.actions = actions
        self.horizon = horizon
        self.prior = prior
        let pairs = states * actions
        rewardMeans = [Double](repeating: prior.rewardMean, count: pairs)
        rewardPrecisions = [Double](repeating: prior.rewardPrecision, count: pairs)
        concentrations = [Double](repeating: prior.concentration, count: pairs * states)
        concentrationSums = [Double](repeating: prior.concentration * Double(states), count: pairs)
    }

    /// S·A
    public var pairs: Int { states * actions }

    /// Takes note of a step.
    /// - Parameter next: the state that it led to; nil if the episode ended, whose last transition nobody is shown.
    public mutating func observe(state: Int, action: Int, reward: Double, next: Int?) {
        let pair = action * states + state
        rewardPrecisions[pair] += 1
        rewardMeans[pair] += (reward - rewardMeans[pair]) / rewardPrecisions[pair]
        if let next {
            concentrations[pair * states + next] += 1
            concentrationSums[pair] += 1
        }
    }

    /// Writes the expected model: E μ and E p.
    /// - Parameters:
    ///   - rewards: [A, S]
    ///   - transitions: [S′, A, S]
    public func expectedModel(rewards: UnsafeMutablePointer<Double>, transitions: UnsafeMutablePointer<Double>) {
        for pair in 0..<pairs {
            rewards[pair] = rewardMeans[pair]
            let scale = 1 / concentrationSums[pair]
            for next in 0..<states { transitions[next * pairs + pair] = concentrations[pair * states + next] * scale }
        }
    }

    /// Draws a model from the posterior.
    /// - Parameters:
    ///   - rewards: [A, S]
    ///   - transitions: [S′, A, S]
    public func sampleModel(
        rewards: UnsafeMutablePointer<Double>, transitions: UnsafeMutablePointer<Double>, random: inout RandomSource
    ) {
        concentrations.withUnsafeBufferPointer { concentrations in
            for pair in 0..<pairs {
                rewards[pair] = rewardMeans[pair] + random.fastNormal() / rewardPrecisions[pair].squareRoot()
                random.dirichlet(
                    concentrations.baseAddress! + pair * states, count: states, into: transitions + pair, stride: pairs)
            }
        }
    }
}
