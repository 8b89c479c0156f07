/// Scores of one architecture: of each task, those of its runs (seeds).
///
/// Tasks are strata: a score on one is never exchanged for a score on another.
public struct Scores: Equatable, Sendable {
    /// [tasks][runs]
    public let byTask: [[Double]]

    /// - Parameter byTask: at least one task, at least one run of each; the numbers of runs may differ.
    public init(_ byTask: [[Double]]) {
        precondition(!byTask.isEmpty && byTask.allSatisfy { !$0.isEmpty }, "scores of no task or of no run")
        self.byTask = byTask
    }

    /// All scores, task after task.
    public var all: [Double] { byTask.flatMap { $0 } }

    /// Mean of all scores.
    public var mean: Double { all.reduce(0, +) / Double(all.count) }

    /// Interquartile mean (Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical precipice",
    /// section 4.2): the mean of all scores without the lowest and the highest quarter, each rounded down to whole
    /// scores. It is less moved by one run that failed than the mean, and needs fewer runs than the median.
    public var interquartileMean: Double {
        let sorted = all.sorted()
        let cut = sorted.count / 4
        let kept = sorted[cut..<sorted.count - cut]
        return kept.reduce(0, +) / Double(kept.count)
    }

    /// Scores as shares of the way from `floor` to `ceiling`: what part of the gap between random and optimal play was
    /// closed. One pair for each task.
    public func gapClosed(_ bounds: [(floor: Double, ceiling: Double)]) -> Scores {
        precondition(bounds.count == byTask.count, "\(bounds.count) gaps for \(byTask.count) tasks")
        return Scores(
            zip(byTask, bounds).map { scores, gap in scores.map { ($0 - gap.floor) / (gap.ceiling - gap.floor) } })
    }

    /// The probability that a run of these scores beats a run of `others` on a task drawn at random, ties counted half
    /// (Agarwal et al. 2021, section 4.3; of one task it is the statistic of Mann and Whitney 1947, divided by the number
    /// of pairs).
    public func probabilityOfImprovement(over others: Scores) -> Double {
        precondition(byTask.count == others.byTask.count, "scores on different tasks")
        let shares = zip(byTask, others.byTask).map { mine, theirs in
            var wins = 0.0
            for one in mine { for other in theirs { wins += one > other ? 1 : one == other ? 0.5 : 0 } }
            return wins / Double(mine.count * theirs.count)
        }
        return shares.reduce(0, +) / Double(shares.count)
    }
}
