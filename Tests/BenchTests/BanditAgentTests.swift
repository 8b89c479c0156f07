import Foundation
import Interface
import Kernels
import Tasks
import Testing
import Training

@testable import Bench

/// Inputs of one player by hand.
private struct Hand<Agent: ClassicAgent> {
    private let rows: StepColumns
    private(set) var player: Agent.TrialPlayer
    private var step = 0
    private var input: StepView { rows.inputs(from: 0, rows: 1)[0] }

    init(_ agent: Agent, arms: Int, pulls: Int) {
        let family = BernoulliBandit(arms: arms, episodes: pulls)
        rows = StepColumns(space: family.observation, rows: 1)
        player = agent.makePlayer(for: family)
        set(action: -1, reward: 0)
    }

    private func set(action: Int, reward: Float) {
        rows.writer.set(
            0, action: Int32(action), reward: reward, episodeEnd: step == 0 ? 0 : 1, stepIndex: Int32(step))
    }

    /// What the player does next.
    mutating func act(_ random: inout RandomSource) -> Int { player.act(input, random: &random) }

    /// Tells what the last pull brought.
    mutating func tell(_ arm: Int, _ paid: Bool) {
        step += 1
        set(action: arm, reward: paid ? 1 : 0)
    }
}

/// The exact mean total of an agent that draws nothing: over all outcomes, each with its posterior predictive
/// probability. Shares nothing with play but the player.
private func exactMean<Agent: ClassicAgent>(_ agent: Agent, arms: Int, pulls: Int) -> Double {
    var total = 0.0
    for outcomes in 0..<(1 << pulls) {
        var hand = Hand(agent, arms: arms, pulls: pulls)
        var random = RandomSource(seed: 0)
        var (p, q) = ([Double](repeating: 1, count: arms), [Double](repeating: 1, count: arms))
        var (probability, reward) = (1.0, 0.0)
        for pull in 0..<pulls {
            let arm = hand.act(&random)
            let paid = outcomes >> pull & 1 == 1
            probability *= (paid ? p[arm] : q[arm]) / (p[arm] + q[arm])
            if paid { (p[arm], reward) = (p[arm] + 1, reward + 1) } else { q[arm] += 1 }
            hand.tell(arm, paid)
        }
        total += probability * reward
    }
    return total
}

@Suite struct BanditAgentTests {
    private let workers = Workers(threads: 2)

    private func play(_ agent: any Agent, arms: Int, pulls: Int, members: Int, seed: Int = 0) -> Summary {
        Evaluation(
            agent, family: BernoulliBandit(arms: arms, episodes: pulls), members: 0..<members, seed: seed,
            workers: workers
        ).totalRewards
    }

