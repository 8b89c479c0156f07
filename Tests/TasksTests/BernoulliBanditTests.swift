import Foundation
import Interface
import Kernels
import Tasks
import TestSupport
import Testing

@Suite struct BernoulliBanditTests {
    /// A bandit shows nothing.
    private let nothing = StepColumns(space: .vector(width: 0), rows: 1)
    private var nowhere: ObservationWriter { nothing.writer.observation(0) }

    /// The members that trials of `streams` play.
    private func members(_ family: BernoulliBandit, _ streams: [TrialStreams]) -> [BernoulliBandit.Member] {
        streams.map { trial in
            var stream = trial.member
            return family.sample(&stream)
        }
    }

    private func play(
        _ family: BernoulliBandit, _ streams: [TrialStreams], choose: (Int, Int, StepInput) -> Int
    ) -> Estimate {
        let rows = InputRows(lanes: streams.count, family.observation)
        return Estimate(
            playLockstep(family.makeLanes(streams.count), streams, rows: rows, choose: choose).map(\.totalReward))
    }

    @Test func describesItself() {
        let family = BernoulliBandit(arms: 7, episodes: 30)
        #expect(family.observation == .vector(width: 0))
        #expect(family.actions == 7)
        #expect(family.maximumEpisodeSteps == 1)
        #expect(family.maximumTrialSteps == 30)
        #expect(family.randomReturn == 15)
        #expect(family.oracleReturn == 30 * 7 / 8.0)
    }

    @Test func sameSeedSameMember() {
        let family = BernoulliBandit(arms: 4, episodes: 2)
        let streams = trialStreams(seed: 8, count: 50)
        let once = members(family, streams).map(\.probabilities)
        #expect(once == members(family, streams).map(\.probabilities))
        #expect(Set(once).count == 50, "two trials have the same member")
        let others = members(family, trialStreams(seed: 9, count: 50)).map(\.probabilities)
        #expect(Set(once).isDisjoint(with: Set(others)))
        #expect(once.allSatisfy { $0.count == 4 })
    }

