import Autodiff
import Conformance
import Foundation
import Interface
import Kernels
import Models
import Testing

@testable import Training

/// Files that are written here, read by the Python packages that our users have.
///
/// To run them: `python3 -m venv .venv && .venv/bin/pip install tensorboard safetensors numpy torch` in the package's
/// root.
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
            let output = try Python.run("read_safetensors.py", [path, rewritten])
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

    /// Policies as this library has trained and saved them, in PyTorch's own modules: logits over trials of 100 steps.
    ///
    /// Python computes in float64, so the distance is our rounding alone: each of 100 steps sums I + H numbers.
    @Test(.enabled(if: Python.has("torch"), "there is no .venv with torch"))
    func pyTorchPlaysOurPolicies() throws {
        let (steps, lanes, hidden) = (100, 3, 24)
        var random = RandomSource(seed: 61)
        let trials = TrialInputs(
            lengths: [Int](repeating: steps, count: lanes), observation: .vector(width: 0), actions: 5,
            random: &random)
        let (rows, shape) = trials.packed(trials.packingOrder())
        try withTemporaryDirectory { directory in
            let (shown, answer) = (directory + "/trials.safetensors", directory + "/logits.safetensors")
            func column(_ name: String, _ values: (StepInput) -> Float) -> SafetensorsFile.Tensor {
                .init(
                    name: name, shape: [steps, lanes],
                    values: (0..<steps).flatMap { step in trials.steps.map { values($0[step]) } })
            }
            try SafetensorsFile(tensors: [
                column("previous_actions") { Float($0.previousAction) },
                column("previous_rewards", \.previousReward), column("episode_ends", \.episodeEnd),
            ]).write(to: shown)

            var (expected, arguments) = ([String: [Float]](), [String]())
            for (model, name) in [("gru", "gru"), ("lstm", "lstm"), ("elman", "rnn")] {
                let trainer = try trainedBriefly(model, hidden: hidden)
                let path = directory + "/\(model).safetensors"
                try trainer.checkpoint().write(to: path)
                arguments.append("\(name)=\(path)")
                let policy = trainer.policy
                expected[name] = DifferentiableFunction(parameterCount: policy.layout.count) { tape in
                    policy.unroll(rows.inputs, shape: shape, tape: tape)
                }.value(at: trainer.parameters.values)
            }
            try Python.run("pytorch_logits.py", [shown, answer] + arguments)

            let logits = try SafetensorsFile(contentsOf: answer)
            for (name, ours) in expected {
                let theirs = try #require(logits[name])
                #expect(theirs.shape == [steps, lanes, 5])
                let error = relativeDistance(ours, from: theirs.values)
                #expect(error < roundingTolerance(depth: steps * (7 + hidden)), "\(name)")
            }
        }
    }

    /// The lines that docs/checkpoints.md shows to a reader are the ones that the script of the test above runs.
    @Test func pyTorchLinesOfTheDocumentationAreTested() throws {
        let page = try String(
            contentsOf: Python.package.appendingPathComponent("docs/checkpoints.md"), encoding: .utf8)
        let scripts = try ["pytorch_logits.py", "pytorch_transformer.py"].map {
            try String(contentsOf: Python.script($0), encoding: .utf8)
        }
        let blocks = page.components(separatedBy: "```python\n").dropFirst().map {
            $0.components(separatedBy: "```")[0]
        }
        let loaders = blocks.filter { $0.contains("load_file") }
        #expect(!loaders.isEmpty)
        for loader in loaders { #expect(scripts.contains { $0.contains(loader) }) }
    }

    private func trainedBriefly(_ model: String, hidden: Int) throws -> Trainer {
        var configuration = try Configuration.defaults(
            task: "bandit", model: model, modelOptions: ["hidden": .integer(hidden)], seed: 6)
        configuration.stages = [
            .complete("trpo", ["gae-lambda": 0.5, "maximum-kl": 0.05], iterations: 3, batchSteps: 2000)
        ]
        let trainer = try Trainer(configuration, threads: 2)
        while !trainer.isFinished { _ = try trainer.step() }
        return trainer
    }

    private func events(_ directory: String) throws -> [String: [[Double]]] {
        try JSONDecoder().decode([String: [[Double]]].self, from: Python.run("read_events.py", [directory]))
    }
}

/// The interpreter of the virtual environment in the package's root, which a user may or may not have made.
enum Python {
    private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    static let package = tests.deletingLastPathComponent().deletingLastPathComponent()
    private static let environment = package.appendingPathComponent(".venv")
    private static let interpreter = environment.appendingPathComponent("bin/python3")

    static func has(_ package: String) -> Bool {
        guard FileManager.default.isExecutableFile(atPath: interpreter.path) else { return false }
        let library = environment.appendingPathComponent("lib").path
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: library)) ?? []
        return versions.contains {
            FileManager.default.fileExists(atPath: "\(library)/\($0)/site-packages/\(package)")
        }
    }

    static func script(_ name: String) -> URL { tests.appendingPathComponent("scripts/\(name)") }

    /// What the script prints on standard output.
    @discardableResult
    static func run(_ script: String, _ arguments: [String]) throws -> Data {
        let process = Process()
        let output = Pipe()
        process.executableURL = interpreter
        process.arguments = [self.script(script).path] + arguments
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(script) failed")
        return data
    }
}
