/// Success and length in mazes, episode by episode: what Duan et al. 2016 report of them (tables 2 and 3).
extension Comparison {
    /// Means over seeds, and the published numbers where there are some of mazes as large. Published lengths are left out:
    /// their steps have another size.
    func mazeTable(_ task: String) -> TextTable? {
        let all = records.filter { $0.taskName == task }
        let places = unique(all.flatMap { $0.evaluations.filter { $0.maze != nil }.map(\.name) })
        guard !places.isEmpty else { return nil }
        var table = TextTable(
            columns: [.init("model", alignment: .left), .init("mazes", alignment: .left)]
                + [
                    "episode", "success", "steps of successful episodes", "± se, seeds", "± se, members",
                    "over shortest", "over episode 1",
                ].map { .init($0) })
        for name in places {
            let title = CellRecord.Evaluated.title(name)
            for contestant in contestants {
                let mazes = runs(contestant, on: task).compactMap { run in
                    run.evaluations.first { $0.name == name }?.maze
                }
                for episode in mazes.first?.episodes.indices ?? 0..<0 {
                    let results = mazes.map { $0.episodes[episode] }
                    let lengths = Summary(results.compactMap(\.length))
                    table.append([
                        contestant.title, title, "\(episode + 1)", percent(mean(results.map(\.successRate))),
                        number(lengths.mean, digits: 1), number(lengths.standardError, digits: 1),
                        number(mean(results.compactMap(\.standardError)), digits: 1),
                        number(mean(results.compactMap(\.lengthOverShortest)), digits: 2),
                        number(mean(mazes.compactMap { $0.lengthOverFirst(episode) })),
                    ])
                }
            }
            guard let evaluated = all.lazy.flatMap(\.evaluations).first(where: { $0.name == name && $0.maze != nil }),
                let published = MazeEvaluation.Published.mazes(ofSize: evaluated.taskOptions.integer("maze-size"))
            else { continue }
            for episode in published.lengths.indices.prefix(evaluated.perEpisodeMean.count) {
                table.append(
                    ["RL² as published", title, "\(episode + 1)", percent(published.successRates[episode])]
                        + Array(repeating: "–", count: 4) + [number(published.lengthsOverFirst[episode])])
            }
        }
        return table
    }

    private func mean(_ values: [Double]) -> Double { Summary(values).mean }
}
