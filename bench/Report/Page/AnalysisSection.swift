import Foundation
import Interface

extension Report {
    /// What the policies do inside their trials: a pure function of the analyses; empty without any.
    var insideTrials: String {
        let bandits = tasks { $0.bandit != nil }.flatMap { AnalysisTask($0, analyses).parts(html) }
        let others = tasks { $0.inside != nil }.flatMap { InsideTrialTask($0, analyses).parts(html) }
        return section("Inside a trial", bandits + others)
    }

    /// Tasks of the analyses that hold something, in their order.
    private func tasks(_ holds: (AnalysisRecord) -> Bool) -> [String] {
        comparison.unique(analyses.filter(holds).map(\.taskName))
    }
}

/// The analyses of one task, by method.
private struct AnalysisTask {
    let task: String
    /// In the order of the records; each has at least one.
    let methods: [(title: String, runs: [InsideBandit])]

    init(_ task: String, _ analyses: [AnalysisRecord]) {
        self.task = task
        var methods: [(title: String, runs: [InsideBandit])] = []
        for record in analyses where record.taskName == task {
            guard let bandit = record.bandit else { continue }
            let title = Comparison.Method(model: record.modelName, setting: record.settingName).title
            if let place = methods.firstIndex(where: { $0.title == title }) {
                methods[place].runs.append(bandit)
            } else {
                methods.append((title, [bandit]))
            }
        }
        self.methods = methods
    }

    func parts(_ html: (String, TextTable) -> String) -> [String] {
        [regret.svg, agreement.svg, html("\(task): linear read-out of the state, R²", probes)]
            + [
                html(
                    "\(task): agreement with \(methods[0].runs[0].agreement[0].rule), distance under renaming of arms, and "
                        + "effect of one reward on its arm's probability", symmetry)
            ]
    }

    /// The policies, then the players beside them, who are the same for all.
    private var regret: Chart {
        let own = methods.map { title, runs in line(title, runs.map { $0.regret[0].mean }) }
        let players = methods[0].runs[0].regret.dropFirst().map { line($0.name, [$0.mean]) }
        return Chart(
            .lines, title: "\(task): reward lost so far to who knows the arms; bands are the range of seeds", x: "pull",
            y: "cumulative regret", series: own + players)
    }

    private var agreement: Chart {
        let reference = methods[0].runs[0].agreement[0]
        let own = methods.map { title, runs in
            line(title, runs.map { run in run.agreement[0].mode.map { 100 * $0 } })
        }
        return Chart(
            .lines,
            title: "\(task): most probable arm agrees with \(reference.rule); bands are the range of seeds", x: "pull",
            y: "% of histories", series: own + [line("a random arm", [reference.chance.map { 100 * $0 }])])
    }

    /// Mean over runs at each pull, with their range.
    private func line(_ name: String, _ runs: [[Double]]) -> Chart.Series {
        let pulls = runs.map(\.count).min() ?? 0
        return Chart.Series(
            name: name,
            points: AnalysisPage.charted(pulls).map { pull in
                let values = runs.map { $0[pull] }
                let mean = values.reduce(0, +) / Double(values.count)
                return Chart.Point(
                    x: Double(pull + 1), y: mean, interval: values.count > 1 ? values.min()!...values.max()! : nil,
                    title: "\(name): \(Display.fixed(mean)) at pull \(pull + 1)")
            })
    }

    private var probes: TextTable {
        var table = TextTable(columns: [
            .init("model", alignment: .left), .init("quantity", alignment: .left), .init("trained"),
            .init("untrained"), .init("numbers of state"),
        ])
        for (title, runs) in methods {
            for (index, probe) in runs[0].probes.enumerated() {
                let all = runs.compactMap { $0.probes.indices.contains(index) ? $0.probes[index] : nil }
                table.append([
                    title, probe.quantity.replacingOccurrences(of: "_", with: " "),
                    Display.fixed(mean(all.map(\.explained))),
                    Display.fixed(mean(all.map(\.untrained))), "\(runs[0].stateWidth)",
                ])
            }
        }
        return table
    }

    /// Means over seeds: agreement with the first rule over all pulls, distance under renaming, and what a first reward of 1
    /// instead of 0 adds to the probability of its arm at the second pull, beside the first rule and Thompson sampling.
    private var symmetry: TextTable {
        var table = TextTable(columns: [
            .init("model", alignment: .left), .init("agreement"), .init("probability"),
            .init("renamed arms, last pull"), .init("first reward, next pull"),
            .init(methods[0].runs[0].agreement[0].rule), .init("Thompson"),
        ])
        for (title, runs) in methods {
            let flips = runs.compactMap { $0.flips.first { $0.pull == 0 && $0.lag == 1 } }
            func effect(_ values: [Double]) -> String {
                values.isEmpty ? "–" : Display.signed(mean(values))
            }
            table.append([
                title, Display.fixed(mean(runs.map { $0.agreement[0].mean($0.agreement[0].mode) })),
                Display.fixed(mean(runs.map { $0.agreement[0].mean($0.agreement[0].probability) })),
                Display.fixed(mean(runs.compactMap(\.renaming.mean.last))), effect(flips.map(\.effect.mean)),
                effect(flips.map(\.ruleEffect.mean)), effect(flips.map(\.thompsonEffect.mean)),
            ])
        }
        return table
    }

    private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(values.count, 1)) }
}

extension AnalysisPage {
    /// Pulls that a chart shows, from 0: all of a hundred, else about a hundred.
    static func charted(_ count: Int) -> [Int] {
        let step = max(1, count / 100)
        return (0..<count).filter { $0 % step == step - 1 || $0 == count - 1 || $0 == 0 }
    }
}
