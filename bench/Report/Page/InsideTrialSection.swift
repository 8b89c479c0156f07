import Foundation
import Interface

/// The analyses of one task other than a bandit, by method: tables of means over seeds, and trials that were forgotten.
struct InsideTrialTask {
    private let task: String
    /// In the order of the records; each has at least one.
    private let methods: [(title: String, runs: [(record: AnalysisRecord, inside: InsideTrial)])]

    init(_ task: String, _ analyses: [AnalysisRecord]) {
        self.task = task
        var methods: [(title: String, runs: [(record: AnalysisRecord, inside: InsideTrial)])] = []
        for record in analyses where record.taskName == task {
            guard let inside = record.inside else { continue }
            let title = Comparison.Method(model: record.modelName, setting: record.settingName).title
            if let place = methods.firstIndex(where: { $0.title == title }) {
                methods[place].runs.append((record, inside))
            } else {
                methods.append((title, [(record, inside)]))
            }
        }
        self.methods = methods
    }

    func parts(_ html: (String, TextTable) -> String) -> [String] {
        let tables = [
            ("linear read-outs of the memory, R² or accuracy, means over seeds", readings),
            ("success after a success and after a failure, all seeds", successions),
            ("first action of episode 2, means over seeds", secondStarts),
            ("agreement with rules, means over seeds", agreement),
        ]
        return tables.filter { !$0.1.rows.isEmpty }.map { html("\(task): \($0.0)", $0.1) } + maps
    }

    /// In the first and the last range of episodes, of the policy and of its untrained twin, beside who knows only the step.
    private var readings: TextTable {
        let names = NumberRanges(ends: methods[0].runs[0].inside.episodeRanges).titles
        let shown = names.count > 1 ? [0, names.count - 1] : [0]
        var table = TextTable(
            columns: [.init("model", alignment: .left), .init("quantity", alignment: .left)]
                + shown.flatMap { episode in
                    ["trained", "untrained", "baseline"].map { .init("episode \(names[episode]): \($0)") }
                })
        for (title, runs) in methods {
            for (index, reading) in runs[0].inside.readings.enumerated() {
                let all = runs.compactMap { run in
                    run.inside.readings.indices.contains(index) ? run.inside.readings[index] : nil
                }
                func cell(_ episode: Int, _ scores: (InsideTrial.Reading) -> InsideTrial.Scores?) -> String {
                    reading.text(
                        mean(
                            all.compactMap { reading in
                                scores(reading).flatMap {
                                    $0.byEpisode.indices.contains(episode) ? $0.byEpisode[episode] : nil
                                }
                            }))
                }
                table.append(
                    [title, "\(reading.meaning) (\(reading.measureName))"]
                        + shown.flatMap { episode in
                            [cell(episode) { $0.trained }, cell(episode) { $0.untrained }]
                                + [reading.measure == .explained ? "0" : cell(episode) { $0.baseline }]
                        })
            }
        }
        return table
    }

    /// Counts of all seeds together.
    private var successions: TextTable {
        var table = TextTable(columns: [
            .init("model", alignment: .left), .init("episode"), .init("success after a success"),
            .init("success after a failure"),
        ])
        for (title, runs) in methods {
            for (index, first) in runs[0].inside.successions.enumerated() {
                let all = runs.compactMap { run in
                    run.inside.successions.indices.contains(index) ? run.inside.successions[index] : nil
                }
                func cell(_ share: (InsideTrial.Succession) -> Proportion) -> String {
                    Proportion(all.reduce(0) { $0 + share($1).count }, of: all.reduce(0) { $0 + share($1).total }).text
                }
                table.append([title, "\(first.episode + 1)", cell(\.afterSuccess), cell(\.afterFailure)])
            }
        }
        return table
    }

    private var secondStarts: TextTable {
        var table = TextTable(columns: [
            .init("model", alignment: .left), .init("trials", alignment: .left), .init("distance to episode 1"),
            .init("memory emptied"), .init("optimal in episode 1"), .init("in episode 2"), .init("memory emptied"),
        ])
        for (title, runs) in methods {
            for group in InsideTrial.SecondStart.Group.allCases {
                let all = runs.compactMap { $0.inside.secondStarts.first { $0.group == group } }
                guard !all.isEmpty else { continue }
                let optimal = all.compactMap(\.optimal)
                table.append(
                    [title, group.title]
                        + [all.map(\.distance.mean), all.map(\.resetDistance.mean)].map { Display.fixed(mean($0)) }
                        + [
                            optimal.compactMap(\.first.share), optimal.compactMap(\.second.share),
                            optimal.compactMap(\.reset.share),
                        ].map { Display.percent(mean($0)) })
            }
        }
        return table
    }

    private var agreement: TextTable {
        var table = TextTable(columns: [
            .init("model", alignment: .left), .init("rule", alignment: .left), .init("most probable action"),
            .init("probability"), .init("chance"),
        ])
        for (title, runs) in methods {
            for rule in runs[0].inside.agreement.map(\.rule) {
                let all = runs.compactMap { $0.inside.agreement.first { $0.rule == rule } }
                table.append(
                    [title, rule]
                        + [\Agreement.mode, \.probability, \.chance].map { shares in
                            Display.percent(mean(all.map { $0.mean($0[keyPath: shares]) }))
                        })
            }
        }
        return table
    }

    /// Trials of each method's first seed that were forgotten, from above.
    private var maps: [String] {
        methods.flatMap { title, runs -> [String] in
            let drawn = runs[0].record.forgottenTrials.compactMap { member, recording -> String? in
                guard let map = TrialMap(recording, scale: 24) else { return nil }
                let steps = recording.episodes.enumerated().map { number, episode in
                    "episode \(number + 1): \(episode.steps)\(episode.succeeded ? "" : ", failed")"
                }.joined(separator: "; ")
                let name = "member \(member), \(steps)"
                return
                    "<figure><img class=\"map\" alt=\"\(escape(name))\" src=\"\(VisualReplayPage.address(map.picture()))\">"
                    + "<figcaption>\(escape(name))</figcaption></figure>"
            }
            guard !drawn.isEmpty else { return [] }
            let heading =
                "\(task): \(title), seed \(runs[0].record.seed): trials that fail or take long after a success"
            return ["<h3>\(escape(heading))</h3>\n<div class=\"eyes\">\(drawn.joined(separator: "\n"))</div>"]
        }
    }

    private func mean(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
}
