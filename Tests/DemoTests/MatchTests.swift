import Autodiff
import Foundation
import Interface
import Kernels
import Models
import Tasks
import Testing

@testable import Bench
@testable import Demo
@testable import Training

@Suite struct MatchTests {
    /// A policy with weights that are far from their first values.
    private func agent(_ task: String, _ model: String = "gru", _ options: Values = [:]) throws -> LearnedAgent {
        var request = RunRequest(task: task, model: model)
        request.set(options.merging(["hidden": 12]))
        let configuration = try request.resolve()
        let policy = try configuration.makePolicy()
        let weights = Matrix(rows: 1, columns: policy.layout.count)
        var random = RandomSource(seed: 5)
        for index in 0..<weights.count { weights.pointer[index] = 0.4 * Float(random.normal()) }
        return LearnedAgent(name: model, policy: policy, weights: weights)
    }

    private func family(_ task: String, _ options: Values = [:]) throws -> any TaskFamily {
        let entry = try taskCatalogue.require(task)
        return entry.make(Values(defaults: entry.options, given: options)).heldOut()
    }

    /// The player of evaluations; keeps what it draws the actions of lane 0 from.
    private final class Witness: LanePlayer {
        private let player: any LanePlayer
        private let distributions: Buffer<Float>
        private let outcomes: Int
        private var lanes: [Int] = []
        private(set) var logProbabilities: [[Float]] = []
        private(set) var actions: [Int] = []

        init<Policy: SequencePolicy>(_ policy: Policy, _ weights: Matrix, lanes: Int, steps: Int) {
            outcomes = policy.outputs
            distributions = Buffer(capacity: lanes * policy.outputs)
            player = PolicyPlayer(
                policy, parameters: UnsafePointer(weights.pointer),
                memory: policy.makeMemory(lanes: lanes, steps: steps), distributions: distributions, choice: .sampled,
                tape: Tape())
        }

        func begin(_ trials: [TrialStreams]) {
            player.begin(trials)
            lanes = Array(trials.indices)
        }

        func restart(lane: Int, _ trial: TrialStreams) { player.restart(lane: lane, trial) }

        func keep(lanes kept: [Int]) {
            player.keep(lanes: kept)
            lanes = kept.map { lanes[$0] }
        }

        func act(_ inputs: StepInputs, into actions: UnsafeMutablePointer<Int32>) {
            player.act(inputs, into: actions)
            guard let place = lanes.firstIndex(of: 0) else { return }
            logProbabilities.append((0..<outcomes).map { distributions.pointer[place * outcomes + $0] })
            self.actions.append(Int(actions[place]))
        }
    }

    /// What an evaluation of some members draws the actions of the first one from.
    private func evaluated(_ agent: LearnedAgent, _ family: any TaskFamily, lanes: Int) -> Witness {
        let root = Trainer.heldOutMembers(seed: 11)
        func witness(_ policy: some SequencePolicy) -> Witness {
            Witness(policy, agent.weights, lanes: lanes, steps: family.maximumTrialSteps)
        }
        let player = witness(agent.policy)
        let record = RolloutBuffer(
            space: family.observation, lanes: lanes, steps: lanes * family.maximumTrialSteps)
        Rollout.play(
            player, lanes: family.makeLanes(lanes),
            queue: TrialQueue(numbers: Array(0..<lanes), streams: { TrialStreams(root.split($0)) }), into: record)
        return player
    }

