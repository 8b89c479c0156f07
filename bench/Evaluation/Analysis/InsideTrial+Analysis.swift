import Interface
import Kernels
import Models
import Tasks
import Training

extension InsideTrial {
    /// Parts into which trials are cut, whatever the number of threads, so that sums have one order: read-outs are fitted to
    /// the trials of the first half and judged on the others.
    private static let parts = 16
    /// Parts of the first half that choose penalties together.
    private static let partsPerFold = 2

    /// Looks into the trials of a policy.
    ///
    /// - Parameters:
    ///   - agent: the policy, which draws its actions.
    ///   - untrained: θ of its first values [P]
    ///   - family: whose held-out members are played.
    ///   - trials: members 0 ..< trials of `seed`, at least 2.
    /// - Returns: what was found, and the reward of each episode.
    static func look(
        at agent: LearnedAgent, untrained: Matrix, family: any TaskFamily, trials: Int, seed: Int, workers: Workers
    ) -> (inside: InsideTrial, episodes: Curve) {
        var leftOut: [String] = []
        let advice = ChoiceAdvice.all(for: family, trials: trials) { leftOut.append($0) }
        let layout = ProbeLayout(quantities(of: family)) { leftOut.append($0) }
        let moments = TrialMoments(episodes: family.episodes, steps: family.maximumEpisodeSteps)
        let members: any TaskFamily = family.heldOut()
        let (tally, stateWidth) = play(
            members, agent, untrained: untrained, layout: layout, advice: advice, moments: moments,
            trials: trials, root: Trainer.heldOutMembers(seed: seed), workers: workers)
        if stateWidth == 0 {
            leftOut.append("read-outs: the model has neither state vectors nor a head whose input could be read")
        } else if layout.places.isEmpty {
            leftOut.append("read-outs: task '\(family.name)' states nothing that could be read from a memory")
        }
        if tally.otherStarts > 0 {
            leftOut.append(
                "first steps of episode 2 in \(tally.otherStarts) trials: another observation than in episode 1")
        }
        let own = tally.outcomes.map { $0.rewards.reduce(0, +) }
        let players = AgentCatalogue.entries(of: family.name).filter {
            $0.isShownInReplays && $0.objection(family) == nil
        }.map { entry in
            let player = entry.makeAgent()
            return (
                player.title,
                Evaluation(player, family: family, members: 0..<trials, seed: seed, workers: workers)
            )
        }
        let shortest =
            family.measures.contains(.success)
            ? GoalEvaluation.shortest(0..<trials, of: family, seed: seed, workers: workers) : []
        let inside = InsideTrial(
            players: players.map { Curve($0, $1.episodeRewards, episodes: family.episodes) },
            differences: players.map { name, evaluation in
                let paired = PairedDifference(own, evaluation.totals)
                return Difference(
                    player: name, difference: Estimate(mean: paired.mean, standardError: paired.standardError))
            },
            oracle: ReferenceReturns(of: family, members: 0..<trials, seed: seed).oracle,
            goal: goal(tally.outcomes, of: family, shortest: shortest),
            successions: successions(tally.outcomes, of: family),
            forgetting: forgetting(tally.outcomes, of: family, shortest: shortest),
            secondStarts: SecondStart.Group.allCases.compactMap { group in
                tally.secondStarts[group].map { $0.result(group) }
            },
            agreement: advice.indices.map { rule in
                Agreement(
                    rule: advice[rule].name, mode: tally.mode[rule].map(\.mean),
                    probability: tally.probability[rule].map(\.mean), chance: tally.chance[rule].map(\.mean))
            },
            stateWidth: stateWidth, episodeRanges: moments.episodes.ends, stepRanges: moments.steps.ends,
            trials: moments.episodes.ends.indices.map { row in moments.all(row).map { tally.reached[$0] } },
            readings: stateWidth == 0 ? [] : tally.scores.map { $0.reading(moments) }, leftOut: leftOut)
        return (
            inside, Curve(agent.name, tally.outcomes.flatMap(\.rewards), episodes: family.episodes)
        )
    }

    private static func quantities(of family: some TaskFamily) -> [ProbeQuantity] {
        family.makeProbes()?.quantities ?? []
    }

