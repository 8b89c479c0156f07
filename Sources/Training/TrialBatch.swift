import Autodiff
import Foundation
import Interface
import Kernels
import Models
import Tasks

/// Over which rows advantages are brought to mean 0 and deviation 1.
public enum AdvantageScale: String, Sendable, Codable, CaseIterable {
    /// All N rows of the batch.
    case batch
    /// The rows of each step of the trial apart. Early in a long trial an action moves the value of all that is to
    /// come, late only the next reward: over the whole batch the noise of the first steps drowns the signal of the
    /// last.
    case step
}

/// The trials of one iteration: shards, and what is counted over all of them.
public final class TrialBatch {
    public let family: any TaskFamily
    /// How the trials that begin together are cut.
    public let sharding: Sharding
    public let shards: [ShardBatch]
    /// Trials of each member (see `ControlVariate`); trial i is of member i / trialsPerMember.
    public let trialsPerMember: Int
    /// Whether lanes whose trial is over play others, as long as they fit (see `Rollout`). Then `trials` is what came of
    /// it; N, the steps, is bounded as without.
    public let refillsLanes: Bool
    /// What each worker plays in.
    private var arenas: [PlayArena] = []
    /// A policy's memory for each worker, from one iteration to the next.
    private var memories: [any SequenceMemory] = []
    private var memoryOwner: ParameterLayout?

    private struct PlayArena {
        let lanes: TrialLanes
        let record: RolloutBuffer
        /// Log-probabilities of a step [lanes, A].
        let distributions: Buffer<Float>
    }

    /// - Parameters:
    ///   - trials: whole trials that begin together, at least 1.
    ///   - trialsPerMember: trials that share a member and its chance, at least 1.
    public init(family: any TaskFamily, trials: Int, trialsPerMember: Int = 1, refillsLanes: Bool = false) {
        self.family = family
        self.trialsPerMember = trialsPerMember
        self.refillsLanes = refillsLanes
        sharding = Sharding(trials: trials, steps: family.maximumTrialSteps)
        // Trials of unequal length do not divide evenly: a shard may get one longest trial more than its share.
        let rows = ((sharding.lanes.max() ?? 1) + 1) * family.maximumTrialSteps
        shards = sharding.lanes.map { _ in
            ShardBatch(space: family.observation, actions: family.actions, rows: rows)
        }
    }

    /// Trials that were played.
    public var trials: Int { shards.reduce(0) { $0 + $1.lanes } }

    /// N: time steps of all shards.
    public var rows: Int { shards.reduce(0) { $0 + $1.rows } }

    /// Plays all trials anew.
    ///
    /// - Parameters:
    ///   - parameters: θ [P]
    ///   - root: group g of trials draws from `root.split(first + g)`, whatever the sharding.
    public func play<Policy: SequencePolicy>(
        _ policy: Policy, parameters: UnsafePointer<Float>, root: RandomSource, first: Int = 0,
        choice: ActionChoice = .sampled, workers: Workers
    ) {
        let threads = workers.pool.threadCount
        if memoryOwner != policy.layout || memories.count < threads || !(memories.first is Policy.Memory) {
            memories = (0..<threads).map { _ in
                policy.makeMemory(lanes: largestGroup, steps: family.maximumTrialSteps)
            }
            memoryOwner = policy.layout
        }
        playGroups(root: root, first: first, refills: refillsLanes, workers: workers) { arena, worker in
            PolicyPlayer(
                policy, parameters: parameters, memory: memories[worker] as! Policy.Memory,
                distributions: arena.distributions, choice: choice, tape: workers.tapes[worker])
        }
    }

    /// Plays all trials anew by random preferences (see `PreferencePlayer`); group g draws from `root.split(g)`.
    func playPreferences(_ spread: Float, root: RandomSource, workers: Workers) {
        playGroups(root: root, workers: workers) { _, _ in PreferencePlayer(spread: spread, actions: family.actions) }
    }

    /// Plays all trials anew as a teacher does; group g draws from `root.split(first + g)`.
    public func play(_ teacher: any Teacher, root: RandomSource, first: Int = 0, workers: Workers) {
        playGroups(root: root, first: first, workers: workers) { _, _ in teacher.makeLanePlayer(for: family) }
    }

    /// Puts what a teacher would do at each step of what was played in the place of the actions, as labels; what was done
    /// stands in the inputs of the step after.
    ///
    /// - Parameter root: as the trials were played.
    func relabel(by teacher: any Teacher, root: RandomSource, workers: Workers) {
        workers.pool.run(shards.count) { index, _ in
            let (shard, player) = (shards[index], teacher.makeLanePlayer(for: family))
            player.begin(shard.numbers.map { streams(of: $0, root: root) })
            var lanes = shard.lanes
            for (first, alive) in zip(shard.shape.offsets, shard.shape.lanesAtStep) {
                if alive < lanes { player.keep(lanes: Array(0..<alive)) }
                lanes = alive
                player.act(
                    shard.columns.inputs(from: first, rows: alive), into: shard.actions.pointer + first)
            }
        }
    }

