import Foundation
import Interface
import Kernels
import Tasks
import TestSupport
import Testing

@Suite struct TabularMDPTests {
    private func members(_ family: TabularMDP, seed: UInt64, _ count: Int) -> [TabularMDP.Member] {
        trialStreams(seed: seed, count: count).map { trial in
            var stream = trial.member
            return family.sample(&stream)
        }
    }

    private func play(
        _ family: TabularMDP, _ streams: [TrialStreams], choose: (Int, Int, StepInput) -> Int
    ) -> Estimate {
        let rows = InputRows(lanes: streams.count, family.observation)
        return Estimate(
            playLockstep(family.makeLanes(streams.count), streams, rows: rows, choose: choose).map(\.totalReward))
    }

    private func state(_ input: StepInput) -> Int { input.vector.firstIndex(of: 1)! }

    @Test func describesItself() {
        let family = TabularMDP(states: 7, actions: 3, horizon: 4, episodes: 6)
        #expect(family.observation == .vector(width: 7))
        #expect(family.actions == 3 && family.maximumEpisodeSteps == 4 && family.maximumTrialSteps == 24)
        #expect(family.randomReturn == 24)
        #expect(family.oracleReturn == nil)
    }

    /// Observations are one-hot, start in state 0, an episode has T steps and ends by its time limit.
    @Test func episodesStartInStateZeroAndAreCut() {
        let family = TabularMDP(states: 9, actions: 3, horizon: 4, episodes: 5)
        let rows = InputRows(lanes: 20, family.observation)
        let played = playLockstep(family.makeLanes(20), trialStreams(seed: 3, count: 20), rows: rows) {
            trial, step, _ in
            (trial + step) % 3
        }
        for trial in played {
            #expect(trial.rewards.count == 20)
            #expect(trial.endedEpisode.enumerated().allSatisfy { $0.element == ($0.offset % 4 == 3) })
            for (step, input) in trial.inputs.enumerated() {
                #expect(input.vector.count == 9 && input.vector.allSatisfy { $0 == 0 || $0 == 1 })
                #expect(input.vector.reduce(0, +) == 1)
                if step % 4 == 0 { #expect(state(input) == 0) }
            }
        }
        var member = members(family, seed: 1, 1)[0]
        var random = RandomSource(seed: 2)
        let observation = ObservationWriter(vector: .allocate(capacity: 9), image: .allocate(capacity: 1))
        defer {
            observation.vector.deallocate()
            observation.image.deallocate()
        }
        member.reset(observation: observation, random: &random)
        let transitions = (0..<4).map { _ in member.step(action: 1, observation: observation, random: &random) }
        #expect(transitions.map(\.truncated) == [false, false, false, true])
        #expect(transitions.allSatisfy { !$0.terminated })
    }

    /// Lanes take the draws of members that are played alone, whatever the size of the tables and while trials leave.
    @Test(
        arguments: [
            TabularMDP(states: 2, actions: 2, horizon: 1, episodes: 3),
            TabularMDP(states: 10, actions: 5, horizon: 10, episodes: 4),
            TabularMDP(states: 8, actions: 3, horizon: 5, episodes: 1),
            TabularMDP(states: 17, actions: 2, horizon: 3, episodes: 2),
            TabularMDP(states: 10, actions: 3, horizon: 6, episodes: 3, reachableStates: 3),
        ])
    func lanesPlayWhatMembersPlay(_ family: TabularMDP) {
        let (actions, horizon, episodes) = (family.actions, family.horizon, family.episodes)
        let rows = InputRows(lanes: 13, family.observation)
        let streams = trialStreams(seed: 5, count: 13)
        func play(_ environments: any EnvironmentLanes) -> [PlayedTrial] {
            let lanes = TrialLanes(environments: environments, episodes: episodes, maximumEpisodeSteps: horizon)
            _ = playLockstep(lanes, trialStreams(seed: 6, count: 4), rows: rows) { _, _, _ in 0 }
            return playLockstep(lanes, streams, rows: rows) { trial, step, _ in (3 * trial + step) % actions }
        }
        #expect(play(family.makeEnvironments(13)) == play(EnvironmentArray(family: family, lanes: 13)))
    }

    @Test func sameSeedSameMember() {
        let family = TabularMDP(states: 4, actions: 3, horizon: 2, episodes: 2)
        func numbers(_ seed: UInt64) -> [[Double]] {
            members(family, seed: seed, 20).map { member in
                (0..<12).map { member.meanReward(state: $0 / 3, action: $0 % 3) }
                    + (0..<48).map { member.probability(of: $0 / 12, state: $0 / 3 % 4, action: $0 % 3) }
            }
        }
        #expect(numbers(8) == numbers(8))
        #expect(Set(numbers(8)).count == 20)
        #expect(Set(numbers(8)).isDisjoint(with: Set(numbers(9))))
    }

    /// A probability of a flat Dirichlet over S is Beta(1, S − 1), two of a row have covariance −1 / (S² (S + 1)); means
    /// are N(1, 1). Moments within 4.5 standard errors: squares of Beta(1, 9) have variance below 0.005.
    @Test func membersAreDrawnFromTheirDistributions() {
        let family = TabularMDP()
        let drawn = members(family, seed: 21, 400)
        var (probabilities, products, means): ([Double], [Double], [Double]) = ([], [], [])
        for member in drawn {
            for state in 0..<10 {
                for action in 0..<5 {
                    let row = (0..<10).map { member.probability(of: $0, state: state, action: action) }
                    #expect(abs(row.reduce(0, +) - 1) < 1e-6 && row.allSatisfy { $0 >= 0 })
                    probabilities += [row[0], row[4], row[9]]
                    products.append(row[3] * row[9])
                    means.append(member.meanReward(state: state, action: action))
                }
            }
        }
        let (first, square) = (Estimate(probabilities), Estimate(probabilities.map { $0 * $0 }))
        #expect(abs(first.mean - 0.1) < 4.5 * first.standardError)
        #expect(abs(square.mean - 2.0 / 110) < 4.5 * square.standardError)
        let product = Estimate(products)
        #expect(abs(product.mean - 1.0 / 110) < 4.5 * product.standardError)
        let (mean, deviation) = (Estimate(means), Estimate(means.map { ($0 - 1) * ($0 - 1) }))
        #expect(abs(mean.mean - 1) < 4.5 * mean.standardError)
        #expect(abs(deviation.mean - 1) < 4.5 * deviation.standardError)
        let below = Double(means.count { $0 < 0 }) / Double(means.count)
        #expect(abs(below - 0.158655) < 4.5 * (0.158655 * 0.841345 / Double(means.count)).squareRoot())
    }

    /// Rows over the first m of S states are a flat Dirichlet's over m, whose squares have mean 2 / (m (m + 1)); the rest is 0.
    @Test func onlyReachableStatesAreReached() {
        let family = TabularMDP(states: 7, actions: 2, reachableStates: 3)
        var squares: [Double] = []
        for member in members(family, seed: 22, 300) {
            for pair in 0..<14 {
                let row = (0..<7).map { member.probability(of: $0, state: pair / 2, action: pair % 2) }
                #expect(row[..<3].allSatisfy { $0 > 0 } && row[3...].allSatisfy { $0 == 0 })
                #expect(abs(row.reduce(0, +) - 1) < 1e-6)
                squares.append(row[2] * row[2])
            }
        }
        let square = Estimate(squares)
        #expect(abs(square.mean - 1.0 / 6) < 4.5 * square.standardError)
    }

    @Test func noMoreStatesAreReachableThanThereAre() throws {
        let entry = try #require(taskCatalogue.entry(named: "mdp"))
        func objection(_ given: Values) -> String? {
            entry.objection(Values(defaults: entry.options, given: given))
        }
        #expect(objection([:]) == nil && objection(["reachable-states": 10]) == nil)
        #expect(try #require(objection(["reachable-states": 11])).contains("--states, 10"))
        #expect(try #require(objection(["states": 3, "reachable-states": 4])).contains("--reachable-states"))
    }

    /// From state 0: each next state as often as its probability says, rewards N(μ, 1).
    @Test func stepsFollowTheMember() {
        let family = TabularMDP(states: 6, actions: 2, horizon: 1, episodes: 1)
        var member = members(family, seed: 4, 1)[0]
        var random = RandomSource(seed: 5)
        let observation = ObservationWriter(vector: .allocate(capacity: 6), image: .allocate(capacity: 1))
        defer {
            observation.vector.deallocate()
            observation.image.deallocate()
        }
        let draws = 50_000
        for action in 0..<2 {
            var counts = [Double](repeating: 0, count: 6)
            var (sum, square) = (0.0, 0.0)
            for _ in 0..<draws {
                member.reset(observation: observation, random: &random)
                let transition = member.step(action: action, observation: observation, random: &random)
                for state in 0..<6 { counts[state] += Double(observation.vector[state]) }
                let noise = Double(transition.reward) - member.meanReward(state: 0, action: action)
                sum += noise
                square += noise * noise
            }
            let count = Double(draws)
            #expect(counts.reduce(0, +) == count)
            for state in 0..<6 {
                let p = member.probability(of: state, state: 0, action: action)
                #expect(abs(counts[state] / count - p) < 4.5 * (p * (1 - p) / count).squareRoot())
            }
            #expect(abs(sum / count) < 4.5 / count.squareRoot())
            #expect(abs(square / count - 1) < 4.5 * (2 / count).squareRoot())
        }
    }

    @Test func randomPlayEarnsTheRandomFloor() throws {
        let family = TabularMDP()
        var random = RandomSource(seed: 31)
        let total = play(family, trialStreams(seed: 30, count: 2000)) { _, _, _ in random.integer(below: 5) }
        #expect(abs(total.mean - (try #require(family.randomReturn))) < 4 * total.standardError)
    }

    /// Acting by the optimal values of each member earns what they promise, and no more than noise above; an independent
    /// simulation in NumPy gave 21.83 ± 0.04 an episode.
    @Test func aPlayerWhoKnowsTheMemberEarnsTheInformedReward() throws {
        let family = TabularMDP(episodes: 3)
        let streams = trialStreams(seed: 40, count: 2000)
        let tables = members(family, seed: 40, 2000).map(\.optimalActionValues)
        let total = play(family, streams) { trial, step, input in
            let first = step % 10 * 50 + state(input)
            return (0..<5).max { tables[trial][first + $0 * 10] < tables[trial][first + $1 * 10] }!
        }
        let root = RandomSource(seed: 40)
        let each = try #require(family.oracleReturns(trials: (0..<2000).map { root.split($0) }))
        let oracle = each.reduce(0, +) / 2000
        #expect(abs(total.mean - oracle) < 4 * total.standardError)
        #expect(abs(oracle / 3 - 21.83) < 4 * (2.24 / 2000.0.squareRoot() + 0.04))
    }

    /// Of all 64 plans (an action for each step and state) of a small MDP none has a higher value, and one has this one.
    @Test(arguments: [1, 2, 3, 4, 5]) func noPlanIsBetter(_ seed: UInt64) {
        let family = TabularMDP(states: 2, actions: 2, horizon: 3, episodes: 1)
        let member = members(family, seed: seed, 1)[0]
        var best = -Double.infinity
        for plan in 0..<64 {
            var values = [0.0, 0.0]
            for step in (0..<3).reversed() {
                values = (0..<2).map { state in
                    let action = plan >> (2 * step + state) & 1
                    return member.meanReward(state: state, action: action)
                        + (0..<2).reduce(0) {
                            $0 + member.probability(of: $1, state: state, action: action) * values[$1]
                        }
                }
            }
            best = max(best, values[0])
        }
        #expect(abs(best - member.optimalEpisodeReward) < 1e-12)
    }

    /// Takes the action of the highest posterior mean reward in each state, looking at no transition and seeing nothing
    /// but the inputs of the contract. Its mean at n = 10 is 158.9 with deviation 24.7 between trials (4000 trials of an
    /// independent simulation in NumPy), so the mean of 2000 trials is above 155 by more than six standard errors.
    @Test func myopicPlayFromTheInputsBeats155() throws {
        let family = TabularMDP()
        let streams = trialStreams(seed: 50, count: 2000)
        var means = [Double](repeating: 1, count: 50 * streams.count)
        var precisions = means
        var states = [Int](repeating: 0, count: streams.count)
        let total = play(family, streams) { trial, _, input in
            if input.previousAction >= 0 {
                let pair = 50 * trial + 5 * states[trial] + Int(input.previousAction)
                precisions[pair] += 1
                means[pair] += (Double(input.previousReward) - means[pair]) / precisions[pair]
            }
            states[trial] = state(input)
            let first = 50 * trial + 5 * states[trial]
            return (0..<5).max { means[first + $0] < means[first + $1] }!
        }
        #expect(total.mean > 155, "\(total.mean) ± \(total.standardError)")
        #expect(total.mean < 218)
    }
}
