import Foundation
import Testing
import Training

@testable import Bench

/// Two cells of a moment, looked into.
private let small = """
    plan: 1
    name: inside
    seeds: [1]
    models:
      - {model: gru, hidden: 4}
      - {model: feedforward, hidden: 4}
    tasks:
      - task: bandit
        name: bandit-3
        options: {arms: 2, episodes: 3}
        budget: {iterations: 1}
        settings: {batch_steps: 300}
        evaluation: {trials: 100, points: 1, point_trials: 100}
        analysis: true
    """

@Suite struct AnalysisPlanTests {
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "rl2x-inside-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private func runAll(_ text: String, _ directory: String, threads: Int = 2) throws -> [PlanRun.Outcome] {
        let plan = try Plan(text, file: "inside.yaml")
        let run = try PlanRun(plan, directory: directory, text: text, threads: threads)
        return plan.cells.map { run.run($0, shouldStop: { false }, progress: { _, _ in }) }
    }

    /// What is missing is made, from the checkpoint, and is the same bytes again.
    @Test func analysesAreMadeOnceAndMadeAgainWhereTheyLack() throws {
        try withDirectory { directory in
            let without = small.replacingOccurrences(of: "analysis: true", with: "analysis: false")
            #expect(try runAll(without, directory) == [.done, .done])
            #expect(!FileManager.default.fileExists(atPath: directory + "/analyses"))
            #expect(try runAll(small, directory) == [.done, .done])
            #expect(try runAll(small, directory) == [.kept, .kept])
            let path = directory + "/analyses/bandit-3--gru--s1.json"
            let before = try Data(contentsOf: URL(fileURLWithPath: path))
            try FileManager.default.removeItem(atPath: path)
            #expect(try runAll(small, directory, threads: 3) == [.done, .kept])
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
            let record = try AnalysisRecord.read(path)
            #expect(record.cell == "bandit-3--gru--s1" && record.trials == 2000)
            #expect(record.memberSeed == EvaluationBank.seed && record.bandit?.stateWidth == 4)
        }
    }

    @Test func damagedAnalysesFailTheirCellAndNoOther() throws {
        try withDirectory { directory in
            _ = try runAll(small, directory)
            let path = directory + "/analyses/bandit-3--gru--s1.json"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            for (damage, words) in [
                (String(text.prefix(100)), "half of one"),
                (text.replacingOccurrences(of: "discount: ", with: "discount: 1"), "other settings"),
            ] {
                try Data(damage.utf8).write(to: URL(fileURLWithPath: path))
                let outcomes = try runAll(small, directory)
                guard case .failed(let line) = outcomes[0] else {
                    Issue.record("a damaged analysis was kept: \(outcomes)")
                    return
                }
                #expect(line.contains(words) && line.contains("move it away") && outcomes[1] == .kept)
            }
            try Data(text.prefix(100).utf8).write(to: URL(fileURLWithPath: path))
            let (records, failures) = AnalysisRecord.readAll(directory)
            #expect(records.map(\.cell) == ["bandit-3--feedforward--s1"])
            #expect(failures.count == 1 && failures[0].contains("gru--s1.json"))
        }
    }

    @Test func aMistakeIsNamedWithItsLine() {
        #expect {
            try Plan(small.replacingOccurrences(of: "analysis: true", with: "analysis: 3"), file: "p.yaml")
        } throws: {
            "\($0)".contains("true or false") && "\($0)".hasPrefix("p.yaml:") && !"\($0)".contains("\n")
        }
    }

    @Test func theReportHasASectionOfThem() throws {
        try withDirectory { directory in
            _ = try runAll(small, directory)
            let comparison = try Comparison.read(directory).comparison
            let plain = Report(comparison).html
            let page = Report(comparison, analyses: AnalysisRecord.readAll(directory).results).html
            func count(_ text: String, _ word: String) -> Int { text.components(separatedBy: word).count - 1 }
            #expect(!plain.contains("Inside a trial") && count(page, "<h2>Inside a trial</h2>") == 1)
            #expect(count(page, "<svg") == count(plain, "<svg") + 2)
            #expect(count(page, "<table") == count(plain, "<table") + 2)
            for name in ["Thompson sampling", "Bayes-optimal", "Gittins, finite horizon", "a random arm"] {
                #expect(page.contains(name), "\(name)")
            }
            #expect(!page.contains("nan"))
            #expect(page == Report(comparison, analyses: AnalysisRecord.readAll(directory).results).html)
        }
    }

    /// Mazes and MDPs are looked into too, and the report draws the trials that were forgotten.
    @Test func theReportHasMazesAndMDPs() throws {
        let text = """
            plan: 1
            name: others
            seeds: [1, 2]
            models: [{model: gru, hidden: 4}]
            tasks:
              - task: mdp
                options: {states: 2, actions: 2, horizon: 2, episodes: 2}
                budget: {iterations: 1}
                settings: {batch_steps: 300}
                evaluation: {trials: 100, points: 1, point_trials: 100}
                analysis: true
              - task: maze
                options: {maze-size: 3, hold-out: draws, training-mazes: 0, frame-width: 16, frame-height: 13}
                budget: {iterations: 1}
                settings: {batch_steps: 300}
                evaluation: {trials: 100, points: 1, point_trials: 100}
                analysis: true
            """
        try withDirectory { directory in
            #expect(try runAll(text, directory) == [.done, .done, .done, .done])
            let comparison = try Comparison.read(directory).comparison
            let analyses = AnalysisRecord.readAll(directory).results
            #expect(analyses.count == 4 && analyses.allSatisfy { $0.inside != nil && $0.bandit == nil })
            let page = Report(comparison, analyses: analyses).html
            for words in [
                "maze: linear read-outs", "mdp: linear read-outs", "maze: success after a success",
                "maze: first action of episode 2", "mdp: agreement with rules", "posterior mean of each reward",
                "room of the target",
            ] { #expect(page.contains(words), "\(words)") }
            #expect(!page.contains("nan"))
            let maze = try #require(analyses.first { $0.taskName == "maze" && $0.seed == 1 })
            let drawn = maze.forgottenTrials
            // A policy that knows nothing often fails after a success.
            #expect(drawn.count == 3 && drawn.map(\.member) == maze.inside?.forgetting?.trials.map(\.member))
            for (trial, recording) in zip(maze.inside?.forgetting?.trials ?? [], drawn.map(\.recording)) {
                #expect(recording.episodes.map(\.steps) == trial.steps)
                #expect(recording.episodes.map(\.succeeded) == trial.successes && recording.shortest == trial.shortest)
            }
            #expect(page.components(separatedBy: "<img class=\"map\"").count - 1 == 3)
        }
    }
}
