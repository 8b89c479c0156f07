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

    /// A maze's page, and the pictures of trials that were forgotten, which `frames` draws too.
    @Test func aMazesPageAndItsPictures() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(
                ["train"] + Command.smallMaze + [
                    "--episodes", "2", "--hidden", "4", "--batch-steps", "200", "--iterations", "1", "--threads", "1",
                    "--frame-width", "20", "--frame-height", "16", "--run", "run",
                ], in: directory)
            let call = ["bench", "analyse", "run", "--trials", "100"]
            let result = try Command.succeed(call + ["--pictures", "drawn", "--json"], in: directory)
            #expect(result.errorLines.count == 1 && result.errors.contains("drawn/member-"))
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
            let inside = try #require(object["inside_trial"] as? [String: Any])
            for key in [
                "agreement", "differences", "episode_ranges", "forgetting", "goal", "left_out", "oracle", "players",
                "readings", "second_starts", "state_width", "step_ranges", "successions", "trials",
            ] { #expect(inside[key] != nil, "\(key)") }
            let forgetting = try #require(inside["forgetting"] as? [String: Any])
            let trials = try #require(forgetting["trials"] as? [[String: Any]])
            let members = trials.compactMap { $0["member"] as? Int }
            #expect(!members.isEmpty && members.count == trials.count)
            for member in members {
                let map = try #require(
                    FileManager.default.contents(atPath: "\(directory)/drawn/member-\(member)/map.png"))
                try Command.succeed(
                    ["frames", "run", "--member", "\(member)", "--out", "frames-\(member)"], in: directory)
                #expect(FileManager.default.contents(atPath: "\(directory)/frames-\(member)/map.png") == map)
            }
            let page = try Command.succeed(call, in: directory)
            #expect(page.output.contains("What can be read from its memory") && page.errors.isEmpty)
            // Nothing is drawn over pictures.
            let again = try Command.run(call + ["--pictures", "drawn/member-\(members[0])"], in: directory)
            #expect(again.code == 1 && again.errors.contains("--pictures") && again.errorLines.count == 1)
        }
    }

    @Test func picturesOfABanditAreRefused() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run"), in: directory)
            let result = try Command.run(["bench", "analyse", "run", "--pictures", "drawn"], in: directory)
            #expect(result.code == 1 && result.errorLines.count == 1 && result.errors.contains("'bandit'"))
            #expect(!FileManager.default.fileExists(atPath: directory + "/drawn"))
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
