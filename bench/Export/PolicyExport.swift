import Foundation
import Interface
import Kernels
import Tasks
import Training

/// A run's policy on its way to a folder of its own: its weights, how it was trained and what it earns.
public struct PolicyExport {
    /// How weights are stored.
    public enum Precision: String, Sendable, CaseIterable {
        /// float16 where an evaluation agrees with float32 within its noise, else float32.
        case auto
        case float16, float32
    }

    public let record: PolicyRecord
    private let configuration: Configuration
    private let file: Data
    private let card: String

    /// Evaluates the policy.
    /// - Parameters:
    ///   - name: of the folder.
    ///   - trials: members to play, at least 2; nil: as many as `rl2x evaluate` plays.
    ///   - licence: as model hubs spell it, such as "apache-2.0"; nil: the card states none.
    ///   - progress: is told what is done.
    /// - Throws: one line if there is no policy, or if its weights cannot be stored as asked.
    public init(
        _ run: RunDirectory, name: String, trials: Int? = nil, seed: Int = 0, precision: Precision = .auto,
        licence: String? = nil, workers: Workers, progress: (String) -> Void = { _ in }
    ) throws {
        var configuration = try run.configuration()
        try configuration.validate()
        let family = try configuration.makeFamily()
        let members = 0..<(trials ?? family.evaluatedMembers)
        let (checkpoint, path) = try run.readPolicy()
        let agent = try LearnedAgent(run, configuration)
        let training = try PolicyExport.training(run, configuration, checkpoint)
        // A path of somebody's machine is nobody else's.
        if let parent = configuration.parent, !parent.run.hasPrefix(Zoo.prefix) {
            configuration.parent?.run = (parent.run as NSString).lastPathComponent
        }
        func weightsFile(_ type: SafetensorsFile.ElementType) throws -> SafetensorsFile {
            try Trainer.policyFile(
                from: checkpoint, path: path, policy: agent.policy, configuration: configuration, type: type)
        }
        func evaluation(_ agent: LearnedAgent) -> Evaluation {
            Evaluation(agent, family: family, members: members, seed: seed, workers: workers)
        }
        progress("playing \(members.count) members")
        let full = evaluation(agent)
        var (chosen, weights, type) = (full, agent, SafetensorsFile.ElementType.float32)
        var half: PolicyRecord.HalfPrecision?
        if precision != .float32 {
            let halved = try weightsFile(.float16)
            guard halved.tensors.allSatisfy({ $0.values.allSatisfy(\.isFinite) }) || precision == .auto else {
                throw UserError("\(run.name): some weights are too large for float16; leave out --precision float16")
            }
            if halved.tensors.allSatisfy({ $0.values.allSatisfy(\.isFinite) }) {
                let other = LearnedAgent(
                    name: agent.name, policy: agent.policy,
                    weights: try Trainer.policyParameters(of: agent.policy, in: halved, path: path))
                progress("playing them with weights in float16")
                let played = evaluation(other)
                let difference = PairedDifference(played.totals, full.totals)
                half = PolicyRecord.HalfPrecision(
                    meanReturn: played.totalRewards.mean, difference: difference.mean,
                    lowerBound: difference.lowerBound, upperBound: difference.upperBound)
                let agrees =
                    difference.lowerBound <= 0 && 0 <= difference.upperBound
                    && abs(difference.mean) <= full.totalRewards.standardError
                if agrees || precision == .float16 { (chosen, weights, type) = (played, other, .float16) }
            }
        }
        let references = ReferenceReturns(of: family, members: members, seed: seed)
        let random =
            references.random
            ?? Evaluation(RandomAgent(), family: family, members: members, seed: seed, workers: workers)
            .totalRewards.mean
        file = try weightsFile(type).encoded()
        record = PolicyRecord(
            name: name, configuration: configuration, parameters: agent.policy.layout.count, weights: type, file: file,
            evaluation: chosen, seed: seed, references: references, random: random,
            classic: PolicyExport.classic(
                configuration.task, family, members: members, seed: seed, workers: workers, progress: progress),
            goal: GoalEvaluation(
                chosen, of: family,
                shortest: GoalEvaluation.shortest(members, of: family, seed: seed, workers: workers)),
            halfPrecision: half, training: training, sample: PolicyRecord.Sample(weights, family: family, seed: seed))
        self.configuration = configuration
        card = ModelCard(record, licence: licence).markdown
    }

    /// The best of the classic agents that do not know the member and do not solve the task exactly.
    private static func classic(
        _ task: String, _ family: any TaskFamily, members: Range<Int>, seed: Int, workers: Workers,
        progress: (String) -> Void
    ) -> PolicyRecord.Score? {
        let requests = AgentRequest.all(of: task, playing: family) { _ in }.filter {
            !["random", "oracle", "bayes-optimal"].contains($0.entry.name)
        }
        let scores = requests.map { request in
            let agent = request.agent
            progress("\(agent.name) plays the same members")
            let rewards = Evaluation(agent, family: family, members: members, seed: seed, workers: workers).totalRewards
            return PolicyRecord.Score(
                name: agent.title, meanReturn: rewards.mean, standardError: rewards.standardError)
        }
        return scores.max { $0.meanReturn < $1.meanReturn }
    }

