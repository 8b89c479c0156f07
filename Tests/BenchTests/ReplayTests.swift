import Foundation
import Interface
import Kernels
import Models
import Tasks
import Testing
import Training

@testable import Bench

/// A policy with first weights: it does not matter what it does.
private func agent(_ family: any TaskFamily, task: String, options: Values) throws -> LearnedAgent {
    var configuration = try Configuration.defaults(task: task, model: "gru", taskOptions: options)
    configuration.hidden = 6
    let policy = try configuration.makePolicy()
    let weights = Matrix(rows: 1, columns: policy.layout.count)
    for (index, value) in policy.layout.initialValues(RandomSource(seed: 3)).enumerated() {
        weights.pointer[index] = value
    }
    return LearnedAgent(name: "gru", policy: policy, weights: weights)
}

private let root = Trainer.heldOutMembers(seed: EvaluationBank.seed)
private let shownMember = Replay.member..<Replay.member + 1

@Suite struct ReplayTests {
    /// Whatever a replay shows is what the same agents earn in an evaluation, where they play many members at once.
    @Test func aBanditReplayIsTheBanksOwnTrial() throws {
        let family = BernoulliBandit(arms: 4, episodes: 30)
        let learned = try agent(family, task: "bandit", options: ["arms": 4, "episodes": 30])
        let replay = try #require(ChoiceReplay(of: family, learned))
        #expect(replay.isWhole && replay.players.map(\.name) == ["gru", "Greedy", "Thompson sampling"])
        let agents: [any Agent] = [learned, GreedyBandit(), ThompsonSampling()]
        for (player, agent) in zip(replay.players, agents) {
            let played = agent.play(shownMember, of: family, root: root, workers: Workers(threads: 2))
            #expect(player.rewards == played.rewards, "\(player.name)")
        }
        var stream = TrialStreams(root.split(Replay.member)).member
        let truth = family.sample(&stream).probabilities.map { shown(Double($0)) }
        #expect(replay.meanRewards == [truth])
        #expect(replay.bestActions == [[truth.firstIndex(of: truth.max()!)!]])
        // Greedy begins with the first arm: where that is the best there would be little to see.
        #expect(replay.bestActions[0][0] != 0)
    }

    /// Rounded to four places, a distribution of A actions sums to 1 within A halves of the last.
    @Test func distributionsAreThoseThatActionsAreDrawnFrom() throws {
        let family = BernoulliBandit(arms: 4, episodes: 2000)
        let replay = try #require(
            ChoiceReplay(of: family, try agent(family, task: "bandit", options: ["arms": 4, "episodes": 2000])))
        let policy = replay.players[0]
        let probabilities = try #require(policy.probabilities)
        #expect(replay.trialSteps == 2000 && probabilities.count == ChoiceReplay.stepLimit)
        #expect(probabilities.allSatisfy { abs($0.reduce(0, +) - 1) < 4 * 0.00005 + 1e-9 })
        // Σ_t (1[a_t = a] − π_t(a)) is a martingale of variance Σ_t π_t (1 − π_t): within four deviations.
        for arm in 0..<4 {
            let taken = Double(policy.actions.count { $0 == arm })
            let shares = probabilities.map { $0[arm] }
            let variance = shares.reduce(0) { $0 + $1 * (1 - $1) }
            #expect(abs(taken - shares.reduce(0, +)) < 4 * variance.squareRoot())
        }
    }

    @Test func anMDPReplayIsTheBanksOwnTrial() throws {
        let family = TabularMDP(states: 4, actions: 3, horizon: 5, episodes: 3)
        let options: Values = ["states": 4, "actions": 3, "horizon": 5, "episodes": 3]
        let learned = try agent(family, task: "mdp", options: options)
        let replay = try #require(ChoiceReplay(of: family, learned))
        #expect(replay.isWhole && replay.players.map(\.name) == ["gru", "Greedy", "PSRL"])
        let agents =
            [learned]
            + ["greedy-correct-prior", "psrl-correct-prior"].map { name -> any Agent in
                AgentCatalogue.entry(named: name, of: "mdp")!.makeAgent()
            }
        for (player, agent) in zip(replay.players, agents) {
            let played = agent.play(shownMember, of: family, root: root, workers: Workers(threads: 1))
            for episode in 0..<3 {
                let sum = player.rewards[5 * episode..<5 * episode + 5].reduce(0, +)
                #expect(abs(sum - played.rewards[episode]) < 5 * 0.0001, "\(player.name)")
            }
            #expect([0, 5, 10].allSatisfy { player.states[$0] == 0 })
        }
        // At the last step of an episode nothing is to come: the best action is that of the highest mean reward.
        for (state, means) in replay.meanRewards.enumerated() {
            #expect(replay.bestActions[4][state] == means.firstIndex(of: means.max()!)!)
        }
    }

    @Test func aMazeReplayIsSeenAgainAsItWasPlayed() throws {
        let options: Values = ["maze-size": 3, "episodes": 2]
        let entry = try #require(taskCatalogue.entry(named: "maze"))
        let all = Values(defaults: entry.options, given: options)
        let family = try #require(entry.make(all) as? FirstPersonMaze)
        let learned = try agent(family, task: "maze", options: options)
        let configuration = try Configuration.defaults(task: "maze", model: "gru", taskOptions: options)
        let subject = CellRecord.Subject(plan: "", cell: "c", modelName: "gru", taskName: "maze", settingName: "")
        let replay = try #require(try Replay(subject, configuration: configuration, agent: learned))
        let visual = try #require(replay.visual)
        #expect(replay.choices == nil && replay.flaw == nil)
        #expect(visual == VisualReplay(of: family.heldOut(), learned))
        let seen = try #require(visual.recording(task: "maze", all))
        let played = TrialRecording(family, .learned(learned), seed: EvaluationBank.seed, member: Replay.member)
        #expect(seen.episodes.count == 2)
        for (one, other) in zip(seen.episodes, played.episodes) {
            #expect(one.actions == other.actions && one.places == other.places && one.frames == other.frames)
        }
        let page = try #require(VisualReplayPage(visual, of: replay))
        #expect(page.lengths == seen.episodes.map(\.steps))
        #expect(page.moments.count <= VisualReplayPage.momentLimit + 2)
        #expect(page.moments.filter { $0.action == nil }.count == 2)
        // A trial that is cut short, or has an action that is none, is not a trial.
        func changed(_ change: (inout [String: Any]) -> Void) throws -> VisualReplay {
            var object = try #require(
                JSONSerialization.jsonObject(with: JSONEncoder().encode(visual)) as? [String: Any])
            change(&object)
            return try JSONDecoder().decode(VisualReplay.self, from: JSONSerialization.data(withJSONObject: object))
        }
        let (actions, shares) = (visual.actions, visual.probabilities)
        #expect(try changed { _ in }.recording(task: "maze", all) != nil)
        #expect(
            try changed {
                ($0["actions"], $0["probabilities"]) = (Array(actions.dropLast()), Array(shares.dropLast()))
            }.recording(task: "maze", all) == nil)
        #expect(try changed { $0["actions"] = actions.map { $0 + 1 } }.recording(task: "maze", all) == nil)
    }
}
