import Foundation
import Interface
import Models
import Tasks
import Testing

@testable import Training

/// Configurations that rl2x 0.1.0 wrote, as runs and shipped records hold them, read as what they mean today.
@Suite struct Version1Tests {
    /// A file of `version1`, and today's request for the same run.
    static let files: [(name: String, request: @Sendable () throws -> Configuration)] = [
        (
            "bandit-10-transformer",
            {
                try Configuration.defaults(
                    task: "bandit", model: "transformer", modelOptions: ["hidden": 88], seed: 2)
            }
        ),
        (
            "bandit-100-lstm",
            {
                try Configuration.defaults(
                    task: "bandit", model: "lstm", taskOptions: ["episodes": 100], modelOptions: ["hidden": 224],
                    seed: 3)
            }
        ),
        ("mdp-gru", { try Configuration.defaults(task: "mdp", model: "gru", seed: 1) }),
        (
            "mdp-lstm-ppo",
            {
                try Version1Tests.short(
                    task: "mdp", model: "lstm", learner: "ppo",
                    ["states": 5, "actions": 3, "episodes": 1, "hidden": 64, "batch-steps": 10_000])
            }
        ),
    ]

    /// A run of ten iterations with seed 7.
    private static func short(task: String, model: String, learner: String, _ settings: Values) throws -> Configuration
    {
        var request = RunRequest(task: task, model: model, learner: learner, seed: 7)
        request.iterations = 10
        request.set(settings)
        return try request.resolve().cut()
    }

    static func text(_ name: String, beside file: String = #filePath) throws -> String {
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("version1")
        return try String(contentsOf: folder.appendingPathComponent("\(name).yaml"), encoding: .utf8)
    }

    /// Each becomes just the configuration that is asked for today, and that one reads back from today's format.
    @Test(arguments: files.map(\.name)) func becomesTodaysConfiguration(_ name: String) throws {
        let expected = try #require(Version1Tests.files.first { $0.name == name }).request()
        let read = try Configuration(yaml: Version1Tests.text(name), path: "old.yaml")
        #expect(read.task == expected.task && read.taskOptions == expected.taskOptions)
        #expect(read.model == expected.model && read.modelOptions == expected.modelOptions)
        #expect(read.stages.count == expected.stages.count)
        for (index, (own, other)) in zip(read.stages, expected.stages).enumerated() {
            #expect(own == other, "stage \(index + 1)")
        }
        #expect(read == expected)
        try read.validate()
        #expect(try Configuration(yaml: read.yaml(), path: "new.yaml") == read)
    }

    private func read(_ name: String, _ change: (inout String) -> Void) throws -> Configuration {
        var text = try Version1Tests.text(name)
        change(&text)
        return try Configuration(yaml: text, path: "old.yaml")
    }

    /// What no default says: options of the memory, the window of attention, settings of the learners.
    @Test func settingsHaveTheNamesOfToday() throws {
        let gru = try read("mdp-gru") {
            $0 = $0.replacing("memory_horizon: 1\n", with: "memory_horizon: 40\nslow_units: 2.5e-1\n")
            $0 = $0.replacing("memory_reset: none", with: "memory_reset: half")
            $0 = $0.replacing("damping: 1e-3\n", with: "damping: 5e-3\n").replacing(
                "fisher_share: 2e-1", with: "fisher_share: 1")
            $0 = $0.replacing("critic_lambda: 1e+0", with: "critic_lambda: 9e-1")
        }
        #expect(gru.modelOptions["chrono-t-max"] == 40 && gru.modelOptions["chrono-share"] == 0.25)
        #expect(gru.memoryReset == .half && gru.modelOptions["input-gain"] == .real(6) && gru.criticHidden == 128)
        let last = try #require(gru.stages.last)
        #expect(last.learnerOptions["damping"] == 0.005)
        #expect(last.learnerOptions["fisher-share"] == .real(1) && last.learnerOptions["critic-lambda"] == 0.9)

        let transformer = try read("bandit-10-transformer") { $0 = $0.replacing("context: 0", with: "context: 16") }
        #expect(transformer.modelOptions["attention-window"] == 16)
        let ppo = try read("mdp-lstm-ppo") {
            $0 = $0.replacing("clip_range: 2e-1", with: "clip_range: 1e-1").replacing(
                "  epochs: 3", with: "  epochs: 4")
        }
        #expect(ppo.stages[0].learnerOptions["clip-range"] == 0.1)
        #expect(ppo.stages[0].learnerOptions["epochs"] == 4)
    }

