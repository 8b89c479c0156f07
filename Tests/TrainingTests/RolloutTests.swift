import Autodiff
import Kernels
import Models
import Tasks
import Testing

@testable import Training

@Suite struct RolloutTests {
    private let root = RandomSource(seed: 1).split(7)

    /// Steps through the rows of a shard anew and calls `body(step, lane, log-probabilities)` with what the policy said.
    private func replay<Policy: SequencePolicy>(
        _ policy: Policy, _ played: PlayedBatch, _ shard: ShardBatch, body: (Int, Int, [Float]) -> Void
    ) {
        let (tape, memory) = (Tape(), policy.makeMemory(lanes: shard.lanes, steps: 8))
        let outcomes = shard.actionCount
        for step in 0..<shard.shape.steps {
            let alive = shard.shape.lanesAtStep[step]
            if alive < memory.lanes { memory.keep(lanes: Array(0..<alive)) }
            tape.begin(parameters: UnsafePointer(played.parameters.pointer), recording: false)
            let inputs = shard.columns.inputs(from: shard.shape.offsets[step], rows: alive)
            let logits = policy.step(inputs, memory: memory, tape: tape)
            var logProbabilities = [Float](repeating: 0, count: alive * outcomes)
            Categorical.logProbabilities(
                rows: alive, outcomes: outcomes, logits: tape.value(logits), into: &logProbabilities)
            for lane in 0..<alive {
                body(step, lane, Array(logProbabilities[lane * outcomes..<(lane + 1) * outcomes]))
            }
        }
    }

    /// The distribution that acted, recomputed by `step`, gives the recorded actions with the trial's own uniform
    /// numbers, and is the one that `unroll` at θ_old writes down for learning.
    ///
    /// Both are the same sums; matrix products with other numbers of rows may add in another order. Logits here are
    /// sums of 8 products of numbers below about 1, at most 12 steps deep: 12 · 8 · 2⁻²⁴ ≈ 6e-6.
    @Test func logProbabilitiesForLearningAreThoseThatActed() throws {
        // Equal lengths for the streams' sake: a packed lane is the trial of the same number.
        let played = PlayedBatch(BernoulliBandit(arms: 4, episodes: 12), trials: 30, hidden: 8)
        played.setRandomAdvantages()
        _ = played.update(played.optimizer, .all(backtrackLimit: 0))
        var (largest, wrongActions) = (Float(0), 0)
        for (index, shard) in played.batch.shards.enumerated() {
            let first = played.batch.sharding.first(index)
            var sources = (0..<shard.lanes).map { TrialStreams(root.split(first + $0)).actions }
            replay(played.policy, played, shard) { step, lane, acted in
                let row = shard.shape.row(step: step, lane: lane)
                let uniform = sources[lane].uniform()
                let action = Categorical.sample(acted, outcomes: 4, uniform: uniform)
                if shard.actions[row] != Int32(action) { wrongActions += 1 }
                for outcome in 0..<4 {
                    largest = max(largest, abs(acted[outcome] - shard.logProbabilities[row * 4 + outcome]))
                }
            }
        }
        #expect(wrongActions == 0)
        #expect(largest < 12 * 8 * 0x1p-24, "\(largest)")
    }

    @Test func logProbabilitiesOfRaggedTrialsAreThoseThatActed() {
        let played = PlayedBatch(raggedFamily(), trials: 50, hidden: 8)
        played.setRandomAdvantages()
        _ = played.update(played.optimizer, .all(backtrackLimit: 0))
        var largest: Float = 0
        for shard in played.batch.shards {
            replay(played.policy, played, shard) { step, lane, acted in
                let row = shard.shape.row(step: step, lane: lane)
                for outcome in 0..<3 {
                    largest = max(largest, abs(acted[outcome] - shard.logProbabilities[row * 3 + outcome]))
                }
            }
        }
        #expect(largest < 12 * 8 * 0x1p-24, "\(largest)")
    }

    /// A trial in a batch is what it is alone: no lane sees another, and packing changes nothing.
    @Test func aTrialIsTheSameAloneAndInABatch() {
        let played = PlayedBatch(raggedFamily(), trials: 24)
        let inBatch = played.batch.shards.flatMap(\.allTrials)
        for trial in 0..<24 {
            let alone = TrialBatch(family: played.family, trials: 1)
            alone.play(
                played.policy, parameters: UnsafePointer(played.parameters.pointer), root: root, first: trial,
                workers: played.workers)
            #expect(inBatch.contains(alone.shards[0].trial(0)), "trial \(trial)")
        }
    }

    /// Trial i has the same member whatever policy plays it, however many others there are: common random numbers.
    @Test func aTrialsMemberDoesNotDependOnThePolicyOrTheBatch() {
        func members(_ parameters: UInt64, first: Int, trials: Int, choice: ActionChoice = .sampled) -> Set<Float> {
            let played = PlayedBatch(raggedFamily(), trials: 1, seed: parameters)
            let batch = TrialBatch(family: raggedFamily(), trials: trials)
            batch.play(
                played.policy, parameters: UnsafePointer(played.parameters.pointer), root: root, first: first,
                choice: choice, workers: played.workers)
            return Set(batch.shards.flatMap(\.allTrials).map { $0[0].input.vector[0] })
        }
        let all = members(1, first: 0, trials: 60)
        #expect(all.count > 50)
        #expect(members(2, first: 0, trials: 60) == all)
        #expect(members(2, first: 0, trials: 60, choice: .greedy) == all)
        #expect(members(1, first: 0, trials: 25).union(members(3, first: 25, trials: 35)) == all)
    }

