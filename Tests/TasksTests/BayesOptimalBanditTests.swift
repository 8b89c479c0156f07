import Foundation
import Testing

@testable import Tasks

/// Exact play of Bernoulli bandits: against values by hand, against a recursion that shares nothing with it, against
/// play.
@Suite struct BayesOptimalBanditTests {
    /// One pull: every mean is 1/2.
    ///
    /// Two pulls, two arms: the first pays 1/2. If it paid (1/2), pull it again, mean 2/3 > 1/2; if not (1/2), its
    /// mean is 1/3, so pull the other, 1/2. Together 1/2 + 1/2 · 2/3 + 1/2 · 1/2 = 13/12.
    ///
    /// Three pulls, two arms, from the first arm's counts (s, f) and an untouched arm with two pulls left:
    /// (1, 0): staying gives 2/3 · (1 + 3/4) + 1/3 · (0 + 1/2) = 4/3 (a tie at mean 1/2 after (1, 1)), changing
    /// 1/2 + 2/3 = 7/6; (0, 1): changing gives 1/2 · (1 + 2/3) + 1/2 · 1/3 = 1, staying 1/3 · 3/2 + 2/3 · 1/2 = 5/6.
    /// Together 1/2 + 1/2 · 4/3 + 1/2 · 1 = 5/3.
    @Test func valuesByHand() throws {
        for arms in [1, 2, 7] { #expect(try BayesOptimalBandit(arms: arms, pulls: 1).value == 0.5) }
        #expect(abs(try BayesOptimalBandit(arms: 2, pulls: 2).value - 13.0 / 12) < 1e-14)
        #expect(abs(try BayesOptimalBandit(arms: 2, pulls: 3).value - 5.0 / 3) < 1e-14)
        // With one arm there is nothing to choose.
        #expect(abs(try BayesOptimalBandit(arms: 1, pulls: 40).value - 20) < 1e-12)

        let bandit = try BayesOptimalBandit(arms: 2, pulls: 3)
        let values = bandit.actionValues(successes: [0, 0], failures: [0, 1])
        #expect(abs(values[0] - 1) < 1e-14 && abs(values[1] - 5.0 / 6) < 1e-14)
        #expect(bandit.optimalArms(successes: [0, 0], failures: [0, 0]) == [0, 1])
        #expect(bandit.optimalArms(successes: [0, 1], failures: [0, 0]) == [1])
        #expect(bandit.optimalArms(successes: [0, 1], failures: [0, 1]) == [0, 1])
    }

    /// Beta(2, 2), two pulls, two arms: the first pays 1/2. If it paid (1/2), pull it again, mean 3/5; if not, the other, 1/2.
    /// Beta(1/2, 1/2): 1/2 + 1/2 · 3/4 + 1/2 · 1/2.
    @Test func valuesOfOtherPriorsByHand() throws {
        #expect(abs(try BayesOptimalBandit(arms: 2, pulls: 2, priorShape: 2).value - 1.05) < 1e-14)
        #expect(abs(try BayesOptimalBandit(arms: 2, pulls: 2, priorShape: 0.5).value - 1.125) < 1e-14)
        let uniform = try BayesOptimalBandit(arms: 5, pulls: 10)
        #expect(uniform.value == (try BayesOptimalBandit(arms: 5, pulls: 10, priorShape: 1).value))
        // The more is known beforehand, the less there is to win.
        #expect(try BayesOptimalBandit(arms: 5, pulls: 10, priorShape: 2).value < uniform.value)
    }

    /// Dependent arms, one pull: 1/2. Two: after the first the better arm has the mean 2/3. Three: 7/6 + (3/4 + 1/2 + 3/4) / 3.
    @Test func valuesOfDependentArmsByHand() {
        for (pulls, value) in [(1, 0.5), (2, 7.0 / 6), (3, 11.0 / 6)] {
            #expect(abs(DependentArms.optimum(pulls: pulls) - value) < 1e-14)
        }
        #expect(DependentArms.optimalArms(successes: [0, 1], failures: [2, 0]) == [1])
        #expect(DependentArms.optimalArms(successes: [1, 1], failures: [0, 0]) == [0, 1])
        #expect(DependentArms.optimalArms(successes: [0, 0], failures: [0, 1]) == [0])
    }

    /// The figures of the benchmark, to five decimals; arms beyond the number of pulls change nothing.
    @Test func benchmarkValues() throws {
        for (arms, expected) in [(5, 6.65999), (10, 6.71395), (50, 6.71395)] {
            let value = try BayesOptimalBandit(arms: arms, pulls: 10).value
            #expect(abs(value - expected) <= 0.5e-5, "\(arms) arms: \(value)")
        }
        let manyArms = try BayesOptimalBandit(arms: 50, pulls: 10)
        #expect(manyArms.value == (try BayesOptimalBandit(arms: 10, pulls: 10).value))
        let zeros = [Int](repeating: 0, count: 50)
        #expect(manyArms.optimalArms(successes: zeros, failures: zeros) == Array(0..<50))
    }

    /// More arms never hurt, knowing the probabilities (n k / (k + 1) on average) is never worse.
    @Test(arguments: [2, 6, 12]) func valueIsBetweenItsBounds(pulls: Int) throws {
        var previous = Double(pulls) / 2 - 1e-12
        for arms in 1...6 {
            let value = try BayesOptimalBandit(arms: arms, pulls: pulls).value
            #expect(value >= previous && value <= Double(pulls * arms) / Double(arms + 1) + 1e-12)
            previous = value - 1e-12
        }
    }

    @Test func longerTrialIsFeasible() throws {
        let bandit = try BayesOptimalBandit(arms: 3, pulls: 25)
        #expect(bandit.stateCount == 101_935)
        #expect(bandit.value > 17 && bandit.value < 18.75)
    }

    /// At every ordered history, of which there are (2 k)ⁿ, the action values agree with those of `naiveActionValues`.
    @Test(arguments: [(1, 5), (2, 1), (2, 4), (2, 5), (3, 3), (3, 4), (3, 5)])
    func agreesWithOrderedHistories(arms: Int, pulls: Int) throws {
        let bandit = try BayesOptimalBandit(arms: arms, pulls: pulls)
        var worst = 0.0
        func visit(_ history: [Pull]) -> Double {
            guard history.count < pulls else { return 0 }
            let naive = naiveActionValues(history: history, arms: arms, valueOf: visit)
            let counts = counts(of: history, arms: arms)
            let exact = bandit.actionValues(successes: counts.successes, failures: counts.failures)
            for (naiveValue, exactValue) in zip(naive, exact) { worst = max(worst, abs(naiveValue - exactValue)) }
            let best = naive.max() ?? 0
            let naiveArms = naive.indices.filter { naive[$0] > best - 1e-12 }
            #expect(bandit.optimalArms(successes: counts.successes, failures: counts.failures) == naiveArms)
            return best
        }
        let value = visit([])
        #expect(abs(value - bandit.value) < 1e-13)
        // Every value is a sum of at most five terms below 1 that are rounded a few times each.
        #expect(worst < 1e-13, "largest difference \(worst)")
    }

    /// The mean reward of optimal play is the value; with ties broken at random, so that every arm of `optimalArms`
    /// must be optimal.
    @Test(arguments: [(5, 10, 20_000), (50, 10, 20_000), (3, 25, 20_000)])
    func playReproducesValue(arms: Int, pulls: Int, members: Int) throws {
        let bandit = try BayesOptimalBandit(arms: arms, pulls: pulls)
        var generator = SplitMix(state: 2016)
        let totals = (0..<members).map { _ in
            let probabilities = (0..<arms).map { _ in Double.random(in: 0..<1, using: &generator) }
            var successes = [Int](repeating: 0, count: arms)
            var failures = successes
            for _ in 0..<pulls {
                let candidates = bandit.optimalArms(successes: successes, failures: failures)
                let arm = candidates[Int.random(in: 0..<candidates.count, using: &generator)]
                if Double.random(in: 0..<1, using: &generator) < probabilities[arm] {
                    successes[arm] += 1
                } else {
                    failures[arm] += 1
                }
            }
            return Double(successes.reduce(0, +))
        }
        let earned = Estimate(totals)
        let deviation = (earned.mean - bandit.value) / earned.standardError
        #expect(abs(deviation) < 4, "\(earned.mean) is \(deviation) standard errors from \(bandit.value)")
    }

    @Test func refusesTooManyStates() throws {
        let states = BayesOptimalBandit.stateCount(arms: 5, pulls: 100)
        #expect(states == 362_657_193_216)
        let refusal = BayesOptimalBandit.Refusal.tooManyStates(
            arms: 5, pulls: 100, states: states, limit: 20_000_000, feasiblePulls: 34)
        #expect(throws: refusal) { try BayesOptimalBandit(arms: 5, pulls: 100) }
        #expect(
            refusal.description
                == "Bayes-optimal play of 5 arms and 100 pulls has 3.63e+11 states (2.9e+03 GB), over the limit of "
                + "20000000: take at most 34 pulls, or fewer arms, or raise the limit")
        #expect(BayesOptimalBandit.stateCount(arms: 5, pulls: 34) <= 20_000_000)
        #expect(BayesOptimalBandit.stateCount(arms: 5, pulls: 35) > 20_000_000)
        // The limit itself is allowed.
        #expect(try BayesOptimalBandit(arms: 5, pulls: 10, maximumStates: 1951).stateCount == 1951)
        #expect(throws: BayesOptimalBandit.Refusal.self) {
            try BayesOptimalBandit(arms: 5, pulls: 10, maximumStates: 1950)
        }
        for (arms, pulls) in [(0, 1), (1, 0), (-1, -1)] {
            #expect(throws: BayesOptimalBandit.Refusal.notPositive(arms: arms, pulls: pulls)) {
                try BayesOptimalBandit(arms: arms, pulls: pulls)
            }
        }
    }

    /// The generating function counts what enumeration finds; the cursor meets every belief once, in rank order.
    @Test(arguments: [(1, 6), (2, 7), (3, 8), (7, 7), (9, 6)])
    func rankingNumbersBeliefsWithoutGaps(arms: Int, pulls: Int) {
        let ranking = BeliefRanking(maximumArms: min(arms, pulls - 1), maximumPulls: pulls - 1)
        var seen = Set<[Int]>()
        for pullsDone in 0..<pulls {
            var cursor = BeliefCursor(ranking: ranking, pulls: pullsDone)
            var expectedRank = 0
            repeat {
                let belief = cursor.types
                #expect(seen.insert(belief).inserted)
                #expect(belief == belief.sorted(by: >))
                #expect(belief.reduce(0) { $0 + ranking.pulls[$1] } == pullsDone)
                for position in belief.indices {
                    let rank = ranking.rank(
                        of: belief, replacing: position, with: belief[position], pulls: pullsDone)
                    #expect(rank == expectedRank)
                }
                expectedRank += 1
            } while cursor.advance()
        }
        // Multisets of the beliefs of all ordered histories.
        var reached: Set<[Int]> = [[]]
        var layer: Set<[[Int]]> = [.init(repeating: [0, 0], count: arms)]
        for _ in 1..<pulls {
            var nextLayer = Set<[[Int]]>()
            for counts in layer {
                for arm in 0..<arms {
                    for outcome in 0...1 {
                        var next = counts
                        next[arm][outcome] += 1
                        nextLayer.insert(next.sorted { $0.lexicographicallyPrecedes($1) })
                    }
                }
            }
            layer = nextLayer
            for counts in layer {
                let pulled = counts.filter { $0 != [0, 0] }
                reached.insert(pulled.map { ArmType.index(successes: $0[1], failures: $0[0]) }.sorted(by: >))
            }
        }
        #expect(seen == reached)
        #expect(Double(seen.count) == BayesOptimalBandit.stateCount(arms: arms, pulls: pulls))
    }
}

/// One step of a history.
private struct Pull {
    let arm: Int
    let paid: Bool
}

/// Action values after an ordered history, straight from the posterior: no two histories are ever taken for the same.
private func naiveActionValues(history: [Pull], arms: Int, valueOf: ([Pull]) -> Double) -> [Double] {
    (0..<arms).map { arm in
        let pullsOfArm = history.filter { $0.arm == arm }
        let mean = Double(1 + pullsOfArm.filter(\.paid).count) / Double(2 + pullsOfArm.count)
        let afterSuccess = valueOf(history + [Pull(arm: arm, paid: true)])
        let afterFailure = valueOf(history + [Pull(arm: arm, paid: false)])
        return mean * (1 + afterSuccess) + (1 - mean) * afterFailure
    }
}

private func counts(of history: [Pull], arms: Int) -> (successes: [Int], failures: [Int]) {
    var successes = [Int](repeating: 0, count: arms)
    var failures = successes
    for pull in history {
        if pull.paid { successes[pull.arm] += 1 } else { failures[pull.arm] += 1 }
    }
    return (successes, failures)
}

/// SplitMix64 (Steele, Lea & Flood 2014), so that the simulated members are the same everywhere.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
