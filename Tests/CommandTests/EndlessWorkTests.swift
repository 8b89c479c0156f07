import Foundation
import Testing

/// Work that would not end is refused before it begins.
@Suite struct EndlessWorkTests {
    private func expectRefusal(
        _ arguments: [String], _ words: String, in directory: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = snapshot(directory)
        let result = try Command.run(arguments, in: directory)
        #expect([1, 64].contains(result.code), sourceLocation: sourceLocation)
        #expect(result.errorLines.count == 1, "\(result.errors)", sourceLocation: sourceLocation)
        #expect(result.errors.contains(words), "\(result.errors)", sourceLocation: sourceLocation)
        #expect(snapshot(directory) == before, sourceLocation: sourceLocation)
    }

    private let tiny = ["--hidden", "4", "--batch-steps", "250", "--episodes", "1", "--threads", "1"]

    /// With every wall taken away there is one layout, which is either trained on or held out.
    @Test func oneLayoutCannotBeDivided() throws {
        try withTemporaryDirectory { directory in
            let words = "too few layouts"
            for size in ["3", "5"] {
                let layouts = ["--maze-size", size, "--training-mazes", "0", "--loops", "1"]
                let maze = ["--task", "maze"] + layouts
                try expectRefusal(["train", "--run", "run"] + maze, words, in: directory)
                try expectRefusal(
                    ["frames", "--out", "out"] + layouts, words, in: directory)
                try expectRefusal(["baselines"] + maze, words, in: directory)
                try expectRefusal(
                    ["check"] + maze, words, in: directory)
            }
            // Divided by draws it can be trained and evaluated, and not by layouts.
            let draws = ["--hold-out", "draws", "--loops", "1"]
            let train = ["train", "--task", "maze", "--iterations", "1", "--run", "run"]
            try Command.succeed(train + tiny + draws, in: directory)
            try Command.succeed(["evaluate", "run", "--trials", "4", "--threads", "1"], in: directory)
            try expectRefusal(["evaluate", "run", "--trials", "4", "--hold-out", "layouts"], words, in: directory)
            try Command.succeed(train.dropLast() + ["plain"] + tiny, in: directory)
            try expectRefusal(["evaluate", "plain", "--trials", "4", "--loops", "1"], words, in: directory)
        }
    }

    /// The index looks 230 000 pulls ahead: hours.
    @Test func theExactIndexHasALimit() throws {
        try withTemporaryDirectory { directory in
            try expectRefusal(
                ["baselines", "--episodes", "10", "--agents", "gittins:rule=exact:discount=0.9999"],
                "lower the discount, such as to 0.999, or take rule=whittle", in: directory)
            try expectRefusal(
                ["imitate", "--teacher", "gittins:rule=exact:discount=0.9999", "--run", "run"], "over the limit",
                in: directory)
            try Command.succeed(
                ["baselines", "--episodes", "10", "--trials", "10", "--agents", "gittins:discount=0.9999"],
                in: directory)
        }
    }

    /// The steps fit in the memory of any large machine; what the update records of a fifth of them is 200 GB and more.
    @Test func anUpdateThatCannotFitIsRefused() throws {
        try withTemporaryDirectory { directory in
            try expectRefusal(
                ["train", "--batch-steps", "100000000", "--episodes", "10000", "--hidden", "1024", "--run", "run"],
                "--batch-steps", in: directory)
        }
    }

    /// Names sort as the episodes and steps are numbered, however many there are.
    @Test func namesOfPicturesSort() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(
                [
                    "frames", "--out", "out", "--scale", "1", "--episodes", "101", "--agent", "oracle",
                ],
                in: directory)
            let names = try FileManager.default.contentsOfDirectory(atPath: directory + "/out")
                .filter { $0.hasPrefix("episode-") }.sorted()
            let episodes = names.compactMap { Int($0.split(separator: "-")[1]) }
            #expect(episodes == episodes.sorted() && Set(episodes) == Set(1...101))
        }
    }
}
