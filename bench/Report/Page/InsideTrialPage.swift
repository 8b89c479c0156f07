import Foundation
import Interface

/// The sections of a page about a task other than a bandit.
struct InsideTrialPage {
    private let inside: InsideTrial
    private let record: AnalysisRecord

    /// Most ranges of episodes whose steps have tables of their own.
    private static let mostEpisodesByStep = 5
    /// Fewest trials that must come to a range of steps for it to be shown: of fewer, one trial decides.
    private static let fewestTrials = 20

    init(_ inside: InsideTrial, of record: AnalysisRecord) { (self.inside, self.record) = (inside, record) }

    var sections: [String] {
        [players, goal, forgetting, readings, steps, secondStarts, agreement, AnalysisPage.leftOut(inside.leftOut)]
    }

    private var episodes: NumberRanges { NumberRanges(ends: inside.episodeRanges) }

    // MARK: Rewards

    private var players: String {
        guard !inside.players.isEmpty else { return "" }
        let shown = AnalysisPage.shown(of: record.episodes.mean.count)
        var table = TextTable(
            columns: [.init("player", alignment: .left)] + shown.map { .init("\($0 + 1)") }
                + [.init("trial"), .init("\(record.modelName) − it")])
        func total(_ curve: Curve) -> String { Display.fixed(curve.mean.reduce(0, +), 2) }
        func row(_ curve: Curve, _ difference: Estimate?) {
            table.append(
                [curve.name] + shown.map { Display.fixed(curve.mean[$0], 2) }
                    + [
                        total(curve),
                        difference.map { "\(Display.signed($0.mean, 2)) ± \(Display.fixed($0.standardError, 2))" }
                            ?? "",
                    ])
        }
        row(record.episodes, nil)
        for (curve, difference) in zip(inside.players, inside.differences) { row(curve, difference.difference) }
        if let oracle = inside.oracle {
            let episode = oracle / Double(record.episodes.mean.count)
            table.append(
                ["who knows the member"] + shown.map { _ in Display.fixed(episode, 2) }
                    + [Display.fixed(oracle, 2), ""])
        }
        return AnalysisPage.section(
            "Reward by episode, beside classic agents",
            "All play the same members; the last column is the difference of returns, trial by trial.", table)
    }

    // MARK: Goals

    private var goal: String {
        guard let goal = inside.goal else { return "" }
        var table = TextTable(
            columns: [.init("episode", alignment: .left)] + goal.episodes.indices.map { .init("\($0 + 1)") })
        for row in goal.rows { table.append(row) }
        if !inside.successions.isEmpty {
            func row(_ title: String, _ share: (InsideTrial.Succession) -> Proportion) {
                table.append([title, ""] + inside.successions.map { share($0).text })
            }
            row("success after a success", \.afterSuccess)
            row("success after a failure", \.afterFailure)
        }
        return AnalysisPage.section(
            "Success, and what follows it",
            """
            Of the episodes that follow a success, and of those that follow a failure, the share that succeed, with its \
            95 % interval (Wilson) and the number of trials.
            """, table)
    }

    private var forgetting: String {
        guard let forgetting = inside.forgetting else { return "" }
        var lines = """
            ## Does it forget?

            Of \(forgetting.failed.total) trials whose episode 1 succeeds, episode 2 fails in \(forgetting.failed.count), \
            \(forgetting.failed.interval), and takes more than twice as many steps in \(forgetting.slower.count), \
            \(forgetting.slower.interval).

            """
        guard !forgetting.trials.isEmpty else { return lines }
        var table = TextTable(
            columns: [.init("member", alignment: .left)]
                + record.episodes.mean.indices.map { .init("episode \($0 + 1)") }
                + [.init("shortest")])
        for trial in forgetting.trials {
            table.append(
                ["\(trial.member)"] + zip(trial.steps, trial.successes).map { $1 ? "\($0)" : "failed (\($0))" }
                    + [trial.shortest.map { "\($0)" } ?? "–"])
        }
        lines += """

            Steps of such trials; `rl2x frames RUN --seed \(record.memberSeed) --member NUMBER --out DIR` draws one, \
            `rl2x bench analyse RUN --pictures DIR` all of them.


            """
        return lines + table.markdown()
    }

    // MARK: Read-outs

    private var readings: String {
        guard !inside.readings.isEmpty else { return "" }
        let ranges = episodes
        var table = TextTable(
            columns: [
                .init("quantity", alignment: .left), .init("measure", alignment: .left),
                .init("network", alignment: .left), .init("all"),
            ] + ranges.titles.map { .init("episode \($0)") })
        for reading in inside.readings {
            for (name, scores) in networks(reading) {
                table.append(
                    [reading.meaning, reading.measureName, name, reading.text(scores.all)]
                        + scores.byEpisode.map(reading.text))
            }
        }
        return AnalysisPage.section(
            "What can be read from its memory",
            """
            Linear read-outs (ridge, one for all steps, its penalty by cross-validation) from the \(inside.stateWidth) numbers of its state, after it was \
            shown a step and before it acts, fitted to half of the trials and judged on the others. R² is against the mean \
            of the same range of episodes and of steps (below): a read-out that knows only the step has 0. Accuracy is the \
            share of classes, or of statements whose answer has been shown, that are read right; the baseline knows only the \
            range and gives the most frequent answer. The untrained network has the same architecture and the first values \
            of the run's seed, and is shown the same trials. Ranges of steps to which fewer than \(Self.fewestTrials) of the \
            judged trials come are not shown.
            """, table)
    }

