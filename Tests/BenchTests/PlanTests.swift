import Foundation
import Interface
import Kernels
import Testing

@testable import Bench
@testable import Training

/// A plan of seconds: two models, two seeds, one task and one generalization.
private let small = """
    plan: 1
    name: small
    seeds: [1, 2]
    models:
      - {model: gru, hidden: 4}
      - {model: elman, name: plain, hidden: 4}
    tasks:
      - task: bandit
        name: bandit-3
        options: {arms: 2, episodes: 3}
        budget: {iterations: 3}
        settings: {batch_steps: 300}
        evaluation: {trials: 200, points: 2, point_trials: 100}
        also: [{name: longer, options: {episodes: 5}}]
    """

private func error(_ text: String) -> String {
    do {
        _ = try Plan(text, file: "p.yaml")
        return "no error"
    } catch { return "\(error)" }
}

@Suite struct PlanTests {
    @Test func cellsAreModelsTimesTasksTimesSettingsTimesSeeds() throws {
        let plan = try Plan(small, file: "small.yaml")
        #expect(
            plan.cells.map(\.identifier) == [
                "bandit-3--gru--s1", "bandit-3--plain--s1", "bandit-3--gru--s2", "bandit-3--plain--s2",
            ])
        let configuration = try plan.configuration(of: plan.cells[3])
        #expect(configuration.model == "elman" && configuration.hidden == 4 && configuration.seed == 2)
        #expect(configuration.iterations == 3)
        #expect(configuration.stages.allSatisfy { $0.batchSteps == 300 })
        #expect(configuration.taskOptions == ["arms": 2, "episodes": 3, "prior": "uniform"])
    }

    @Test func settingsOfAVariantGoOverThoseOfTheTask() throws {
        let plan = try Plan(
            small
                + "\nsettings: [{name: base}, {name: tight, settings: {maximum_kl: 0.001, damping: 0.5, batch_steps: 60}}]",
            file: "small.yaml")
        #expect(plan.cells.count == 8)
        let (base, tight) = (plan.cells[0], plan.cells[2])
        #expect(tight.identifier == "bandit-3--gru--tight--s1")
        #expect(try plan.configuration(of: base).stages.allSatisfy { $0.learnerOptions["damping"] == 1e-3 })
        let configuration = try plan.configuration(of: tight)
        #expect(configuration.stages.allSatisfy { $0.learnerOptions["damping"] == 0.5 })
        #expect(configuration.stages.allSatisfy { $0.batchSteps == 60 && $0.learnerOptions["maximum-kl"] == 0.001 })
    }

    /// A learner is a dimension of its own, named in cells and tables; it may have settings.
    @Test func learnersAreAnAxis() throws {
        let text = small + "\nlearners: [trpo, {learner: ppo, name: small steps, settings: {clip_range: 0.1}}]"
        let plan = try Plan(text, file: "p.yaml")
        #expect(
            plan.cells.prefix(4).map(\.identifier) == [
                "bandit-3--gru--trpo--s1", "bandit-3--plain--trpo--s1", "bandit-3--gru--small-steps--s1",
                "bandit-3--plain--small-steps--s1",
            ])
        #expect(plan.cells.count == 8 && plan.cells[2].variant == "small steps")
        #expect(try plan.configuration(of: plan.cells[0]).stages.allSatisfy { $0.learner == "trpo" })
        let stages = try plan.configuration(of: plan.cells[2]).stages
        #expect(stages.allSatisfy { $0.learner == "ppo" && $0.learnerOptions["clip-range"] == 0.1 })
        #expect(stages.allSatisfy { $0.learnerOptions["epochs"] == Values(defaults: PPO.entry.options)["epochs"] })

        let wrong = try Plan(text.replacingOccurrences(of: "[trpo,", with: "[trop,"), file: "p.yaml")
        #expect(wrong.problems.count == 1 && wrong.problems[0].hasPrefix("p.yaml:15: unknown learner 'trop'"))
        #expect(wrong.cells.count == 4)
        // A setting that only one of the learners has costs the cells of the other.
        let damped = try Plan(
            text.replacingOccurrences(of: "batch_steps: 300", with: "batch_steps: 300, damping: 0.5"), file: "p.yaml")
        #expect(try damped.configuration(of: damped.cells[0]).stages[0].learnerOptions["damping"] == 0.5)
        #expect { try damped.configuration(of: damped.cells[2]) } throws: {
            "\($0)".contains("p.yaml:12") && "\($0)".contains("'ppo'") && "\($0)".contains("trpo has it")
        }
    }

    @Test func aMemoryThatForgetsIsASetting() throws {
        let plan = try Plan(
            small + "\nsettings: [{name: whole}, {name: half, settings: {reset_memory: half}}]", file: "small.yaml")
        #expect(
            try plan.cells.prefix(4).map { try plan.configuration(of: $0).memoryReset } == [.none, .none, .half, .half])
    }

    /// 300 steps are 100 trials of 3: 1000 steps want four iterations of them.
    @Test func stepsOfABudgetAreWholeIterations() throws {
        let plan = try Plan(
            small.replacingOccurrences(of: "{iterations: 3}", with: "{steps: 1000}"), file: "small.yaml")
        #expect(try plan.configuration(of: plan.cells[0]).iterations == 4)
    }

    @Test func aMatchSizesModelsThatStateNoWidth() throws {
        let text = small.replacingOccurrences(of: "{model: gru, hidden: 4}", with: "lstm")
        let plan = try Plan(text + "\nmatch: {by: params, to: gru-64}", file: "small.yaml")
        let matched = try plan.configuration(of: plan.cells[0])
        let reference = try Configuration.defaults(
            task: "bandit", model: "gru", taskOptions: ["arms": 2, "episodes": 3])
        var gru = reference
        gru.hidden = 64
        let ratio = Double(try matched.makePolicy().layout.count) / Double(try gru.makePolicy().layout.count)
        #expect(ratio > 0.8 && ratio < 1.25)
        #expect(try plan.configuration(of: plan.cells[1]).hidden == 4)
    }

    @Test(arguments: [
        ("modles: 1", "p.yaml:1:", "unknown key 'modles'"),
        ("plan: 2\nname: a", "version 2", ""),
        ("plan: 1\nname: a\nseeds: [1]\nmodels: [gro]\ntasks: [bandit]", "p.yaml:4:", "unknown model 'gro'"),
        ("plan: 1\nname: a\nseeds: [1]\nmodels: [gru]\ntasks: [bondit]", "p.yaml:5:", "unknown task 'bondit'"),
        ("plan: 1\nname: a\nseeds: []\nmodels: [gru]\ntasks: [bandit]", "p.yaml:3:", "at least one entry"),
        ("plan: 1\nname: a\nseeds: [-1]\nmodels: [gru]\ntasks: [bandit]", "p.yaml:3:", "whole number"),
        (
            "plan: 1\nname: a\nseeds: [1]\nmodels: [gru]\ntasks:\n  - task: bandit\n    options: {arms: 0}",
            "p.yaml:7:",
            "arms is 0"
        ),
        (
            "plan: 1\nname: a\nseeds: [1]\nmodels: [gru]\ntasks:\n  - task: bandit\n    budget: {hours: 3}",
            "p.yaml:7:",
            "unknown key 'hours'"
        ),
        ("plan: 1\nname: a\nmodels: [gru]\ntasks: [bandit]", "'seeds' is missing", ""),
        ("a: [", "p.yaml: not YAML", ""),
        ("", "p.yaml: the plan is empty", ""),
    ]) func aMistakeIsNamedWithItsLine(_ text: String, _ place: String, _ reason: String) {
        let message = error(text)
        #expect(message.contains(place) && (reason.isEmpty || message.contains(reason)), "\(message)")
        #expect(!message.contains("\n"))
    }

    /// A mistake in an entry costs the cells of that entry.
    @Test(arguments: [
        ("  - {model: gru, hidden: 4}", "  - {model: gro, hidden: 4}", "p.yaml:5: unknown model 'gro'", 2),
        ("  - {model: gru, hidden: 4}", "  - {model: gru, hiden: 4}", "p.yaml:5: unknown key 'hiden'", 2),
        ("name: plain,", "name: gru,", "p.yaml:6: models[2] is a second 'gru'", 2),
        ("seeds: [1, 2]", "seeds: [1, 2, 1]", "p.yaml:3: seeds[3] is a second '1'", 4),
        ("seeds: [1, 2]", "seeds: [1, -2]", "p.yaml:3: seeds[2] must be a whole number", 2),
        ("tasks:", "tasks:\n  - {task: bandit, budget: {hours: 3}}", "p.yaml:8: unknown key 'hours'", 4),
    ]) func theRestOfAPlanGoesOn(_ line: String, _ wrong: String, _ message: String, _ cells: Int) throws {
        let plan = try Plan(small.replacingOccurrences(of: line, with: wrong), file: "p.yaml")
        #expect(plan.problems.count == 1 && plan.problems[0].hasPrefix(message), "\(plan.problems)")
        #expect(plan.cells.count == cells)
        #expect(try Plan(small, file: "p.yaml").problems.isEmpty)
    }

    @Test func aSettingThatIsNoneIsNamed() throws {
        let plan = try Plan(
            small.replacingOccurrences(of: "batch_steps: 300", with: "batch_stepps: 300"), file: "p.yaml")
        #expect {
            try plan.configuration(of: plan.cells[0])
        } throws: { "\($0)".contains("p.yaml:12:") && "\($0)".contains("batch_stepps") }
    }

    /// Before the cell is trained.
    @Test func anEvaluationThatThePolicyCannotPlayIsNamed() throws {
        let plan = try Plan(
            small.replacingOccurrences(of: "options: {episodes: 5}", with: "options: {arms: 4}"), file: "p.yaml")
        #expect {
            try plan.configuration(of: plan.cells[0])
        } throws: {
            "\($0)".contains("p.yaml:8:") && "\($0)".contains("evaluation 'longer': --arms is 4")
        }
    }

    @Test func anImpossibleMatchIsNamedWithTheModelsLine() throws {
        let text = small.replacingOccurrences(of: "{model: gru, hidden: 4}", with: "feedforward")
        let plan = try Plan(text + "\nmatch: {by: state, to: gru-32}", file: "p.yaml")
        #expect { try plan.configuration(of: plan.cells[0]) } throws: {
            "\($0)".contains("p.yaml:5:") && "\($0)".contains("cannot be matched")
        }
        // The rest of the plan is sound.
        #expect(throws: Never.self) { try plan.configuration(of: plan.cells[1]) }
    }
}

