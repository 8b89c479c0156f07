import Foundation
import Interface
import Kernels
import Tasks

/// UCB1 (Auer, Cesa-Bianchi & Fischer 2002) on posterior counts, with a scale c that is tuned: pulls the arm of the
/// highest μ + c √(2 ln t / N), where μ = p / N, N = p + q counts the uniform prior as two pulls, and t = 1, 2, … is the
/// number of the pull. (As published c is 1, no prior is counted and every arm is first pulled once.)
public struct UCB1: ClassicAgent {
    /// c, at least 0
    public let scale: Double
    public let ties: TieRule

    public init(scale: Double = 0.2, ties: TieRule = .first) {
        self.scale = scale
        self.ties = ties
    }

    public var name: String { "UCB1" }
    public var parameters: String { "c = \(scale)" + (ties == .first ? "" : ", random ties") }

    public func makePlayer(for family: any TaskFamily) -> TrialPlayer {
        TrialPlayer(arms: family.actions, scale: scale, ties: ties)
    }

    public struct TrialPlayer: Player {
        private let scale: Double
        private let ties: TieRule
        private var counts: ArmCounts
        /// μ [k]
        private var means: [Double]
        /// c √(2 / N) [k]
        private var widths: [Double]
        private var bounds: [Double]

        init(arms: Int, scale: Double, ties: TieRule) {
            self.scale = scale
            self.ties = ties
            counts = ArmCounts(arms: arms)
            means = [Double](repeating: 0.5, count: arms)
            widths = [Double](repeating: scale, count: arms)
            bounds = means
        }

        public mutating func act(_ input: StepView, random: inout RandomSource) -> Int {
            if let arm = counts.observe(input) {
                let pulls = counts.p[arm] + counts.q[arm]
                means[arm] = counts.p[arm] / pulls
                widths[arm] = scale * (2 / pulls).squareRoot()
            }
            let growth = log(Double(input.stepIndex + 1)).squareRoot()
            for arm in bounds.indices { bounds[arm] = means[arm] + growth * widths[arm] }
            return ties.argmax(bounds, &random)
        }
    }
}
