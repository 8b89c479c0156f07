import Foundation
import Testing

@testable import Training

/// Exit code 1, one line on standard error that names the place, and nobody's files changed.
@Suite struct FailureTests {
    /// Runs a command that must fail, with nothing below `directory` changed.
    private func expectFailure(
        _ arguments: [String], in directory: String, about words: String..., code: Int32 = 1,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = snapshot(directory)
        let result = try Command.run(arguments, in: directory)
        #expect(result.code == code, sourceLocation: sourceLocation)
        #expect(result.errorLines.count == 1, "\(result.errors)", sourceLocation: sourceLocation)
        #expect(result.errors.hasPrefix("rl2x: "), "\(result.errors)", sourceLocation: sourceLocation)
        for word in words {
            #expect(result.errors.contains(word), "\(word): \(result.errors)", sourceLocation: sourceLocation)
        }
        #expect(result.output.isEmpty, sourceLocation: sourceLocation)
        #expect(snapshot(directory) == before, "files were changed", sourceLocation: sourceLocation)
    }

    private func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    @Test func whatIsNoRunCannotBeEvaluatedOrResumed() throws {
        try withTemporaryDirectory { directory in
            try expectFailure(["evaluate", "nowhere"], in: directory, about: "nowhere", "no such directory")
            try expectFailure(["train", "--resume", "nowhere"], in: directory, about: "nowhere", "no such directory")
            try FileManager.default.createDirectory(atPath: directory + "/photos", withIntermediateDirectories: true)
            try write("mine", to: directory + "/photos/cat.jpg")
            try expectFailure(["evaluate", "photos"], in: directory, about: "photos", "not a run")
            try expectFailure(["train", "--resume", "photos"], in: directory, about: "photos", "not a run")
            try expectFailure(["evaluate", "photos/cat.jpg"], in: directory, about: "cat.jpg", "not a run")
        }
    }

    @Test func aDirectoryThatIsNoRunIsNeverTrainedIn() throws {
        try withTemporaryDirectory { directory in
            try FileManager.default.createDirectory(atPath: directory + "/photos", withIntermediateDirectories: true)
            try write("mine", to: directory + "/photos/cat.jpg")
            try expectFailure(Command.tiny("photos"), in: directory, about: "photos", "--run")
            try expectFailure(Command.tiny("photos") + ["--overwrite"], in: directory, about: "photos", "--run")
        }
    }

    /// A cache of 10 000 steps in 64 layers of width 256 is terabytes on 1024 threads: refused before anything is made.
    @Test func aMemoryThatCannotFitIsRefusedBeforeAnyWork() throws {
        try withTemporaryDirectory { directory in
            try expectFailure(
                [
                    "train", "--model", "transformer", "--episodes", "10000", "--hidden", "256", "--layers", "64",
                    "--threads", "1024", "--run", "huge",
                ], in: directory, about: "GiB", "memory", "--batch-steps")
        }
    }