    /// Streams of the trial of a number.
    private func streams(of number: Int, root: RandomSource, first: Int = 0) -> TrialStreams {
        TrialStreams(group: root.split(first + number / trialsPerMember), number: number % trialsPerMember)
    }

    private var largestGroup: Int { sharding.largestGroup }

    /// Bytes that playing so many trials takes at most: the packed batch, and for each thread the steps as it plays them
    /// and a policy's memory.
    public static func bytes(
        trials: Int, of family: any TaskFamily, played policy: any SequencePolicy, threads: Int
    ) -> Int {
        let (steps, columns) = (family.maximumTrialSteps, StepColumns.bytesPerRow(family.observation))
        let lanes = Sharding(trials: trials, steps: steps).largestGroup
        // Log-probabilities; value, advantage and target.
        let results = (family.actions + 3) * MemoryLayout<Float>.size
        return trials * steps * (columns + results)
            + threads * lanes * ((steps + 1) * columns + policy.memoryBytes(steps: steps))
    }

    /// Throws if playing so many trials could not fit in the machine's memory: before any work is done.
    ///
    /// - Parameters:
    ///   - available: bytes.
    ///   - advice: what a user can do about it.
    public static func requireMemory(
        trials: Int, of family: any TaskFamily, played policy: any SequencePolicy, threads: Int,
        available: Int = Processor.current.memoryBytes, advice: String
    ) throws {
        let needed = bytes(trials: trials, of: family, played: policy, threads: threads)
        guard needed > available else { return }
        let (lanes, steps) = (
            Sharding(trials: trials, steps: family.maximumTrialSteps).largestGroup, family.maximumTrialSteps
        )
        let memory = threads * lanes * policy.memoryBytes(steps: steps)
        throw UserError(
            "playing \(trials) trials of up to \(steps) steps takes \(Display.memory(bytes: Double(needed))), of which the policy's memory of "
                + "\(lanes) lanes on each of \(threads) threads takes \(Display.memory(bytes: Double(memory))); there are "
                + "\(Display.memory(bytes: Double(available))): \(advice)")
    }

    private func playGroups(
        root: RandomSource, first: Int = 0, refills: Bool = false, workers: Workers,
        player: (_ arena: PlayArena, _ worker: Int) -> any LanePlayer
    ) {
        let (steps, perMember) = (family.maximumTrialSteps, trialsPerMember)
        while arenas.count < workers.pool.threadCount {
            arenas.append(
                PlayArena(
                    lanes: family.makeLanes(largestGroup),
                    record: RolloutBuffer(
                        space: family.observation, lanes: largestGroup, steps: largestGroup * steps),
                    distributions: Buffer(capacity: largestGroup * family.actions)))
        }
        let groups = sharding.groups
        // Members that no group begins with are dealt out to the groups in turn.
        let firstFurther = (sharding.trials + perMember - 1) / perMember
        workers.pool.run(groups.count) { group, worker in
            let start = sharding.first(groups[group].lowerBound)
            let trials = sharding.lanes[groups[group]].reduce(0, +)
            let queue = TrialQueue(
                numbers: Array(start..<start + trials),
                streams: { self.streams(of: $0, root: root, first: first) },
                further: refills
                    ? { (firstFurther + $0 / perMember * groups.count + group) * perMember + $0 % perMember } : nil)
            let (arena, record) = (arenas[worker], arenas[worker].record)
            Rollout.play(player(arena, worker), lanes: arena.lanes, queue: queue, into: record)
            for (shard, trials) in zip(groups[group], TrialBatch.cut(record.lengths, into: groups[group].count)) {
                shards[shard].take(trials, of: record)
            }
        }
    }

    /// Cuts trials, in the order in which they began, into runs of about as many steps each: a trial belongs to the run in
    /// which its middle lies. Trials of one length are cut evenly.
    static func cut(_ lengths: [Int], into count: Int) -> [Range<Int>] {
        let rows = lengths.reduce(0, +)
        var (trial, before) = (0, 0)
        return (1...count).map { run in
            let first = trial
            while trial < lengths.count, run == count || (2 * before + lengths[trial]) * count < 2 * rows * run {
                before += lengths[trial]
                trial += 1
            }
            return first..<trial
        }
    }

