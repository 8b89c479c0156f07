import Interface
import Kernels
import Tasks

/// Pulls the arm of the highest posterior mean, and with probability ε a uniformly random one; Greedy is ε = 0.
public struct GreedyBandit: ClassicAgent {
    /// ε in 0 … 1
    public let epsilon: Double
    public let ties: TieRule

    public init(epsilon: Double = 0, ties: TieRule = .first) {
        self.epsilon = epsilon
        self.ties = ties
    }

    public var name: String { epsilon == 0 ? "Greedy" : "ε-greedy" }
    public var parameters: String {
        [epsilon == 0 ? nil : "ε = \(epsilon)", ties == .first ? nil : "random ties"].compactMap(\.self)
            .joined(separator: ", ")
    }

    public func makePlayer(for family: any TaskFamily) -> TrialPlayer {
        TrialPlayer(
            arms: family.actions, epsilon: epsilon,
            greedy: IndexPlayer(PosteriorMean(), arms: family.actions, ties: ties))
    }

    public struct TrialPlayer: Player {
        let arms: Int
        let epsilon: Double
        var greedy: IndexPlayer<PosteriorMean>

        public mutating func act(_ input: StepView, random: inout RandomSource) -> Int {
            if epsilon > 0 && random.uniformDouble() < epsilon {
                greedy.observe(input)
                return random.integer(below: arms)
            }
            return greedy.act(input, random: &random)
        }
    }
}
