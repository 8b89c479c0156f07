import Foundation
import Interface
import Kernels
import Testing

@testable import Bench
@testable import Training

/// Plans in which tasks begin with the weights of others.
private let line = """
    plan: 1
    name: line
    seeds: [1, 2]
    models:
      - {model: gru, hidden: 4}
      - {model: elman, hidden: 4}
    tasks:
      - task: bandit
        name: long
        from: short
        options: {arms: 2, episodes: 6}
        budget: {steps: 1700}
        settings: {batch_steps: 300}
        evaluation: {trials: 200, points: 2, point_trials: 100}
      - task: bandit
        name: short
        options: {arms: 2, episodes: 3}
        budget: {iterations: 3}
        settings: {batch_steps: 300}
        evaluation: {trials: 200, points: 2, point_trials: 100}
    """

private func changed(_ old: String, _ new: String) -> String { line.replacing(old, with: new) }

private func refusal(_ text: String) -> String {
    do {
        _ = try Plan(text, file: "p.yaml")
        return "no error"
    } catch { return "\(error)" }
}

@Suite struct PlanLineTests {
    /// Whatever their order in the file.
    @Test func parentsComeBeforeChildren() throws {
        let plan = try Plan(line, file: "p.yaml")
        #expect(plan.problems.isEmpty, "\(plan.problems)")
        #expect(
            plan.cells.prefix(4).map(\.identifier) == [
                "short--gru--s1", "short--elman--s1", "long--gru--s1", "long--elman--s1",
            ])
        #expect(
            plan.cells.map { plan.parent(of: $0)?.identifier } == [nil, nil, "short--gru--s1", "short--elman--s1"] + [
                nil, nil, "short--gru--s2", "short--elman--s2",
            ])
        // One of three: the others keep their order.
        let three = changed(
            "  - task: bandit\n    name: short", "  - {task: bandit, name: first}\n  - task: bandit\n    name: short")
        #expect(try Plan(three, file: "p.yaml").tasks.map(\.name) == ["first", "short", "long"])
    }

    /// The same model, setting, learner and seed.
    @Test func aChildHasTheParentOfItsOwnVariant() throws {
        let text = line + "\nlearners: [trpo, ppo]\nsettings: [{name: a}, {name: b, settings: {discount: 0.9}}]"
        let plan = try Plan(text, file: "p.yaml")
        #expect(plan.cells.count == 32)
        for cell in plan.cells where cell.task.name == "long" {
            #expect(plan.parent(of: cell)?.identifier == cell.identifier.replacing("long", with: "short"))
        }
    }

    /// Options of the parent, stages that are left, and a budget that counts the parent's steps: 900 of 1700.
    @Test func theConfigurationGoesOnFromTheParents() throws {
        let plan = try Plan(line, file: "p.yaml")
        let (parent, child) = (try plan.configuration(of: plan.cells[0]), try plan.configuration(of: plan.cells[2]))
        #expect(child.modelOptions == parent.modelOptions && child.seed == parent.seed && child.parent == nil)
        #expect(child.iterations == 3)
        let record = Parent(run: "x", digest: "1", iteration: 3, lineIterations: 3, lineTimesteps: 1300)
        let late = try plan.configuration(of: plan.cells[2], after: record)
        #expect(late.iterations == 2 && late.parent == record)
        let long = try Plan(
            changed("episodes: 6}", "episodes: 100}").replacing("budget: {steps: 1700}", with: ""), file: "p.yaml")
        #expect(
            try long.configuration(of: long.cells[2]).stages.map(\.taskOptions) == [
                ["episodes": 10], ["episodes": 30], ["episodes": 60], [:], [:],
            ])
    }

    @Test func aCycleIsRefused() {
        #expect(
            refusal(changed("from: short", "from: long"))
                == "p.yaml:8: a cycle of 'from': 'long' from 'long'; let one of them begin without it")
        let both = refusal(changed("name: short", "name: short\n    from: long"))
        #expect(
            both == "p.yaml:8: a cycle of 'from': 'long' from 'short' from 'long'; let one of them begin without it")
        // One that leads into a cycle is not in it.
        let tail = refusal(
            changed("name: short", "name: short\n    from: long").replacing(
                "tasks:", with: "tasks:\n  - {task: bandit, name: tail, from: long}"))
        #expect(tail.contains("a cycle of 'from': 'long' from 'short' from 'long'") && !tail.contains("tail"))
    }

    /// What is wrong with a child costs its cells and those that begin from them, and is told before anything is trained.
    @Test(arguments: [
        ("from: short", "from: shirt", "p.yaml:8: 'long' begins from 'shirt', and there is no such task", 4),
        ("name: short", "name: short\n    fro: x", "unknown key 'fro'", 0),
        ("task: bandit\n    name: long", "task: mdp\n    name: long", "task 'mdp' has no option 'arms'", 4),
        (
            "task: bandit\n    name: long\n    from: short\n    options: {arms: 2, episodes: 6}",
            "task: mdp\n    name: long\n    from: short\n    options: {episodes: 6}",
            "is of task mdp and begins from 'short', which is of bandit", 4
        ),
        (
            "{arms: 2, episodes: 6}", "{arms: 3, episodes: 6}",
            "cell 'long--gru--s1': arms is 3, and short has 2: its weights", 4
        ),
        ("budget: {steps: 1700}", "budget: {steps: 900}", "a budget of 900 steps, of which its parents take 900", 4),
        ("batch_steps: 300}\n    evaluation", "batch_steps: 300, hidden: 5}\n    evaluation", "", 8),
    ]) func aChildThatCannotBeIsLeftOut(_ old: String, _ new: String, _ words: String, _ cells: Int) throws {
        let text = changed(old, new)
        guard cells > 0 else {
            // The parent is left out, and the child with it.
            #expect(refusal(text).contains(words), "\(refusal(text))")
            return
        }
        let plan = try Plan(text, file: "p.yaml")
        #expect(plan.cells.count == cells, "\(plan.problems)")
        #expect(words.isEmpty || plan.problems.first?.contains(words) == true, "\(plan.problems)")
        #expect(plan.problems.allSatisfy { !$0.contains("\n") })
    }

    /// A grandchild goes with the child that is left out.
    @Test func whoBeginsFromWhatIsLeftOutIsLeftOut() throws {
        let grown = line.replacing(
            "tasks:", with: "tasks:\n  - {task: bandit, name: longer, from: long, options: {arms: 2, episodes: 9}}")
        #expect(try Plan(grown, file: "p.yaml").cells.count == 12)
        let misfit = try Plan(grown.replacing("{arms: 2, episodes: 6}", with: "{arms: 3, episodes: 6}"), file: "p.yaml")
        #expect(misfit.cells.map(\.task.name) == ["short", "short", "short", "short"])
        #expect(
            misfit.problems.count == 4 && misfit.problems[2].contains("begins from that of 'long', which is left out"),
            "\(misfit.problems)")
        // What cannot be read, and what has no parent itself.
        for (old, new, words) in [
            ("{steps: 1700}", "{hours: 1}", "'longer' begins from 'long', and there is no such task that can be done"),
            ("from: short", "from: shirt", "'longer' begins from 'long', which is left out"),
        ] {
            let plan = try Plan(grown.replacing(old, with: new), file: "p.yaml")
            #expect(plan.cells.count == 4 && plan.problems.count == 2)
            #expect(plan.problems[1].contains(words), "\(plan.problems)")
        }
    }

    /// Matched by parameters the widths come out equal; by bytes of a transformer's memory, which grow with the trial, they
    /// do not, and that is refused.
    @Test func matchedWidthsMustAgree() throws {
        let plan = try Plan(
            changed("{model: gru, hidden: 4}", "lstm") + "\nmatch: {by: params, to: gru-32}", file: "p.yaml")
        #expect(plan.problems.isEmpty, "\(plan.problems)")
        let widths = try [0, 2].map { try plan.configuration(of: plan.cells[$0]).hidden }
        #expect(widths[0] == widths[1] && widths[0] != 256)
        let state = try Plan(
            changed("{model: gru, hidden: 4}", "transformer").replacing("episodes: 6", with: "episodes: 20")
                + "\nmatch: {by: state, to: gru-1024}", file: "p.yaml")
        #expect(
            state.problems.count == 1 && state.problems[0].contains("cell 'long--transformer--s1': hidden is "),
            "\(state.problems)")
        #expect(state.cells.count == 6)
    }
}