    /// Of a run what its manifest tells; of a published policy what its record does.
    private static func training(
        _ run: RunDirectory, _ configuration: Configuration, _ checkpoint: SafetensorsFile
    ) throws -> PolicyRecord.Training {
        if run.isPublished { return try PolicyRecord(of: run).training }
        let manifest = try? Manifest.read(run.manifestPath)
        return PolicyRecord.Training(
            seed: configuration.seed, iterations: Int(checkpoint.metadata["iteration"] ?? "") ?? 0,
            steps: Int(checkpoint.metadata["timesteps"] ?? "") ?? 0, seconds: manifest?.lineSeconds,
            threads: manifest?.sessions.last?.threads, processor: manifest?.processor, version: manifest?.version,
            commit: manifest?.commit,
            command: manifest.map { (["rl2x"] + $0.command).map(quoted).joined(separator: " ") })
    }

    /// A word as a shell takes it.
    private static func quoted(_ word: String) -> String {
        let plain = !word.isEmpty && word.allSatisfy { $0.isLetter || $0.isNumber || "-_./:=,+%@".contains($0) }
        return plain ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }

    // MARK: Writing

    /// Names of the files of a folder.
    public static let files = ["README.md", "config.yaml", "model.safetensors", "results.json"]

    /// Throws one line if something is at a path already.
    public static func requireFree(_ directory: String) throws {
        guard !directory.hasPrefix(Zoo.prefix) else {
            throw UserError("\(directory): the zoo is read-only; name a directory of your own")
        }
        var status = stat()
        guard !directory.isEmpty, lstat(directory, &status) != 0 else {
            throw UserError("\(directory): is there already, and an export overwrites nothing; name another directory")
        }
    }

    /// Makes the folder, whole or not at all: its files are written to a directory beside it, which is renamed.
    /// - Throws: one line if something is there already or it cannot be written.
    public func write(to directory: String) throws {
        try PolicyExport.requireFree(directory)
        let place = URL(fileURLWithPath: directory).standardizedFileURL
        let aside = place.deletingLastPathComponent().appendingPathComponent(
            ".rl2x-\(getpid())-\(String(UInt64.random(in: .min ... .max), radix: 16)).partial")
        let files = FileManager.default
        do {
            try files.createDirectory(at: aside, withIntermediateDirectories: true)
        } catch {
            throw UserError("\(directory): cannot be made (\(RunDirectory.reason(error))); name another directory")
        }
        do {
            for (name, data) in [
                ("model.safetensors", file), ("config.yaml", Data(configuration.yaml().utf8)),
                ("results.json", try record.encoded()), ("README.md", Data(card.utf8)),
            ] { try AtomicFile.write(data, to: aside.appendingPathComponent(name).path) }
            guard rename(aside.path, place.path) == 0 else {
                throw UserError(
                    "\(directory): cannot be made (\(String(cString: strerror(errno)))); name another directory")
            }
        } catch {
            try? files.removeItem(at: aside)
            throw error
        }
    }
}

extension PolicyRecord.Sample {
    /// The first steps of a member's trial, as the policy plays it; nil for a trial of which nothing can be shown in few
    /// bytes.
    init?(_ agent: LearnedAgent, family: any TaskFamily, seed: Int, member: Int = 0) {
        let (limit, shape): (Int, [Int]?) =
            switch family.observation {
            case .vector: (20, nil)
            case .image(let height, let width, let channels): (6, [height, width, channels])
            }
        if let shape, shape.reduce(limit, *) > 100_000 { return nil }
        let held = family.heldOut()
        let streams = TrialStreams(Trainer.heldOutMembers(seed: seed).split(member))
        let trial = held.makeLiveTrial(streams)
        let player = LivePlayer(agent, streams: streams, steps: held.maximumTrialSteps)
        var (inputs, logits): ([StepInput], [[Float]]) = ([], [])
        while !trial.isOver && inputs.count < limit {
            inputs.append(trial.inputs.value(0))
            let action = player.act(trial.inputs)
            logits.append(player.logits ?? [])
            _ = trial.take(action)
        }
        self.init(
            member: member, vectors: shape == nil ? inputs.map(\.vector) : nil,
            images: shape == nil ? nil : inputs.map { Data($0.image).base64EncodedString() }, imageShape: shape,
            previousActions: inputs.map { Int($0.previousAction) }, previousRewards: inputs.map(\.previousReward),
            episodeEnds: inputs.map(\.episodeEnd), logits: logits)
    }
}
