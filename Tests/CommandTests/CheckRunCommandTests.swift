import Foundation
import Testing

@testable import Training

/// `rl2x check RUN`: what it says of a whole run, and of one in which something is wrong.
@Suite struct CheckRunCommandTests {
    private static let parts = [
        "config.yaml", "manifest.json", "checkpoint-previous.safetensors", "checkpoint.safetensors", "metrics.csv",
        "counts",
    ]

    private func withRun(_ body: (String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run", iterations: 4) + ["--checkpoint-every", "2"], in: directory)
            try body(directory)
        }
    }

    private func damage(_ path: String) throws {
        var data = try AtomicFile.read(path)
        data[data.count - 5] ^= 4
        try AtomicFile.write(data, to: path)
    }

    private func replace(_ text: String, _ other: String, in path: String) throws {
        let content = try String(contentsOfFile: path, encoding: .utf8)
        try #require(content.contains(text), "\(content)")
        try AtomicFile.write(Data(content.replacing(text, with: other).utf8), to: path)
    }

    /// Expects that one part is wrong, in these words.
    private func expectWrong(
        _ part: String, _ words: String..., in directory: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try Command.run(["check", "run"], in: directory)
        #expect(result.code == 1 && result.errorLines.count == 1, "\(result.errors)", sourceLocation: sourceLocation)
        let wrong = result.output.split(separator: "\n").filter { $0.hasPrefix("✗") }
        #expect(
            wrong.count == 1 && wrong[0].hasPrefix("✗ \(part): "), "\(result.output)", sourceLocation: sourceLocation)
        for word in words {
            #expect(result.output.contains(word), "\(result.output)", sourceLocation: sourceLocation)
        }
    }

    @Test func aWholeRunIsSound() throws {
        try withRun { directory in
            let before = snapshot(directory)
            let result = try Command.succeed(["check", "run"], in: directory)
            let lines = result.output.split(separator: "\n")
            #expect(lines.count == Self.parts.count && result.errors.isEmpty, "\(result.output)\(result.errors)")
            for (line, part) in zip(lines, Self.parts) { #expect(line.hasPrefix("✓ \(part): ")) }
            #expect(snapshot(directory) == before, "nothing is written")
            let json = try Command.succeed(["check", "run", "--json"], in: directory)
            let object = try #require(
                JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
            #expect(object["passed"] as? Bool == true && (object["parts"] as? [Any])?.count == Self.parts.count)
            // A run that was stopped at once has one checkpoint and no row.
            try Command.succeed(Command.tiny("short", iterations: 1), in: directory)
            try Command.succeed(["check", "short"], in: directory)
        }
    }

    @Test func whatIsDamagedIsNamedWithWhatToDo() throws {
        try withRun { directory in
            let run = RunDirectory(directory + "/run")
            let whole = snapshot(run.path)
            func restore(_ name: String) throws {
                try AtomicFile.write(#require(whole[name]), to: run.path + "/" + name)
            }
            try damage(run.checkpointPath)
            try expectWrong(
                "checkpoint.safetensors", "its content", "rl2x train --resume run --previous", in: directory)
            try FileManager.default.removeItem(atPath: run.checkpointPath)
            try expectWrong("checkpoint.safetensors", "there is none", "--previous", in: directory)
            try restore("checkpoint.safetensors")

            try damage(run.previousCheckpointPath)
            try expectWrong("checkpoint-previous.safetensors", "the next checkpoint replaces it", in: directory)
            try FileManager.default.removeItem(atPath: run.previousCheckpointPath)
            #expect(try Command.succeed(["check", "run"], in: directory).output.contains("\n– checkpoint-previous"))
            try AtomicFile.keep(run.checkpointPath, as: run.previousCheckpointPath)
            try Command.succeed(["check", "run"], in: directory)
            try restore("checkpoint-previous.safetensors")

            try FileManager.default.removeItem(atPath: run.manifestPath)
            try expectWrong("manifest.json", "writes a new one", in: directory)
            try restore("manifest.json")
            try replace("\"seed\" : 3", "\"seed\" : 4", in: run.manifestPath)
            try expectWrong("manifest.json", "its seed is 4", in: directory)
            try restore("manifest.json")
            try replace("\"iterations\" : 4", "\"iterations\" : 9", in: run.manifestPath)
            try expectWrong("counts", "manifest.json has come to iteration 9", in: directory)
            try replace("\"iterations\" : 9", "\"iterations\" : 9223372036854775807", in: run.manifestPath)
            try expectWrong("manifest.json", "out of their range", in: directory)
            try restore("manifest.json")

            try FileManager.default.removeItem(atPath: run.metricsPath)
            try expectWrong("metrics.csv", "restore it from a copy", in: directory)
            let rows = try String(decoding: #require(whole["metrics.csv"]), as: UTF8.self).split(separator: "\n")
            func write(_ rows: [Substring]) throws {
                try AtomicFile.write(Data((rows.joined(separator: "\n") + "\n").utf8), to: run.metricsPath)
            }
            try write(rows.dropLast())
            try expectWrong("counts", "is of iteration 4, metrics.csv has 3 rows", in: directory)
            try write([rows[0], rows[2]])
            try expectWrong("metrics.csv", "line 2 should be that of iteration 0", in: directory)
            try write([rows[0], rows[1], "half a row"])
            try expectWrong("metrics.csv", "line 3", in: directory)
            try restore("metrics.csv")

            try replace("hidden: 8", "hidden: 9", in: run.configurationPath)
            let other = try Command.run(["check", "run"], in: directory)
            #expect(other.code == 1 && other.output.contains("✗ checkpoint.safetensors"), "\(other.output)")
            #expect(other.output.contains("✗ checkpoint-previous.safetensors") && other.output.contains("another size"))
            try AtomicFile.write(Data("model: [".utf8), to: run.configurationPath)
            let wrong = try Command.run(["check", "run"], in: directory)
            #expect(wrong.code == 1 && wrong.output.contains("✗ config.yaml"), "\(wrong.output)")
            try restore("config.yaml")
            try Command.succeed(["check", "run"], in: directory)
        }
    }

    /// A checkpoint of another training of the same shapes.
    @Test func otherSettingsAreNoticed() throws {
        try withRun { directory in
            try Command.succeed(Command.tiny("other", iterations: 4) + ["--discount", "0.5"], in: directory)
            let run = directory + "/run/checkpoint.safetensors"
            try AtomicFile.write(AtomicFile.read(directory + "/other/checkpoint.safetensors"), to: run)
            try expectWrong("checkpoint.safetensors", "trained with other settings", in: directory)
        }
    }

    @Test func policiesOfTheZooAreVerified() throws {
        let zoo = try #require(Zoo.found())
        let name = try #require(zoo.names.first { $0.hasPrefix("bandit10-gru") })
        try withTemporaryDirectory { directory in
            let result = try Command.succeed(["check", "zoo:" + name], in: directory)
            #expect(result.output.split(separator: "\n").count == 3, "\(result.output)")
            try FileManager.default.copyItem(atPath: zoo.path + "/" + name, toPath: directory + "/run")
            try damage(directory + "/run/model.safetensors")
            try expectWrong("model.safetensors", "not the file that was published", in: directory)
        }
    }

    @Test func wrongCallsAreRefused() throws {
        try withTemporaryDirectory { directory in
            for (call, code) in [
                (["check", "none"], 1), (["check", "."], 1), (["check", "zoo:none"], 1),
                (["check", "run", "--model", "gru"], 64), (["check", "run", "--arms", "3"], 64),
                (["train", "--previous"], 64),
            ] {
                let result = try Command.run(call, in: directory)
                #expect(result.code == Int32(code) && result.errorLines.count == 1, "\(call): \(result.errors)")
                #expect(result.output.isEmpty)
            }
        }
    }
}
