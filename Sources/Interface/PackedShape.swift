/// How trials of different lengths lie in a packed batch: sorted by length, longest first, time-major. The rows of
/// step t are `offsets[t] ..< offsets[t] + lanesAtStep[t]`, lane b at `offsets[t] + b`.
public struct PackedShape: Sendable, Equatable {
    /// B_t: lanes still alive at step t; never increases.
    public private(set) var lanesAtStep: [Int] = []
    /// First row of step t.
    public private(set) var offsets: [Int] = []
    /// N: rows in all.
    public private(set) var rows = 0

    public var steps: Int { lanesAtStep.count }
    public var lanes: Int { lanesAtStep.first ?? 0 }

    /// A shape without trials.
    public init() {}

    /// - Parameter lengths: steps of each trial, at least 1, longest first.
    public init(lengths: [Int]) { set(lengths: lengths) }

    /// Each trial `count` times, side by side: lane b of the other is lanes `count` · b and following.
    public init(_ other: PackedShape, times count: Int) {
        lanesAtStep = other.lanesAtStep.map { count * $0 }
        offsets = other.offsets.map { count * $0 }
        rows = count * other.rows
    }

    /// Takes the shape of other trials, in the memory at hand.
    public mutating func set(lengths: [Int]) {
        precondition(zip(lengths, lengths.dropFirst()).allSatisfy { $0 >= $1 }, "trials must be sorted, longest first")
        precondition((lengths.last ?? 1) >= 1, "a trial has at least one step")
        lanesAtStep.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        rows = 0
        var alive = lengths.count
        for step in 0..<(lengths.first ?? 0) {
            while lengths[alive - 1] <= step { alive -= 1 }
            offsets.append(rows)
            lanesAtStep.append(alive)
            rows += alive
        }
    }

    /// Row of step `step` in lane `lane`.
    public func row(step: Int, lane: Int) -> Int { offsets[step] + lane }

    /// Steps of the trial in lane `lane`.
    public func length(lane: Int) -> Int {
        var (low, high) = (0, steps)
        while low < high {
            let middle = (low + high) / 2
            if lanesAtStep[middle] > lane { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
