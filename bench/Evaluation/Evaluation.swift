import Foundation
import Kernels
import Tasks
import Training

extension TaskFamily {
    /// Members of an evaluation unless told: fewer where episodes are long because they have a goal.
    public var evaluatedMembers: Int { measures.contains(.success) ? 1000 : 10_000 }
}

/// An agent on members that no training has seen.
public struct Evaluation: Sendable {
    /// Total reward of every trial, in the order of members.
    public let totals: [Double]
    public let totalRewards: Summary
    /// Mean reward of each episode [episodes].
    public let episodeMeans: [Double]
    /// Σ r of each episode of each trial [trials, episodes]
    public let episodeRewards: [Double]
    /// Steps of each episode of each trial [trials, episodes]
    public let episodeSteps: [Int32]
    /// Whether each episode of each trial ended in a terminal state [trials, episodes]
    public let episodeSuccesses: [Bool]
    /// Seconds that playing took.
    public let seconds: Double

    public var trials: Int { totalRewards.count }

    /// - Parameters:
    ///   - members: to play, one trial each; member i of a seed is the same for every agent.
    ///   - seed: of the members; training draws from other streams, whatever its seed.
    public init(
        _ agent: any Agent, family: any TaskFamily, members: Range<Int>, seed: Int, workers: Workers
    ) {
        let start = ContinuousClock.now
        let family = family.heldOut()
        let root = Trainer.heldOutMembers(seed: seed)
        var totals: [Double] = []
        var (rewards, steps, successes) = ([Double](), [Int32](), [Bool]())
        var episodes = [Double](repeating: 0, count: family.episodes)
        // Chunks bound the memory: some hundred thousand steps at a time, and half a gigabyte of what they show.
        let shown = family.maximumTrialSteps * max(1, family.observation.count)
        let chunk = max(1, min(members.count, 400_000 / family.maximumTrialSteps, (512 << 20) / shown))
        for first in stride(from: members.lowerBound, to: members.upperBound, by: chunk) {
            let part = first..<min(first + chunk, members.upperBound)
            let played = agent.play(part, of: family, root: root, workers: workers)
            totals += played.totalRewards
            rewards += played.rewards
            steps += played.steps
            successes += played.successes
            for (episode, mean) in played.episodeMeans.enumerated() { episodes[episode] += mean * Double(part.count) }
        }
        self.totals = totals
        (episodeRewards, episodeSteps, episodeSuccesses) = (rewards, steps, successes)
        totalRewards = Summary(totals)
        episodeMeans = episodes.map { $0 / Double(members.count) }
        seconds = (ContinuousClock.now - start).inSeconds
    }
}

/// What the return of a trial is measured against.
public struct ReferenceReturns: Sendable {
    /// Uniformly random play.
    public let random: Double?
    /// Mean total reward of the exact Bayes-optimal player, who knows the family's prior; nil where it cannot be computed in
    /// a moment.
    public let optimum: Double?
    /// Mean total reward of a player who knows M: over all members where that is known, else over those that are played.
    public let oracle: Double?
    /// The same of each member that is played [trials]; nil where the task does not tell.
    private let oracleReturns: [Double]?
    /// `oracle` if it is the mean over all members.
    private let exact: Double?

    /// - Parameters:
    ///   - members: that are played, as for `Evaluation`; likewise `seed`.
    public init(of family: any TaskFamily, members: Range<Int>, seed: Int) {
        let root = Trainer.heldOutMembers(seed: seed)
        let family = family.heldOut()
        random = family.randomReturn
        oracleReturns = family.oracleReturns(trials: members.lazy.map { root.split($0) })
        exact = family.oracleReturn
        oracle = exact ?? oracleReturns.flatMap { $0.isEmpty ? nil : Summary($0).mean }
        optimum = family.optimalReturn
    }

    /// What a player lost to one who knows M, member by member, so that how good the members happened to be drops out
    /// of its standard error. Nil where the task does not tell what knowing M is worth.
    ///
    /// - Parameter played: the same members, all of them.
    public func regret(of played: Evaluation) -> PairedDifference? {
        oracleReturns.map { PairedDifference($0, played.totals) }
    }

    /// Mean total reward over all members as that regret tells it (a control variate), where the mean of the player who
    /// knows M is known exactly. Its standard error is that of the regret.
    public func totalReward(by regret: PairedDifference) -> Double? { exact.map { $0 - regret.mean } }
}
