import Autodiff
import Foundation
import Interface
import Kernels
import Models
import Tasks
import Testing
import Training

@testable import Bench

/// A policy whose every answer is known: its memory is the counts of the arms, its distribution a given function of them.
private struct CountingPolicy: SequencePolicy {
    final class Memory: SequenceMemory {
        let arms: Int
        var counts: LaneCounts
        private(set) var lanes: Int

        init(lanes: Int, arms: Int) {
            (self.lanes, self.arms) = (lanes, arms)
            counts = LaneCounts(lanes: lanes, arms: arms)
        }

        var bytesPerLane: Int { 16 * arms }
        func reset(lane: Int) { preconditionFailure("these trials begin together") }
        func keep(lanes kept: [Int]) {
            var left = LaneCounts(lanes: kept.count, arms: arms)
            for (place, lane) in kept.enumerated() {
                for arm in 0..<arms {
                    for _ in 0..<counts.successes(lane)[arm] { left.add(lane: place, arm: arm, success: true) }
                    for _ in 0..<counts.failures(lane)[arm] { left.add(lane: place, arm: arm, success: false) }
                }
            }
            (counts, lanes) = (left, kept.count)
        }
        func restart(lanes: Int) {
            self.lanes = lanes
            counts = LaneCounts(lanes: lanes, arms: arms)
        }
    }

    let outputs: Int
    /// Probabilities of the arms.
    let respond: @Sendable (_ successes: [Int], _ failures: [Int], _ pull: Int) -> [Double]
    var layout: ParameterLayout { ParameterLayout() }

    func makeMemory(lanes: Int, steps: Int) -> Memory { Memory(lanes: lanes, arms: outputs) }

    func step(_ inputs: StepInputs, memory: Memory, tape: Tape) -> Node {
        let lanes = inputs.rows
        let state = tape.constant(rows: lanes, columns: 2 * outputs)
        let logits = tape.constant(rows: lanes, columns: outputs)
        for lane in 0..<lanes {
            let action = Int(inputs.previousActions[lane])
            if action >= 0 {
                memory.counts.add(lane: lane, arm: action, success: inputs.previousRewards[lane] > 0.5)
            }
            let (s, f) = (memory.counts.successes(lane), memory.counts.failures(lane))
            let chosen = respond(s, f, Int(inputs.stepIndices[lane]))
            for arm in 0..<outputs {
                tape.mutableValue(logits)[lane * outputs + arm] = Float(log(max(chosen[arm], 1e-30)))
                // Any invertible linear map of counts and means will do.
                let (count, mean) = (Float(s[arm] + f[arm]), Float(1 + s[arm]) / Float(2 + s[arm] + f[arm]))
                tape.mutableValue(state)[lane * 2 * outputs + arm] = count - 3 * mean + 1
                tape.mutableValue(state)[lane * 2 * outputs + outputs + arm] = 2 * mean + 0.1 * count
            }
        }
        tape.features = state
        return logits
    }

    func unroll(_ inputs: StepInputs, shape: PackedShape, tape: Tape) -> Node {
        preconditionFailure("this policy only acts")
    }
}

/// An equal share for each arm that a rule allows.
private func follow(_ rule: ChoiceRule) -> @Sendable ([Int], [Int], Int) -> [Double] {
    { successes, failures, pull in
        let allowed = rule.arms(successes, failures, pull)
        return successes.indices.map { allowed.contains($0) ? 1 / Double(allowed.count) : 0 }
    }
}

private let subject = CellRecord.Subject(plan: "", cell: "", modelName: "it", taskName: "bandit", settingName: "")

private func analyse(
    _ policy: any SequencePolicy, weights: Matrix? = nil, _ family: any TaskFamily, trials: Int, threads: Int = 2
) -> AnalysisRecord {
    AnalysisRecord(
        subject,
        agent: LearnedAgent(
            name: "it", policy: policy, weights: weights ?? Matrix(rows: 1, columns: policy.layout.count)),
        family: family, configuration: "", trainingSeed: 3, trials: trials, seed: 1,
        workers: Workers(threads: threads))
}

private func model(_ name: String, _ family: any TaskFamily, hidden: Int) throws -> any SequencePolicy {
    let entry = try #require(modelCatalogue.entry(named: name))
    return entry.make(
        ModelSpecification(
            observation: family.observation, actions: family.actions, outputs: family.actions, hidden: hidden,
            options: Values(defaults: entry.options), headGain: 0.01))
}

