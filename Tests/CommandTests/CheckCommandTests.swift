import Conformance
import Foundation
import Models
import Tasks
import Testing

@testable import Training

@Suite struct CheckCommandTests {
    /// All models by all tasks and the scripted one: every line holds, and nothing is written.
    @Test func theCatalogueConforms() throws {
        try withTemporaryDirectory { directory in
            let result = try Command.run(["check"], in: directory)
            #expect(result.code == 0, "\(result.output)\(result.errors)")
            #expect(!result.output.contains("✗"))
            let lines = result.output.split(separator: "\n")
            for name in modelCatalogue.names {
                for task in taskCatalogue.names + [ScriptedFamily().name] {
                    let row = try #require(
                        lines.first { $0.split(separator: " ").prefix(2) == [name[...], task[...]] })
                    #expect(row.count { $0 == "✓" } == ContractLine.allCases.count)
                }
            }
            for line in ModelLine.allCases {
                let row = try #require(lines.first { $0.hasPrefix(line.rawValue + " ") })
                let judged = modelCatalogue.names.filter { line != .symmetry || $0.hasPrefix("symmetric-") }
                #expect(row.count { $0 == "✓" } == judged.count)
                #expect(row.count { $0 == "–" } == modelCatalogue.names.count - judged.count)
            }
            #expect(snapshot(directory).isEmpty)
        }
    }

    @Test func oneModelOnOneTaskAsJSON() throws {
        try withTemporaryDirectory { directory in
            let result = try Command.run(
                ["check", "--json", "--model", "gru", "--hidden", "12", "--task", "bandit", "--arms", "3"],
                in: directory)
            #expect(result.code == 0, "\(result.errors)")
            let object = try #require(
                JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
            #expect(object["passed"] as? Bool == true)
            let models = try #require(object["models"] as? [[String: Any]])
            #expect(models.count == 1 && models[0]["model"] as? String == "gru")
            #expect(models[0]["hidden"] as? Int == 12 && models[0]["state_bytes_per_lane"] as? Int == 48)
            let lines = try #require(models[0]["lines"] as? [[String: String]])
            #expect(lines.map { $0["line"] } == ModelLine.allCases.map(\.rawValue))
            #expect(lines.allSatisfy { $0["measured"]?.isEmpty == false })
            #expect(lines.dropLast().allSatisfy { $0["verdict"] == "passed" })
            #expect(lines.last?["verdict"] == "not judged", "a plain GRU does not say that it is symmetric")
            let contracts = try #require(models[0]["contracts"] as? [[String: Any]])
            #expect(contracts.map { $0["task"] as? String } == ["bandit"])
            #expect((contracts[0]["lines"] as? [[String: String]])?.count == ContractLine.allCases.count)
        }
    }
}

@Suite struct ModelCostsCommandTests {
    private func costs(_ arguments: String...) throws -> [String: Any] {
        try withTemporaryDirectory { directory in
            let result = try Command.succeed(["info", "--json", "--threads", "1"] + arguments, in: directory)
            #expect(snapshot(directory).isEmpty)
            return try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        }
    }

    /// Three gates of H = 24 units read I = 3 + 2 numbers and H states, the head H: two operations a weight. Learning: an
    /// unroll as much, without a state at the first of 10 steps; a `jvp` with tangents of weights and states, but none of
    /// inputs, and none of states at the first step; a `vjp` likewise, which pulls back to both.
    @Test func operationsAreThoseOfTheWeights() throws {
        let costs = try costs("--model", "gru", "--arms", "3", "--hidden", "24")
        let (inputs, states, head) = (2.0 * 72 * 5, 2.0 * 72 * 24, 2.0 * 3 * 24)
        #expect(costs["flop_per_step_acting"] as? Double == inputs + states + head)
        let learning = 3 * inputs + 0.9 * states + 2 * (states + 0.9 * states) + 5 * head
        #expect(abs((costs["flop_per_step_learning"] as? Double ?? 0) - learning) < 1e-6)
        #expect(costs["state_bytes_per_lane"] as? Int == 96)
        #expect(costs["policy_parameters"] as? Int == 72 * 29 + 144 + 75)
        #expect(costs["critic_parameters"] as? Int == 72 * 30 + 144 + 25)
        #expect((costs["rollout_memory_bytes"] as? Int ?? 0) > 50_000 * 40)
    }

    /// The default reference and another, and what is counted by running.
    @Test func aTrainingTakesTheMatchedWidth() throws {
        try withTemporaryDirectory { directory in
            let arguments = [
                "train", "--arms", "2", "--episodes", "5", "--batch-steps", "200", "--threads", "1", "--iterations",
                "1",
                "--match", "flops", "--match-to", "gru-33", "--run", "run",
            ]
            let result = try Command.succeed(arguments, in: directory)
            #expect(result.errorLines.first?.hasPrefix("matched: gru-32 has ") == true, "\(result.errors)")
            let text = try String(contentsOfFile: directory + "/run/config.yaml", encoding: .utf8)
            #expect(text.contains("\nmodel_options:\n") && text.contains("\n  hidden: 32\n") && !text.contains("match"))
        }
        #expect(try costs("--model", "gru", "--match", "state")["hidden"] as? Int == 256)
    }
}
