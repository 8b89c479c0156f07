/// Pages index the arrays of a record by one another and add to its numbers, so a record from a file must be whole first.
extension AnalysisRecord {
    public var flaw: String? {
        let count = episodes.mean.count
        let isWhole =
            count > 0 && episodes.standardError.count == count && isSmall([seed, memberSeed, trials])
            && bandit?.isWhole(pulls: count) ?? true && inside?.isWhole(episodes: count) ?? true
        return isWhole ? nil : "an analysis whose parts do not belong together"
    }
}

/// Whether whole numbers can be added without a trap.
private func isSmall(_ numbers: [Int]) -> Bool { numbers.allSatisfy { abs($0 / 2) <= 1 << 52 } }

extension Curve {
    fileprivate func isWhole(_ count: Int) -> Bool { mean.count == count && standardError.count == count }
}

extension Agreement {
    fileprivate func isWhole(_ count: Int) -> Bool { [mode, probability, chance].allSatisfy { $0.count == count } }
}

extension InsideBandit {
    fileprivate func isWhole(pulls: Int) -> Bool {
        regret.allSatisfy { $0.isWhole(pulls) } && differences.count + 1 >= regret.count
            && agreement.allSatisfy { $0.isWhole(pulls) } && renaming.isWhole(pulls)
            && probes.allSatisfy { $0.byPull.count == pulls && $0.untrainedByPull.count == pulls }
            && (flips.isEmpty || !agreement.isEmpty) && isSmall(flips.flatMap { [$0.pull, $0.lag] } + [stateWidth])
    }
}

extension InsideTrial {
    fileprivate func isWhole(episodes: Int) -> Bool {
        let (rows, columns) = (episodeRanges.count, stepRanges.count)
        let scores = readings.flatMap { [$0.trained, $0.untrained] + ($0.baseline.map { [$0] } ?? []) }
        let counts = trials.joined() + episodeRanges + stepRanges + successions.map(\.episode) + [stateWidth]
        return players.allSatisfy { $0.isWhole(episodes) } && differences.count + 1 >= players.count
            && agreement.allSatisfy { $0.isWhole(episodes) } && rows > 0 && columns > 0
            && trials.count == rows && trials.allSatisfy { $0.count == columns }
            && scores.allSatisfy { $0.isWhole(rows, columns) } && isSmall(Array(counts))
            && goal.map { $0.episodes.count == episodes && successions.count == episodes - 1 } ?? true
            && forgetting?.trials.allSatisfy { $0.steps.count == episodes && $0.successes.count == episodes } ?? true
            && isSmall(secondStarts.map(\.trials) + (forgetting?.trials.map(\.member) ?? []))
    }
}

extension InsideTrial.Scores {
    fileprivate func isWhole(_ rows: Int, _ columns: Int) -> Bool {
        byEpisode.count == rows && atEnd.count == rows && byStep.count == rows
            && byStep.allSatisfy { $0.count == columns }
    }
}