    /// And where rewards depend on the action's success only, the whole environment is the same: with the same actions
    /// the same rewards.
    @Test func actionsAndRewardsHaveStreamsOfTheirOwn() {
        let family = BernoulliBandit(arms: 2, episodes: 40)
        let batches = [ActionChoice.greedy, .sampled].map { choice -> [[TrialStep]] in
            let played = PlayedBatch(family, trials: 1)
            let batch = TrialBatch(family: family, trials: 30)
            batch.play(
                played.policy, parameters: UnsafePointer(played.parameters.pointer), root: root, choice: choice,
                workers: played.workers)
            return batch.shards.flatMap(\.allTrials)
        }
        var (same, different) = (0, 0)
        for (greedy, sampled) in zip(batches[0], batches[1]) {
            for (a, b) in zip(greedy, sampled) {
                if a.action == b.action {
                    same += 1
                    #expect(a.reward == b.reward)
                } else {
                    different += 1
                }
            }
        }
        #expect(same > 100 && different > 100)
    }

    @Test func greedyPlayTakesTheMostProbableAction() {
        let played = PlayedBatch(raggedFamily(), trials: 30, hidden: 8)
        played.batch.play(
            played.policy, parameters: UnsafePointer(played.parameters.pointer), root: root, choice: .greedy,
            workers: played.workers)
        var wrong = 0
        for shard in played.batch.shards {
            replay(played.policy, played, shard) { step, lane, acted in
                let action = Int(shard.actions[shard.shape.row(step: step, lane: lane)])
                if acted[action] < acted.max()! { wrong += 1 }
            }
        }
        #expect(wrong == 0)
    }

    @Test(arguments: [false, true]) func theBitsDoNotDependOnTheNumberOfThreads(refillsLanes: Bool) {
        let plays = [1, 2, 3].map {
            PlayedBatch(raggedFamily(), trials: 900, threads: $0, refillsLanes: refillsLanes).batch.shards
                .flatMap(\.allTrials)
        }
        #expect(refillsLanes ? plays[0].count > 1000 : plays[0].count == 900)
        #expect(plays[0] == plays[1] && plays[0] == plays[2])
    }

    /// Lanes that are refilled fill the batch: as many steps as if all trials were of the longest length, but for what the
    /// last trials might still have taken, and never more. Each of them is the trial that it is alone.
    @Test func refilledLanesPlayWholeTrialsWithinTheBatch() {
        let trials = 60
        let played = PlayedBatch(raggedFamily(), trials: trials, refillsLanes: true)
        let batch = played.batch
        let longest = played.family.maximumTrialSteps
        #expect(batch.rows <= trials * longest)
        // Each of the two groups stops when no other trial is sure to fit.
        #expect(batch.rows > trials * longest - 2 * 2 * longest)
        #expect(batch.trials > trials)
        let numbers = batch.shards.flatMap(\.numbers)
        #expect(Set(numbers).count == batch.trials && numbers.count == batch.trials)
        #expect(Set(numbers).isSuperset(of: 0..<trials))
        for shard in batch.shards {
            for (lane, number) in shard.numbers.enumerated() {
                let alone = TrialBatch(family: played.family, trials: 1)
                alone.play(
                    played.policy, parameters: UnsafePointer(played.parameters.pointer), root: root, first: number,
                    workers: played.workers)
                #expect(alone.shards[0].trial(0) == shard.trial(lane), "trial \(number)")
            }
        }
        // Shards have about as many steps each.
        let rows = batch.shards.map(\.rows)
        #expect(rows.max()! - rows.min()! <= 2 * longest, "\(rows)")
    }

    /// Trials of a member stay together in number, and trials of equal length leave nothing to refill.
    @Test func refillingKeepsMembersTogether() {
        let family = raggedFamily()
        let played = PlayedBatch(family, trials: 1)
        let batch = TrialBatch(family: family, trials: 41, trialsPerMember: 4, refillsLanes: true)
        batch.play(
            played.policy, parameters: UnsafePointer(played.parameters.pointer), root: root, workers: played.workers)
        var members: [Int: Set<Float>] = [:]
        for shard in batch.shards {
            for (lane, number) in shard.numbers.enumerated() {
                members[number / 4, default: []].insert(shard.trial(lane)[0].input.vector[0])
            }
        }
        #expect(members.count > 11)
        #expect(members.values.allSatisfy { $0.count == 1 })
        #expect(Set(members.values.flatMap { $0 }).count > members.count / 2)

        let even = [false, true].map { refillsLanes -> [[TrialStep]] in
            PlayedBatch(BernoulliBandit(arms: 3, episodes: 6), trials: 41, refillsLanes: refillsLanes).batch.shards
                .flatMap(\.allTrials)
        }
        let same = even[0] == even[1]
        #expect(same)
    }

    @Test(arguments: [[3, 3, 3, 3, 3], [1, 9, 2, 2, 7, 1, 1, 3], [5], [1, 1, 1, 20]]) func cutsByRows(_ lengths: [Int])
    {
        for count in 1...4 {
            let runs = TrialBatch.cut(lengths, into: count)
            #expect(runs.count == count)
            #expect(runs.flatMap { Array($0) } == Array(lengths.indices))
            for run in runs {
                let rows = lengths[run].reduce(0, +)
                #expect(rows * count <= lengths.reduce(0, +) + lengths.max()! * count)
            }
        }
    }
}