@Suite struct PlanRunTests {
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "rl2x-plan-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    /// The records' bytes but for what differs from machine to machine.
    private func records(_ directory: String) throws -> [String: CellRecord] {
        let comparison = try Comparison.read(directory)
        #expect(comparison.failures.isEmpty, "\(comparison.failures)")
        return Dictionary(uniqueKeysWithValues: comparison.comparison.records.map { ($0.cell, $0) })
    }

    /// All tables in all formats.
    private func tables(_ directory: String) throws -> [String] {
        let comparison = try Comparison.read(directory).comparison
        return [comparison.markdown, comparison.plainText, comparison.commaSeparated, comparison.json]
    }

    private func runAll(_ directory: String, threads: Int = 2) throws -> [PlanRun.Outcome] {
        let plan = try Plan(small, file: "small.yaml")
        let run = try PlanRun(plan, directory: directory, text: small, threads: threads)
        return plan.cells.map { run.run($0, shouldStop: { false }, progress: { _, _ in }) }
    }

    @Test func everyCellIsDoneOnceAndItsRecordKept() throws {
        try withDirectory { directory in
            #expect(try runAll(directory) == [.done, .done, .done, .done])
            #expect(try runAll(directory) == [.kept, .kept, .kept, .kept])
            let records = try records(directory)
            #expect(records.count == 4)
            let record = try #require(records["bandit-3--plain--s2"])
            #expect(record.iterations == 3 && record.timesteps == 900)
            #expect(record.curve.map(\.steps) == [0, 600, 900])
            #expect(record.evaluations.map(\.name) == ["", "longer"])
            #expect(record.main.blockMeans.count == EvaluationBank.blocks)
            let mean = record.main.blockMeans.reduce(0, +) / Double(EvaluationBank.blocks)
            #expect(abs(mean - record.main.meanTotalReward) < 1e-12)
            #expect(record.evaluations[1].random == 2.5)
        }
    }

