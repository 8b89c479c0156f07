import Foundation
import Testing

@Suite struct FramesCommandTests {
    private func write(_ more: String..., into directory: String, out: String = "pictures") throws -> Command.Result {
        try Command.run(["frames", "--out", out, "--scale", "1"] + Command.smallMaze + more, in: directory)
    }

    @Test func writesAllPicturesOnce() throws {
        try withTemporaryDirectory { directory in
            let result = try write("--agent", "oracle", "--seed", "4", into: directory)
            #expect(result.code == 0, "\(result.errors)")
            let files = snapshot(directory)
            let frames = files.keys.filter { $0.contains("/episode-") }
            #expect(frames.contains("pictures/episode-01-step-0000.png"))
            #expect(frames.contains("pictures/episode-02-step-0000.png"))
            for name in ["map", "sheet", "trial"] { #expect(files["pictures/\(name).png"] != nil) }
            let isPNG = files.filter { $0.key.hasSuffix(".png") }.values.allSatisfy {
                $0.prefix(4) == Data([0x89, 0x50, 0x4E, 0x47])
            }
            #expect(isPNG && files.count == frames.count + 3)

            // Nothing is overwritten.
            let again = try write("--agent", "random", into: directory)
            #expect(again.code == 1 && again.errorLines.count == 1 && again.errors.contains("pictures"))
            #expect(snapshot(directory) == files)
            // The same seed gives the same bytes.
            _ = try write("--agent", "oracle", "--seed", "4", into: directory, out: "others")
            for (name, data) in files where name.hasSuffix(".png") {
                let other = name.replacingOccurrences(of: "pictures/", with: "others/")
                #expect(FileManager.default.contents(atPath: directory + "/" + other) == data)
            }
        }
    }

    @Test func aFileIsNoDirectory() throws {
        try withTemporaryDirectory { directory in
            try Data("mine".utf8).write(to: URL(fileURLWithPath: directory + "/pictures"))
            let result = try write(into: directory)
            #expect(result.code == 1 && result.errorLines.count == 1 && result.errors.contains("pictures"))
            #expect(snapshot(directory) == ["pictures": Data("mine".utf8)])
        }
    }

    /// Of a task that shows nothing there are no pictures, and no directory for them is made.
    @Test(arguments: ["bandit", "mdp"]) func aTaskThatShowsNothingIsRefused(_ task: String) throws {
        try withTemporaryDirectory { directory in
            let result = try Command.run(["frames", "--task", task, "--out", "pictures"], in: directory)
            #expect(result.code == 1 && result.errorLines.count == 1 && result.output.isEmpty, "\(result.errors)")
            #expect(result.errors.contains("'\(task)' shows no pictures"))
            #expect(snapshot(directory).isEmpty)
        }
    }

    /// A trained policy plays and is evaluated, and frames of another size are refused.
    @Test func aRunPlays() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(
                ["train"] + Command.smallMaze + [
                    "--hidden", "8", "--batch-steps", "300", "--threads", "1", "--iterations", "1", "--frame-width",
                    "16", "--frame-height", "13", "--run", "run",
                ], in: directory)
            let played = try Command.run(["frames", "run", "--out", "pictures", "--scale", "2"], in: directory)
            #expect(played.code == 0 && played.output.contains("episode 2"), "\(played.errors)")
            let other = try Command.run(
                ["frames", "run", "--out", "others", "--frame-width", "40"], in: directory)
            #expect(other.code == 1 && other.errors.contains("--frame-width") && other.errorLines.count == 1)
            #expect(!FileManager.default.fileExists(atPath: directory + "/others"))

            let result = try Command.succeed(
                [
                    "evaluate", "run", "--trials", "20", "--episodes", "3", "--maze-size", "5", "--json", "--threads",
                    "1",
                ],
                in: directory)
            let object = try #require(
                JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
            for key in ["success_rate", "mean_length", "length_over_shortest"] {
                #expect((object[key] as? [Any])?.count == 3, "\(key)")
            }
            let improved = try #require(object["improved"] as? Double)
            #expect(improved >= 0 && improved <= 1 && object["trials"] as? Int == 20)
            #expect((object["mean_shortest"] as? Double ?? 0) > 10)
        }
    }
}
