import Interface
import Kernels
import Tasks

/// How good an arm is to pull next, from its own counts alone.
protocol ArmIndex: Sendable {
    /// - Parameters:
    ///   - p: 1 + successes
    ///   - q: 1 + failures
    func value(p: Double, q: Double) -> Double
}

/// Pulls the arm of the highest index. A pull changes the index of its own arm only.
struct IndexPlayer<Index: ArmIndex>: Player {
    private let index: Index
    private let ties: TieRule
    private var counts: ArmCounts
    private var values: [Double]

    init(_ index: Index, arms: Int, ties: TieRule) {
        self.index = index
        self.ties = ties
        counts = ArmCounts(arms: arms)
        values = [Double](repeating: index.value(p: 1, q: 1), count: arms)
    }

    mutating func act(_ input: StepView, random: inout RandomSource) -> Int {
        observe(input)
        return ties.argmax(values, &random)
    }

    /// Takes in the previous pull without choosing another.
    mutating func observe(_ input: StepView) {
        guard let arm = counts.observe(input) else { return }
        values[arm] = index.value(p: counts.p[arm], q: counts.q[arm])
    }
}

/// The posterior mean μ = p / (p + q).
struct PosteriorMean: ArmIndex {
    func value(p: Double, q: Double) -> Double { p / (p + q) }
}
