import Kernels
import Tasks
import Training

/// Anything that plays a trial: a trained policy, a classic algorithm, exact play.
///
/// All are given the same members under the same chance (common random numbers): trial i draws its member and its
/// environment's chance from `TrialStreams(root.split(i))`, whatever the agent draws for itself. So two agents can be
/// compared trial by trial, which is far sharper than comparing their means.
public protocol Agent: Sendable {
    /// Name in tables, such as "UCB1".
    var name: String { get }
    /// Settings as tables show them, such as "c = 0.2"; empty if there are none.
    var parameters: String { get }

    /// Plays one trial of each of `members`. The result does not depend on the number of threads.
    ///
    /// - Parameters:
    ///   - members: their numbers; member i is drawn from `root.split(i)`.
    ///   - root: as from `Trainer.heldOutMembers`.
    func play(_ members: Range<Int>, of family: any TaskFamily, root: RandomSource, workers: Workers) -> PlayedTrials
}

extension Agent where Self: Teacher {
    public func play(
        _ members: Range<Int>, of family: any TaskFamily, root: RandomSource, workers: Workers
    ) -> PlayedTrials {
        let batch = TrialBatch(family: family, trials: members.count)
        batch.play(self, root: root, first: members.lowerBound, workers: workers)
        return PlayedTrials(batch)
    }
}

extension Agent {
    /// Name and settings in one, for lines of text.
    public var title: String { parameters.isEmpty ? name : "\(name), \(parameters)" }
}

/// What trials brought, in the order of their members.
public struct PlayedTrials: Sendable, Equatable {
    public let trials: Int
    /// n: episodes of each trial.
    public let episodes: Int
    /// Σ r of each episode [trials, episodes]
    public internal(set) var rewards: [Double]
    /// Steps of each episode [trials, episodes]
    public internal(set) var steps: [Int32]
    /// Whether each episode ended in a terminal state [trials, episodes]
    public internal(set) var successes: [Bool]

    /// Trials in which nothing was earned yet.
    public init(trials: Int, episodes: Int) {
        self.trials = trials
        self.episodes = episodes
        rewards = [Double](repeating: 0, count: trials * episodes)
        steps = [Int32](repeating: 0, count: trials * episodes)
        successes = [Bool](repeating: false, count: trials * episodes)
    }

    /// What came of a batch whose trials are numbered from 0.
    init(_ batch: TrialBatch) {
        self.init(trials: batch.trials, episodes: batch.family.episodes)
        for shard in batch.shards {
            shard.forEachEpisode { lane, episode, reward, steps, isTerminal in
                let place = shard.numbers[lane] * episodes + episode
                (rewards[place], self.steps[place], successes[place]) = (reward, Int32(steps), isTerminal)
            }
        }
    }

    /// Σ r of each trial [trials]
    public var totalRewards: [Double] {
        (0..<trials).map { trial in rewards[trial * episodes..<(trial + 1) * episodes].reduce(0, +) }
    }

    /// Mean over trials of each episode's Σ r [episodes]
    public var episodeMeans: [Double] {
        var sums = [Double](repeating: 0, count: episodes)
        for (index, reward) in rewards.enumerated() { sums[index % episodes] += reward }
        return sums.map { $0 / Double(trials) }
    }
}
