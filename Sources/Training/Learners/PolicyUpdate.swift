/// What an update of the policy did, by whatever optimiser.
public struct PolicyUpdate: Sendable {
    /// How an update ended.
    public enum Outcome: String, Sendable {
        case accepted
        /// No step within the limit improved the surrogate inside the trust region; θ is as before.
        case restored
        /// A gradient, a product or a step was not finite; θ is as before.
        case notFinite = "not_finite"
        /// Only the critic learned in this iteration.
        case skipped
    }

    /// What TRPO's solver and its line search did.
    public struct NaturalStep: Sendable {
        public var gradientNorm = 0.0
        /// L(θ′) − L(θ) in standardised advantages, entropy bonus included.
        public var surrogateGain = 0.0
        /// gᵀ step: what the linear model promised for the accepted step.
        public var predictedGain = 0.0
        /// ½ stepᵀ F step, without damping, for the accepted step.
        public var predictedKL = 0.0
        /// ‖g − F x‖ / ‖g‖
        public var residual = 0.0
        public var products = 0
        public var backtracks = 0

        public init() {}

        /// Takes in one of several steps: norms and residuals are means, counts are sums.
        mutating func add(_ step: NaturalStep, of count: Int) {
            gradientNorm += step.gradientNorm / Double(count)
            predictedGain += step.predictedGain
            predictedKL += step.predictedKL
            residual += step.residual / Double(count)
            products += step.products
            backtracks += step.backtracks
        }
    }

    public var outcome = Outcome.restored
    /// Mean KL(π_old ‖ π_θ′) over all N rows; PPO: as the minibatches of the last epoch found it; NaN where
    /// it is not measured.
    public var actualKL = 0.0
    /// Mean entropy of π_old, nats.
    public var entropy = 0.0
    /// Nil for PPO, which solves nothing and searches nothing, and where the policy did not learn.
    public var naturalStep: NaturalStep?

    public init() {}
}