    /// Fits of the policy had the settings of the critic's, but for their rate.
    @Test func fitsOfThePolicyHadTheCriticsSettings() throws {
        let mdp = try read("mdp-gru") {
            $0 = $0.replacing("critic_epochs: 1", with: "critic_epochs: 3").replacing(
                "minibatches: 40", with: "minibatches: 25")
        }
        for stage in mdp.stages.dropLast() {
            #expect(
                stage.learnerOptions == ["epochs": 3, "minibatches": 25, "learning-rate": 0.006],
                "\(stage.learnerOptions)")
        }
        let imitation = try read("bandit-10-transformer") {
            $0 = $0.replacing("  kind: improvement\n", with: "  kind: imitation\n  teacher: gittins\n")
        }
        #expect(imitation.stages.map(\.learner) == ["imitation", "imitation"])
        #expect(
            imitation.stages[0].learnerOptions
                == [
                    "teacher": "gittins", "histories": "teacher", "epochs": 2, "minibatches": 10,
                    "learning-rate": 0.001,
                ])
    }

    /// PPO's rate went with the root of the trust region, and was that of the first stage.
    @Test func thePPORateBelongsToTheFirstTrustRegion() throws {
        let mdp = try read("mdp-lstm-ppo") { text in
            let stage = text[text.range(of: "- advantage_scale")!.lowerBound..<text.range(of: "task: mdp")!.lowerBound]
            let second = stage.replacing("maximum_kl: 1e-2\n", with: "maximum_kl: 2e-2\n")
            text = text.replacing(
                stage, with: stage.replacing("maximum_kl: 1e-2\n", with: "maximum_kl: 4e-2\n") + second)
        }
        #expect(mdp.stages.map { $0.learnerOptions["maximum-kl"] } == [0.04, 0.02])
        #expect(mdp.stages.allSatisfy { $0.learnerOptions["learning-rate-kl"] == 0.04 })
        #expect(mdp.stages.allSatisfy { $0.learnerOptions["learning-rate"] == 0.0005 })
    }

    /// Mazes were others then: a policy that was trained in them cannot be judged in today's, and a training cannot be
    /// repeated.
    @Test func aTaskThatHasChangedIsRefused() throws {
        let text = try Version1Tests.text("maze-gru")
        for (rooms, cells) in [(5, 9), (3, 5), (4, 7), (2, 3)] {
            let refused = refusal(yaml: text.replacing("\n  maze_size: 5", with: "\n  maze_size: \(rooms)"))
            #expect(!refused.contains("\n") && refused.hasPrefix("run.yaml:1: "), "\(refused)")
            for words in ["\(rooms) a side", "walls were thin", "cannot be judged", "--task maze --maze-size \(cells)"]
            {
                #expect(refused.contains(words), "\(refused)")
            }
        }
        #expect(throws: UserError.self) { try RunRequest(yaml: text, path: "old.yaml", model: "lstm") }
    }

    @Test func mistakesInOldFilesAreTold() throws {
        func text(_ name: String, _ old: String, _ new: String) throws -> String {
            let text = try Version1Tests.text(name)
            #expect(text.contains(old))
            return refusal(yaml: text.replacing(old, with: new))
        }
        #expect(try text("mdp-gru", "damping: 1e-3\n", "damp: 1e-3\n").contains("damp"))
        #expect(try text("mdp-gru", "\ndamping: 1e-3\n", "\n").contains("the key 'damping' is missing"))
        #expect(try text("mdp-gru", "  discount: 1e+0\n", "").contains("the key 'discount' is missing"))
        #expect(try text("mdp-gru", "kind: reward_prediction", "kind: rewards").contains("kind is 'rewards'"))
        #expect(try text("mdp-gru", "hidden: 256", "hidden: wide").contains("hidden is wide"))
        #expect(try text("mdp-lstm-ppo", "  clip_range: 2e-1", "  clip: 2e-1").contains("unknown key 'clip'"))
        #expect(try text("mdp-lstm-ppo", "task: mdp", "task: chess").contains("unknown task 'chess'"))
    }
}

extension Configuration {
    /// Version 1 had no other way to stop early than a shorter schedule.
    fileprivate func cut() -> Configuration {
        var (result, left) = (self, iterations)
        result.stages = stages.compactMap { stage in
            var stage = stage
            stage.iterations = min(left, stage.iterations)
            left -= stage.iterations
            return stage.iterations > 0 ? stage : nil
        }
        result.iterations = result.scheduledIterations
        return result
    }
}
