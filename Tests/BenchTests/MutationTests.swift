import Foundation
import Interface
import Kernels
import Testing
import Training

@testable import Bench

/// Files as a fault or somebody else may have made them: every reader, and whoever uses what it read, gives a value or an error
/// of one line, and none traps. `scripts/mutate-readers` tries many more cases.
@Suite(.serialized) struct MutationTests {
    /// Reads the file at a path, in a directory that holds valid files of the other kinds.
    typealias Reader = (_ path: String) throws -> Void

    private static let environment = ProcessInfo.processInfo.environment
    /// Cases of each reader, if it is told.
    private static let wanted = environment["RL2X_MUTATIONS"].flatMap { Int($0) }
    private static let cases = wanted ?? 150
    private static let seed = environment["RL2X_MUTATION_SEED"].flatMap { UInt64($0) } ?? 1
    /// Only this one; all if it is not set.
    private static let only = environment["RL2X_MUTATION_READER"]

    private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    private static func shipped(_ path: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: package + "/" + path))
    }

    @Test func noReaderTraps() throws {
        let directory = NSTemporaryDirectory() + "rl2x-mutations-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for (name, valid, reader) in try Self.readers(in: directory) where Self.only.map({ $0 == name }) ?? true {
            let path = directory + "/" + name
            let url = URL(fileURLWithPath: path)
            if Self.wanted != nil { print("\(name): \(path)") }
            // The file as it is can be read.
            try valid.write(to: url)
            #expect(throws: Never.self, "\(name)") { try reader(path) }
            for index in 0..<Self.cases {
                var random = RandomSource(seed: Self.seed).split(index)
                try Mutation.mutated(valid, &random).write(to: url)
                do {
                    try reader(path)
                } catch {
                    let text = "\(error)"
                    #expect(!text.isEmpty && !text.contains("\n"), "\(name), case \(index): \(text)")
                }
            }
            try valid.write(to: url)
        }
    }

    /// Everything that is read from files, each with a file that is valid.
    private static func readers(in directory: String) throws -> [(name: String, valid: Data, reader: Reader)] {
        let configuration = try tinyConfiguration()
        let trainer = try Trainer(configuration, threads: 1)
        let checkpoint = try trainer.checkpoint().encoded()
        let run = RunDirectory(directory)
        let manifest = Manifest(configuration: configuration, trainer: trainer, command: ["train"])
        try manifest.write(to: run.manifestPath)
        let metrics = """
            iteration,timesteps,mean_total_reward,steps_per_second,seconds_rollout,entropy
            0,100,1,1000,0.5,0.7
            1,300,2,10,2,nan
            2,600,3,20,1,-inf

            """
        func analysis(_ path: String) throws {
            let record = try AnalysisRecord.read(path)
            _ = AnalysisPage(record).markdown
            _ = Report(Comparison([]), analyses: [record]).html
        }
        func replay(_ path: String) throws {
            let replay = try Replay.read(path)
            _ = Report(Comparison([], replays: [replay])).html
        }
        func record(_ path: String) throws {
            let record = try CellRecord.read(path)
            let comparison = Comparison([record, record])
            _ = comparison.tables.map { $0.table.markdown() + $0.table.plainText() }
            _ = Report(comparison).html
            for table in PaperTable.all {
                let none = try ClassicResults(
                    playing: PaperTable(name: table.name, title: "", task: table.task, rows: [], columns: []),
                    trials: 2,
                    seed: 0, workers: Workers(threads: 1))
                _ = try Reproduction(table, classic: none, records: [record]).cells.map(\.verdict)
            }
        }
        func classic(_ path: String) throws {
            let classic = try ClassicResults.read(path)
            for table in PaperTable.all {
                _ = try Reproduction(table, classic: classic, records: []).cells.map(\.verdict)
            }
        }
        return [
            (
                "checkpoint.safetensors", checkpoint,
                { path in
                    let file = try SafetensorsFile(contentsOf: path)
                    _ = file.weightsDigest
                    try trainer.restore(file, path: path)
                    _ = try LearnedAgent(run, configuration)
                }
            ),
            // Without a checksum, as other tools write it, more of what is wrong comes through.
            (
                "exported.safetensors", try Self.withoutChecksum(checkpoint),
                { path in try trainer.restore(SafetensorsFile(contentsOf: path), path: path) }
            ),
            (
                "half.safetensors",
                try Self.withoutChecksum(
                    SafetensorsFile(
                        metadata: trainer.checkpoint().metadata,
                        tensors: trainer.checkpoint().tensors.map { $0.converted(to: .float16) }
                    ).encoded()),
                { path in try trainer.restore(SafetensorsFile(contentsOf: path), path: path) }
            ),
            (
                "results.json", try Self.shipped("bench/zoo/maze-gru/results.json"),
                { _ in
                    let record = try PolicyRecord(of: run)
                    _ = record.taskTitle + ModelCard(record, licence: nil).markdown
                }
            ),
            (
                "config.yaml", Data(configuration.yaml().utf8),
                { path in
                    let read = try Configuration(yaml: String(contentsOfFile: path, encoding: .utf8), path: path)
                    try read.validate()
                    _ = read.yaml()
                    _ = read.place(of: 1)
                }
            ),
            (
                "manifest.json", try Data(contentsOf: URL(fileURLWithPath: run.manifestPath)),
                { _ = try Manifest.read($0) }
            ),
            (
                "metrics.csv", Data(metrics.utf8),
                { path in
                    _ = RunMetrics(run, configuration).returns
                    _ = try MetricsTable.read(path)
                }
            ),
            (
                "resumed.csv", Data(metrics.utf8),
                { path in
                    try MetricsTable(
                        resuming: path, columns: ["iteration", "timesteps", "entropy"], atIteration: 2
                    ).close()
                }
            ),
            ("plan.yaml", try shipped("bench/plans/generalization.yaml"), { path in try Self.read(plan: path) }),
            ("line.yaml", try shipped("bench/plans/paper-bandits-line.yaml"), { path in try Self.read(plan: path) }),
            ("record.json", try shipped("bench/results/bandits/records/bandit-100--gru--s1.json"), record),
            ("mdp-record.json", try shipped("bench/results/mdps/records/mdp-10--gru--s1.json"), record),
            ("analysis.json", try shipped("bench/results/bandits/analyses/bandit-10--gru--s1.json"), analysis),
            ("inside.json", try Self.insideAnalysis(), analysis),
            ("replay.json", try shipped(Self.first("bench/results/bandits/replays")), replay),
            ("mdp-replay.json", try shipped(Self.first("bench/results/mdps/replays")), replay),
            ("classic.json", try shipped("bench/results/bandits/classic/bandits.json"), classic),
        ]
    }

    private static func first(_ folder: String) throws -> String {
        let files = try FileManager.default.contentsOfDirectory(atPath: package + "/" + folder).sorted()
        return folder + "/" + files[0]
    }

    private static func tinyConfiguration() throws -> Configuration {
        var request = RunRequest(task: "bandit", model: "gru", learner: "trpo", seed: 3)
        request.settings = [
            .init("arms", "2"), .init("episodes", "4"), .init("hidden", "3"), .init("batch-steps", "40"),
        ]
        return try request.resolve()
    }

    /// Of a small maze, untrained.
    private static func insideAnalysis() throws -> Data {
        var request = RunRequest(task: "maze", model: "gru", learner: "trpo", seed: 3)
        request.settings = [
            .init("maze-size", "3"), .init("training-mazes", "0"), .init("hold-out", "draws"), .init("hidden", "3"),
            .init("frame-width", "16"), .init("frame-height", "13"),
        ]
        let configuration = try request.resolve()
        let (policy, family) = (try configuration.makePolicy(), try configuration.makeFamily())
        let weights = Matrix(rows: 1, columns: policy.layout.count)
        weights.copy(from: policy.layout.initialValues(RandomSource(seed: 1)))
        return try AnalysisRecord(
            CellRecord.Subject(plan: "", cell: "", modelName: "gru", taskName: "maze", settingName: ""),
            agent: LearnedAgent(name: "gru", policy: policy, weights: weights), family: family,
            configuration: configuration.yaml(), trainingSeed: 3, trials: 60, seed: 1, workers: Workers(threads: 2)
        ).encoded()
    }

    private static func read(plan path: String) throws {
        let plan = try Plan.read(path)
        for cell in plan.cells.prefix(4) {
            _ = try plan.configuration(of: cell)
            _ = plan.parent(of: cell)
        }
    }

    private static func withoutChecksum(_ data: Data) throws -> Data {
        let file = try SafetensorsFile(decoding: data, path: "checkpoint")
        var (header, payload) = ("", Data())
        for tensor in file.tensors {
            let begin = payload.count
            tensor.values.withUnsafeBytes { payload.append(contentsOf: $0) }
            header +=
                (header.isEmpty ? "{" : ",")
                + "\"\(tensor.name)\":{\"dtype\":\"F32\",\"shape\":\(tensor.shape),\"data_offsets\":[\(begin),\(payload.count)]}"
        }
        let text =
            Data((header + ",\"__metadata__\":").utf8) + (try JSONEncoder().encode(file.metadata)) + Data("}".utf8)
        var length = Data()
        withUnsafeBytes(of: UInt64(text.count).littleEndian) { length.append(contentsOf: $0) }
        return length + text + payload
    }
}