    /// U(0, 1): mean 1/2 and variance 1/12, mean square 1/3 and its variance 1/5 − 1/9 = 4/45, each tenth with
    /// probability 1/10, arms of a member uncorrelated (the product of two has variance 1/9 − 1/16). All within 4.5
    /// standard errors: with these 15 comparisons a right sampler fails for one seed in ten thousand.
    @Test func probabilitiesAreUniformAndIndependent() {
        let arms = 5
        let drawn = members(BernoulliBandit(arms: arms, episodes: 1), trialStreams(seed: 21, count: 4000))
        let all = drawn.flatMap(\.probabilities).map(Double.init)
        let count = Double(all.count)
        #expect(all.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(abs(all.reduce(0, +) / count - 0.5) < 4.5 * (1 / 12 / count).squareRoot())
        #expect(abs(all.reduce(0) { $0 + $1 * $1 } / count - 1 / 3.0) < 4.5 * (4 / 45 / count).squareRoot())
        var tenths = [Double](repeating: 0, count: 10)
        for p in all { tenths[Int(p * 10)] += 1 }
        for tenth in tenths { #expect(abs(tenth - count / 10) < 4.5 * (count * 0.09).squareRoot()) }
        let products = drawn.reduce(0.0) { $0 + Double($1.probabilities[0] * $1.probabilities[1]) }
        let members = Double(drawn.count)
        #expect(abs(products / members - 0.25) < 4.5 * ((1 / 9.0 - 1 / 16.0) / members).squareRoot())
    }

    /// The uniform prior draws what it always drew, one number an arm: trained runs and banks of members rest on it.
    @Test func theUniformPriorIsOneNumberAnArm() {
        for stream in trialStreams(seed: 22, count: 20) {
            var (random, plain) = (stream.member, stream.member)
            let member = BernoulliBandit(arms: 3, episodes: 1, prior: .uniform).sample(&random)
            #expect(member.probabilities == (0..<3).map { _ in plain.uniform() })
            #expect(random.uniform() == plain.uniform())
        }
    }

    /// Beta(2, 2): mean 1/2, variance 1/20, and (x − 1/2)² has the variance 3/560 − 1/400 = 1/350; F(1/4) = 5/32. Arms are
    /// uncorrelated: the product of two has variance (3/10)² − 1/16. All within 4.5 standard errors.
    @Test func armsOfAShiftedPrior() {
        let drawn = members(
            BernoulliBandit(arms: 5, episodes: 1, prior: .beta(shape: 2)), trialStreams(seed: 23, count: 4000))
        let all = drawn.flatMap(\.probabilities).map(Double.init)
        let count = Double(all.count)
        let mean = all.reduce(0, +) / count
        #expect(abs(mean - 0.5) < 4.5 * (0.05 / count).squareRoot())
        let squares: Double = all.reduce(0) { sum, p in sum + (p - 0.5) * (p - 0.5) }
        #expect(abs(squares / count - 0.05) < 4.5 * (1 / 350 / count).squareRoot())
        let (low, expected) = (Double(all.count { $0 < 0.25 }) / count, 5.0 / 32)
        #expect(abs(low - expected) < 4.5 * (expected * (1 - expected) / count).squareRoot())
        let products: Double = drawn.reduce(0) { sum, member in
            sum + Double(member.probabilities[0] * member.probabilities[1])
        }
        let members = Double(drawn.count)
        #expect(abs(products / members - 0.25) < 4.5 * (0.0275 / members).squareRoot())
    }

    /// p uniform, the other 1 − p.
    @Test func dependentArms() {
        let drawn = members(
            BernoulliBandit(arms: 2, episodes: 1, prior: .dependent), trialStreams(seed: 24, count: 4000))
        #expect(drawn.allSatisfy { $0.probabilities.count == 2 && $0.probabilities[1] == 1 - $0.probabilities[0] })
        let (first, count) = (drawn.map { Double($0.probabilities[0]) }, Double(drawn.count))
        let mean = first.reduce(0, +) / count
        #expect(abs(mean - 0.5) < 4.5 * (1 / 12 / count).squareRoot())
        for tenth in 0..<10 {
            let share = Double(first.count { Int($0 * 10) == tenth }) / count
            #expect(abs(share - 0.1) < 4.5 * (0.09 / count).squareRoot())
        }
    }

    /// Random play and who knows the member, with every prior; where no closed form is known for the latter, by members.
    @Test(arguments: [
        BernoulliBandit(arms: 5, episodes: 10, prior: .beta(shape: 2)),
        BernoulliBandit(arms: 2, episodes: 10, prior: .dependent),
    ]) func floorAndCeilingOfPriors(_ family: BernoulliBandit) throws {
        let streams = trialStreams(seed: 41, count: 4000)
        var random = RandomSource(seed: 32)
        let floor = play(family, streams) { _, _, _ in random.integer(below: family.arms) }
        #expect(abs(floor.mean - 5) < 4 * floor.standardError && family.randomReturn == 5)
        let members = members(family, streams)
        let best = members.map { $0.probabilities.firstIndex(of: $0.probabilities.max()!)! }
        let ceiling = play(family, streams) { trial, _, _ in best[trial] }
        let known = Estimate(members.map { family.oracleReturn(of: $0)! })
        #expect(abs(ceiling.mean - known.mean) < 4 * ceiling.standardError)
        #expect((family.oracleReturn == nil) == (family.prior != .dependent))
        if let exact = family.oracleReturn { #expect(abs(known.mean - exact) < 4 * known.standardError) }
    }

    @Test func dependentArmsAreTwo() throws {
        let entry = try #require(taskCatalogue.entry(named: "bandit"))
        func objection(_ given: Values) -> String? {
            entry.objection(Values(defaults: entry.options, given: given))
        }
        #expect(objection([:]) == nil && objection(["prior": "beta22"]) == nil)
        #expect(objection(["prior": "dependent", "arms": 2]) == nil)
        let text = try #require(objection(["prior": "dependent"]))
        #expect(text.contains("--prior dependent") && text.contains("--arms is 5") && text.contains("--arms 2"))
    }

    /// Arms with p = 0 and 1 are sure; one with p = 0.3 pays within 4.5 standard errors; the others' pulls do not matter.
    @Test func rewardsFollowTheProbabilityOfTheArmThatWasPulled() {
        var member = BernoulliBandit.Member(probabilities: [0, 0.3, 1])
        var random = RandomSource(seed: 2)
        let pulls = 10_000
        for (arm, p) in [0, 0.3, 1].enumerated() {
            var sum: Double = 0
            for _ in 0..<pulls {
                member.reset(observation: nowhere, random: &random)
                let transition = member.step(action: arm, observation: nowhere, random: &random)
                #expect(transition.reward == 0 || transition.reward == 1)
                #expect(transition.terminated && !transition.truncated)
                sum += Double(transition.reward)
            }
            let error = (p * (1 - p) / Double(pulls)).squareRoot()
            #expect(abs(sum / Double(pulls) - p) <= 4.5 * error, "arm \(arm)")
        }
    }

    @Test(arguments: [(2, 1), (5, 10), (20, 30)])
    func randomPlayEarnsTheRandomFloor(_ arms: Int, _ episodes: Int) throws {
        let family = BernoulliBandit(arms: arms, episodes: episodes)
        var random = RandomSource(seed: 31)
        let total = play(family, trialStreams(seed: 30, count: 2000)) { _, _, _ in random.integer(below: arms) }
        #expect(abs(total.mean - (try #require(family.randomReturn))) < 4 * total.standardError)
    }

    @Test(arguments: [(2, 1), (5, 10), (20, 30)])
    func aPlayerWhoKnowsTheMemberEarnsTheInformedReward(_ arms: Int, _ episodes: Int) throws {
        let family = BernoulliBandit(arms: arms, episodes: episodes)
        let streams = trialStreams(seed: 40, count: 2000)
        let best = members(family, streams).map { member in
            member.probabilities.indices.max { member.probabilities[$0] < member.probabilities[$1] }!
        }
        let total = play(family, streams) { trial, _, _ in best[trial] }
        #expect(abs(total.mean - (try #require(family.oracleReturn))) < 4 * total.standardError)
    }

    /// Greedy on posterior means Beta(1 + s, 1 + f), which sees nothing but the inputs of the contract. Its mean at
    /// n = 100, k = 5 is 75.0 with deviation 16.6 between trials (20 000 trials of an independent simulation in NumPy),
    /// so the mean of 2000 trials is above 73 by more than five standard errors; random play earns 50.
    @Test func greedyPlayFromTheInputsBeats73() throws {
        let family = BernoulliBandit(arms: 5, episodes: 100)
        let streams = trialStreams(seed: 50, count: 2000)
        var successes = [Double](repeating: 0, count: 5 * streams.count)
        var pulls = successes
        let total = play(family, streams) { trial, _, input in
            let arms = 5 * trial
            if input.previousAction >= 0 {
                successes[arms + Int(input.previousAction)] += Double(input.previousReward)
                pulls[arms + Int(input.previousAction)] += 1
            }
            var (best, value) = (0, -1.0)
            for arm in 0..<5 {
                let mean = (1 + successes[arms + arm]) / (2 + pulls[arms + arm])
                if mean > value { (best, value) = (arm, mean) }
            }
            return best
        }
        #expect(total.mean > 73, "\(total.mean) ± \(total.standardError)")
        #expect(total.mean < (try #require(family.oracleReturn)))
    }
}
