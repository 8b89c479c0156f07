import Foundation
import Interface
import Training

/// Tables of a set of records: a pure function of them, and of their numbers that do not depend on the machine, so that
/// records made anew give the same bytes.
public struct Comparison {
    /// Sorted by task, setting, model and seed, in the order in which the records name them.
    public let records: [CellRecord]
    /// Trials to be looked at, of some of the cells; no table depends on them.
    public let replays: [Replay]
    private let bootstrap = Bootstrap(resamples: 2000, seed: 0)

    /// One line of a comparison: a model with a setting.
    struct Method: Hashable {
        let model: String
        let setting: String
        var title: String { setting.isEmpty ? model : "\(model), \(setting)" }
    }

    public init(_ records: [CellRecord], replays: [Replay] = []) { (self.records, self.replays) = (records, replays) }

    /// All records of a directory that `bench run` wrote, or of a folder of records, sorted by name; and what could not be
    /// read, a line each.
    public static func read(_ directory: String) throws -> (comparison: Comparison, failures: [String]) {
        if RunDirectory(directory).isRun {
            throw UserError(
                "\(directory): this is a run; compare runs with `rl2x bench compare RUN RUN`, or name a directory that "
                    + "`rl2x bench run` wrote")
        }
        let nested = "\(directory)/\(CellRecord.folder)"
        let folder = FileManager.default.fileExists(atPath: nested) ? nested : directory
        guard (try? FileManager.default.contentsOfDirectory(atPath: folder)) != nil else {
            throw UserError("\(directory): there is no such directory; name one that `rl2x bench run` wrote")
        }
        let (records, failures) = CellRecord.readAll(in: folder)
        guard !records.isEmpty || !failures.isEmpty else {
            throw UserError("\(directory): no records are here; name a directory that `rl2x bench run` wrote")
        }
        let replays = Replay.readAll(directory)
        return (Comparison(records, replays: replays.results), failures + replays.failures)
    }

    // MARK: Groups

    var tasks: [String] { unique(records.map(\.taskName)) }
    var methods: [Method] {
        unique(records.map { Method(model: $0.modelName, setting: $0.settingName) })
    }

    func runs(_ method: Method, on task: String) -> [CellRecord] {
        records.filter {
            $0.taskName == task && $0.modelName == method.model && $0.settingName == method.setting
        }.sorted { $0.seed < $1.seed }
    }

    /// Tasks on which a method has runs.
    private func covered(_ method: Method) -> [String] { tasks.filter { !runs(method, on: $0).isEmpty } }

    func unique<Value: Hashable>(_ values: [Value]) -> [Value] {
        var seen: Set<Value> = []
        return values.filter { seen.insert($0).inserted }
    }

    // MARK: Tables

    /// All tables, with their titles.
    public var tables: [(title: String, table: TextTable)] {
        var tables: [(String, TextTable)] = []
        for task in tasks { tables.append(("Return: \(task)", scoreTable(task))) }
        for task in tasks {
            if let table = goalTable(task) { tables.append(("Success and length: \(task)", table)) }
        }
        for task in tasks { tables.append(("Sample efficiency: \(task)", efficiencyTable(task))) }
        for task in tasks {
            if let table = generalizationTable(task) { tables.append(("Generalization: \(task)", table)) }
        }
        for task in tasks {
            if let table = pairTable(task) { tables.append(("Paired differences: \(task)", table)) }
        }
        if let table = aggregateTable {
            tables.append(("Share of the gap from random to the best known closed", table))
        }
        tables.append(("Costs of the models", costTable))
        return tables
    }