    /// A policy that plays live is given, gives and does what it does in an evaluation of that member, to the bit. In an
    /// evaluation of many members matrix products have other shapes, which round otherwise.
    private func requireEvaluation(_ agent: LearnedAgent, _ family: any TaskFamily, lanes: Int) throws {
        let streams = TrialStreams(Trainer.heldOutMembers(seed: 11).split(0))
        let trial = family.makeLiveTrial(streams)
        let player = LivePlayer(agent, streams: streams, steps: family.maximumTrialSteps)
        var (logProbabilities, actions, reward) = ([[Float]](), [Int](), 0.0)
        while !trial.isOver {
            actions.append(player.act(trial.inputs))
            logProbabilities.append(try #require(player.logProbabilities))
            reward += Double(trial.take(actions[actions.count - 1]).reward)
        }
        let alone = evaluated(agent, family, lanes: 1)
        #expect(alone.actions == actions)
        #expect(
            alone.logProbabilities.map { $0.map(\.bitPattern) } == logProbabilities.map { $0.map(\.bitPattern) })
        let evaluation = Evaluation(agent, family: family, members: 0..<1, seed: 11, workers: Workers(threads: 1))
        #expect(abs(evaluation.totals[0] - reward) < 1e-4)

        let together = evaluated(agent, family, lanes: lanes)
        var compared = 0
        for (step, (one, other)) in zip(logProbabilities, together.logProbabilities).enumerated() {
            for (one, other) in zip(one, other) { #expect(abs(one - other) < 1e-3 * max(1, abs(one))) }
            compared += 1
            // A draw between two sums that differ by rounding is rare, and ends what can be compared.
            if step >= together.actions.count || together.actions[step] != actions[step] { break }
        }
        #expect(compared > 0)
    }

    @Test(arguments: [
        ("bandit", "gru"), ("bandit", "lstm"), ("bandit", "transformer"), ("bandit", "min-gru"),
        ("bandit", "symmetric-gru"), ("mdp", "gru"), ("maze", "gru"),
    ]) func aPolicyPlaysAsInAnEvaluation(_ task: String, _ model: String) throws {
        let options: Values = task == "maze" ? ["maze-size": 3, "hold-out": "draws", "training-mazes": 0] : [:]
        try requireEvaluation(
            agent(task, model, options), family(task, options), lanes: task == "maze" ? 9 : 70)
    }

    private static let zoo = Zoo(
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("bench/zoo").path)

    @Test(arguments: MatchTests.zoo.names) func thePoliciesOfTheZooPlayAsInAnEvaluation(_ name: String) throws {
        let agent = try DemoAgent(MatchTests.zoo.policy(name))
        try requireEvaluation(agent.agent, agent.configuration.makeFamily().heldOut(), lanes: 33)
    }

    /// A classic agent does in a live trial what it does in an evaluation.
    @Test(arguments: ["thompson", "ucb1", "greedy", "bayes-optimal"]) func classicAgentsPlayTheSame(
        _ name: String
    ) throws {
        let family = try family("bandit")
        let opponent = try #require(DemoOpponent.all(of: "bandit", playing: family).first { $0.name == name })
        let root = Trainer.heldOutMembers(seed: 3)
        let totals = Evaluation(
            opponent.agent, family: family, members: 0..<20, seed: 3, workers: Workers(threads: 1)
        ).totals
        for member in 0..<20 {
            let streams = TrialStreams(root.split(member))
            let trial = family.makeLiveTrial(streams)
            let player = LivePlayer(opponent.agent, family: family, streams: streams)
            var reward = 0.0
            while !trial.isOver { reward += Double(trial.take(player.act(trial.inputs)).reward) }
            #expect(reward == totals[member])
        }
    }

    /// Whoever plays meets the same member under the same chance, and what the page shows is what the trial was.
    @Test func aMatchIsOneMember() throws {
        let request = Match.Request(
            task: "bandit", agents: [], opponents: ["thompson", "greedy", "random"], options: ["episodes": "12"],
            seed: 9, you: true)
        let match = try Match(request, agents: [])
        let opening = match.opening(id: 1)
        let means = try #require(opening.table?.meanRewards[0])
        #expect(opening.players.map(\.kind) == [.classic, .classic, .classic, .you] && opening.episodes == 12)
        var rewards: [Int: [Int: Double]] = [:]
        for pull in 0..<12 {
            let played = try match.play(Match.Move(action: pull % 5, steps: 1))
            #expect(played.isOver == (pull == 11) && played.players.count == 4)
            for player in played.players {
                let step = try #require(player.steps.first)
                #expect(step.endsEpisode && step.episode == pull && [0, 1].contains(step.reward))
                // Two who pull one arm at one time earn the same.
                if let other = rewards[pull]?[step.action] { #expect(other == step.reward) }
                rewards[pull, default: [:]][step.action] = step.reward
            }
        }
        #expect(means.count == 5 && means.allSatisfy { (0...1).contains($0) })
        #expect(throws: UserError.self) { try match.play(Match.Move(action: 0, steps: nil)) }
        #expect(try match.play(Match.Move(action: nil, steps: 5)).players.allSatisfy { $0.steps.isEmpty })
    }

    @Test func wrongRequestsAreOneLine() throws {
        let sound = Match.Request(task: "bandit", agents: [], opponents: ["greedy"], options: nil, seed: 1, you: nil)
        func message(_ change: (inout Match.Request) -> Void) -> String? {
            var request = sound
            change(&request)
            do { _ = try Match(request, agents: []) } catch { return "\(error)" }
            return nil
        }
        #expect(message { _ in } == nil)
        let wrong: [(inout Match.Request) -> Void] = [
            { $0.task = "chess" }, { $0.agents = ["zoo:none"] }, { $0.opponents = ["none"] },
            { $0.opponents = [] }, { $0.seed = -1 }, { $0.options = ["arms": "x"] }, { $0.options = ["arms": "51"] },
            { $0.options = ["episodes": "501"] }, { $0.options = ["none": "1"] },
            { $0.options = ["prior": "dependent"] },
            { $0.opponents = Array(repeating: "greedy", count: 9) },
            {
                $0.task = "maze"
                $0.opponents = ["oracle"]
                $0.options = ["maze-size": "6"]
            },
        ]
        for change in wrong {
            let text = message(change)
            #expect(text != nil && text?.contains("\n") == false)
        }
        let match = try Match(sound, agents: [])
        for move in [
            Match.Move(action: 0, steps: nil), Match.Move(action: nil, steps: -1),
            Match.Move(action: nil, steps: .max),
        ] { #expect(throws: UserError.self) { try match.play(move) } }
    }

    @Test func oldMatchesMakeRoom() async throws {
        let hub = DemoHub([])
        let request = Match.Request(task: "bandit", agents: [], opponents: ["greedy"], options: nil, seed: 1, you: nil)
        let first = try await hub.begin(request).id
        let second = try await hub.begin(request).id
        for _ in 2..<DemoHub.mostMatches { _ = try await hub.begin(request) }
        // Who was played last stays longest.
        _ = try await hub.play(first, Match.Move(action: nil, steps: 1))
        _ = try await hub.begin(request)
        _ = try await hub.play(first, Match.Move(action: nil, steps: 1))
        await #expect(throws: DemoHub.Gone.self) { _ = try await hub.play(second, Match.Move(action: nil, steps: 1)) }
    }
}