@Suite struct AnalysisTests {
    /// Exact play agrees with exact play at every pull, is blind to names, and its state holds what is asked for.
    @Test func exactPlayIsFoundToBeExactPlay() throws {
        let family = BernoulliBandit(arms: 5, episodes: 10)
        let rule = try #require(ChoiceRule.rules(for: family) { _ in }.first)
        #expect(rule.name == "Bayes-optimal")
        let record = analyse(CountingPolicy(outputs: 5, respond: follow(rule)), family, trials: 600)
        let bandit = try #require(record.bandit)
        let agreement = bandit.agreement[0]
        #expect(agreement.mode == [Double](repeating: 1, count: 10))
        #expect(agreement.probability.allSatisfy { abs($0 - 1) < 1e-5 })
        // Before the first pull all arms are equal.
        #expect(agreement.chance[0] == 1 && agreement.chance[3] < 0.9)
        #expect(bandit.contests.map(\.rule) == ["Gittins, finite horizon", "UCB1, c = 0.2", "Greedy"])
        let greedy = try #require(bandit.contests.last)
        #expect(greedy.share > 0 && greedy.withReference == 1 && greedy.withRule == 0)
        for flip in bandit.flips { #expect(abs(flip.effect.mean - flip.ruleEffect.mean) < 1e-5) }
        #expect(bandit.flips[0].ruleEffect.mean == 1)
        #expect(bandit.renaming.mean.allSatisfy { $0 < 1e-6 })
        #expect(bandit.stateWidth == 10 && bandit.probes.map(\.quantity) == ["posterior_mean", "pull_count"])
        for probe in bandit.probes {
            #expect(probe.explained > 0.9999 && probe.untrained > 0.9999)
            #expect(probe.byPull[0] == nil && probe.byPull.dropFirst().allSatisfy { ($0 ?? 0) > 0.999 })
        }
        // Both play exactly, but break ties each in its way.
        #expect(bandit.differences.map(\.player) == ["Bayes-optimal", "Gittins, finite horizon", "Thompson sampling"])
        let difference = bandit.differences[0].difference
        #expect(abs(difference.mean) < 4 * difference.standardError && difference.standardError < 0.1)
        let thompson = bandit.differences[2].difference
        #expect(thompson.mean > 4 * thompson.standardError)
        #expect(bandit.leftOut.isEmpty)
    }

    /// Exact play is that of the prior that is played.
    @Test(arguments: [BanditPrior.beta(shape: 2), .dependent]) func exactPlayKnowsThePrior(_ prior: BanditPrior) throws
    {
        let family = BernoulliBandit(arms: 2, episodes: 12, prior: prior)
        let rule = try #require(ChoiceRule.rules(for: family) { _ in }.first)
        let bandit = try #require(
            analyse(CountingPolicy(outputs: 2, respond: follow(rule)), family, trials: 400).bandit)
        #expect(rule.name == "Bayes-optimal" && bandit.agreement[0].mode == [Double](repeating: 1, count: 12))
        let difference = try #require(bandit.differences.first)
        #expect(difference.player == "Bayes-optimal")
        #expect(abs(difference.difference.mean) < 4 * difference.difference.standardError)
        // Thompson sampling believes in the uniform prior: P(Beta(2, 1) > U) − P(Beta(1, 2) > U).
        #expect(abs(bandit.flips[0].thompsonEffect.mean - 1.0 / 3) < 1e-3)
        #expect(bandit.probes.allSatisfy { $0.explained > 0.9 })
    }

