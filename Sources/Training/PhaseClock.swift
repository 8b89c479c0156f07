/// Seconds spent in the phases of an iteration.
public struct PhaseClock: Sendable {
    public enum Phase: String, Sendable, CaseIterable {
        case rollout, values, advantages, gradient, fisher, lineSearch = "line_search", critic
    }

    private var seconds = [Double](repeating: 0, count: Phase.allCases.count)

    public init() {}

    public subscript(phase: Phase) -> Double { seconds[Phase.allCases.firstIndex(of: phase)!] }

    /// Σ over phases
    public var total: Double { seconds.reduce(0, +) }

    mutating func measure<Result>(_ phase: Phase, _ body: () throws -> Result) rethrows -> Result {
        let start = ContinuousClock.now
        defer { seconds[Phase.allCases.firstIndex(of: phase)!] += (ContinuousClock.now - start).inSeconds }
        return try body()
    }
}

extension Duration {
    /// Seconds as a number.
    public var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
