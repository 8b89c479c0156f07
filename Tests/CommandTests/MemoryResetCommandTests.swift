import Foundation
import Testing

/// `--reset-memory` of `train`, `evaluate` and `check`.
@Suite struct MemoryResetCommandTests {
    private func object(_ arguments: [String], in directory: String) throws -> [String: Any] {
        let result = try Command.succeed(arguments, in: directory)
        return try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    }

    /// A run is judged as it was trained, or otherwise where that is asked for.
    @Test func aRunIsJudgedAsItWasTrained() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run", "--reset-memory", "half"), in: directory)
            let text = try String(contentsOfFile: directory + "/run/config.yaml", encoding: .utf8)
            #expect(text.contains("reset_memory: half"))
            let call = ["evaluate", "run", "--trials", "300", "--deterministic", "--json"]
            let asTrained = try object(call, in: directory)
            #expect(asTrained["memory_reset"] as? String == "half")
            let means = try ["half", "none", "episode"].map { mode in
                let other = try object(call + ["--reset-memory", mode], in: directory)
                #expect(other["memory_reset"] as? String == mode)
                return try #require(other["per_episode_mean"] as? [Double])
            }
            #expect(means[0] == asTrained["per_episode_mean"] as? [Double])
            #expect(means[1] != means[0] && means[2] != means[0] && means[1] != means[2])
            let table = try Command.succeed(Array(call.dropLast()), in: directory)
            #expect(table.output.contains("half of the memory is forgotten"))
        }
    }

    @Test func theKitDoesNotJudgeWhatIsBrokenByWish() throws {
        try withTemporaryDirectory { directory in
            let checked = try object(
                [
                    "check", "--model", "elman", "--task", "mdp", "--episodes", "2", "--reset-memory", "episode",
                    "--json",
                ],
                in: directory)
            #expect(checked["passed"] as? Bool == true)
            let model = try #require((checked["models"] as? [[String: Any]])?.first)
            let contract = try #require((model["contracts"] as? [[String: Any]])?.first)
            let verdicts = try #require(contract["lines"] as? [[String: String]]).map { $0["verdict"] }
            #expect(verdicts.filter { $0 == "not judged" }.count == 1 && verdicts[2] == "not judged")
        }
    }

    @Test func anUnknownModeIsRefusedInOneLine() throws {
        try withTemporaryDirectory { directory in
            for command in [["train"], ["evaluate", "run"], ["check"]] {
                let result = try Command.run(command + ["--reset-memory", "some"], in: directory)
                #expect(result.code == 64 && result.errorLines.count == 1, "\(result.errors)")
                #expect(result.errors.contains("reset-memory") && result.errors.contains("some"), "\(result.errors)")
            }
            #expect(snapshot(directory).isEmpty)
        }
    }
}