    private var steps: String {
        let ranges = episodes
        guard !inside.readings.isEmpty, ranges.count <= Self.mostEpisodesByStep, inside.stepRanges.count > 1 else {
            return ""
        }
        let titles = NumberRanges(ends: inside.stepRanges).titles
        return ranges.titles.enumerated().map { episode, title in
            let shown = titles.indices.filter { inside.trials[episode][$0] >= Self.fewestTrials }
            guard !shown.isEmpty else { return "" }
            var table = TextTable(
                columns: [.init("quantity", alignment: .left), .init("network", alignment: .left)]
                    + shown.map { .init("step \(titles[$0])") } + [.init("last step")])
            for reading in inside.readings {
                for (name, scores) in networks(reading) {
                    table.append(
                        [reading.meaning, name] + shown.map { reading.text(scores.byStep[episode][$0]) }
                            + [reading.text(scores.atEnd[episode])])
                }
            }
            table.append(["trials", ""] + shown.map { "\(inside.trials[episode][$0])" } + [""])
            return "### Episode \(title), by step\n\n" + table.markdown()
        }.joined(separator: "\n")
    }

    private func networks(_ reading: InsideTrial.Reading) -> [(String, InsideTrial.Scores)] {
        [("trained", reading.trained), ("untrained", reading.untrained)]
            + (reading.baseline.map { [("baseline", $0)] } ?? [])
    }

    // MARK: Choices

    private var secondStarts: String {
        guard !inside.secondStarts.isEmpty else { return "" }
        var table = TextTable(columns: [
            .init("trials", alignment: .left), .init("count"), .init("distance to episode 1"),
            .init("the same, memory emptied"),
        ])
        for start in inside.secondStarts {
            table.append([start.group.title, "\(start.trials)", text(start.distance), text(start.resetDistance)])
        }
        var optimal = TextTable(columns: [
            .init("trials", alignment: .left), .init("first step of", alignment: .left),
            .init("most probable action is optimal"), .init("probability of optimal actions"), .init("chance"),
        ])
        for start in inside.secondStarts {
            guard let found = start.optimal else { continue }
            for (name, mode, probability) in [
                ("episode 1", found.first, found.firstProbability),
                ("episode 2", found.second, found.secondProbability),
                ("episode 2, memory emptied", found.reset, found.resetProbability),
            ] {
                optimal.append([
                    start.group.title, name, mode.text, text(probability), Display.percent(found.chance.mean),
                ])
            }
        }
        return AnalysisPage.section(
            "What the first action of episode 2 depends on",
            """
            The first step of episode 2 shows what the first step of episode 1 showed, so the two distributions of the first \
            action differ only by what the memory holds, and by the last action, reward and flag. Distance is total \
            variation. The control has its memory emptied between the episodes and is given the same step.
            """, table)
            + (optimal.rows.isEmpty
                ? "" : "\nIs the first action one that who knows the member would take?\n\n" + optimal.markdown())
    }

    private var agreement: String {
        guard !inside.agreement.isEmpty else { return "" }
        let shown = AnalysisPage.shown(of: record.episodes.mean.count)
        var table = TextTable(
            columns: [.init("rule", alignment: .left), .init("measure", alignment: .left), .init("all")]
                + shown.map { .init("episode \($0 + 1)") })
        for agreement in inside.agreement {
            for (name, shares) in [
                ("most probable action", agreement.mode), ("probability", agreement.probability),
                ("chance", agreement.chance),
            ] {
                table.append(
                    [agreement.rule, name, Display.percent(agreement.mean(shares))]
                        + shown.map { Display.percent(shares[$0]) })
            }
        }
        return AnalysisPage.section(
            "Which rule does it follow?",
            """
            At each step that the policy comes to: is its most probable action one that the rule would take after the same \
            history (any of equals counts), with what probability does it take one of those, and how often would a uniformly \
            random action be one. Rules believe in the family's own prior, plan at each step, and draw nothing: Greedy plans \
            in the expected MDP, BEB adds a bonus for what was seen rarely.
            """, table)
    }

    private func text(_ estimate: Estimate) -> String {
        "\(Display.fixed(estimate.mean)) ± \(Display.fixed(estimate.standardError))"
    }
}

extension InsideTrial.SecondStart.Group {
    /// As tables have it.
    var title: String {
        switch self {
        case .succeeded: "episode 1 succeeded"
        case .failed: "episode 1 failed"
        case .any: "all"
        }
    }
}

extension InsideTrial.Reading {
    var measureName: String { measure == .explained ? "R²" : "accuracy" }

    /// A score as tables have it.
    func text(_ score: Double?) -> String {
        guard let score else { return "–" }
        return measure == .accuracy ? Display.percent(score) : score < 0 ? "< 0" : Display.fixed(score)
    }
}

extension Proportion {
    /// As tables have it: the share and its interval, in percent, and of how many.
    var text: String { share == nil ? "–" : "\(interval) of \(total)" }

    var interval: String {
        share == nil
            ? "–"
            : "\(Display.percent(share)) (\(Display.fixed(lower.map { 100 * $0 }, 1)) … "
                + "\(Display.fixed(upper.map { 100 * $0 }, 1)))"
    }
}
