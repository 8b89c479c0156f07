import Foundation
import Interface
import Kernels
import Models
import Tasks
import Training

extension InsideBandit {
    /// Parts into which trials are cut, whatever the number of threads, so that sums have one order: readouts are fitted to
    /// those of the first half and tested on the others.
    private static let parts = 16

    /// Looks into the trials of a policy.
    ///
    /// - Parameters:
    ///   - agent: the policy, which draws its actions.
    ///   - untrained: θ of its first values [P]
    ///   - own: the policy's play on the same members.
    ///   - trials: members 0 ..< trials of `seed`, at least 2.
    init(
        _ agent: LearnedAgent, untrained: Matrix, own: Evaluation, family: BernoulliBandit, trials: Int, seed: Int,
        workers: Workers
    ) {
        var leftOut: [String] = []
        let rules = ChoiceRule.rules(for: family) { leftOut.append($0) }
        let root = Trainer.heldOutMembers(seed: seed)
        // One for each thread.
        let probes = (0..<workers.pool.threadCount).map { _ in
            TrialProbe(
                agent.policy, weights: agent.weights, untrained: untrained, family: family, rules: rules, root: root)
        }
        let stateWidth = probes[0].featureWidth
        let parts = min(Self.parts, trials / 2 * 2)
        let empty = TrialSums(family: family, rules: rules.count, features: stateWidth)
        var sums = [TrialSums](repeating: empty, count: parts)
        func run(_ chosen: Range<Int>, _ readouts: [LinearReadout]?) {
            sums.withUnsafeMutableBufferPointer { sums in
                nonisolated(unsafe) let places = sums
                workers.pool.run(chosen.count) { index, worker in
                    let part = chosen.lowerBound + index
                    probes[worker].run(
                        trials * part / parts..<trials * (part + 1) / parts, readouts: readouts, into: &places[part])
                }
            }
        }
        run(0..<parts / 2, nil)
        var total = sums[..<(parts / 2)].reduce(into: empty) { $0.add($1) }
        let readouts = stateWidth > 0 ? total.readouts.map { LinearReadout($0) } : []
        run(parts / 2..<parts, readouts)
        total = sums[(parts / 2)...].reduce(into: total) { $0.add($1) }
        if stateWidth == 0 {
            leftOut.append("probes: the model has neither state vectors nor a head whose input could be read")
        }
        self.init(
            total, rules: rules.map(\.name), family: family, stateWidth: stateWidth,
            players: Self.players(
                agent.name, own, family: family, trials: trials, seed: seed, workers: workers,
                leftOut: &leftOut),
            oracle: Self.oracleRewards(family, trials: trials, root: root), leftOut: leftOut)
    }

    private init(
        _ sums: TrialSums, rules: [String], family: BernoulliBandit, stateWidth: Int,
        players: [(name: String, evaluation: Evaluation)], oracle: [Double], leftOut: [String]
    ) {
        let (arms, pulls) = (family.arms, family.episodes)
        self.init(
            regret: players.map { Self.regret($0.name, $0.evaluation, oracle: oracle) },
            differences: players.dropFirst().map { player in
                let paired = PairedDifference(players[0].evaluation.totals, player.evaluation.totals)
                return Difference(
                    player: player.name,
                    difference: Estimate(mean: paired.mean, standardError: paired.standardError))
            },
            agreement: rules.indices.map { rule in
                Agreement(
                    rule: rules[rule], mode: sums.mode[rule].map(\.mean),
                    probability: sums.probability[rule].map(\.mean), chance: sums.chance[rule].map(\.mean))
            },
            contests: rules.indices.dropFirst().map { rule in
                func share(_ moments: Moments) -> Double? { moments.count > 0 ? moments.mean : nil }
                return Contest(
                    rule: rules[rule], share: sums.contested[rule].mean,
                    withReference: share(sums.withReference[rule]), withRule: share(sums.withRule[rule]))
            },
            stateWidth: stateWidth,
            probes: stateWidth == 0
                ? []
                : zip(["posterior_mean", "pull_count"], [0..<arms, arms..<2 * arms]).compactMap { name, targets in
                    let (own, twin) = (sums.errors[0], sums.errors[1])
                    guard let explained = own.explained(targets: targets, steps: 0..<pulls),
                        let untrained = twin.explained(targets: targets, steps: 0..<pulls)
                    else { return nil }
                    return Probe(
                        quantity: name, explained: explained, untrained: untrained,
                        byPull: (0..<pulls).map { own.explained(targets: targets, steps: $0..<$0 + 1) },
                        untrainedByPull: (0..<pulls).map { twin.explained(targets: targets, steps: $0..<$0 + 1) })
                },
            renaming: Curve("total variation", sums.renaming),
            flips: sums.flippedPulls.enumerated().flatMap { index, pull in
                sums.lags.enumerated().filter { pull + $0.element < pulls }.map { place, lag in
                    let (effects, variations) = (
                        sums.effects.map { $0[index][place].estimate },
                        sums.variations.map { $0[index][place].estimate }
                    )
                    return Flip(
                        pull: pull, lag: lag, effect: effects[0], totalVariation: variations[0],
                        thompsonEffect: effects[1], thompsonTotalVariation: variations[1], ruleEffect: effects[2],
                        ruleTotalVariation: variations[2])
                }
            },
            leftOut: leftOut)
    }

    // MARK: Regret

    /// The policy and the players beside it, on the same members.
    private static func players(
        _ name: String, _ own: Evaluation, family: BernoulliBandit, trials: Int, seed: Int, workers: Workers,
        leftOut: inout [String]
    ) -> [(name: String, evaluation: Evaluation)] {
        var agents: [any Agent] = []
        if family.isQuicklySolved { agents.append(BayesOptimalAgent()) }
        if FiniteHorizonGittinsAgent.objection(family) == nil { agents.append(FiniteHorizonGittinsAgent()) }
        agents.append(ThompsonSampling())
        return [(name, own)]
            + agents.map {
                ($0.name, Evaluation($0, family: family, members: 0..<trials, seed: seed, workers: workers))
            }
    }

    /// Rewards of a player who knows p and meets the same chance [trials, n]. Regret against these has the mean of regret
    /// against n max p and a fraction of its noise, since who pulls the same arm is paid the same.
    static func oracleRewards(_ family: BernoulliBandit, trials: Int, root: RandomSource) -> [Double] {
        let blank = StepColumns(space: family.observation, rows: 1)
        let observation = blank.writer.observation(0)
        return (0..<trials).flatMap { trial -> [Double] in
            var streams = TrialStreams(root.split(trial))
            var member = family.sample(&streams.member)
            let best = member.probabilities.indices.max { member.probabilities[$0] < member.probabilities[$1] }!
            return (0..<family.episodes).map { _ in
                member.reset(observation: observation, random: &streams.environment)
                let transition = member.step(action: best, observation: observation, random: &streams.environment)
                return Double(transition.reward)
            }
        }
    }

    /// Cumulative, by pull.
    private static func regret(_ name: String, _ evaluation: Evaluation, oracle: [Double]) -> Curve {
        let pulls = evaluation.episodeMeans.count
        var moments = [Moments](repeating: Moments(), count: pulls)
        for trial in 0..<evaluation.trials {
            var lost = 0.0
            for pull in 0..<pulls {
                let place = trial * pulls + pull
                lost += oracle[place] - evaluation.episodeRewards[place]
                moments[pull].add(lost)
            }
        }
        return Curve(name, moments)
    }
}
