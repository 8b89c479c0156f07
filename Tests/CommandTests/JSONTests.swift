import Foundation
import Testing

/// `--json` prints exactly one JSON object on standard output and nothing else, with the keys that scripts rely on.
@Suite struct JSONTests {
    /// The object on standard output, all of it.
    private func object(
        _ arguments: [String], in directory: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> [String: Any] {
        let result = try Command.run(arguments, in: directory)
        #expect(result.code == 0, "\(result.errors)", sourceLocation: sourceLocation)
        let text = result.output.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(text.hasPrefix("{") && text.hasSuffix("}"), sourceLocation: sourceLocation)
        let parsed = try JSONSerialization.jsonObject(with: Data(text.utf8))
        return try #require(parsed as? [String: Any], sourceLocation: sourceLocation)
    }

    @Test func evaluate() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run"), in: directory)
            let before = snapshot(directory)
            let arguments = ["evaluate", "run", "--trials", "400", "--json", "--threads"]
            let object = try object(arguments + ["1"], in: directory)
            let promised: Set = [
                "model", "task", "trials", "mean_total_reward", "standard_error", "per_episode_mean", "random",
                "optimum",
            ]
            #expect(promised.isSubset(of: object.keys), "missing: \(promised.subtracting(object.keys))")
            #expect(object["model"] as? String == "gru" && object["task"] as? String == "bandit")
            #expect(object["trials"] as? Int == 400)
            let mean = try #require(object["mean_total_reward"] as? Double)
            let error = try #require(object["standard_error"] as? Double)
            let episodes = try #require(object["per_episode_mean"] as? [Double])
            #expect(episodes.count == 5)
            // Sums of whole numbers, divided: equal but for the last bits.
            #expect(abs(episodes.reduce(0, +) - mean) < 1e-9)
            // Totals lie in 0 … 5, so they deviate by at most 2.5.
            #expect(error > 0 && error <= 2.5 / 399.0.squareRoot())
            #expect(object["random"] as? Double == 2.5)
            let optimum = try #require(object["optimum"] as? Double)
            #expect(optimum > 2.5 && optimum < 10 / 3.0)
            #expect(abs(mean - 2.5) < 1, "two iterations do not make a master")

            let again = try Command.run(arguments + ["2"], in: directory).output
            #expect(try Command.run(arguments + ["1"], in: directory).output == again, "threads change nothing")
            #expect(snapshot(directory) == before, "evaluating writes nothing")
        }
    }

    @Test func info() throws {
        try withTemporaryDirectory { directory in
            let object = try object(["info", "--json", "--threads", "1"], in: directory)
            let expected: Set = [
                "version", "commit", "processor", "cores", "threads", "blas_kernels", "sgemm_peak_gflops", "models",
                "tasks",
            ]
            #expect(expected.isSubset(of: object.keys), "missing: \(expected.subtracting(object.keys))")
            #expect((object["models"] as? [String])?.contains("gru") == true)
            #expect((object["tasks"] as? [String])?.contains("bandit") == true)
            #expect(object["threads"] as? Int == 1)
            #expect((object["sgemm_peak_gflops"] as? Double ?? 0) > 0)
        }
    }

    @Test func benchThroughput() throws {
        try withTemporaryDirectory { directory in
            let object = try object(
                [
                    "bench", "throughput", "--json", "--hidden", "8", "--episodes", "5", "--arms", "2", "--batch-steps",
                    "500", "--repeats", "1", "--threads", "1",
                ], in: directory)
            let promised: Set = [
                "model", "task", "timesteps", "rollout_steps_per_second", "iteration_seconds", "phases", "gflop",
                "gflops", "sgemm_peak_gflops", "share_of_peak", "peak_memory_bytes",
            ]
            #expect(promised.isSubset(of: object.keys), "missing: \(promised.subtracting(object.keys))")
            #expect(object["timesteps"] as? Int == 500)
            let phases = try #require(object["phases"] as? [String: Double])
            #expect(Set(phases.keys).isSuperset(of: ["rollout", "gradient", "fisher", "line_search", "critic"]))
            #expect(phases.values.allSatisfy { $0 >= 0 })
            let (gflop, seconds) = (object["gflop"] as? Double ?? 0, object["iteration_seconds"] as? Double ?? 0)
            #expect(gflop > 0 && seconds > 0)
            #expect(abs((object["gflops"] as? Double ?? 0) / (gflop / seconds) - 1) < 1e-9)
            #expect((object["share_of_peak"] as? Double ?? 0) > 0)
            #expect((object["peak_memory_bytes"] as? Int ?? 0) > 1 << 20)
            #expect(snapshot(directory).isEmpty, "measuring writes nothing")
        }
    }
}
