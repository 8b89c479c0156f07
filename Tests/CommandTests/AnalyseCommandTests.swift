import Foundation
import Testing

/// `bench analyse`.
@Suite struct AnalyseCommandTests {
    @Test func aRunsPageAndItsObject() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run"), in: directory)
            let call = ["bench", "analyse", "run", "--trials", "200", "--seed", "7"]
            let printed = try Command.succeed(call, in: directory)
            #expect(printed.output.hasPrefix("# Inside a trial: gru-8 on bandit (arms 2, episodes 5, prior uniform)\n"))
            #expect(printed.errors.isEmpty)
            let written = try Command.succeed(call + ["--out", "page.md", "--json", "--threads", "3"], in: directory)
            #expect(try String(contentsOfFile: directory + "/page.md", encoding: .utf8) == printed.output)
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(written.output.utf8)) as? [String: Any])
            #expect(object["trials"] as? Int == 200 && object["member_seed"] as? Int == 7)
            let bandit = try #require(object["bandit"] as? [String: Any])
            for key in [
                "regret", "differences", "agreement", "contests", "probes", "renaming", "flips", "state_width",
                "left_out",
            ] { #expect(bandit[key] != nil, "\(key)") }
        }
    }

    /// Other tasks have no arms to look into, which is said.
    @Test func aMazesPageIsItsEpisodes() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(
                ["train"] + Command.smallMaze + [
                    "--episodes", "2", "--hidden", "4", "--batch-steps", "200", "--iterations", "1", "--threads", "1",
                    "--frame-width", "20", "--frame-height", "16", "--run", "run",
                ], in: directory)
            let result = try Command.succeed(["bench", "analyse", "run", "--trials", "100"], in: directory)
            #expect(result.errorLines.count == 1 && result.errors.contains("'maze'"))
            #expect(result.output.contains("mean reward") && !result.output.contains("Regret"))
        }
    }

    @Test(arguments: [
        (["bench", "analyse"], Int32(64), "directory"),
        (["bench", "analyse", "run", "--trials", "99"], 64, "trials"),
        (["bench", "analyse", "run", "--seed=-1"], 64, "seed"),
        (["bench", "analyse", "nowhere"], 1, "nowhere"),
    ]) func wrongCallsAreRefusedInOneLine(_ arguments: [String], _ code: Int32, _ word: String) throws {
        try withTemporaryDirectory { directory in
            let result = try Command.run(arguments, in: directory)
            #expect(result.code == code && result.errorLines.count == 1, "\(result.errors)")
            #expect(result.errors.contains(word) && result.output.isEmpty)
        }
    }
}
