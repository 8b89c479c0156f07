/// The steps of trials, cut into ranges of episodes and of steps of an episode: each step lies in one of them. The last step
/// of an episode is counted once more, apart.
struct TrialMoments: Sendable, Equatable {
    let episodes: NumberRanges
    let steps: NumberRanges

    init(episodes: Int, steps: Int) {
        (self.episodes, self.steps) = (NumberRanges(upTo: episodes), NumberRanges(upTo: steps))
    }

    /// Places for counts: a row of ranges of steps and one for the last step, for each range of episodes.
    var count: Int { episodes.count * (steps.count + 1) }

    /// Where a step is counted.
    /// - Parameters: numbers from 0.
    func places(episode: Int, step: Int, isLast: Bool) -> [Int] {
        let range = episodes.index(of: episode + 1)
        let place = self.place(range, steps.index(of: step + 1))
        return isLast ? [place, end(range)] : [place]
    }

    /// - Parameters: numbers of ranges.
    func place(_ episodes: Int, _ steps: Int) -> Int { episodes * (self.steps.count + 1) + steps }

    /// Of the last steps.
    func end(_ episodes: Int) -> Int { place(episodes, steps.count) }

    /// All of a range of episodes.
    func all(_ episodes: Int) -> [Int] { steps.ends.indices.map { place(episodes, $0) } }

    /// Scores of what `score` makes of some places.
    func scores(_ score: ([Int]) -> Double?) -> InsideTrial.Scores {
        let rows = episodes.ends.indices
        return InsideTrial.Scores(
            all: score(rows.flatMap(all)), byEpisode: rows.map { score(all($0)) },
            byStep: rows.map { row in steps.ends.indices.map { score([place(row, $0)]) } },
            atEnd: rows.map { score([end($0)]) })
    }
}