    @Test func anExistingRunIsKeptWithoutOverwriteOrResume() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run"), in: directory)
            try expectFailure(Command.tiny("run"), in: directory, about: "run", "--resume", "--overwrite")
            // And a wrong call with --overwrite does not remove it either.
            try expectFailure(
                Command.tiny("run") + ["--overwrite", "--damping", "99"], in: directory, about: "damping", code: 64)
            try Command.succeed(Command.tiny("run", iterations: 1) + ["--overwrite"], in: directory)
            #expect(loggedIterations(directory + "/run") == 1)
        }
    }

    @Test func aPlaceThatCannotBeADirectoryIsRefused() throws {
        try withTemporaryDirectory { directory in
            try write("mine", to: directory + "/file")
            try expectFailure(Command.tiny("file/run"), in: directory, about: "file/run", "--run")
            try expectFailure(Command.tiny("file"), in: directory, about: "file", "--run")
        }
    }

    @Test(arguments: [0, 4, 8, 200, -1]) func aTruncatedCheckpointIsRefused(_ length: Int) throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run"), in: directory)
            let path = directory + "/run/checkpoint.safetensors"
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            try whole.prefix(length < 0 ? whole.count + length : length).write(to: URL(fileURLWithPath: path))
            for call in [["evaluate", "run"], ["train", "--resume", "run"]] {
                try expectFailure(call, in: directory, about: "run/checkpoint.safetensors")
            }
        }
    }

    /// In the header's length, in the header, in the first tensor and in the last.
    @Test func aCheckpointWithAFlippedBitIsRefused() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run"), in: directory)
            let path = directory + "/run/checkpoint.safetensors"
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            let header = whole.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
            for place in [0, 7, 8, 40, 8 + header / 2, 8 + header + 2, whole.count - 1] {
                var damaged = whole
                damaged[place] ^= 0x10
                try damaged.write(to: URL(fileURLWithPath: path))
                for call in [["evaluate", "run"], ["train", "--resume", "run"]] {
                    try expectFailure(call, in: directory, about: "run/checkpoint.safetensors")
                }
            }
            try whole.write(to: URL(fileURLWithPath: path))
            try Command.succeed(["evaluate", "run", "--trials", "10"], in: directory)
        }
    }

    @Test func aCheckpointOfAnotherSizeIsRefused() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run"), in: directory)
            try Command.succeed(Command.tiny("wide", hidden: 12), in: directory)
            let path = directory + "/run/checkpoint.safetensors"
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.copyItem(atPath: directory + "/wide/checkpoint.safetensors", toPath: path)
            for call in [["evaluate", "run"], ["train", "--resume", "run"]] {
                try expectFailure(call, in: directory, about: "run/checkpoint.safetensors", "another size")
            }
            // One that is valid, but no checkpoint of rl2x.
            try SafetensorsFile(tensors: [.init(name: "weight", shape: [1], values: [1])]).write(to: path)
            for call in [["evaluate", "run"], ["train", "--resume", "run"]] {
                try expectFailure(call, in: directory, about: "run/checkpoint.safetensors")
            }
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.removeItem(atPath: directory + "/run/checkpoint-previous.safetensors")
            for call in [["evaluate", "run"], ["train", "--resume", "run"]] {
                try expectFailure(call, in: directory, about: "run", "no checkpoint")
            }
        }
    }

    @Test func aConfigurationThatIsWrongIsRefused() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run"), in: directory)
            let path = directory + "/run/config.yaml"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            for (wrong, word) in [
                (text + "learning_rate: 3\n", "learning_rate"),
                (text.replacing("hidden: 8", with: "hidden: wide"), "hidden"),
                (text.replacing("hidden: 8", with: "hidden: -8"), "hidden"),
                (text.replacing("model: gru", with: "model: perceptron"), "perceptron"),
                (text.replacing("task: bandit", with: "task: chess"), "chess"),
                ("", "config.yaml"), ("\u{1}\u{2}", "config.yaml"), ("a: [", "config.yaml"),
            ] {
                try write(wrong, to: path)
                for call in [["evaluate", "run"], ["train", "--resume", "run"]] {
                    try expectFailure(call, in: directory, about: word)
                }
                // As --config: a value out of range is a wrong call there, a file that is wrong a failure.
                let before = snapshot(directory)
                let result = try Command.run(["train", "--config", "run/config.yaml", "--run", "new"], in: directory)
                #expect(result.code == 1 || result.code == 64)
                #expect(result.errorLines.count == 1 && result.errors.contains(word), "\(result.errors)")
                #expect(snapshot(directory) == before)
            }
            // What is left out has its default, which is not what the checkpoint was made with.
            try write(text.replacing("  hidden: 8\n", with: ""), to: path)
            for call in [["evaluate", "run"], ["train", "--resume", "run"]] {
                try expectFailure(call, in: directory, about: "run/checkpoint.safetensors", "another size")
            }
            try expectFailure(["train", "--config", "nowhere.yaml"], in: directory, about: "nowhere.yaml")
            try expectFailure(["train", "--config", "run"], in: directory, about: "run")
        }
    }

    @Test func aRunWithDamagedRecordsIsNotResumed() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run"), in: directory)
            for name in ["manifest.json", "metrics.csv"] {
                let path = directory + "/run/" + name
                let whole = try Data(contentsOf: URL(fileURLWithPath: path))
                try write("not at all\n", to: path)
                try expectFailure(
                    ["train", "--resume", "run", "--threads", "1"], in: directory, about: "run/" + name)
                try whole.write(to: URL(fileURLWithPath: path))
            }
        }
    }

    @Test func aRunCannotBeCutByResuming() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run", iterations: 3), in: directory)
            try expectFailure(
                ["train", "--resume", "run", "--iterations", "2"], in: directory, about: "iterations", "3")
        }
    }

    /// On a disk of 240 KiB that is filled up: no new checkpoint fits beside the old one, which must stay.
    @Test(.enabled(if: SmallDisk.isAvailable, "a small disk cannot be mounted here; that wants root"))
    func aFullDiskLeavesTheOldCheckpoint() throws {
        try withTemporaryDirectory { directory in
            try SmallDisk.mounted(at: directory, bytes: 240 << 10) {
                let run = directory + "/run"
                try Command.succeed(Command.tiny(run, hidden: 24), in: directory)
                let before = try Data(contentsOf: URL(fileURLWithPath: run + "/checkpoint.safetensors"))
                // Room for a table row and a manifest, not for a checkpoint.
                let filler = directory + "/filler"
                _ = FileManager.default.createFile(atPath: filler, contents: nil)
                let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: filler))
                let free = try SmallDisk.freeBytes(directory)
                try #require(before.count > 32 << 10 && free > 24 << 10)
                try handle.write(contentsOf: Data(repeating: 1, count: free - 24 << 10))
                try handle.close()

                let failed = try Command.run(
                    ["train", "--resume", run, "--iterations", "4", "--threads", "1"], in: directory)
                #expect(failed.code == 1)
                #expect(failed.failures.count == 1, "\(failed.errors)")
                #expect(failed.failures.first?.contains("No space left") == true, "\(failed.errors)")
                #expect(try Data(contentsOf: URL(fileURLWithPath: run + "/checkpoint.safetensors")) == before)
                let names = try FileManager.default.contentsOfDirectory(atPath: run)
                #expect(
                    names.allSatisfy {
                        [
                            "config.yaml", "manifest.json", "metrics.csv", "metrics.jsonl", "checkpoint.safetensors",
                            "checkpoint-previous.safetensors",
                        ].contains($0) || $0.hasPrefix("events.out.tfevents.")
                    }, "left over: \(names)")

                // And when there is room again, it goes on as if nothing had been.
                try FileManager.default.removeItem(atPath: filler)
                try Command.succeed(["train", "--resume", run, "--threads", "1"], in: directory)
                try withTemporaryDirectory { other in
                    try Command.succeed(Command.tiny("run", iterations: 4, hidden: 24), in: other)
                    #expect(try checkpoint(other + "/run") == checkpoint(run))
                }
            }
        }
    }
}

/// A file system of a given size in memory.
enum SmallDisk {
    static let isAvailable: Bool = {
        guard geteuid() == 0 else { return false }
        return (try? withTemporaryDirectory { try mounted(at: $0, bytes: 64 << 10) { true } }) ?? false
    }()

    static func mounted<Result>(at path: String, bytes: Int, _ body: () throws -> Result) throws -> Result {
        try tool("mount", "-t", "tmpfs", "-o", "size=\(bytes)", "tmpfs", path)
        defer { try? tool("umount", path) }
        return try body()
    }

    static func freeBytes(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfFileSystem(forPath: path)
        return (attributes[.systemFreeSize] as? NSNumber)?.intValue ?? 0
    }

    private static func tool(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        struct Refused: Error {}
        guard process.terminationStatus == 0 else { throw Refused() }
    }
}
