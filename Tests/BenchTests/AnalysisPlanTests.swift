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
            #expect(record.cell == "bandit-3--gru--s1" && record.trials == AnalysisRecord.standardTrials)
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

    @Test(arguments: [
        (small.replacingOccurrences(of: "analysis: true", with: "analysis: 3"), "true or false"),
        (
            "plan: 1\nname: a\nseeds: [1]\nmodels: [gru]\ntasks:\n  - task: mdp\n    analysis: true",
            "trials of bandits; leave it out for task 'mdp'"
        ),
    ]) func aMistakeIsNamedWithItsLine(_ text: String, _ words: String) {
        #expect {
            try Plan(text, file: "p.yaml")
        } throws: {
            "\($0)".contains(words) && "\($0)".hasPrefix("p.yaml:") && !"\($0)".contains("\n")
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
}