    /// Plays all trials.
    private static func play<Family: TaskFamily>(
        _ family: Family, _ agent: LearnedAgent, untrained: Matrix, layout: ProbeLayout, advice: [ChoiceAdvice],
        moments: TrialMoments, trials: Int, root: RandomSource, workers: Workers
    ) -> (TrialTally, stateWidth: Int) {
        // One for each thread.
        let inspectors = (0..<workers.pool.threadCount).map { _ in
            TrialInspector(
                family, agent.policy, weights: agent.weights, untrained: untrained, layout: layout, advice: advice,
                moments: moments, root: root)
        }
        let stateWidth = inspectors[0].featureWidth
        let parts = min(Self.parts, trials / 2 * 2)
        let empty = TrialTally(
            rules: advice.count, episodes: family.episodes, moments: moments.count,
            quantities: layout.places.map(\.quantity))
        var tallies = [TrialTally](repeating: empty, count: parts)
        for part in 0..<parts / 2 {
            tallies[part].readouts = [ReadoutSums](
                repeating: ReadoutSums(features: stateWidth, targets: layout.columnCount), count: 2)
        }
        func run(_ chosen: Range<Int>, _ readouts: [LinearReadout]?) {
            tallies.withUnsafeMutableBufferPointer { tallies in
                nonisolated(unsafe) let places = tallies
                workers.pool.run(chosen.count) { index, worker in
                    let part = chosen.lowerBound + index
                    inspectors[worker].run(
                        trials * part / parts..<trials * (part + 1) / parts, readouts: readouts, into: &places[part])
                }
            }
        }
        run(0..<parts / 2, nil)
        let isRead = stateWidth > 0 && layout.columnCount > 0
        let readouts = isRead ? fit(tallies[..<(parts / 2)].map(\.readouts), layout, workers) : []
        for part in 0..<parts / 2 { tallies[part].readouts = [] }
        run(parts / 2..<parts, readouts)
        return (tallies.reduce(into: empty) { $0.add($1) }, stateWidth)
    }

    /// Read-outs of the policy and of its twin.
    /// - Parameter sums: of the two, by part.
    private static func fit(_ sums: [[ReadoutSums]], _ layout: ProbeLayout, _ workers: Workers) -> [LinearReadout] {
        let groups = layout.places.map { $0.column..<$0.column + $0.quantity.columnCount }
        var readouts = [LinearReadout?](repeating: nil, count: 2)
        readouts.withUnsafeMutableBufferPointer { readouts in
            nonisolated(unsafe) let places = readouts
            workers.pool.run(2) { reader, _ in
                let folds = stride(from: 0, to: sums.count, by: partsPerFold).map { first in
                    sums[first + 1..<min(first + partsPerFold, sums.count)].reduce(into: sums[first][reader]) {
                        $0.add($1[reader])
                    }
                }
                places[reader] = LinearReadout(folds: folds, groups: groups)
            }
        }
        return readouts.compactMap(\.self)
    }

    // MARK: Goals

    private static func goal(_ outcomes: [TrialOutcome], of family: any TaskFamily, shortest: [Int?])
        -> GoalEvaluation?
    {
        guard family.measures.contains(.success) else { return nil }
        return GoalEvaluation(
            successes: outcomes.flatMap(\.successes), steps: outcomes.flatMap { $0.steps.map(Int32.init) },
            shortest: shortest, episodes: family.episodes)
    }

    private static func successions(_ outcomes: [TrialOutcome], of family: any TaskFamily) -> [Succession] {
        guard family.measures.contains(.success) else { return [] }
        return (1..<max(1, family.episodes)).map { episode in
            func successes(after success: Bool) -> Proportion {
                let trials = outcomes.filter { $0.successes[episode - 1] == success }
                return Proportion(trials.count { $0.successes[episode] }, of: trials.count)
            }
            return Succession(
                episode: episode, afterSuccess: successes(after: true), afterFailure: successes(after: false))
        }
    }

    private static func forgetting(_ outcomes: [TrialOutcome], of family: any TaskFamily, shortest: [Int?])
        -> Forgetting?
    {
        guard family.measures.contains(.success), family.episodes > 1 else { return nil }
        let forgetful = outcomes.indices.filter { outcomes[$0].isForgetful }
        let (failed, slower) = (
            forgetful.filter { !outcomes[$0].successes[1] }, forgetful.filter { outcomes[$0].successes[1] }
        )
        let successes = outcomes.count { $0.successes[0] }
        return Forgetting(
            failed: Proportion(failed.count, of: successes), slower: Proportion(slower.count, of: successes),
            trials: (failed + slower).prefix(Forgetting.shown).map { member in
                let outcome = outcomes[member]
                return PlayedTrial(
                    member: member, steps: outcome.steps, successes: outcome.successes, shortest: shortest[member],
                    actions: outcome.actions)
            })
    }
}

extension Curve {
    /// - Parameter rewards: of each episode of each trial [trials, episodes]
    init(_ name: String, _ rewards: [Double], episodes: Int) {
        var moments = [Moments](repeating: Moments(), count: episodes)
        for (index, reward) in rewards.enumerated() { moments[index % episodes].add(reward) }
        self.init(name, moments)
    }
}