/// Changes to the bytes of a file.
enum Mutation {
    /// One to four changes.
    static func mutated(_ data: Data, _ random: inout RandomSource) -> Data {
        var bytes = [UInt8](data)
        for _ in 0...random.integer(below: 4) { change(&bytes, &random) }
        return Data(bytes)
    }

    private static let numbers = [
        "0", "-1", "1", "2", "1e308", "-1e308", "1e-320", "1e400", "NaN", "nan", "inf", "-inf", "9223372036854775807",
        "-9223372036854775808", "9223372036854775808", "18446744073709551616", "4611686018427387904", "1e19", "0.5",
        "4294967296", "2147483648", "65536", "1000000007", "null", "\"1\"", "[]", "{}", "true", "00", "",
    ]

    private static func change(_ bytes: inout [UInt8], _ random: inout RandomSource) {
        guard !bytes.isEmpty else { return }
        let place = random.integer(below: bytes.count)
        switch random.integer(below: 10) {
        case 0: bytes[place] ^= 1 << UInt8(random.integer(below: 8))
        case 1: bytes[place] = UInt8(random.integer(below: 256))
        case 2: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.integer(below: 40)))
        case 3: bytes.removeSubrange(place...)
        case 4:
            let end = min(bytes.count, place + 1 + random.integer(below: 200))
            bytes.insert(contentsOf: bytes[place..<end], at: random.integer(below: bytes.count))
        case 5: replaceList(from: place, &bytes, &random)
        default: replaceNumber(from: place, &bytes, &random)
        }
    }

    private static func isPartOfNumber(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || [0x2B, 0x2D, 0x2E, 0x65, 0x45].contains(byte)
    }

    /// The first number from a place on becomes another.
    private static func replaceNumber(from place: Int, _ bytes: inout [UInt8], _ random: inout RandomSource) {
        guard let digit = bytes[place...].firstIndex(where: { (0x30...0x39).contains($0) }) else { return }
        var (first, last) = (digit, digit)
        while first > 0, isPartOfNumber(bytes[first - 1]) { first -= 1 }
        while last + 1 < bytes.count, isPartOfNumber(bytes[last + 1]) { last += 1 }
        bytes.replaceSubrange(first...last, with: Array(numbers[random.integer(below: numbers.count)].utf8))
    }

    /// The first list from a place on becomes empty, or loses or repeats some of it.
    private static func replaceList(from place: Int, _ bytes: inout [UInt8], _ random: inout RandomSource) {
        guard let open = bytes[place...].firstIndex(of: UInt8(ascii: "[")),
            let close = bytes[open...].firstIndex(of: UInt8(ascii: "]"))
        else { return }
        let inside = bytes[(open + 1)..<close]
        let items = inside.split(separator: UInt8(ascii: ","))
        let kept = items.isEmpty ? [] : Array(items.prefix(random.integer(below: items.count + 1)))
        let with = random.integer(below: 4) == 0 ? kept + kept : kept
        bytes.replaceSubrange((open + 1)..<close, with: Array(with.joined(separator: [UInt8(ascii: ",")])))
    }
}
