/// What was found inside the trials of a task other than a bandit. Episodes and steps are counted from 1 in words, from 0 in
/// arrays. "At a step" is when the policy has been shown what it acts on at that step and has not acted yet.
public struct InsideTrial: Codable, Sendable, Equatable {
    /// How an episode ended, given how the one before it did.
    public struct Succession: Codable, Sendable, Equatable {
        /// The later one, from 0.
        public let episode: Int
        /// Successes among trials whose episode before succeeded, or failed.
        public let afterSuccess: Proportion
        public let afterFailure: Proportion

        enum CodingKeys: String, CodingKey {
            case episode, afterSuccess = "after_success", afterFailure = "after_failure"
        }
    }

    /// Trials whose episode 1 succeeds and whose episode 2 fails, or takes more than twice as many steps.
    public struct Forgetting: Codable, Sendable, Equatable {
        /// Most trials that are kept whole.
        static let shown = 3

        /// Of the trials whose episode 1 succeeded.
        public let failed: Proportion
        public let slower: Proportion
        /// The first of those that failed, then the first of those that were slower.
        public let trials: [PlayedTrial]
    }

    /// A trial that can be played again: its member and what was done.
    public struct PlayedTrial: Codable, Sendable, Equatable {
        /// Number of the member among those of the record's seed.
        public let member: Int
        /// Steps of each episode.
        public let steps: [Int]
        public let successes: [Bool]
        /// Fewest steps possible; nil where nobody knows.
        public let shortest: Int?
        /// a_t of all episodes, one after another [steps]
        public let actions: [Int]
    }

    /// The policy at the first step of episode 2, in trials where it sees what it saw at the first step of episode 1. The
    /// control is the policy with its memory emptied when episode 1 ends: it is given the same observation, last action,
    /// last reward and flag, and knows nothing else.
    public struct SecondStart: Codable, Sendable, Equatable {
        public enum Group: String, Codable, Sendable, CaseIterable {
            /// Episode 1 succeeded, failed; of tasks without a goal, any.
            case succeeded, failed, any
        }

        public let group: Group
        public let trials: Int
        /// Total variation distance between its distribution and that of the first step of episode 1; the same of the
        /// control.
        public let distance: Estimate
        public let resetDistance: Estimate
        /// Nil of a task that does not tell the optimal actions.
        public let optimal: OptimalFirstAction?

        enum CodingKeys: String, CodingKey {
            case group, trials, distance, resetDistance = "reset_distance", optimal
        }
    }

    /// Whether the first action is one that a player who knows the member may take.
    public struct OptimalFirstAction: Codable, Sendable, Equatable {
        /// Trials whose most probable first action is optimal: in episode 1, in episode 2, of the control in episode 2.
        public let first: Proportion
        public let second: Proportion
        public let reset: Proportion
        /// Probability of an optimal action there.
        public let firstProbability: Estimate
        public let secondProbability: Estimate
        public let resetProbability: Estimate
        /// Share of all actions that are optimal.
        public let chance: Estimate

        enum CodingKeys: String, CodingKey {
            case first, second, reset, firstProbability = "first_probability", secondProbability = "second_probability"
            case resetProbability = "reset_probability", chance
        }
    }

    /// How well a quantity that the task states can be read from the policy's state by a linear map.
    public struct Reading: Codable, Sendable, Equatable {
        public enum Measure: String, Codable, Sendable {
            /// 1 − Σ (y − ŷ)² / Σ (y − ȳ)², ȳ the mean over trials in the same range of episodes and of steps.
            case explained = "r2"
            /// Share of classes, or of statements with a known answer, that are read right.
            case accuracy
        }

        /// As the task calls it.
        public let quantity: String
        public let meaning: String
        public let measure: Measure
        public let trained: Scores
        /// Of the policy's first values, before it was trained, shown the same trials.
        public let untrained: Scores
        /// Of who knows only the ranges of the episode and the step, and answers what was most frequent there in the trials
        /// that read-outs are fitted to; nil for R², where it has 0.
        public let baseline: Scores?
    }

    /// Nil where nothing was asked, or nothing varies.
    public struct Scores: Codable, Sendable, Equatable {
        public let all: Double?
        /// [ranges of episodes]
        public let byEpisode: [Double?]
        /// [ranges of episodes][ranges of steps of an episode]
        public let byStep: [[Double?]]
        /// At the last step of an episode [ranges of episodes]
        public let atEnd: [Double?]

        enum CodingKeys: String, CodingKey {
            case all, byEpisode = "by_episode", byStep = "by_step", atEnd = "at_end"
        }
    }

    /// Reward by episode of the agents of the task that replays show, on the same members under the same chance.
    public let players: [Curve]
    /// The policy less each of them, in return.
    public let differences: [Difference]
    /// Mean return of the oracle on these members; nil where there is none.
    public let oracle: Double?
    /// Nil of a task without a goal, as are `forgetting` and the items of `successions`.
    public let goal: GoalEvaluation?
    public let successions: [Succession]
    public let forgetting: Forgetting?
    /// Groups with at least one trial; empty for trials of one episode.
    public let secondStarts: [SecondStart]
    /// By rule and episode.
    public let agreement: [Agreement]
    /// Numbers of the state from which read-outs read, per trial; 0: it cannot be read.
    public let stateWidth: Int
    /// Last episode, and last step of an episode, of each range.
    public let episodeRanges: [Int]
    public let stepRanges: [Int]
    /// Of the trials that read-outs were judged on, those that came to each range [ranges of episodes][ranges of steps]
    public let trials: [[Int]]
    public let readings: [Reading]
    /// What could not be had, and why, a line each.
    public let leftOut: [String]

    enum CodingKeys: String, CodingKey {
        case players, differences, oracle, goal, successions, forgetting, secondStarts = "second_starts", agreement
        case stateWidth = "state_width", episodeRanges = "episode_ranges", stepRanges = "step_ranges", trials, readings
        case leftOut = "left_out"
    }
}
