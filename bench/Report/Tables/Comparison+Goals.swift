import Interface

/// Success and length of tasks with a goal, episode by episode: what Duan et al. 2016 report of mazes (tables 2 and 3).
extension Comparison {
    /// Means over seeds, and the published numbers where there are some of mazes as large. Published lengths are left out:
    /// their steps have another size.
    func goalTable(_ task: String) -> TextTable? {
        let all = records.filter { $0.taskName == task }
        let places = unique(all.flatMap { $0.evaluations.filter { $0.goal != nil }.map(\.name) })
        guard !places.isEmpty else { return nil }
        var table = TextTable(
            columns: [.init("model", alignment: .left), .init("members", alignment: .left)]
                + [
                    "episode", "success", "steps of successful episodes", "± se, seeds", "± se, members",
                    "over shortest", "over episode 1",
                ].map { .init($0) })
        for name in places {
            let title = EvaluationRecord.title(name)
            for method in methods {
                let goals = runs(method, on: task).compactMap { run in
                    run.evaluations.first { $0.name == name }?.goal
                }
                for episode in goals.first?.episodes.indices ?? 0..<0 {
                    let results = goals.map { $0.episodes[episode] }
                    let lengths = Summary(results.compactMap(\.length))
                    table.append([
                        method.title, title, "\(episode + 1)", Display.percent(mean(results.map(\.successRate))),
                        Display.fixed(lengths.mean, 1), Display.fixed(lengths.standardError, 1),
                        Display.fixed(mean(results.compactMap(\.standardError)), 1),
                        Display.fixed(mean(results.compactMap(\.lengthOverShortest)), 2),
                        Display.fixed(mean(goals.compactMap { $0.lengthOverFirst(episode) })),
                    ])
                }
            }
            guard let evaluated = all.lazy.flatMap(\.evaluations).first(where: { $0.name == name && $0.goal != nil }),
                let published = GoalEvaluation.Published.of(evaluated.taskOptions)
            else { continue }
            for episode in published.lengths.indices.prefix(evaluated.perEpisodeMean.count) {
                table.append(
                    ["RL² as published", title, "\(episode + 1)", Display.percent(published.successRates[episode])]
                        + Array(repeating: "–", count: 4) + [Display.fixed(published.lengthsOverFirst[episode])])
            }
        }
        return table
    }

    private func mean(_ values: [Double]) -> Double { Summary(values).mean }
}