    /// Stopped after every iteration and started again, on other numbers of threads, the tables are the same bytes.
    @Test func interruptionsChangeNoNumber() throws {
        try withDirectory { straight in
            _ = try runAll(straight)
            try withDirectory { broken in
                let plan = try Plan(small, file: "small.yaml")
                for cell in plan.cells {
                    var outcome = PlanRun.Outcome.interrupted
                    var (starts, iterations) = (0, 0)
                    while outcome == .interrupted {
                        starts += 1
                        let run = try PlanRun(plan, directory: broken, text: small, threads: 1 + starts % 3)
                        iterations = 0
                        outcome = run.run(cell, shouldStop: { iterations > 0 }, progress: { _, _ in iterations += 1 })
                    }
                    #expect(outcome == .done && starts >= 3)
                }
                #expect(try tables(straight) == tables(broken))
                let (one, other) = (try records(straight), try records(broken))
                for (cell, record) in one {
                    #expect(record.evaluations == other[cell]?.evaluations)
                    #expect(record.curve == other[cell]?.curve)
                }
            }
        }
    }

    @Test func aCellThatIsLockedIsLeftToItsProcess() throws {
        try withDirectory { directory in
            let plan = try Plan(small, file: "small.yaml")
            let run = try PlanRun(plan, directory: directory, text: small, threads: 1)
            let path = "\(directory)/cells/\(plan.cells[0].identifier)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let claim = try #require(try RunLock(path))
            #expect(run.run(plan.cells[0], shouldStop: { false }, progress: { _, _ in }) == .elsewhere)
            withExtendedLifetime(claim) {}
        }
    }