@Suite struct PlanLineRunTests {
    private func withPlan(_ text: String = line, _ body: (Plan, String, PlanRun) throws -> Void) throws {
        let directory = NSTemporaryDirectory() + "rl2x-line-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let plan = try Plan(text, file: "p.yaml")
        try body(plan, directory, PlanRun(plan, directory: directory, text: text, threads: 2))
    }

    private func runAll(_ run: PlanRun, _ cells: ArraySlice<Plan.Cell>) -> [PlanRun.Outcome] {
        cells.map { run.run($0, shouldStop: { false }, progress: { _, _ in }) }
    }

    private func record(_ directory: String, _ cell: String) throws -> CellRecord {
        try CellRecord.read("\(directory)/records/\(cell).json")
    }

    /// Records count the line; the first point of the curve is the parent's policy on the child's members.
    @Test func aLineIsDoneAndCounted() throws {
        try withPlan { plan, directory, run in
            #expect(runAll(run, plan.cells[...]) == Array(repeating: .done, count: 8))
            #expect(runAll(run, plan.cells[...]) == Array(repeating: .kept, count: 8))
            let (short, long) = (try record(directory, "short--gru--s1"), try record(directory, "long--gru--s1"))
            #expect(short.timesteps == 900 && short.iterations == 3)
            #expect(long.timesteps == 1800 && long.iterations == 3)
            #expect(long.curve.first?.steps == 900 && long.curve.last?.steps == 1800)
            #expect(long.costs.trainingSeconds > short.costs.trainingSeconds)
            let configuration = try Configuration(yaml: long.configuration, path: "record")
            #expect(
                configuration.parent?.lineTimesteps == 900
                    && configuration.parent?.run == "\(directory)/cells/short--gru--s1/run")

            // The parent's policy, played on the child's task.
            let parent = RunDirectory("\(directory)/cells/short--gru--s1/run")
            let played = try parent.configuration().playing(["episodes": 6])
            let bank = EvaluationBank(family: try played.makeFamily(), trials: 100)
            let score = bank.evaluate(try LearnedAgent(parent, played), workers: Workers(threads: 1)).totalRewards.mean
            #expect(long.curve.first?.score == score)
            #expect(CellRecord.changedParents(of: [short, long], in: directory).isEmpty)
        }
    }

    /// Stopped after every iteration, with other numbers of threads.
    @Test func interruptionsChangeNoNumber() throws {
        let one = changed("seeds: [1, 2]", "seeds: [1]")
        try withPlan(one) { plan, straight, run in
            _ = runAll(run, plan.cells[...])
            try withPlan(one) { plan, broken, _ in
                for cell in plan.cells {
                    var (outcome, starts) = (PlanRun.Outcome.interrupted, 0)
                    while outcome == .interrupted {
                        starts += 1
                        let run = try PlanRun(plan, directory: broken, text: one, threads: 1 + starts % 3)
                        var iterations = 0
                        outcome = run.run(cell, shouldStop: { iterations > 0 }, progress: { _, _ in iterations += 1 })
                    }
                    #expect(outcome == .done && starts >= 3)
                }
                for cell in plan.cells {
                    let (a, b) = (try record(straight, cell.identifier), try record(broken, cell.identifier))
                    #expect(a.evaluations == b.evaluations && a.curve == b.curve && a.timesteps == b.timesteps)
                }
            }
        }
    }

    @Test func aChildWaitsForItsParent() throws {
        try withPlan { plan, _, run in
            #expect(runAll(run, plan.cells[2...2]) == [.withoutParent("short--gru--s1")])
            #expect(runAll(run, plan.cells[0...0]) + runAll(run, plan.cells[2...2]) == [.done, .done])
        }
    }

    /// A parent that was trained on after its child began: the plan says so, the report says so.
    @Test func aParentThatWasTrainedOnIsNoticed() throws {
        try withPlan { plan, directory, run in
            _ = runAll(run, plan.cells[0...3])
            let session = try TrainingSession(
                resuming: RunDirectory("\(directory)/cells/short--gru--s1/run"), iterations: 4, threads: 1,
                checkpointEvery: 10,
                command: [])
            #expect(try session.train(shouldStop: { false }) { _ in } == .finished)
            guard case .failed(let line) = runAll(run, plan.cells[2...2])[0] else {
                Issue.record("a child of other weights was kept")
                return
            }
            #expect(line.contains("cells/long--gru--s1: began with other weights than 'short' has now"), "\(line)")
            #expect(runAll(run, plan.cells[3...3]) == [.kept])
            let records = try ["long--gru--s1", "long--elman--s1"].map { try record(directory, $0) }
            let lines = CellRecord.changedParents(of: records, in: directory)
            #expect(lines.count == 1 && lines[0].hasPrefix("long--gru--s1 began with other weights"), "\(lines)")
            // Where the directory was moved, and where runs are gone.
            let moved = directory + "-moved"
            try FileManager.default.moveItem(atPath: directory, toPath: moved)
            defer { try? FileManager.default.removeItem(atPath: moved) }
            #expect(CellRecord.changedParents(of: records, in: moved).count == 1)
            try FileManager.default.removeItem(atPath: moved + "/cells")
            #expect(CellRecord.changedParents(of: records, in: moved).isEmpty)
        }
    }

    /// What is done stays done where it was moved to, and where the parents' runs are gone.
    @Test func whatIsDoneNeedsNoParent() throws {
        try withPlan { plan, directory, run in
            _ = runAll(run, plan.cells[0...3])
            let moved = directory + "-moved"
            try FileManager.default.moveItem(atPath: directory, toPath: moved)
            defer { try? FileManager.default.removeItem(atPath: moved) }
            let there = try PlanRun(plan, directory: moved, text: line, threads: 1)
            #expect(runAll(there, plan.cells[0...3]) == [.kept, .kept, .kept, .kept])
            try FileManager.default.removeItem(atPath: moved + "/cells/short--gru--s1")
            #expect(runAll(there, plan.cells[0...3]) == [.kept, .kept, .kept, .kept])
            // But a child that has not begun needs the weights.
            try FileManager.default.removeItem(atPath: moved + "/cells/long--gru--s1")
            try FileManager.default.removeItem(atPath: moved + "/records/long--gru--s1.json")
            guard case .failed(let line) = runAll(there, plan.cells[2...2])[0] else {
                Issue.record("weights from nowhere")
                return
            }
            #expect(line.contains("are gone"), "\(line)")
        }
    }

    /// `from` that is added to a plan after a cell was trained without it, or taken away, changes what the cell is.
    @Test func fromIsASetting() throws {
        let without = changed("    from: short\n", "").replacing("{steps: 1700}", with: "{iterations: 3}")
        let with = line.replacing("{steps: 1700}", with: "{iterations: 3}")
        for (first, second, words) in [(without, with, "begun without the weights"), (with, without, "other settings")]
        {
            try withPlan(first) { plan, directory, run in
                for cell in plan.cells where cell.seed == 1 {
                    _ = run.run(cell, shouldStop: { false }, progress: { _, _ in })
                }
                let other = try Plan(second, file: "p.yaml")
                let again = try PlanRun(other, directory: directory, text: second, threads: 1)
                let cell = try #require(other.cells.first { $0.identifier == "long--gru--s1" })
                guard case .failed(let line) = again.run(cell, shouldStop: { false }, progress: { _, _ in }) else {
                    Issue.record("another training was kept")
                    return
                }
                #expect(line.contains(words), "\(line)")
            }
        }
    }

    /// A run that is no part of the plan.
    @Test func aRunIsAParentToo() throws {
        try withPlan { plan, directory, run in
            _ = runAll(run, plan.cells[0...0])
            let path = "\(directory)/cells/short--gru--s1/run"
            let text = changed("from: short", "from: \(path)").replacing("  - {model: elman, hidden: 4}\n", with: "")
            try withPlan(text) { plan, directory, run in
                #expect(plan.problems.isEmpty, "\(plan.problems)")
                let long = try #require(plan.cells.first { $0.task.name == "long" && $0.seed == 2 })
                #expect(runAll(run, [long]) == [.done])
                let record = try record(directory, long.identifier)
                let parent = try Configuration(yaml: record.configuration, path: "").parent
                #expect(parent?.run == path && record.timesteps == 1800 && record.seed == 2)
                // Without it what is done stays done, and nothing begins.
                try FileManager.default.removeItem(atPath: path)
                let again = try PlanRun(Plan(text, file: "p.yaml"), directory: directory, text: text, threads: 1)
                #expect(runAll(again, [long]) == [.kept])
                let other = try #require(plan.cells.first { $0.task.name == "long" && $0.seed == 1 })
                guard case .failed(let line) = runAll(again, [other])[0] else {
                    Issue.record("weights from nowhere")
                    return
                }
                #expect(line.contains("p.yaml:7: cell 'long--gru--s1' has nothing to begin with"), "\(line)")
            }
        }
    }
}