    /// Final total rewards of a task: each seed, mean over seeds and its standard error over seeds, gap closed.
    private func scoreTable(_ task: String) -> TextTable {
        let all = records.filter { $0.taskName == task }
        let seeds = unique(all.map(\.seed)).sorted()
        let hasNotes = all.contains { $0.main.note != nil }
        func note(_ text: String?) -> [String] { hasNotes ? [text ?? ""] : [] }
        var table = TextTable(
            columns: [.init("model", alignment: .left)] + seeds.map { .init("seed \($0)") }
                + [.init("mean"), .init("± se, seeds"), .init("± se, members"), .init("gap closed")]
                + (hasNotes ? [.init("note", alignment: .left)] : []))
        for method in methods {
            let runs = runs(method, on: task)
            guard !runs.isEmpty else { continue }
            let summary = Summary(runs.map(\.main.meanTotalReward))
            table.append(
                [method.title]
                    + seeds.map { seed in
                        runs.first { $0.seed == seed }.map { Display.fixed($0.main.meanTotalReward) } ?? "–"
                    }
                    + [
                        Display.fixed(summary.mean), Display.fixed(summary.standardError),
                        Display.fixed(runs.map(\.main.standardError).reduce(0, +) / Double(runs.count)),
                        gap(runs[0].main).map { Display.percent(($0.closed)(summary.mean)) } ?? "–",
                    ] + note(runs[0].main.note))
        }
        let references = all.first?.main
        for (name, value) in [
            ("random", references?.random), ("exact optimum", references?.optimum),
            ("oracle", references?.oracle),
        ] {
            guard let value else { continue }
            table.append([name] + seeds.map { _ in "" } + [Display.fixed(value), "", "", ""] + note(nil))
        }
        return table
    }

    /// Mean height of the learning curve, and steps until a share of the gap is closed.
    private func efficiencyTable(_ task: String) -> TextTable {
        let shares = [0.5, 0.8, 0.9, 0.95]
        var table = TextTable(
            columns: [
                .init("model", alignment: .left), .init("runs"), .init("mean of the curve"), .init("95 % interval"),
            ]
                + shares.map { .init("steps to \(Int((100 * $0).rounded())) % of the gap") })
        for method in methods {
            let runs = runs(method, on: task)
            guard !runs.isEmpty else { continue }
            let curves = runs.map { LearningCurve($0.curve) }
            let heights = Scores([curves.map(\.meanHeight)])
            table.append(
                [
                    method.title, "\(runs.count)", Display.fixed(heights.mean),
                    interval(curves.map(\.meanHeight)).map {
                        "\(Display.fixed($0.lowerBound)) … \(Display.fixed($0.upperBound))"
                    } ?? "–",
                ]
                    + shares.map { share in
                        guard let gap = gap(runs[0].main) else { return "–" }
                        let reached = curves.map { $0.steps(to: gap.floor + share * (gap.ceiling - gap.floor)) }
                        // The median over runs, if most runs get there.
                        let sorted = reached.map { $0 ?? Int.max }.sorted()
                        let median = sorted[(sorted.count - 1) / 2]
                        return median == Int.max ? "never" : Display.grouped(median)
                    })
        }
        return table
    }

    private func generalizationTable(_ task: String) -> TextTable? {
        let all = records.filter { $0.taskName == task }
        let names = unique(all.flatMap { $0.evaluations.dropFirst().map(\.name) })
        guard !names.isEmpty else { return nil }
        var table = TextTable(
            columns: [
                .init("model", alignment: .left), .init("members", alignment: .left), .init("mean"),
                .init("± se, seeds"), .init("random"), .init("best known"), .init("note", alignment: .left),
            ])
        for method in methods {
            let runs = runs(method, on: task)
            for name in names {
                let evaluated = runs.compactMap { run in run.evaluations.first { $0.name == name } }
                guard let first = evaluated.first else { continue }
                let summary = Summary(evaluated.map(\.meanTotalReward))
                table.append([
                    method.title, name, Display.fixed(summary.mean), Display.fixed(summary.standardError),
                    first.random.map { Display.fixed($0) } ?? "–",
                    (first.optimum ?? first.oracle).map { Display.fixed($0) } ?? "–",
                    first.note ?? "",
                ])
            }
        }
        return table
    }

