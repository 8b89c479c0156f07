import Foundation
import Interface

/// One page that holds a comparison: no network, no file beside it. The same records give the same bytes.
public struct Report {
    let comparison: Comparison
    /// What policies do inside their trials.
    let analyses: [AnalysisRecord]

    public init(_ comparison: Comparison, analyses: [AnalysisRecord] = []) {
        (self.comparison, self.analyses) = (comparison, analyses)
    }

    public var html: String {
        let plans = Set(comparison.records.map(\.plan)).sorted().joined(separator: ", ")
        let sections = [summary, curves, generalization, regret, insideTrials, costs, replays, details].filter {
            !$0.isEmpty
        }
        let count = comparison.records.count
        let trainings = count == 1 ? "1 training" : "\(count) trainings"
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>rl2x: \(escape(plans))</title>
            <style>\(Report.style)\(ReplaySection.style)</style></head><body><main>
            <h1>\(escape(plans))</h1>
            <p>\(trainings), each judged from its final checkpoint on the same held-out members under the
            same chance (bank \(EvaluationBank.version)). Intervals, bands and whiskers are 95 % by bootstrap over seeds; of
            three seeds or fewer that is their range.</p>
            \(sections.joined(separator: "\n"))
            </main>\(comparison.replays.isEmpty ? "" : "<script>\(ReplayScript.text)</script>")</body></html>

            """
    }

    // MARK: Sections

    private var summary: String { section("Results", comparison.tables.filter { isResult($0.title) }.map(html)) }

    private var details: String {
        section("All other tables", comparison.tables.filter { !isResult($0.title) }.map(html))
    }

    /// Whether a table stands above all others.
    private func isResult(_ title: String) -> Bool {
        ["Share of the gap", "Return", "Success and length"].contains { title.hasPrefix($0) }
    }

    private var replays: String { section("Replays", ReplaySection(comparison.replays).parts) }

    /// Mean over seeds at each evaluation, with its interval.
    private var curves: String {
        section(
            "Learning curves",
            comparison.tasks.map { task in
                let series = comparison.methods.compactMap { method -> Chart.Series? in
                    let runs = comparison.runs(method, on: task)
                    guard let shortest = runs.map(\.curve.count).min(), shortest > 0 else { return nil }
                    let points = (0..<shortest).map { index -> Chart.Point in
                        let scores = runs.map { $0.curve[index].score }
                        let mean = scores.reduce(0, +) / Double(scores.count)
                        let steps = runs.map { Double($0.curve[index].steps) }.reduce(0, +) / Double(runs.count)
                        return Chart.Point(
                            x: steps, y: mean, interval: comparison.interval(scores),
                            title: "\(method.title): \(Display.fixed(mean)) after \(Display.grouped(steps)) steps")
                    }
                    return Chart.Series(name: method.title, points: points)
                }
                return Chart(
                    .lines, title: "\(task): learning curves, mean over seeds",
                    x: "time steps of training",
                    y: "return of a trial", series: series, references: references(task)
                ).svg
            })
    }

    private var generalization: String {
        section(
            "Generalization",
            comparison.tasks.compactMap { task in
                let records = comparison.records.filter { $0.taskName == task }
                let names = comparison.unique(records.flatMap { $0.evaluations.map(\.name) })
                guard names.count > 1 else { return nil }
                let series = comparison.methods.compactMap { method -> Chart.Series? in
                    let runs = comparison.runs(method, on: task)
                    guard !runs.isEmpty else { return nil }
                    let points = names.enumerated().compactMap { index, name -> Chart.Point? in
                        let shares = runs.compactMap { run -> Double? in
                            guard let evaluated = run.evaluations.first(where: { $0.name == name }) else { return nil }
                            return comparison.gap(evaluated)?.closed(evaluated.meanTotalReward)
                        }
                        guard !shares.isEmpty else { return nil }
                        let mean = 100 * shares.reduce(0, +) / Double(shares.count)
                        return Chart.Point(
                            x: Double(index), y: mean,
                            interval: comparison.interval(shares.map { 100 * $0 }),
                            title:
                                "\(method.title), \(EvaluationRecord.title(name)): \(Display.fixed(mean)) %"
                        )
                    }
                    return Chart.Series(name: method.title, points: points)
                }
                return Chart(
                    .bars(groups: names.map(EvaluationRecord.title)),
                    title: "\(task): share of the gap from random to the best known play",
                    x: "members played", y: "% of the gap closed", series: series
                ).svg
            })
    }

    /// What was lost against knowing the member, up to each episode of a trial.
    private var regret: String {
        section(
            "Regret within a trial",
            comparison.tasks.compactMap { task in
                let series = comparison.methods.compactMap { method -> Chart.Series? in
                    let runs = comparison.runs(method, on: task)
                    guard let oracle = runs.first?.main.oracle else { return nil }
                    let episodes = runs[0].main.perEpisodeMean.count
                    guard episodes > 1, runs.allSatisfy({ $0.main.perEpisodeMean.count == episodes }) else {
                        return nil
                    }
                    let means = (0..<episodes).map { episode in
                        runs.reduce(0) { $0 + $1.main.perEpisodeMean[episode] } / Double(runs.count)
                    }
                    var lost = 0.0
                    let points =
                        [Chart.Point(x: 0, y: 0)]
                        + means.enumerated().map { episode, mean -> Chart.Point in
                            lost += oracle / Double(episodes) - mean
                            return Chart.Point(
                                x: Double(episode + 1), y: lost,
                                title: "\(method.title): \(Display.fixed(lost)) after \(episode + 1) episodes")
                        }
                    return Chart.Series(name: method.title, points: points)
                }
                guard !series.isEmpty else { return nil }
                return Chart(
                    .lines, title: "\(task): reward lost so far against who knows the member",
                    x: "episode of the trial",
                    y: "cumulative regret, reward", series: series
                ).svg
            })
    }

    /// Score against what acting costs; who is beaten by none that is as cheap is marked.
    private var costs: String {
        let charts = comparison.tasks.map { task -> String in
            let results = comparison.methods.compactMap {
                method -> (title: String, cost: Double, score: Double)? in
                let runs = comparison.runs(method, on: task)
                guard let first = runs.first else { return nil }
                let mean = runs.map(\.main.meanTotalReward).reduce(0, +) / Double(runs.count)
                return (method.title, first.actingOperations, mean)
            }
            let series = results.map { result in
                let isBeaten = results.contains {
                    $0.cost <= result.cost && $0.score >= result.score
                        && ($0.cost, $0.score) != (result.cost, result.score)
                }
                return Chart.Series(
                    name: result.title,
                    points: [
                        Chart.Point(
                            x: result.cost, y: result.score,
                            title: "\(result.title): \(Display.fixed(result.score)) at "
                                + "\(Display.grouped(result.cost)) operations a step", isMarked: !isBeaten)
                    ])
            }
            return Chart(
                .scatter, title: "\(task): score against the cost of acting; ringed: none is as good for less",
                x: "floating-point operations a step of acting",
                y: "return of a trial", series: series, logarithmicX: true, references: references(task)
            ).svg
        }
        let cards = comparison.tasks.flatMap { task in
            comparison.methods.compactMap { method -> String? in
                guard let run = comparison.runs(method, on: task).first else { return nil }
                return """
                    <div class="card"><h3>\(escape(method.title))</h3><p>\(escape(task))</p><dl>
                    <dt>acting</dt><dd>\(Display.grouped((run.costs.stepsPerSecondActing))) steps/s</dd>
                    <dt>learning</dt><dd>\(Display.grouped((run.costs.stepsPerSecondLearning))) steps/s</dd>
                    <dt>parameters</dt><dd>\(Display.grouped(run.parameters))</dd>
                    <dt>state</dt><dd>\(Display.grouped(run.stateBytes)) bytes a lane</dd>
                    <dt>training</dt><dd>\(Display.duration(run.costs.trainingSeconds)), \
                    \(run.costs.threads) threads</dd></dl></div>
                    """
            }
        }
        return section("Costs", charts + ["<div class=\"cards\">\(cards.joined(separator: "\n"))</div>"])
    }

    // MARK: Pieces

    private func references(_ task: String) -> [(name: String, value: Double)] {
        guard let main = comparison.records.first(where: { $0.taskName == task })?.main else { return [] }
        return [("random", main.random), ("exact optimum", main.optimum)].compactMap { name, value in
            value.map { (name, $0) }
        }
    }

    func section(_ title: String, _ parts: [String]) -> String {
        parts.isEmpty ? "" : "<section><h2>\(escape(title))</h2>\n\(parts.joined(separator: "\n"))\n</section>"
    }

    func html(_ title: String, _ table: TextTable) -> String {
        let head = table.columns.map { "<th class=\"\($0.alignment)\">\(escape($0.title))</th>" }.joined()
        let rows = table.rows.map { row in
            let cells = zip(row, table.columns).map { "<td class=\"\($1.alignment)\">\(escape($0))</td>" }
            return "<tr>\(cells.joined())</tr>"
        }
        return "<h3>\(escape(title))</h3>\n<div class=\"table\"><table><thead><tr>\(head)</tr></thead>"
            + "<tbody>\(rows.joined(separator: "\n"))</tbody></table></div>"
    }

    private static let style = """
        :root { color-scheme: light dark; --ink: #1d2129; --soft: #5b6472; --rule: #d9dde4; --page: #ffffff; --card: #f5f6f8;
          --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #aa3377; --c4: #b8860b; --c5: #3b9ccc; --c6: #6b4fbb; --c7: #7a7a7a; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6e8ec; --soft: #9aa3b2; --rule: #363c47; --page: #15181d;
          --card: #1e222a; --c0: #4aa8e0; --c1: #f08040; --c2: #35c79a; --c3: #dd77aa; --c4: #e0b040; --c5: #80c8ee;
          --c6: #a58be8; --c7: #a8a8a8; } }
        body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
        main { max-width: 980px; margin: 0 auto; padding: 24px 20px 60px; }
        h1 { font-size: 26px; } h2 { margin-top: 40px; font-size: 20px; } h3 { margin: 20px 0 6px; font-size: 15px; }
        .table { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
        th, td { padding: 4px 10px; border-bottom: 1px solid var(--rule); white-space: nowrap; }
        th { color: var(--soft); font-weight: 600; white-space: normal; vertical-align: bottom; min-width: 3em; } .left { text-align: left; } .right { text-align: right; }
        figure { margin: 16px 0; } figcaption { font-weight: 600; } svg { width: 100%; max-width: 860px; height: auto; }
        text { fill: var(--ink); font: 12px system-ui, sans-serif; } .tick, .small { font-size: 11px; fill: var(--soft); }
        .grid { stroke: var(--rule); } .line { fill: none; stroke-width: 2; } .band { opacity: .16; }
        .reference { stroke: var(--soft); stroke-dasharray: 4 4; } .whisker { stroke: var(--ink); stroke-width: 1.5; }
        .base { stroke: var(--soft); } .front { fill: none; stroke: var(--soft); stroke-dasharray: 2 3; }
        .ring { fill: none; stroke: var(--ink); stroke-width: 1.5; }
        .legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 4px 0; padding: 0; list-style: none; font-size: 13px; }
        .legend i { display: inline-block; width: 11px; height: 11px; margin-right: 6px; border-radius: 2px; }
        .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(270px, 1fr)); gap: 12px; }
        .card { background: var(--card); border-radius: 8px; padding: 10px 14px; } .card h3 { margin: 0; }
        .card p { margin: 0; color: var(--soft); } dl { display: grid; grid-template-columns: auto 1fr; gap: 2px 10px; margin: 8px 0 0; }
        dt { color: var(--soft); } dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
        """
}
