import Foundation
import Kernels
import Tasks
import Training

/// A trial in which each choice's worth can be written down, of a bandit or a tabular MDP: what the policy did, and what
/// two classic agents did with the same member under the same chance. A bandit is an MDP of one state and one step.
public struct ChoiceReplay: Codable, Sendable, Equatable {
    /// Most steps that are kept; of a longer trial the first.
    static let stepLimit = 500

    /// What a mean reward is believed to be before anything is seen, and how many rewards that belief weighs as much as:
    /// after n rewards of sum Σ the posterior mean is (weight · mean + Σ) / (weight + n).
    struct Prior: Codable, Sendable, Equatable {
        let mean: Double
        let weight: Double
    }

    struct Player: Codable, Sendable, Equatable {
        let name: String
        /// s_t [steps]
        let states: [Int]
        /// a_t [steps]
        let actions: [Int]
        /// r_t [steps]
        let rewards: [Double]
        /// π(· | history) [steps][A]; nil for a classic agent.
        let probabilities: [[Double]]?
    }

    /// Steps of the whole trial.
    let trialSteps: Int
    /// T: steps of an episode.
    let horizon: Int
    /// Mean reward of each action [S][A]
    let meanRewards: [[Double]]
    /// What one who knows the member does at each step of an episode [T][S]; the first of equals.
    let bestActions: [[Int]]
    let prior: Prior
    /// The policy first.
    let players: [Player]

    enum CodingKeys: String, CodingKey {
        case trialSteps = "trial_steps", horizon, meanRewards = "mean_rewards", bestActions = "best_actions", prior
        case players
    }

    /// Nil for a family whose actions have no mean rewards to be listed.
    init?(of family: any TaskFamily, _ agent: LearnedAgent) {
        let root = Trainer.heldOutMembers(seed: EvaluationBank.seed)
        guard let table = family.choices(trial: root.split(Replay.member)) else { return nil }
        meanRewards = table.meanRewards.map { $0.map(shown) }
        bestActions = table.bestActions
        prior = Prior(mean: table.priorMean, weight: table.priorWeight)
        (trialSteps, horizon) = (family.maximumTrialSteps, family.maximumEpisodeSteps)
        var players = [
            Player(agent.name, agent.trial(of: family, member: Replay.member, root: root), isLearned: true)
        ]
        // The simplest first: tables have it last.
        for entry in AgentCatalogue.entries(of: family.name).reversed() where entry.isShownInReplays {
            let agent = entry.makeAgent()
            guard let teacher = agent as? any Teacher, entry.objection(family) == nil else { continue }
            let batch = TrialBatch(family: family, trials: 1)
            batch.play(teacher, root: root, first: Replay.member, workers: Workers(threads: 1))
            players.append(Player(agent.name, batch.shards[0].trial(0), isLearned: false))
        }
        self.players = players
    }

    /// Whether all arrays have the lengths that belong to one trial, and all numbers of states and actions exist.
    var isWhole: Bool {
        let (states, actions) = (meanRewards.count, meanRewards.first?.count ?? 0)
        let steps = players.first?.actions.count ?? 0
        return states > 0 && actions > 0 && steps > 0 && horizon > 0 && trialSteps >= steps && prior.weight > 0
            && meanRewards.allSatisfy { $0.count == actions } && bestActions.count == horizon
            && bestActions.allSatisfy { $0.count == states && $0.allSatisfy((0..<actions).contains) }
            && players[0].probabilities != nil
            && players.allSatisfy { player in
                player.states.count == steps && player.actions.count == steps && player.rewards.count == steps
                    && player.states.allSatisfy((0..<states).contains)
                    && player.actions.allSatisfy((0..<actions).contains)
                    && player.probabilities.map {
                        $0.count == steps && $0.allSatisfy { $0.count == actions }
                    } ?? true
            }
    }
}

extension ChoiceReplay.Player {
    init(_ name: String, _ trial: [TrialStep], isLearned: Bool) {
        let steps = trial.prefix(ChoiceReplay.stepLimit)
        self.init(
            // The state is one-hot; a bandit shows nothing.
            name: name, states: steps.map { $0.input.vector.firstIndex(of: 1) ?? 0 },
            actions: steps.map { Int($0.action) }, rewards: steps.map { shown(Double($0.reward)) },
            probabilities: isLearned ? steps.map(\.shownProbabilities) : nil)
    }
}

extension TaskFamily {
    fileprivate func choices(trial: RandomSource) -> ChoiceTable? { choices(of: member(of: trial)) }
}