    /// Who chooses with Thompson's probabilities is changed by a reward as Thompson sampling is.
    @Test func thompsonSamplingIsChangedAsThompsonSampling() throws {
        let family = BernoulliBandit(arms: 3, episodes: 8)
        let policy = CountingPolicy(outputs: 3) { successes, failures, _ in
            var choice = ThompsonChoice()
            return choice.probabilities(successes: successes, failures: failures)
        }
        let bandit = try #require(analyse(policy, family, trials: 200).bandit)
        #expect(
            bandit.flips.map { [$0.pull, $0.lag] } == [
                [0, 1], [0, 2], [0, 5], [2, 1], [2, 2], [2, 5], [4, 1], [4, 2],
            ])
        for flip in bandit.flips {
            #expect(abs(flip.effect.mean - flip.thompsonEffect.mean) < 1e-5)
            #expect(abs(flip.totalVariation.mean - flip.thompsonTotalVariation.mean) < 1e-5)
            #expect(flip.effect.mean > 0.05 && flip.totalVariation.mean >= flip.effect.mean - 1e-5)
        }
        // After the first pull of three arms: P(Beta(2, 1) is the largest) − P(Beta(1, 2) is) = 1 / 2 − 1 / 6.
        #expect(abs(bandit.flips[0].effect.mean - 1.0 / 3) < 1e-4 && bandit.flips[0].effect.standardError < 1e-6)
    }

    /// Always arm 0: of two arms renaming always means the other, no reward changes anything, and regret is known.
    @Test func whoAlwaysPullsOneArmIsFoundOut() throws {
        let family = BernoulliBandit(arms: 2, episodes: 12)
        let policy = try model("gru", family, hidden: 4)
        let weights = Matrix(rows: 1, columns: policy.layout.count)
        let bias = try #require(policy.layout.entries.first { $0.name == "head.bias" })
        weights[0, bias.offset] = 100
        let record = analyse(policy, weights: weights, family, trials: 3000)
        let bandit = try #require(record.bandit)
        #expect(bandit.renaming.mean.allSatisfy { abs($0 - 1) < 1e-6 })
        #expect(bandit.flips.allSatisfy { $0.effect.mean == 0 && $0.totalVariation.mean == 0 })
        #expect(bandit.flips.allSatisfy { $0.thompsonEffect.mean > 0.05 })
        // E max(p₀, p₁) − E p₀ = 2/3 − 1/2 a pull.
        for (pull, lost) in bandit.regret[0].mean.enumerated() {
            #expect(abs(lost - Double(pull + 1) / 6) < 4 * bandit.regret[0].standardError[pull])
        }
        let (own, last) = (record.episodes.mean, record.episodes.standardError[11])
        #expect(abs(own[11] - 0.5) < 4 * last)
        // A state of zeros tells nothing.
        #expect(bandit.stateWidth == 4 && bandit.probes.allSatisfy { abs($0.explained) < 0.01 })
    }

    /// A memory holds counts before any training, the last step alone does not.
    @Test(arguments: ["gru", "lstm", "transformer"]) func aMemoryHoldsMoreThanTheLastStep(_ name: String) throws {
        let family = BernoulliBandit(arms: 2, episodes: 8)
        func counts(_ name: String) throws -> InsideBandit.Probe {
            let policy = try model(name, family, hidden: 16)
            let record = analyse(
                policy, weights: Trainer.firstParameters(of: policy, seed: 3), family, trials: 400)
            return try #require(record.bandit?.probes.last)
        }
        let (memory, none) = (try counts(name), try counts("feedforward"))
        #expect(memory.quantity == "pull_count" && memory.explained > none.explained + 0.2)
        // Here "trained" and "untrained" are the same.
        #expect(memory.explained == memory.untrained)
        // What is not in the last step is lost to who remembers nothing.
        let (with, without) = (try #require(memory.byPull[7]), try #require(none.byPull[7]))
        #expect(with > without + 0.3)
        #expect(without < 0.5)
    }

    @Test func threadsChangeNoBit() throws {
        let family = BernoulliBandit(arms: 3, episodes: 5)
        let policy = try model("gru", family, hidden: 8)
        let weights = Trainer.firstParameters(of: policy, seed: 9)
        let records = [1, 2, 3].map { analyse(policy, weights: weights, family, trials: 333, threads: $0) }
        #expect(records[0] == records[1] && records[0] == records[2])
        #expect(try records[0].encoded() == records[2].encoded())
    }

    /// What cannot be had is said, and the rest is there; a single pull has nothing to flip; other tasks have a curve.
    @Test func whatCannotBeHadIsLeftOut() throws {
        let long = BernoulliBandit(arms: 5, episodes: 40)
        let policy = try model("gru", long, hidden: 4)
        let weights = Trainer.firstParameters(of: policy, seed: 0)
        let bandit = try #require(analyse(policy, weights: weights, long, trials: 100).bandit)
        #expect(bandit.leftOut.count == 1 && bandit.leftOut[0].contains("beliefs are too many"))
        #expect(bandit.agreement.map(\.rule) == ["Gittins, finite horizon", "UCB1, c = 0.2", "Greedy"])
        #expect(bandit.regret.map(\.name) == ["it", "Gittins, finite horizon", "Thompson sampling"])

        let short = BernoulliBandit(arms: 5, episodes: 1)
        let once = try #require(analyse(policy, weights: weights, short, trials: 100).bandit)
        #expect(once.flips.isEmpty && once.probes.isEmpty && once.renaming.mean.count == 1)

        let mdp = TabularMDP(states: 3, actions: 5, episodes: 4)
        let other = analyse(try model("gru", mdp, hidden: 4), mdp, trials: 50)
        #expect(other.bandit == nil && other.inside != nil && other.episodes.mean.count == 4)
        #expect(AnalysisPage(other).markdown.contains("Reward by episode"))
    }

    /// The page is made of the record alone, and so is the report's section.
    @Test func aRecordHoldsAllThatAPageShows() throws {
        let family = BernoulliBandit(arms: 2, episodes: 20)
        let policy = try model("lstm", family, hidden: 4)
        let record = analyse(policy, weights: Trainer.firstParameters(of: policy, seed: 1), family, trials: 100)
        let path = NSTemporaryDirectory() + "rl2x-analysis-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try record.write(to: path)
        let again = try AnalysisRecord.read(path)
        #expect(again == record)
        let page = AnalysisPage(again).markdown
        #expect(page == AnalysisPage(record).markdown)
        for title in ["Reward by episode", "Regret", "Which rule", "read from its state", "names matter", "one reward"]
        {
            #expect(page.contains(title), "\(title)")
        }
        #expect(!page.contains("nan"))
        let text = try String(contentsOfFile: path, encoding: .utf8)
        for (damage, words) in [
            (text.replacingOccurrences(of: "\"version\" : 1", with: "\"version\" : 9"), "version 9"),
            (String(text.prefix(300)), "half of one"),
            (text.replacingOccurrences(of: "\"regret\"", with: "\"regrets\""), "half of one"),
        ] {
            try Data(damage.utf8).write(to: URL(fileURLWithPath: path))
            #expect { try AnalysisRecord.read(path) } throws: {
                "\($0)".contains(words) && "\($0)".contains(path) && !"\($0)".contains("\n")
            }
        }
    }

    /// Play as the analysis keeps it is the agent's play.
    @Test func historiesAreTheAgentsPlay() throws {
        let family = BernoulliBandit(arms: 4, episodes: 9)
        let policy = try model("gru", family, hidden: 8)
        let weights = Trainer.firstParameters(of: policy, seed: 2)
        let root = Trainer.heldOutMembers(seed: 4)
        let played = LearnedAgent(name: "", policy: policy, weights: weights).play(
            30..<70, of: family, root: root, workers: Workers(threads: 1))
        let reader = policy.makeReader(weights: weights, family: family, lanes: 64)
        let histories = BanditHistories(30..<70, of: family, root: root, played: reader)
        for lane in 0..<40 {
            #expect(
                (0..<9).map { Double(histories.rewards[$0 * 40 + lane]) }
                    == Array(played.rewards[lane * 9..<lane * 9 + 9]))
        }
    }
}