    @Test func otherSettingsThanTheRecordsAreRefused() throws {
        try withDirectory { directory in
            _ = try runAll(directory)
            let changed = small.replacingOccurrences(of: "batch_steps: 300", with: "batch_steps: 600")
            let plan = try Plan(changed, file: "small.yaml")
            let run = try PlanRun(plan, directory: directory, text: changed, threads: 1)
            guard case .failed(let line) = run.run(plan.cells[0], shouldStop: { false }, progress: { _, _ in }) else {
                Issue.record("a record of other settings was kept")
                return
            }
            #expect(line.contains("other settings") && line.contains("--out"))
        }
    }

    @Test func aDirectoryOfAnotherPlanOrOfNoneIsRefused() throws {
        try withDirectory { directory in
            _ = try PlanRun(Plan(small, file: "a"), directory: directory, text: small, threads: 1)
            let other = small.replacingOccurrences(of: "name: small", with: "name: other")
            #expect { try PlanRun(Plan(other, file: "b"), directory: directory, text: other, threads: 1) } throws: {
                "\($0)".contains("holds the plan 'small'")
            }
        }
        try withDirectory { directory in
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try Data("mine".utf8).write(to: URL(fileURLWithPath: directory + "/cat.jpg"))
            #expect { try PlanRun(Plan(small, file: "a"), directory: directory, text: small, threads: 1) } throws: {
                "\($0)".contains("holds no plan")
            }
        }
    }

    /// A damaged record, and one of another version: each one line, and the others are read.
    @Test func damagedRecordsAreNamedAndTheRestIsReported() throws {
        try withDirectory { directory in
            _ = try runAll(directory)
            let path = directory + "/records/bandit-3--gru--s1.json"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            try Data(text.prefix(200).utf8).write(to: URL(fileURLWithPath: path))
            let old = directory + "/records/bandit-3--gru--s2.json"
            let changed = try String(contentsOfFile: old, encoding: .utf8)
                .replacingOccurrences(of: "\"version\" : 1", with: "\"version\" : 7")
            try Data(changed.utf8).write(to: URL(fileURLWithPath: old))
            let (comparison, failures) = try Comparison.read(directory)
            #expect(comparison.records.count == 2)
            #expect(failures.count == 2)
            #expect(failures[0].contains("s1.json: not a record"))
            #expect(failures[1].contains("version 7"))
        }
    }

    @Test func theReportHoldsEveryTableAndChartAndNoAddress() throws {
        try withDirectory { directory in
            _ = try runAll(directory)
            let comparison = try Comparison.read(directory).comparison
            let page = Report(comparison).html
            // Learning curves, generalization, regret, cost, and the running totals of the replays.
            #expect(page.components(separatedBy: "<figure class=\"chart\"").count - 1 == 5)
            #expect(page.components(separatedBy: "<ul class=\"legend\"").count - 1 == 5)
            #expect(page.components(separatedBy: "<div class=\"replay\"").count - 1 == 1)
            #expect(page.components(separatedBy: "<script>").count - 1 == 1)
            #expect(page.components(separatedBy: "<table").count - 1 == comparison.tables.count)
            #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("nan"))
            #expect(page.contains("plain") && page.contains("longer"))
            #expect(Report(comparison).html == page)
        }
    }

    /// Of the first seed alone; made anew they are the same bytes, and a damaged one is named and left to its owner.
    @Test func replaysAreCompletedByteForByte() throws {
        try withDirectory { directory in
            _ = try runAll(directory)
            let folder = directory + "/replays/"
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            #expect(names == ["bandit-3--gru--s1.json", "bandit-3--plain--s1.json"])
            let (path, page) = (folder + names[0], Report(try Comparison.read(directory).comparison).html)
            let made = try Data(contentsOf: URL(fileURLWithPath: path))
            try FileManager.default.removeItem(atPath: path)
            #expect(try runAll(directory, threads: 1) == [.kept, .kept, .kept, .kept])
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == made)
            #expect(Report(try Comparison.read(directory).comparison).html == page)

            try made.prefix(made.count / 2).write(to: URL(fileURLWithPath: path))
            let (comparison, failures) = try Comparison.read(directory)
            #expect(comparison.records.count == 4 && comparison.replays.map(\.cell) == ["bandit-3--plain--s1"])
            #expect(failures.count == 1 && failures[0].contains("replays/bandit-3--gru--s1.json: not a replay"))
            let outcomes = try runAll(directory)
            guard case .failed(let line) = outcomes[0] else {
                Issue.record("half a replay was kept")
                return
            }
            #expect(line == failures[0] && outcomes.dropFirst().allSatisfy { $0 == .kept })

            let older = String(decoding: made, as: UTF8.self)
                .replacingOccurrences(of: "\"version\":1", with: "\"version\":9")
            try Data(older.utf8).write(to: URL(fileURLWithPath: path))
            #expect(try Comparison.read(directory).failures[0].contains("a replay of version 9"))
            // A number that belongs to no arm: whole JSON, and no trial.
            let wrong = String(decoding: made, as: UTF8.self)
                .replacingOccurrences(of: "\"best_actions\":[[", with: "\"best_actions\":[[7")
            try Data(wrong.utf8).write(to: URL(fileURLWithPath: path))
            #expect(try Comparison.read(directory).failures[0].contains("not a replay"))
        }
    }

    /// A name is text on a page, in a chart, in the script's data and in every table, whatever it holds.
    @Test func namesAreEscaped() throws {
        let text = small.replacingOccurrences(of: "name: plain", with: "name: \"</script><b>&\\\"\"")
        try withDirectory { directory in
            let plan = try Plan(text, file: "small.yaml")
            let run = try PlanRun(plan, directory: directory, text: text, threads: 2)
            for cell in plan.cells { #expect(run.run(cell, shouldStop: { false }, progress: { _, _ in }) == .done) }
            let page = Report(try Comparison.read(directory).comparison).html
            #expect(page.contains("&lt;/script&gt;&lt;b&gt;&amp;&quot;") && !page.contains("<b>&"))
        }
    }

    /// What a bounded context does beyond its window stands in the row, of the task as trained and of longer trials.
    @Test func aBoundedContextStandsInItsRow() throws {
        try withDirectory { directory in
            let text = small.replacingOccurrences(
                of: "{model: gru, hidden: 4}",
                with: "{model: transformer, name: narrow, hidden: 4, options: {attention_window: 2, heads: 1}}"
            ).replacingOccurrences(of: "seeds: [1, 2]", with: "seeds: [1]")
            let plan = try Plan(text, file: "small.yaml")
            let run = try PlanRun(plan, directory: directory, text: text, threads: 2)
            for cell in plan.cells { #expect(run.run(cell, shouldStop: { false }, progress: { _, _ in }) == .done) }
            let rows = try tables(directory)[0].split(separator: "\n").filter { $0.hasPrefix("| narrow ") }
            #expect(rows.contains { $0.contains("sees the last 2 of 3 steps") }, "\(rows)")
            #expect(rows.contains { $0.contains("| longer ") && $0.contains("sees the last 2 of 5 steps") }, "\(rows)")
        }
    }

    @Test func commasAreQuoted() throws {
        try withDirectory { directory in
            _ = try runAll(directory)
            let lines = try Comparison.read(directory).comparison.commaSeparated.split(separator: "\n")
            #expect(lines.contains { $0.hasPrefix("first,second,difference,\"95 %, members\"") })
        }
    }
}
