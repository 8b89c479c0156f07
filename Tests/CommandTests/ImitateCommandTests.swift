import Foundation
import Testing

@Suite struct ImitateCommandTests {
    @Test func anImitationIsARunLikeAnyOther() throws {
        try withTemporaryDirectory { directory in
            let result = try Command.run(
                [
                    "imitate", "--teacher", "ucb1:c=0.3", "--arms", "2", "--episodes", "4", "--hidden", "8",
                    "--iterations", "3", "--batch-steps", "400", "--trials", "100", "--run", "pupil", "--json",
                ], in: directory)
            #expect(result.code == 0, "\(result.errors)")
            let object = try #require(
                JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
            #expect(object["teacher"] as? String == "ucb1:c=0.3")
            #expect((object["teacher_mean_total_reward"] as? Double ?? 0) > 2)
            #expect(object["mean_total_reward"] is Double && object["upper_bound"] is Double)
            let played = try Command.run(["evaluate", "pupil", "--trials", "100"], in: directory)
            #expect(played.code == 0, "\(played.errors)")
            let longer = try Command.run(["train", "--resume", "pupil", "--iterations", "4"], in: directory)
            #expect(longer.code == 0, "\(longer.errors)")
        }
    }

    @Test(arguments: [
        (["--teacher", "nobody"], "no agent 'nobody'"), (["--teacher", "ucb1:c=0.1/0.2"], "cannot teach"),
        (["--teacher", "ucb1:c=-1"], "ucb1"), (["--iterations", "0"], "--iterations"),
        (["--learning-rate", "0"], "learning-rate"), (["--teacher", "psrl"], "no agent 'psrl'"),
    ]) func aWrongCallIsOneLine(_ arguments: [String], _ word: String) throws {
        try withTemporaryDirectory { directory in
            let result = try Command.run(
                ["imitate", "--arms", "2", "--episodes", "4", "--hidden", "8", "--run", "pupil"] + arguments,
                in: directory)
            #expect(result.code == 64)
            #expect(result.errorLines.count == 1, "\(result.errors)")
            #expect(result.errors.contains(word), "\(result.errors)")
            #expect(!FileManager.default.fileExists(atPath: directory + "/pupil"))
        }
    }
}
