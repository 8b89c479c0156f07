import Kernels
import Tasks
import Training

/// The members on which everything is judged: fixed, so that every agent, seed and architecture plays the same ones under
/// the same chance, on every machine and in every later version.
public struct EvaluationBank: Sendable {
    /// Version of the banks; records of another version are not compared with these.
    public static let version = 1
    /// Seed of `Trainer.heldOutMembers` for the version; no training of any seed draws from there.
    static let seed = 20_161_102 + version
    /// Blocks of consecutive members whose means are kept: enough for paired differences and their errors, and small.
    public static let blocks = 100

    public let family: any TaskFamily
    /// Members 0 ..< trials.
    public let trials: Int

    public init(family: any TaskFamily, trials: Int) {
        precondition(trials >= EvaluationBank.blocks, "a bank of \(trials) members")
        (self.family, self.trials) = (family, trials)
    }

    public func evaluate(_ agent: any Agent, workers: Workers) -> Evaluation {
        Evaluation(agent, family: family, members: 0..<trials, seed: EvaluationBank.seed, workers: workers)
    }

    /// Means of the values of consecutive members, as many blocks as a bank has; they differ by at most one member. Fewer
    /// members are a block each.
    static func blockMeans(_ values: [Double]) -> [Double] {
        let blocks = min(blocks, values.count)
        return (0..<blocks).map { block in
            let part = values[values.count * block / blocks..<values.count * (block + 1) / blocks]
            return part.reduce(0, +) / Double(part.count)
        }
    }
}
