import Foundation
import Testing

@testable import Bench
@testable import Training

@Suite struct ZooCommandTests {
    /// A run of a moment, and a zoo with its policy under the name `tiny`.
    private func withZoo(_ training: [String]? = nil, _ body: (String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(training ?? Command.tiny("run"), in: directory)
            try Command.succeed(
                ["zoo", "export", "run", "zoo/tiny", "--trials", "200", "--threads", "1"], in: directory)
            try body(directory)
        }
    }

    /// rl2x with the zoo of the directory.
    private func run(_ arguments: String, in directory: String) throws -> Command.Result {
        try Command.run(script: "RL2X_ZOO=zoo exec \"$0\" \(arguments)", in: directory)
    }

    private func json(_ result: Command.Result) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    }

    @Test func anExportIsAWholeFolder() throws {
        try withZoo { directory in
            let folder = directory + "/zoo/tiny"
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == PolicyExport.files)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory + "/zoo") == ["tiny"])
            let record = try PolicyRecord(of: RunDirectory(folder))
            #expect(record.name == "tiny" && record.members == 200 && record.training.iterations == 2)
            #expect(record.training.command?.contains("train --arms 2") == true)
            #expect(record.optimum != nil && record.classic != nil && record.goal == nil && record.sample != nil)
            let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/model.safetensors"))
            #expect(record.sha256 == SHA256.digest(of: data) && record.bytes == data.count)
            let weights = try SafetensorsFile(contentsOf: folder + "/model.safetensors")
            #expect(weights.tensors.allSatisfy { $0.name.hasPrefix("policy.") && $0.type.rawValue == record.weights })
            let card = try String(contentsOfFile: folder + "/README.md", encoding: .utf8)
            #expect(card.hasPrefix("---\nlibrary_name: rl2x\n") && card.contains(record.sha256))
            let header = try YAMLNode(
                text: card.components(separatedBy: "---\n")[1], file: "README.md", kind: "header")
            _ = try header.mapping(["library_name", "pipeline_tag", "tags", "model-index"])

            // What evaluates it gets the number that it states.
            let evaluated = try json(
                run("evaluate zoo:tiny --trials 200 --threads 1 --json", in: directory))
            #expect(evaluated["mean_total_reward"] as? Double == record.meanReturn)
            let byPath = try json(
                Command.run(["evaluate", "zoo/tiny", "--trials", "200", "--threads", "1", "--json"], in: directory))
            #expect(byPath["mean_total_reward"] as? Double == record.meanReturn)
        }
    }

    /// In single precision the policy is the run's to the bit.
    @Test func singlePrecisionKeepsThePolicy() throws {
        try withZoo { directory in
            try Command.succeed(
                ["zoo", "export", "run", "single", "--trials", "200", "--precision", "float32"], in: directory)
            let record = try PolicyRecord(of: RunDirectory(directory + "/single"))
            #expect(record.weights == "F32" && record.halfPrecision == nil)
            let run = try json(
                Command.run(["evaluate", "run", "--trials", "200", "--threads", "1", "--json"], in: directory))
            #expect(run["mean_total_reward"] as? Double == record.meanReturn)
            let (one, other) = (
                try checkpoint(directory + "/run"), try RunDirectory(directory + "/single").readPolicy()
            )
            for tensor in other.file.tensors { #expect(one[tensor.name] == tensor) }
            // Half of the bytes, and a record of what that costs.
            let half = try PolicyRecord(of: RunDirectory(directory + "/zoo/tiny"))
            #expect(half.weights == "F16" && half.halfPrecision?.meanReturn == half.meanReturn)
        }
    }

    @Test func nothingIsOverwritten() throws {
        try withZoo { directory in
            try Data("mine".utf8).write(to: URL(fileURLWithPath: directory + "/file"))
            try FileManager.default.createDirectory(atPath: directory + "/empty", withIntermediateDirectories: false)
            let before = snapshot(directory)
            for (place, words) in [
                ("zoo/tiny", "overwrites nothing"), ("file", "overwrites nothing"), ("empty", "overwrites nothing"),
                ("zoo:tiny", "read-only"), ("file/sub", "cannot be made"),
            ] {
                let result = try run("zoo export run \(place) --trials 20 --threads 1", in: directory)
                #expect(result.code == 1 && result.failures.count == 1, "\(result.errors)")
                #expect(result.errors.contains(words), "\(result.errors)")
            }
            #expect(snapshot(directory) == before)
            let list = try run("zoo export missing other", in: directory)
            #expect(list.code == 1 && list.errors.contains("no such directory"))
        }
    }

    @Test func changedWeightsAreRefused() throws {
        try withZoo { directory in
            let path = directory + "/zoo/tiny/model.safetensors"
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            // A whole and sound file with other weights.
            var file = try SafetensorsFile(contentsOf: path)
            file.tensors[0].values[0] += 1
            try file.write(to: path)
            for call in ["evaluate zoo:tiny --trials 20", "evaluate zoo/tiny --trials 20", "zoo export zoo:tiny other"]
            {
                let result = try run(call, in: directory)
                #expect(result.code == 1 && result.errorLines.count == 1, "\(result.errors)")
                #expect(result.errors.contains("not the file that was published"), "\(result.errors)")
            }
            try data.write(to: URL(fileURLWithPath: path))
            #expect(try run("evaluate zoo:tiny --trials 20", in: directory).code == 0)
            for content in ["", "{}", "[1", #"{"sha256": 3}"#] {
                try Data(content.utf8).write(to: URL(fileURLWithPath: directory + "/zoo/tiny/results.json"))
                let result = try run("evaluate zoo:tiny --trials 20", in: directory)
                #expect(result.code == 1 && result.errors.contains("states no digest"), "\(result.errors)")
                let list = try run("zoo", in: directory)
                #expect(list.code == 1 && list.errors.contains("left out"), "\(list.errors)")
            }
        }
    }

    @Test func unknownNamesSuggestTheNearest() throws {
        try withZoo { directory in
            for name in ["tinny", "", "../run", "TINY", String(repeating: "x", count: 3000)] {
                let result = try run("evaluate 'zoo:\(name)'", in: directory)
                #expect(result.code == 1 && result.errorLines.count == 1, "\(result.errors)")
                #expect(result.errors.contains("nearest names are zoo:tiny"), "\(result.errors)")
            }
        }
        #expect(
            Zoo.nearest(to: "maze", among: ["bandit10-gru", "maze-gru", "bandit10-lstm", "mdp-gru"])
                .first == "maze-gru")
        #expect(
            Zoo.nearest(to: "bandit10-gur", among: ["maze-gru", "bandit10-lstm", "bandit10-gru"])[0] == "bandit10-gru")
    }

    /// Commands that read a run take one of the zoo; those that would write into it say so.
    @Test func commandsTakeANameOfTheZoo() throws {
        try withZoo { directory in
            #expect(try run("bench analyse zoo:tiny --trials 100 --threads 1", in: directory).code == 0)
            let compared = try run("bench compare run zoo:tiny --trials 100 --threads 1 --out page.html", in: directory)
            #expect(compared.code == 0 && compared.output.contains("zoo:tiny"), "\(compared.errors)")
            #expect(FileManager.default.fileExists(atPath: directory + "/page.html"))
            let before = snapshot(directory)
            for (call, words) in [
                ("train --resume zoo:tiny", "--from zoo:tiny"), ("train --resume zoo/tiny", "--from zoo/tiny"),
                ("train --run zoo:tiny --iterations 1", "read-only"),
                ("train --run zoo:other --overwrite --iterations 1", "read-only"),
                ("frames zoo:tiny --out pictures", "no pictures"),
            ] {
                let result = try run(call, in: directory)
                #expect(result.code == 1 && result.failures.count == 1, "\(call): \(result.errors)")
                #expect(result.errors.contains(words), "\(call): \(result.errors)")
            }
            #expect(snapshot(directory) == before)
            // A new run begins with its policy, and with a critic of its own.
            let trained = try run(
                "train --from zoo:tiny --iterations 1 --batch-steps 200 --threads 1 --run next", in: directory)
            #expect(trained.code == 0 && trained.errors.contains("has no critic"), "\(trained.errors)")
            let configuration = try RunDirectory(directory + "/next").configuration()
            #expect(configuration.parent?.run == "zoo:tiny" && configuration.parent?.lineIterations == 2)
            #expect(try checkpoint(directory + "/next").metadata["timesteps"] == "600")
        }
    }

    @Test func listsWhatThereIs() throws {
        try withZoo { directory in
            let table = try run("zoo", in: directory)
            #expect(
                table.code == 0 && table.output.contains("tiny") && table.output.contains("bandit, arms 2, episodes 5"))
            let object = try json(run("zoo --json", in: directory))
            let policies = try #require(object["policies"] as? [[String: Any]])
            #expect(policies.count == 1 && policies[0]["name"] as? String == "tiny" && policies[0]["sample"] == nil)
            let missing = try Command.run(script: "RL2X_ZOO=nowhere exec \"$0\" zoo", in: directory)
            #expect(missing.code == 1 && missing.errorLines.count == 1, "\(missing.errors)")
        }
    }

    /// The trial that results.json holds is the one that the policy plays, to the bit.
    @Test func theSampleIsOfThePolicy() throws {
        try withZoo { directory in
            let run = RunDirectory(directory + "/zoo/tiny")
            let (record, configuration) = (try PolicyRecord(of: run), try run.configuration())
            let agent = try LearnedAgent(run, configuration)
            let family = try configuration.makeFamily().heldOut()
            let sample = try #require(record.sample)
            #expect(sample.logits.count == 5 && sample.previousActions[0] == -1)
            #expect(sample == PolicyRecord.Sample(agent, family: family, seed: 0))
        }
    }

    // MARK: The policies that come with rl2x

    private static let shipped = Zoo(Command.package + "/bench/zoo")

    @Test func theShippedZooIsSmallAndWhole() throws {
        let names = ZooCommandTests.shipped.names
        #expect(names.contains("maze-gru") && names.contains("bandit10-gru"))
        var bytes = 0
        for (_, data) in snapshot(ZooCommandTests.shipped.path) { bytes += data.count }
        #expect(bytes < 25_000_000)
        for name in names {
            let run = try ZooCommandTests.shipped.policy(name)
            #expect(try FileManager.default.contentsOfDirectory(atPath: run.path).sorted() == PolicyExport.files)
            let (record, configuration) = (try PolicyRecord(of: run), try run.configuration())
            #expect(record.name == name && record.taskOptions.kept(by: []) == record.taskOptions)
            let agent = try LearnedAgent(run, configuration)
            #expect(agent.policy.layout.count == record.parameters)
            // Nobody's machine is told of.
            for file in PolicyExport.files where file != "model.safetensors" {
                let text = try String(contentsOfFile: run.path + "/" + file, encoding: .utf8)
                #expect(!text.contains("/work/") && !text.contains("/home/") && !text.contains("/tmp/"), "\(name)")
            }
        }
    }

    /// docs/zoo.md names all of them with what they earn.
    @Test func theDocumentIsOfTheShippedZoo() throws {
        let text = try String(contentsOfFile: Command.package + "/docs/zoo.md", encoding: .utf8)
        for name in ZooCommandTests.shipped.names {
            let record = try PolicyRecord(of: ZooCommandTests.shipped.policy(name))
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("| \(name) |") }, "\(name)")
            let score = [record.meanReturn, record.standardError].map { String(format: "%.3f", $0) }
                .joined(separator: " ± ").replacingOccurrences(of: "-", with: "−")
            #expect(line.contains("| \(score) |"), "\(name): \(score)")
        }
    }

    /// Each plays as it says, on as many of its members as can be played in a moment.
    @Test(arguments: ZooCommandTests.shipped.names) func aShippedPolicyEarnsWhatItSays(_ name: String) throws {
        let run = try ZooCommandTests.shipped.policy(name)
        let (record, configuration) = (try PolicyRecord(of: run), try run.configuration())
        let family = try configuration.makeFamily()
        let trials = record.goal == nil ? 500 : 40
        let played = Evaluation(
            try LearnedAgent(run, configuration), family: family, members: 0..<trials, seed: record.evaluationSeed,
            workers: Workers(threads: 2))
        let summary = played.totalRewards
        #expect(abs(summary.mean - record.meanReturn) < 4 * summary.standardError + 1e-9)
    }

    private static let python: String? = {
        let named = ProcessInfo.processInfo.environment["RL2X_PYTHON"].map { [$0] } ?? []
        return (named + [Command.package + "/.venv/bin/python3"]).first { path in
            guard FileManager.default.isExecutableFile(atPath: path) else { return false }
            return
                (try? Command.run(
                    script: "'\(path)' -c 'import torch'", in: NSTemporaryDirectory()))?.code == 0
        }
    }()

    @Test(
        .enabled(if: ZooCommandTests.python != nil, "there is no .venv with torch, and RL2X_PYTHON names no other"),
        arguments: ["gru", "lstm", "maze"])
    func pyTorchReplaysTheLogits(_ kind: String) throws {
        let training =
            kind == "maze"
            ? ["train"] + Command.smallMaze + [
                "--hidden", "8", "--batch-steps", "300", "--threads", "1", "--iterations", "1", "--frame-width", "16",
                "--frame-height", "13", "--run", "run",
            ] : Command.tiny("run", iterations: 2, hidden: 8, "--model", kind)
        try withZoo(training) { directory in
            let script = "'\(ZooCommandTests.python ?? "")' '\(Command.package)/scripts/zoo_to_pytorch.py' zoo/tiny"
            let result = try Command.run(script: script, in: directory)
            #expect(result.code == 0 && result.output.contains("steps replayed"), "\(result.errors)")
            // Other logits are noticed.
            let path = directory + "/zoo/tiny/results.json"
            var record = try #require(
                JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any])
            var sample = try #require(record["sample"] as? [String: Any])
            var logits = try #require(sample["logits"] as? [[Double]])
            logits[1][0] += 0.01
            sample["logits"] = logits
            record["sample"] = sample
            try JSONSerialization.data(withJSONObject: record).write(to: URL(fileURLWithPath: path))
            #expect(try Command.run(script: script, in: directory).code == 1)
        }
    }
}