    /// Estimates every shard's advantages with λ = `lambda`, and the critic's targets A + V, from raw advantages, with
    /// λ = `targetLambda`.
    public func estimateAdvantages(discount: Float, lambda: Float, targetLambda: Float, workers: Workers) {
        workers.pool.run(shards.count) { index, _ in
            let shard = shards[index]
            func estimate(_ lambda: Float, into advantages: UnsafeMutablePointer<Float>) {
                Advantages.estimate(
                    shape: shard.shape, rewards: shard.rewards.pointer, values: shard.values.pointer,
                    discount: discount, lambda: lambda, advantages: advantages)
            }
            estimate(targetLambda, into: shard.targets.pointer)
            Elementwise.addScaled(shard.rows, 1, shard.values.pointer, to: shard.targets.pointer)
            estimate(lambda, into: shard.advantages.pointer)
        }
        if trialsPerMember > 1 { ControlVariate.subtract(groups: groups, shards: shards) }
    }

    /// The trials of each member, by the member's number.
    private var groups: [[(shard: Int, lane: Int)]] {
        var groups: [Int: [(shard: Int, lane: Int)]] = [:]
        for (index, shard) in shards.enumerated() {
            for (lane, number) in shard.numbers.enumerated() {
                groups[number / trialsPerMember, default: []].append((index, lane))
            }
        }
        return groups.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Brings the advantages to mean 0 and deviation 1, over all N rows or within each step of the trial.
    public func standardizeAdvantages(_ scale: AdvantageScale) {
        let steps = scale == .step ? (shards.map(\.shape.steps).max() ?? 0) : 1
        var counts = [Double](repeating: 0, count: steps)
        var (sums, squares) = (counts, counts)
        forEachAdvantage { step, advantage in
            let group = scale == .step ? step : 0
            counts[group] += 1
            sums[group] += Double(advantage)
            squares[group] += Double(advantage) * Double(advantage)
        }
        var (means, factors) = ([Float](repeating: 0, count: steps), [Float](repeating: 0, count: steps))
        // Rounding noise is not to be blown up to deviation 1: what counts as none is relative to the whole batch.
        let smallest = 1e-8 + 1e-4 * (squares.reduce(0, +) / Double(rows)).squareRoot()
        for group in 0..<steps {
            let mean = sums[group] / counts[group]
            means[group] = Float(mean)
            let variance = max(0, squares[group] / counts[group] - mean * mean)
            factors[group] = Float(1 / max(variance.squareRoot(), smallest))
        }
        forEachAdvantage { step, advantage in
            let group = scale == .step ? step : 0
            advantage = (advantage - means[group]) * factors[group]
        }
    }

    private func forEachAdvantage(_ body: (_ step: Int, _ advantage: inout Float) -> Void) {
        for shard in shards {
            for step in 0..<shard.shape.steps {
                let first = shard.shape.offsets[step]
                for row in first..<first + shard.shape.lanesAtStep[step] { body(step, &shard.advantages.pointer[row]) }
            }
        }
    }

    /// Mean over trials of Σ r.
    public var meanTotalReward: Double { shards.reduce(0) { $0 + $1.totalReward } / Double(trials) }

    /// Mean over trials of each episode's Σ r [episodes].
    public var episodeMeans: [Double] {
        var sums = [Double](repeating: 0, count: family.episodes)
        for shard in shards { shard.forEachEpisode { _, episode, reward, _, _ in sums[episode] += reward } }
        return sums.map { $0 / Double(trials) }
    }

    /// Σ r of every trial, in the order in which trials are numbered when all have one length; else by shard and length.
    public var totalRewards: [Double] {
        shards.flatMap { shard in
            var totals = [Double](repeating: 0, count: shard.lanes)
            for step in 0..<shard.shape.steps {
                for lane in 0..<shard.shape.lanesAtStep[step] {
                    totals[lane] += Double(shard.rewards.pointer[shard.shape.row(step: step, lane: lane)])
                }
            }
            return totals
        }
    }

    /// Where each trial lies, shard by shard.
    var places: [(shard: Int, lane: Int)] {
        shards.enumerated().flatMap { index, shard in (0..<shard.lanes).map { (index, $0) } }
    }

    /// Chooses `count` of the trials at random; the same for the same stream.
    func sampleTrials(_ count: Int, random: inout RandomSource) -> [(shard: Int, lane: Int)] {
        random.sample(count, of: places)
    }
}

extension RandomSource {
    /// `count` of the elements at random, none twice, in random order; all of them if there are fewer.
    mutating func sample<Element>(_ count: Int, of elements: [Element]) -> [Element] {
        permutation(elements.count).prefix(count).map { elements[$0] }
    }
}
