import Foundation
import Kernels
import Models
import Tasks
import Yams

extension Configuration {
    public func yaml() throws -> String {
        let encoder = YAMLEncoder()
        // Dictionaries have another order in every process; the same configuration must give the same text.
        encoder.options.sortKeys = true
        return try encoder.encode(self)
    }

    /// Reads a configuration that a run wrote, or that somebody wrote like it. Unknown keys are refused.
    public init(yaml text: String, path: String) throws {
        do {
            let keys = try Yams.load(yaml: text) as? [String: Any] ?? [:]
            func refuseUnknown(_ keys: [String: Any], known: [String], in place: String = "") throws {
                guard let unknown = keys.keys.sorted().first(where: { !known.contains($0) }) else { return }
                throw UserError(
                    "\(path): unknown key '\(unknown)'\(place); known are \(known.sorted().joined(separator: ", "))")
            }
            try refuseUnknown(keys, known: CodingKeys.allCases.map(\.rawValue))
            try refuseUnknown(
                keys["ppo"] as? [String: Any] ?? [:], known: PPO.Settings.CodingKeys.allCases.map(\.rawValue),
                in: " in ppo")
            for stage in keys["stages"] as? [[String: Any]] ?? [] {
                try refuseUnknown(stage, known: Stage.CodingKeys.allCases.map(\.rawValue), in: " in a stage")
            }
            self = try YAMLDecoder().decode(Configuration.self, from: text)
        } catch let error as UserError {
            throw error
        } catch DecodingError.keyNotFound(let key, _) {
            throw UserError("\(path): the key '\(key.stringValue)' is missing")
        } catch DecodingError.typeMismatch(_, let context), DecodingError.dataCorrupted(let context) {
            let place = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
            throw UserError(
                "\(path): \(place.isEmpty ? "not a YAML configuration" : "the value of '\(place.joined(separator: "."))' is not of the right kind")"
            )
        } catch {
            let reason = String(describing: error).split(whereSeparator: \.isNewline).joined(separator: " ")
            throw UserError("\(path): not a YAML configuration (\(reason.prefix(120)))")
        }
    }
}

extension Configuration {
    /// Reads a configuration; options of the task and the architecture may be left out, and have their standard values then.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let task = try values.decode(String.self, forKey: .task)
        let model = try values.decode(String.self, forKey: .model)
        self.init(
            task: task,
            taskOptions: OptionValues(
                standard: TaskCatalogue.entry(named: task)?.options ?? [],
                given: try values.decode(OptionValues.self, forKey: .taskOptions)), model: model,
            modelOptions: OptionValues(
                standard: ModelCatalogue.entry(named: model)?.options ?? [],
                given: try values.decodeIfPresent(OptionValues.self, forKey: .modelOptions) ?? [:]),
            memoryReset: try values.decodeIfPresent(MemoryReset.self, forKey: .memoryReset) ?? .none,
            memoryHorizon: try values.decodeIfPresent(Int.self, forKey: .memoryHorizon),
            slowUnits: try values.decodeIfPresent(Double.self, forKey: .slowUnits) ?? 1,
            inputGain: try values.decodeIfPresent(Double.self, forKey: .inputGain) ?? 1,
            hidden: try values.decode(Int.self, forKey: .hidden),
            criticHidden: try values.decodeIfPresent(Int.self, forKey: .criticHidden),
            seed: try values.decode(Int.self, forKey: .seed),
            stages: try values.decode([Stage].self, forKey: .stages),
            ppo: try values.decodeIfPresent(PPO.Settings.self, forKey: .ppo),
            conjugateGradientIterations: try values.decode(Int.self, forKey: .conjugateGradientIterations),
            damping: try values.decode(Double.self, forKey: .damping),
            preconditioning: try values.decodeIfPresent(Double.self, forKey: .preconditioning) ?? 0,
            relativeDamping: try values.decodeIfPresent(Double.self, forKey: .relativeDamping) ?? 0,
            fisherShare: try values.decode(Double.self, forKey: .fisherShare),
            criticEpochs: try values.decode(Int.self, forKey: .criticEpochs),
            criticMinibatches: try values.decode(Int.self, forKey: .criticMinibatches),
            criticLearningRate: try values.decode(Double.self, forKey: .criticLearningRate),
            criticLambda: try values.decode(Double.self, forKey: .criticLambda))
    }
}

extension Configuration.Stage {
    /// Reads a stage; what most stages leave as it is may be left out.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            kind: try values.decodeIfPresent(Kind.self, forKey: .kind) ?? .improvement,
            iterations: try values.decode(Int.self, forKey: .iterations),
            batchSteps: try values.decode(Int.self, forKey: .batchSteps),
            episodes: try values.decodeIfPresent(Int.self, forKey: .episodes),
            taskOptions: try values.decodeIfPresent(OptionValues.self, forKey: .taskOptions),
            discount: try values.decode(Double.self, forKey: .discount),
            gaeLambda: try values.decode(Double.self, forKey: .gaeLambda),
            maximumKL: try values.decode(Double.self, forKey: .maximumKL),
            finalMaximumKL: try values.decodeIfPresent(Double.self, forKey: .finalMaximumKL),
            advantageScale: try values.decodeIfPresent(AdvantageScale.self, forKey: .advantageScale) ?? .batch,
            entropyBonus: try values.decodeIfPresent(Double.self, forKey: .entropyBonus) ?? 0,
            finalEntropyBonus: try values.decodeIfPresent(Double.self, forKey: .finalEntropyBonus),
            criticWarmup: try values.decodeIfPresent(Int.self, forKey: .criticWarmup) ?? 0,
            trialsPerMember: try values.decodeIfPresent(Int.self, forKey: .trialsPerMember) ?? 1,
            learningRate: try values.decodeIfPresent(Double.self, forKey: .learningRate),
            teacher: try values.decodeIfPresent(String.self, forKey: .teacher))
    }
}
