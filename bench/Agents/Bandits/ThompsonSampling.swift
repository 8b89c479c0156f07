import Interface
import Kernels
import Tasks

/// Thompson sampling (Thompson 1933): draws every arm's success probability from its posterior and pulls the arm of the
/// largest. Optimistic (May et al. 2012, section 3.2), it raises a draw below the posterior mean to the mean, so that an arm
/// is never held for worse than it seems.
public struct ThompsonSampling: ClassicAgent {
    public let isOptimistic: Bool

    public var name: String { isOptimistic ? "Thompson sampling, no draw below the mean" : "Thompson sampling" }
    public var parameters: String { "" }

    public init(isOptimistic: Bool = false) { self.isOptimistic = isOptimistic }

    public func makePlayer(for family: any TaskFamily) -> TrialPlayer {
        TrialPlayer(counts: ArmCounts(arms: family.actions), isOptimistic: isOptimistic)
    }

    public struct TrialPlayer: Player {
        var counts: ArmCounts
        let isOptimistic: Bool

        public mutating func act(_ input: StepView, random: inout RandomSource) -> Int {
            _ = counts.observe(input)
            var (best, largest) = (0, -1.0)
            for arm in 0..<counts.arms {
                let (p, q) = (counts.p[arm], counts.q[arm])
                // Beta(1, 1) is uniform: what most arms of many are at first.
                var drawn = p + q == 2 ? random.uniformDouble() : random.beta(p, q)
                if isOptimistic { drawn = max(drawn, p / (p + q)) }
                if drawn > largest { (best, largest) = (arm, drawn) }
            }
            return best
        }
    }
}
