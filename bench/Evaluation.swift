import Foundation
import Kernels
import Models
import Tasks
import Training

/// A trained policy on members that no training has seen, with frozen weights.
public struct Evaluation: Sendable {
    /// Total reward of every trial, in the order of members.
    public let totalRewards: Summary
    /// Mean reward of each episode [episodes].
    public let episodeMeans: [Double]
    /// Total reward of uniformly random play.
    public let random: Double?
    /// Mean total reward of the exact Bayes-optimal player; nil where it cannot be computed.
    public let optimum: Double?
    /// Mean total reward of a player who knows M.
    public let informed: Double?

    public var trials: Int { totalRewards.count }
    /// What was lost against a player who knows M.
    public var regret: Double? { informed.map { $0 - totalRewards.mean } }

    /// - Parameters:
    ///   - trials: members to play; member i is the same for every player.
    ///   - seed: of the members; training draws from other streams, whatever its seed.
    public init(
        policy: any SequencePolicy, parameters: Matrix, family: any TaskFamily, trials: Int, seed: Int,
        choice: ActionChoice, workers: Workers
    ) {
        let root = Trainer.unseenMembers(seed: seed)
        var totals: [Double] = []
        var episodes = [Double](repeating: 0, count: family.episodes)
        // Chunks bound the memory: some hundred thousand steps at a time.
        let chunk = max(1, min(trials, 400_000 / family.maximumTrialSteps))
        var first = 0
        var batch: TrialBatch?
        while first < trials {
            let count = min(chunk, trials - first)
            if batch?.trials != count { batch = TrialBatch(family: family, trials: count) }
            batch!.play(
                policy, parameters: UnsafePointer(parameters.pointer), root: root, first: first, choice: choice,
                workers: workers)
            totals += batch!.totalRewards
            for (episode, mean) in batch!.episodeMeans.enumerated() { episodes[episode] += mean * Double(count) }
            first += count
        }
        totalRewards = Summary(totals)
        episodeMeans = episodes.map { $0 / Double(trials) }
        random = family.randomTotalReward
        informed = family.informedTotalReward
        optimum = Evaluation.optimum(of: family)
    }

    /// The exact Bayes-optimal value where the table of beliefs is small enough to be computed in a moment.
    public static func optimum(of family: any TaskFamily) -> Double? {
        guard let bandit = family as? BernoulliBandit else { return nil }
        return try? BayesOptimalBandit(arms: bandit.arms, pulls: bandit.episodes, maximumStates: 3_000_000).value
    }
}
