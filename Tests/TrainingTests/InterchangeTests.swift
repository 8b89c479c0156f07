import Foundation
import Testing

@testable import Training

/// Files that are written here, read by the Python packages that our users have.
///
/// To run them: `python3 -m venv .venv && .venv/bin/pip install tensorboard safetensors numpy` in the package's root.
@Suite struct InterchangeTests {
    @Test(.enabled(if: Python.has("tensorboard"), "there is no .venv with tensorboard"))
    func tensorBoardReadsScalars() throws {
        try withTemporaryDirectory { directory in
            let writer = try TensorBoardEventWriter(directory: directory)
            for step in 0..<5 {
                try writer.write(step: step, scalars: [("reward", Double(step) / 2), ("loss/policy", -1)])
            }
            writer.close()
            #expect(
                try events(directory) == [
                    "reward": [[0, 0], [1, 0.5], [2, 1], [3, 1.5], [4, 2]],
                    "loss/policy": [[0, -1], [1, -1], [2, -1], [3, -1], [4, -1]],
                ])
        }
    }

    /// A run logged up to step 4, was killed, and goes on at step 2 from its checkpoint; and that twice.
    @Test(.enabled(if: Python.has("tensorboard"), "there is no .venv with tensorboard"))
    func tensorBoardForgetsWhatAResumedRunDoesAnew() throws {
        try withTemporaryDirectory { directory in
            for (first, value) in [(0, 1.0), (2, 2.0), (3, 3.0)] {
                let writer = try TensorBoardEventWriter(directory: directory, purgeStep: first == 0 ? nil : first)
                for step in first..<(6 - first) {
                    try writer.write(step: step, scalars: [("reward", value)])
                }
                // What a killed process may leave of a record.
                let file = try AppendFile(writer.path, creating: false)
                try file.append(Data([40, 0, 0, 0, 0]))
            }
            #expect(try events(directory) == ["reward": [[0, 1], [1, 1], [2, 2]]])
        }
    }

    @Test(.enabled(if: Python.has("safetensors"), "there is no .venv with safetensors"))
    func safetensorsReadsAndRewrites() throws {
        struct Summary: Decodable, Equatable {
            struct Tensor: Decodable, Equatable {
                var shape: [Int]
                var sum: Double
            }
            var metadata: [String: String]
            var tensors: [String: Tensor]
        }
        try withTemporaryDirectory { directory in
            let (path, rewritten) = (directory + "/ours.safetensors", directory + "/theirs.safetensors")
            let file = SafetensorsFile(
                metadata: ["iteration": "3", "config": "a: 1\nb: \"é\"\u{B}"],
                tensors: [
                    .init(name: "z.weight", shape: [2, 3], values: [1, 2, 3, 4, 5, 6.5]),
                    .init(name: "empty", shape: [0, 7], values: []),
                    .init(name: "bias ü\"", shape: [3], values: [-1, -2, -4]),
                    .init(name: "scalar", shape: [], values: [0.25]),
                ])
            try file.write(to: path)
            let output = try Python.run("read_safetensors.py", path, rewritten)
            var summary = try JSONDecoder().decode(Summary.self, from: output)
            #expect(summary.metadata.removeValue(forKey: "crc32c")?.count == 8)
            #expect(summary.metadata.removeValue(forKey: "rl2x_checksum") == "crc32c")
            #expect(summary.metadata == file.metadata)
            #expect(
                summary.tensors == [
                    "z.weight": .init(shape: [2, 3], sum: 21.5), "empty": .init(shape: [0, 7], sum: 0),
                    "bias ü\"": .init(shape: [3], sum: -7), "scalar": .init(shape: [], sum: 0.25),
                ])

            // Their order differs; the checksum, which they copy, still holds.
            let theirs = try SafetensorsFile(contentsOf: rewritten)
            #expect(theirs.metadata == file.metadata)
            #expect(theirs.tensors.sorted { $0.name < $1.name } == file.tensors.sorted { $0.name < $1.name })
        }
    }

    private func events(_ directory: String) throws -> [String: [[Double]]] {
        try JSONDecoder().decode([String: [[Double]]].self, from: Python.run("read_events.py", directory))
    }
}

/// The interpreter of the virtual environment in the package's root, which a user may or may not have made.
private enum Python {
    private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    private static let environment = tests.deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent(".venv")
    private static let interpreter = environment.appendingPathComponent("bin/python3")

    static func has(_ package: String) -> Bool {
        guard FileManager.default.isExecutableFile(atPath: interpreter.path) else { return false }
        let library = environment.appendingPathComponent("lib").path
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: library)) ?? []
        return versions.contains {
            FileManager.default.fileExists(atPath: "\(library)/\($0)/site-packages/\(package)")
        }
    }

    /// What the script prints on standard output.
    static func run(_ script: String, _ arguments: String...) throws -> Data {
        let process = Process()
        let output = Pipe()
        process.executableURL = interpreter
        process.arguments = [tests.appendingPathComponent("scripts/\(script)").path] + arguments
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(script) failed")
        return data
    }
}