    /// Differences of every pair of methods on the same members, over seeds that both have.
    private func pairTable(_ task: String) -> TextTable? {
        let present = methods.filter { !runs($0, on: task).isEmpty }
        guard present.count > 1 else { return nil }
        var table = TextTable(
            columns: [
                .init("first", alignment: .left), .init("second", alignment: .left), .init("difference"),
                .init("95 %, members"), .init("95 %, seeds"), .init("P(first beats second)"),
                .init("smallest difference that so many seeds would show"),
            ])
        for (index, first) in present.enumerated() {
            for second in present[(index + 1)...] {
                let (mine, theirs) = (runs(first, on: task), runs(second, on: task))
                func blocks(_ runs: [CellRecord]) -> [Double] {
                    (0..<EvaluationBank.blocks).map { block in
                        runs.reduce(0) { $0 + $1.main.blockMeans[block] } / Double(runs.count)
                    }
                }
                let members = PairedDifference(blocks(mine), blocks(theirs))
                let scores = [mine, theirs].map { Scores([$0.map(\.main.meanTotalReward)]) }
                let isRepeated = mine.count > 1 && theirs.count > 1
                let seeds = bootstrap.interval(scores) { $0[0].mean - $0[1].mean }
                let spread = scores.map { Summary($0.all).standardDeviation }
                let pooled = ((spread[0] * spread[0] + spread[1] * spread[1]) / 2).squareRoot()
                let smallest = minimumDetectableDifference(
                    standardDeviation: pooled, count: min(mine.count, theirs.count))
                table.append([
                    first.title, second.title, Display.fixed(members.mean),
                    "\(Display.fixed(members.lowerBound)) … \(Display.fixed(members.upperBound))",
                    isRepeated
                        ? "\(Display.fixed(seeds.lowerBound)) … \(Display.fixed(seeds.upperBound))" : "–",
                    // Of one seed nothing is known about others.
                    isRepeated ? Display.fixed(scores[0].probabilityOfImprovement(over: scores[1]), 2) : "–",
                    Display.fixed(smallest),
                ])
            }
        }
        return table
    }

    /// Interquartile mean over all tasks and runs of the share of the gap closed, with its interval; for methods that
    /// have runs on every task.
    private var aggregateTable: TextTable? {
        let closed = methods.compactMap { method -> (Method, Scores)? in
            guard covered(method) == tasks else { return nil }
            let bounds = tasks.compactMap { gap(runs(method, on: $0)[0].main) }
            guard bounds.count == tasks.count else { return nil }
            let scores = Scores(tasks.map { runs(method, on: $0).map(\.main.meanTotalReward) })
            return (method, scores.gapClosed(bounds.map { ($0.floor, $0.ceiling) }))
        }
        guard !closed.isEmpty else { return nil }
        var table = TextTable(
            columns: [
                .init("model", alignment: .left), .init("tasks"), .init("runs"), .init("interquartile mean"),
                .init("95 % interval"), .init("mean"),
            ])
        for (method, scores) in closed {
            let interval = bootstrap.interval(scores, \.interquartileMean)
            table.append([
                method.title, "\(tasks.count)", "\(scores.all.count)", Display.percent(interval.estimate),
                scores.all.count > tasks.count
                    ? "\(Display.percent(interval.lowerBound)) … \(Display.percent(interval.upperBound))" : "–",
                Display.percent(scores.mean),
            ])
        }
        return table
    }

    private var costTable: TextTable {
        var table = TextTable(
            columns: [
                .init("model", alignment: .left), .init("task", alignment: .left), .init("parameters"),
                .init("FLOP a step, acting"), .init("FLOP a step, learning"), .init("state, bytes a lane"),
                .init("training steps"),
            ])
        for task in tasks {
            for method in methods {
                guard let run = runs(method, on: task).first else { continue }
                table.append([
                    method.title, task, Display.grouped(run.parameters), Display.grouped(run.actingOperations),
                    Display.grouped(run.learningOperations), Display.grouped(run.stateBytes),
                    Display.grouped(run.timesteps),
                ])
            }
        }
        return table
    }

    // MARK: Numbers

    /// The bootstrap interval of the mean of some runs' scores; nil for one run.
    func interval(_ scores: [Double]) -> ClosedRange<Double>? {
        guard scores.count > 1 else { return nil }
        let interval = bootstrap.interval(Scores([scores]), \.mean)
        return interval.lowerBound...interval.upperBound
    }

    /// From random play to the best that is known: exact play where it could be computed, else knowing the member.
    func gap(_ evaluated: EvaluationRecord) -> (floor: Double, ceiling: Double, closed: (Double) -> Double)? {
        guard let floor = evaluated.random, let ceiling = evaluated.optimum ?? evaluated.oracle, ceiling > floor
        else { return nil }
        return (floor, ceiling, { ($0 - floor) / (ceiling - floor) })
    }
}
