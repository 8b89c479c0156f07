import Foundation
import Kernels
import Tasks
import Training

/// What a trained policy does inside a trial, in numbers: a page and a report's section are pure functions of it. The same
/// run analysed anew gives the same bytes.
public struct AnalysisRecord: StoredResult, Sendable, Equatable {
    /// Version of the format that this build writes and reads.
    public static let version = 1
    public static let (title, folder) = ("an analysis", "analyses")
    public static let advice = "move it away to have the analysis done again"

    /// Members that are played unless told: half as many where episodes are long because they have a goal.
    public static func standardTrials(of family: any TaskFamily) -> Int {
        family.measures.contains(.success) ? 1000 : 2000
    }

    public let version: Int
    /// Plan's cell; "" for a run made by hand. Names as in `CellRecord`.
    public let cell: String
    public let modelName: String
    public let taskName: String
    public let settingName: String
    /// Of the training.
    public let seed: Int
    /// `config.yaml` of the run.
    public let configuration: String
    /// Seed of the held-out members.
    public let memberSeed: Int
    /// Members, one trial each.
    public let trials: Int
    /// Reward of each episode of a trial.
    public let episodes: Curve
    /// Nil for other tasks.
    public let bandit: InsideBandit?
    /// Nil for bandits, and in records that rl2x 0.1.0 made.
    public let inside: InsideTrial?

    enum CodingKeys: String, CodingKey {
        case version, cell, modelName = "model_name", taskName = "task_name", settingName = "setting_name", seed
        case configuration, memberSeed = "member_seed", trials, episodes, bandit, inside = "inside_trial"
    }
}

/// A mean over trials and its standard error.
public struct Estimate: Codable, Sendable, Equatable {
    public let mean: Double
    public let standardError: Double

    enum CodingKeys: String, CodingKey { case mean, standardError = "standard_error" }
}

/// Means over trials at each episode, with their standard errors.
public struct Curve: Codable, Sendable, Equatable {
    public let name: String
    /// [episodes]
    public let mean: [Double]
    /// [episodes]
    public let standardError: [Double]

    enum CodingKeys: String, CodingKey { case name, mean, standardError = "standard_error" }

    init(_ name: String, _ moments: [Moments]) {
        self.name = name
        mean = moments.map(\.mean)
        standardError = moments.map(\.standardError)
    }
}

/// How often a policy does what a rule would do at the histories that the policy itself comes to; by
/// pull of a bandit, by episode of other tasks [n].
public struct Agreement: Codable, Sendable, Equatable {
    public let rule: String
    /// Share of histories at which the most probable action is one that the rule allows [n]
    public let mode: [Double]
    /// Probability of taking an action that the rule allows [n]
    public let probability: [Double]
    /// The same of uniformly random play: actions that the rule allows, of all [n]
    public let chance: [Double]

    /// Over all pulls or episodes.
    public func mean(_ shares: [Double]) -> Double { shares.reduce(0, +) / Double(shares.count) }
}

/// Total reward of the policy less that of a player, on the same members under the same chance.
public struct Difference: Codable, Sendable, Equatable {
    public let player: String
    public let difference: Estimate
}

/// What was found inside the trials of a bandit. Pulls are counted from 0 in arrays; "by pull" is what holds when pull t is
/// chosen, with t rewards seen.
public struct InsideBandit: Codable, Sendable, Equatable {
    /// The histories that tell two rules apart, because they allow no arm in common: whom the policy follows there.
    public struct Contest: Codable, Sendable, Equatable {
        /// Held against the rule of `agreement[0]`.
        public let rule: String
        /// Of all histories.
        public let share: Double
        /// Of these, the share at which the policy's most probable arm is one of the first rule's, and of this one's; the
        /// rest follow neither. Nil if there are none.
        public let withReference: Double?
        public let withRule: Double?

        enum CodingKeys: String, CodingKey {
            case rule, share, withReference = "with_reference", withRule = "with_rule"
        }
    }

    /// How well a quantity can be read from the policy's state by a linear map.
    public struct Probe: Codable, Sendable, Equatable {
        /// `posterior_mean`, (1 + s) / (2 + s + f) for the uniform prior, or `pull_count` s + f, of each arm.
        public let quantity: String
        /// R² on trials that the map was not fitted to, over all pulls, the arms weighted by their variance.
        public let explained: Double
        /// The same of the policy's first values, before it was trained.
        public let untrained: Double
        /// R² within each pull [n]; null where nothing varies, as before the first.
        public let byPull: [Double?]
        public let untrainedByPull: [Double?]

        enum CodingKeys: String, CodingKey {
            case quantity, explained = "r2", untrained = "r2_untrained", byPull = "r2_by_pull"
            case untrainedByPull = "r2_untrained_by_pull"
        }
    }

    /// What one reward changes: the probability of the arm of pull t at pull t + lag, had pull t paid 1 and not 0.
    public struct Flip: Codable, Sendable, Equatable {
        /// t, from 0.
        public let pull: Int
        public let lag: Int
        public let effect: Estimate
        /// Total variation distance between the two distributions.
        public let totalVariation: Estimate
        /// The same of Thompson sampling at the same histories.
        public let thompsonEffect: Estimate
        public let thompsonTotalVariation: Estimate
        /// The same of the rule of `agreement[0]`, which draws among equals.
        public let ruleEffect: Estimate
        public let ruleTotalVariation: Estimate

        enum CodingKeys: String, CodingKey {
            case pull, lag, effect, totalVariation = "total_variation", thompsonEffect = "thompson_effect"
            case thompsonTotalVariation = "thompson_total_variation", ruleEffect = "rule_effect"
            case ruleTotalVariation = "rule_total_variation"
        }
    }

    /// Reward lost so far to who knows p, under the same chance: the policy, then the other players [players][n]
    public let regret: [Curve]
    public let differences: [Difference]
    /// By rule, the most exact first.
    public let agreement: [Agreement]
    /// Of the other rules against the first.
    public let contests: [Contest]
    /// Numbers of the state that probes read, per trial; 0: it cannot be read, and there are no probes.
    public let stateWidth: Int
    public let probes: [Probe]
    /// Total variation distance between what the policy does after a history and, under other names of the arms, after
    /// the renamed history [n]; 0: names play no part.
    public let renaming: Curve
    public let flips: [Flip]
    /// What could not be had, and why, a line each.
    public let leftOut: [String]

    enum CodingKeys: String, CodingKey {
        case regret, differences, agreement, contests, stateWidth = "state_width", probes, renaming, flips, leftOut =
            "left_out"
    }
}

/// Count, sum and sum of squares of a sample, which can be added up in parts.
struct Moments: Equatable {
    private(set) var count = 0.0
    private(set) var sum = 0.0
    private var squares = 0.0

    mutating func add(_ value: Double) {
        count += 1
        sum += value
        squares += value * value
    }

    mutating func add(_ other: Moments) {
        count += other.count
        sum += other.sum
        squares += other.squares
    }

    /// 0 of nothing.
    var mean: Double { count > 0 ? sum / count : 0 }
    /// 0 of fewer than two.
    var standardError: Double {
        count > 1 ? (max(0, squares / count - mean * mean) / (count - 1)).squareRoot() : 0
    }
    var estimate: Estimate { Estimate(mean: mean, standardError: standardError) }
}
