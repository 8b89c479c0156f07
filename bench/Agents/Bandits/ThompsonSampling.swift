import Interface
import Kernels
import Tasks

/// Thompson sampling (Thompson 1933): draws every arm's success probability from its posterior and pulls the arm of the
/// largest.
public struct ThompsonSampling: ClassicAgent {
    public var name: String { "Thompson sampling" }
    public var parameters: String { "" }

    public init() {}

    public func makePlayer(for family: any TaskFamily) -> TrialPlayer {
        TrialPlayer(counts: ArmCounts(arms: family.actions))
    }

    public struct TrialPlayer: Player {
        var counts: ArmCounts

        public mutating func act(_ input: StepView, random: inout RandomSource) -> Int {
            _ = counts.observe(input)
            var (best, largest) = (0, -1.0)
            for arm in 0..<counts.arms {
                let (p, q) = (counts.p[arm], counts.q[arm])
                // Beta(1, 1) is uniform: what most arms of many are at first.
                let drawn = p + q == 2 ? random.uniformDouble() : random.beta(p, q)
                if drawn > largest { (best, largest) = (arm, drawn) }
            }
            return best
        }
    }
}
