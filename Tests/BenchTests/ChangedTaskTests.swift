import Interface
import Kernels
import Tasks
import Testing
import Training

@testable import Bench

/// The same weights on other members, and what they are measured against there.
@Suite struct ChangedTaskTests {
    private func configuration(
        _ task: String, _ options: Values = [:], model: String = "gru", _ modelOptions: Values = [:]
    ) throws -> Configuration {
        try Configuration.defaults(task: task, model: model, taskOptions: options, modelOptions: modelOptions)
    }

    private func error(_ configuration: Configuration, _ given: Values) -> String {
        let error = #expect(throws: UserError.self) { try configuration.playing(given) }
        return error?.description ?? ""
    }

    @Test func whatKeepsItsWidthMayChange() throws {
        let bandit = try configuration("bandit").playing(["episodes": 30, "prior": "beta22"])
        #expect(bandit.taskOptions == ["arms": 5, "episodes": 30, "prior": "beta22"])
        #expect(try configuration("mdp").playing(["horizon": 20]).makeFamily().maximumTrialSteps == 200)
        #expect(try configuration("maze").playing(["maze-size": 9, "frame-width": 40]).makeFamily().episodes == 2)
        #expect(try configuration("bandit").playing([:]) == configuration("bandit"))
    }

    /// An arm-symmetric policy has the same weights for any number of arms, but not for any number of states.
    @Test(arguments: ["symmetric-gru", "symmetric-lstm", "symmetric-transformer"])
    func aSymmetricPolicyPlaysAnyNumberOfArms(_ model: String)
        throws
    {
        let trained = try configuration("bandit", model: model, ["hidden": 8])
        let policy = try trained.makePolicy()
        let weights = Matrix(rows: 1, columns: policy.layout.count)
        weights.copy(from: policy.layout.initialValues(RandomSource(seed: 1)))
        let agent = LearnedAgent(name: "", policy: policy, weights: weights)
        for arms in [2, 5, 50] {
            let bandit = try trained.playing(["arms": .integer(arms)])
            let other = try agent.playing(bandit)
            #expect(other.policy.outputs == arms)
            // The first policy is nearly random, whose return is 5.
            let played = Evaluation(
                other, family: try bandit.makeFamily(), members: 0..<1000, seed: 3, workers: Workers(threads: 1))
            #expect(abs(played.totalRewards.mean - 5) < 4 * played.totalRewards.standardError, "\(played.totalRewards)")
        }
        #expect(try configuration("mdp", model: model).playing(["actions": 3]).makePolicy().outputs == 3)
        #expect(error(try configuration("mdp", model: model), ["states": 12]).contains("--states is 12"))
    }

    @Test func whatChangesTheWidthIsNamed() throws {
        for (task, given, words) in [
            ("bandit", ["episodes": 20, "arms": 7] as Values, "--arms is 7, and this policy was trained on 5"),
            ("bandit", ["arms": 3], "--arms is 3"), ("mdp", ["horizon": 5, "states": 12], "--states is 12"),
            ("mdp", ["actions": 2], "--actions is 2"),
            ("maze", ["maze-size": 9, "frame-height": 60], "--frame-height"),
            ("bandit", ["maze-size": 9], "--maze-size is no option of task 'bandit'"),
            ("bandit", ["prior": "dependent"], "--prior dependent"), ("maze", ["maze-size": 4], "--maze-size is 4"),
        ] {
            let text = error(try configuration(task), given)
            #expect(text.contains(words) && !text.contains("\n"), "\(text)")
        }
    }

    /// Regret member by member tells the exact mean of a player as well as its total reward does, and with less noise: here
    /// the exact Bayes-optimal value of a hundred seeds of 200 members each.
    @Test func regretTakesTheLuckOfTheMembersAway() throws {
        let family = BernoulliBandit(arms: 3, episodes: 30)
        let workers = Workers(threads: 2)
        var (plain, adjusted) = ([Double](), [Double]())
        var optimum = 0.0
        for seed in 0..<100 {
            let played = Evaluation(
                BayesOptimalAgent(), family: family, members: 0..<200, seed: seed, workers: workers)
            let references = ReferenceReturns(of: family, members: 0..<200, seed: seed)
            optimum = try #require(references.optimum)
            plain.append(played.totalRewards.mean)
            let regret = try #require(references.regret(of: played))
            adjusted.append(try #require(references.totalReward(by: regret)))
            #expect(regret.standardError < 0.7 * played.totalRewards.standardError)
        }
        #expect(abs(Summary(adjusted).mean - optimum) < 4 * Summary(adjusted).standardError)
        #expect(Summary(adjusted).standardDeviation < 0.8 * Summary(plain).standardDeviation)
    }

    /// The exact optimum is that of the members which are played: the agent that plays it earns it, whatever the prior.
    @Test(arguments: [
        BernoulliBandit(arms: 3, episodes: 8, prior: .beta(shape: 2)),
        BernoulliBandit(arms: 2, episodes: 30, prior: .dependent), BernoulliBandit(arms: 3, episodes: 8),
    ]) func theOptimumIsThatOfThePrior(_ family: BernoulliBandit) throws {
        let references = ReferenceReturns(of: family, members: 0..<100, seed: 1)
        let optimum = try #require(references.optimum)
        for ties in TieRule.allCases {
            let played = Evaluation(
                BayesOptimalAgent(ties: ties), family: family, members: 0..<20_000, seed: 1,
                workers: Workers(threads: 2)
            ).totalRewards
            #expect(abs(played.mean - optimum) < 4 * played.standardError, "\(played.mean), exact \(optimum)")
        }
        let (ceiling, floor) = (try #require(references.oracle), try #require(references.random))
        #expect(floor < optimum && optimum < ceiling)
        let uniform = try BayesOptimalBandit(arms: family.arms, pulls: family.episodes).value
        #expect((abs(uniform - optimum) < 1e-9) == (family.prior == .uniform))
    }

    /// A window of 5 steps is no bound on trials of 5; on longer ones the note says what is seen.
    @Test func aBoundedContextIsNoted() throws {
        let narrow = try configuration("bandit", ["episodes": 5], model: "transformer", ["attention-window": 5])
        #expect(narrow.contextNote == nil)
        let note = try #require(try narrow.playing(["episodes": 20]).contextNote)
        #expect(note.contains("last 5 of 20 steps") && note.contains("2 layers reach 8 steps back"))
        let one = try configuration("bandit", model: "transformer", ["attention-window": 5, "layers": 1])
        #expect(try #require(one.contextNote).contains("5 of 10") && !one.contextNote!.contains("layers"))
        #expect(try configuration("bandit", model: "transformer").contextNote == nil)
        #expect(try configuration("bandit").contextNote == nil)
    }
}