    /// The mean over played members is the exact mean: member, chance, inputs and player together. 4 standard errors.
    @Test func playReproducesExactMeans() {
        func check<Agent: ClassicAgent>(_ agent: Agent) {
            let exact = exactMean(agent, arms: 3, pulls: 6)
            let played = play(agent, arms: 3, pulls: 6, members: 40_000)
            #expect(
                abs(played.mean - exact) < 4 * played.standardError, "\(agent.title): \(played.mean), exact \(exact)")
        }
        check(GreedyBandit())
        check(UCB1(scale: 0.7))
        check(GittinsAgent(rule: .whittle, discount: 0.9))
        check(GittinsAgent(rule: .brezziLai, discount: 0.9))
        check(GittinsAgent(rule: .exact, discount: 0.9))
        check(FiniteHorizonGittinsAgent())
        check(BayesOptimalAgent())
    }

    /// With two pulls of two arms Greedy stays on what paid and leaves what did not: that is optimal, 13/12.
    @Test func meansByHand() {
        #expect(abs(exactMean(GreedyBandit(), arms: 2, pulls: 2) - 13.0 / 12) < 1e-14)
        #expect(abs(exactMean(UCB1(scale: 0), arms: 2, pulls: 2) - 13.0 / 12) < 1e-14)
        // A bonus without bound goes round: ½ a pull.
        #expect(abs(exactMean(UCB1(scale: 1e6), arms: 2, pulls: 4) - 2) < 1e-9)
        for agent in [GittinsAgent.Rule.whittle, .brezziLai, .exact].map({ GittinsAgent(rule: $0, discount: 0.9) }) {
            #expect(abs(exactMean(agent, arms: 2, pulls: 2) - 13.0 / 12) < 1e-14)
        }
    }

    /// Exact play has the exact mean, and no other agent a higher one.
    @Test func nothingBeatsBayesOptimalPlay() throws {
        for (arms, pulls) in [(2, 7), (3, 6)] {
            let optimum = try BayesOptimalBandit(arms: arms, pulls: pulls).value
            #expect(abs(exactMean(BayesOptimalAgent(), arms: arms, pulls: pulls) - optimum) < 1e-12)
            let finite = exactMean(FiniteHorizonGittinsAgent(), arms: arms, pulls: pulls)
            #expect(finite <= optimum + 1e-12 && finite > 0.998 * optimum)
            for others in [
                exactMean(GreedyBandit(), arms: arms, pulls: pulls), exactMean(UCB1(), arms: arms, pulls: pulls),
                exactMean(GittinsAgent(), arms: arms, pulls: pulls),
            ] {
                #expect(others <= optimum + 1e-12)
            }
        }
    }

    /// The benchmark's optimum, played: within 3 standard errors.
    @Test(arguments: [(5, 6.65999), (10, 6.71395), (50, 6.71395)])
    func bayesOptimalPlayEarnsItsValue(_ arms: Int, _ value: Double) {
        for ties in TieRule.allCases {
            let played = play(BayesOptimalAgent(ties: ties), arms: arms, pulls: 10, members: 20_000)
            #expect(abs(played.mean - value) < 3 * played.standardError, "\(arms) arms: \(played.mean)")
        }
    }

    @Test func whatIsTooLargeIsRefusedWithItsSize() throws {
        #expect(BayesOptimalAgent.objection(BernoulliBandit(arms: 2, episodes: 1000, prior: .dependent)) == nil)
        let large = BernoulliBandit(arms: 5, episodes: 100)
        let refusal = try #require(BayesOptimalAgent.objection(large))
        #expect(refusal.contains("3.63e+11 states"))
        #expect(BayesOptimalAgent.objection(BernoulliBandit(arms: 50, episodes: 10)) == nil)
        #expect(FiniteHorizonGittinsAgent.objection(BernoulliBandit(arms: 2, episodes: 500)) == nil)
        let long = try #require(FiniteHorizonGittinsAgent.objection(BernoulliBandit(arms: 2, episodes: 1000)))
        #expect(long.contains("1.67e+08 states"))
    }

    // MARK: Ties

    /// Untried arms tie with each other and with an arm that paid once of two; the first is taken, or any alike.
    @Test func tieRules() {
        var random = RandomSource(seed: 1)
        #expect(TieRule.first.argmax([1, 3, 3, 2, 3], &random) == 1)
        #expect(random == RandomSource(seed: 1), "nothing is drawn where the rule needs nothing")
        var counts = [Int](repeating: 0, count: 5)
        let draws = 30_000
        for _ in 0..<draws { counts[TieRule.random.argmax([1, 3, 3, 2, 3], &random)] += 1 }
        #expect(counts[0] == 0 && counts[3] == 0)
        for arm in [1, 2, 4] {
            #expect(abs(Double(counts[arm]) - 1e4) < 4.5 * (Double(draws) * 2 / 9).squareRoot())
        }

        func thirdPull(_ ties: TieRule, _ random: inout RandomSource) -> Int {
            var hand = Hand(GreedyBandit(ties: ties), arms: 4, pulls: 3)
            _ = hand.act(&random)
            hand.tell(2, true)
            #expect(hand.act(&random) == 2)
            hand.tell(2, false)
            return hand.act(&random)
        }
        #expect(thirdPull(.first, &random) == 0)
        #expect(Set((0..<200).map { _ in thirdPull(.random, &random) }) == [0, 1, 2, 3])
    }

    /// ε = 1 is random play; ε = 0.3 on a known best arm pulls another with probability 0.3 · 3/4.
    @Test func epsilonGreedyExplores() {
        var random = RandomSource(seed: 2)
        let draws = 20_000
        var others = 0
        for _ in 0..<draws {
            var hand = Hand(GreedyBandit(epsilon: 0.3), arms: 4, pulls: 2)
            _ = hand.act(&random)
            hand.tell(3, true)
            if hand.act(&random) != 3 { others += 1 }
        }
        let p = 0.3 * 0.75
        #expect(abs(Double(others) - p * Double(draws)) < 4.5 * (p * (1 - p) * Double(draws)).squareRoot())
        let played = play(GreedyBandit(epsilon: 1), arms: 4, pulls: 10, members: 10_000)
        #expect(abs(played.mean - 5) < 4 * played.standardError)
    }

    // MARK: Posterior sampling

    /// After one success of arm 0 the posteriors are Beta(2, 1) and U(0, 1): P(x₀ > x₁) = ∫ 2x · x dx = 2/3. After one
    /// success and one failure each the arms are alike.
    @Test func thompsonSamplingMatchesProbability() {
        var random = RandomSource(seed: 3)
        let draws = 40_000
        var firsts = [0, 0]
        for _ in 0..<draws {
            var hand = Hand(ThompsonSampling(), arms: 2, pulls: 9)
            _ = hand.act(&random)
            hand.tell(0, true)
            if hand.act(&random) == 0 { firsts[0] += 1 }
            for (arm, paid) in [(0, false), (1, false), (1, true)] {
                hand.tell(arm, paid)
                let chosen = hand.act(&random)
                if arm == 1 && paid && chosen == 0 { firsts[1] += 1 }
            }
        }
        for (count, p) in zip(firsts, [2.0 / 3, 0.5]) {
            #expect(abs(Double(count) - p * Double(draws)) < 4.5 * (p * (1 - p) * Double(draws)).squareRoot())
        }
    }

    /// After one success of arm 0: max(x₀, 2/3) > max(x₁, 1/2) where x₁ < 2/3, and where x₀ > x₁ beyond:
    /// 2/3 + ∫ 1 − x² dx from 2/3 to 1 = 62/81.
    @Test func optimismRaisesDrawsToTheMean() {
        var random = RandomSource(seed: 6)
        let (draws, p) = (40_000, 62 / 81.0)
        var first = 0
        for _ in 0..<draws {
            var hand = Hand(ThompsonSampling(isOptimistic: true), arms: 2, pulls: 9)
            _ = hand.act(&random)
            hand.tell(0, true)
            if hand.act(&random) == 0 { first += 1 }
        }
        #expect(abs(Double(first) - p * Double(draws)) < 4.5 * (p * (1 - p) * Double(draws)).squareRoot())
    }

    /// Drawing only what can still matter leaves the choice as it is: against the algorithm as it is stated, with all
    /// arms of all vectors drawn and their densities compared. Two samples of n choices each; a count's difference has a
    /// variance of at most n / 2.
    @Test(arguments: [1, 3, 20]) func optimisticThompsonSamplingIsTheStatedAlgorithm(_ samples: Int) {
        // Untried, successes only, failures only, both: arms of every kind.
        let history = [(1, true), (2, false), (3, true), (3, false), (1, true), (3, true), (4, false), (4, true)]
        let (p, q) = ([1.0, 3, 1, 3, 2], [1.0, 1, 2, 2, 2])
        var random = RandomSource(seed: 4)
        let draws = 40_000
        var (lazy, stated) = ([Int](repeating: 0, count: 5), [Int](repeating: 0, count: 5))
        var hand = Hand(OptimisticThompsonSampling(samples: samples), arms: 5, pulls: 99)
        for (arm, paid) in history {
            _ = hand.act(&random)
            hand.tell(arm, paid)
        }
        // A copy of the player each time: the last pull is told anew.
        for _ in 0..<draws {
            var copy = hand
            lazy[copy.act(&random)] += 1
            var (best, density) = ([Double](), -Double.infinity)
            for _ in 0..<samples {
                var vector = [0.0, 0, 0, 0, 0]
                var sum = 0.0
                for arm in 0..<5 {
                    vector[arm] = random.beta(p[arm], q[arm])
                    sum += (p[arm] - 1) * log(vector[arm])
                    sum += (q[arm] - 1) * log(1 - vector[arm])
                }
                if sum > density { (best, density) = (vector, sum) }
            }
            stated[best.firstIndex(of: best.max()!)!] += 1
        }
        for arm in 0..<5 {
            #expect(abs(Double(lazy[arm] - stated[arm])) < 4.5 * (Double(draws) / 2).squareRoot(), "\(lazy) \(stated)")
        }
    }
}