@Suite struct ReadoutTests {
    private func rows(_ count: Int, _ random: inout RandomSource, _ row: (inout RandomSource) -> [Double]) -> [Double] {
        (0..<count).flatMap { _ in row(&random) + [1] }
    }

    /// A linear target is read without error through features that are scaled badly and say the same twice; noise is not.
    @Test func whatIsLinearIsReadAndNoiseIsNot() {
        var random = RandomSource(seed: 1)
        func draw(_ random: inout RandomSource) -> [Double] {
            let (a, b) = (random.normal(), random.normal())
            return [1000 + a, 0.01 * b, 0.01 * b, 7, 2 * a - 3 * b + 5, random.normal()]
        }
        var sums = ReadoutSums(features: 4, targets: 2)
        let fitted = rows(2000, &random, draw)
        fitted.withUnsafeBufferPointer { sums.add(2000, $0.baseAddress!) }
        let readout = LinearReadout(sums)
        let tested = rows(2000, &random, draw)
        let read = tested.withUnsafeBufferPointer { readout.read(2000, $0.baseAddress!, stride: 7) }
        var errors = ReadoutErrors(steps: 1, targets: 2)
        for row in 0..<2000 {
            for target in 0..<2 {
                errors.add(step: 0, target: target, value: tested[row * 7 + 4 + target], read: read[row * 2 + target])
            }
        }
        #expect((errors.explained(targets: 0..<1, steps: 0..<1) ?? 0) > 0.999_99)
        #expect(abs(errors.explained(targets: 1..<2, steps: 0..<1) ?? 1) < 0.01)
    }

    /// One feature of deviation 1: w = cov(x, y) / (var x + λ).
    @Test func thePenaltyIsThatOfRidgeRegression() {
        let rows: [Double] = [-1, -2, 1, 1, 2, 1]
        var sums = ReadoutSums(features: 1, targets: 1)
        rows.withUnsafeBufferPointer { sums.add(2, $0.baseAddress!) }
        let readout = LinearReadout(sums, penalty: 0.25)
        let read = [4.0, 1].withUnsafeBufferPointer { readout.read(1, $0.baseAddress!, stride: 2) }
        #expect(abs(read[0] - 4 * 2 / 1.25) < 1e-12)
    }

    @Test func cholesky() {
        // A = L Lᵀ of L = [[2, 0, 0], [1, 3, 0], [−1, 2, 1]], X = [[1, 2], [0, −1], [3, 1]].
        var matrix: [Double] = [4, 2, -2, 2, 10, 5, -2, 5, 6]
        var right: [Double] = [-2, 4, 17, -1, 16, -3]
        LinearReadout.solve(&matrix, &right, size: 3, columns: 2)
        for (value, wanted) in zip(right, [1, 2, 0, -1, 3, 1.0]) { #expect(abs(value - wanted) < 1e-12) }
    }

    @Test func whatDoesNotVaryIsNotExplained() {
        var errors = ReadoutErrors(steps: 2, targets: 1)
        for value in [0.1, 0.1, 0.1] { errors.add(step: 0, target: 0, value: value, read: 0.3) }
        for value in [0.0, 1, 2] { errors.add(step: 1, target: 0, value: value, read: 1) }
        #expect(errors.explained(targets: 0..<1, steps: 0..<1) == nil)
        #expect(errors.explained(targets: 0..<1, steps: 1..<2) == 0)
    }
}

@Suite struct ThompsonChoiceTests {
    /// Equal counts have equal shares; m successes against nothing known win with probability (m + 1) / (m + 2), the mean of
    /// Beta(m + 1, 1).
    @Test func knownProbabilities() {
        var choice = ThompsonChoice()
        #expect(
            choice.probabilities(successes: [0, 0, 0, 0], failures: [0, 0, 0, 0]).allSatisfy { abs($0 - 0.25) < 1e-12 })
        for successes in [1, 4, 99] {
            let chosen = choice.probabilities(successes: [successes, 0], failures: [0, 0])
            #expect(abs(chosen[0] - Double(successes + 1) / Double(successes + 2)) < 1e-4)
        }
        // ∫ 2x · x · x dx
        #expect(abs(choice.probabilities(successes: [1, 0, 0], failures: [0, 0, 0])[0] - 0.5) < 1e-4)
    }

    /// Against Thompson sampling itself.
    @Test func frequenciesOfSampling() {
        let (successes, failures) = ([30, 3, 0, 12], [25, 1, 0, 40])
        var choice = ThompsonChoice()
        let chosen = choice.probabilities(successes: successes, failures: failures)
        #expect(abs(chosen.reduce(0, +) - 1) < 1e-12)
        var random = RandomSource(seed: 8)
        let draws = 100_000
        var counts = [0, 0, 0, 0]
        for _ in 0..<draws {
            let sample = (0..<4).map { random.beta(Double(1 + successes[$0]), Double(1 + failures[$0])) }
            counts[sample.indices.max { sample[$0] < sample[$1] }!] += 1
        }
        for arm in 0..<4 {
            let error = (chosen[arm] * (1 - chosen[arm]) / Double(draws)).squareRoot()
            #expect(abs(Double(counts[arm]) / Double(draws) - chosen[arm]) < 4.5 * error + 1e-4)
        }
    }
}
