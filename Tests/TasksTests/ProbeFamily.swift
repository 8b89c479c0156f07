import Kernels
import Synchronization
import Tasks

/// A scripted family whose every number tells where it belongs: an input that is late, early, or of another lane is seen
/// at once.
///
/// - A member is a number below 1000. Episode e has `length(member, e)` steps, 1 to 4, and ends by its time limit where
///   member + e is even, else in a terminal state.
/// - The observation is (member, episode, step, noise), the image (member, step), both cut to what they can hold; the
///   noise is the next number of the environment's stream.
/// - The reward of a step is a number that no other step of any member earns, and never 0.
struct ProbeFamily: TaskFamily {
    static let vectorWidth = 4
    static let imageBytes = 2

    /// Members that were drawn, in all copies of this value.
    final class Count: Sendable {
        private let drawn = Mutex(0)
        var value: Int { drawn.withLock { $0 } }
        func increment() { drawn.withLock { $0 += 1 } }
    }

    let samples = Count()
    let episodes: Int

    var name: String { "probe" }
    var observation: ObservationSpace { .vector(width: ProbeFamily.vectorWidth) }
    var actions: Int { 5 }
    var maximumEpisodeSteps: Int { 4 }

    static func length(member: Int, episode: Int) -> Int { 1 + (member + 3 * episode) % 4 }
    static func isTruncated(member: Int, episode: Int) -> Bool { (member + episode) % 2 == 0 }
    /// At most 999 · 4096 + …, below 2²⁴ with its half: exact in Float32.
    static func reward(member: Int, episode: Int, step: Int) -> Float {
        Float(member * 4096 + episode * 8 + step) + 0.5
    }

    func sample(_ random: inout RandomSource) -> Member {
        samples.increment()
        return Member(number: random.integer(below: 1000))
    }

    struct Member: Environment {
        let number: Int
        var episode = -1
        var step = 0

        mutating func reset(observation: ObservationWriter, random: inout RandomSource) {
            episode += 1
            step = 0
            observe(observation, &random)
        }

        mutating func step(action: Int, observation: ObservationWriter, random: inout RandomSource) -> Transition {
            let reward = ProbeFamily.reward(member: number, episode: episode, step: step)
            step += 1
            let isOver = step == ProbeFamily.length(member: number, episode: episode)
            let isTruncated = ProbeFamily.isTruncated(member: number, episode: episode)
            observe(observation, &random)
            return Transition(reward: reward, terminated: isOver && !isTruncated, truncated: isOver && isTruncated)
        }

        private func observe(_ observation: ObservationWriter, _ random: inout RandomSource) {
            observation.vector[0] = Float(number)
            observation.vector[1] = Float(episode)
            observation.vector[2] = Float(step)
            observation.vector[3] = random.uniform()
            observation.image[0] = UInt8(truncatingIfNeeded: number)
            observation.image[1] = UInt8(truncatingIfNeeded: step)
        }
    }
}

/// One row of inputs, as a value.
struct InputRow: Equatable {
    var vector: [Float]
    var image: [UInt8]
    var previousAction: Int32
    var previousReward: Float
    var episodeEnd: Float
    var stepIndex: Int32
}

/// Memory for the inputs of some lanes; filled with rubbish, so that what is never written is seen.
final class InputRows {
    let writer: StepInputsWriter
    private let capacity: Int

    init(lanes: Int, vectorWidth: Int = ProbeFamily.vectorWidth, imageBytes: Int = ProbeFamily.imageBytes) {
        capacity = max(lanes, 1)
        func block<Element>(_ count: Int, _ rubbish: Element) -> UnsafeMutablePointer<Element> {
            let pointer = UnsafeMutablePointer<Element>.allocate(capacity: max(count, 1))
            pointer.initialize(repeating: rubbish, count: max(count, 1))
            return pointer
        }
        writer = StepInputsWriter(
            vectorWidth: vectorWidth, imageBytes: imageBytes, vectors: block(capacity * vectorWidth, -7),
            images: block(capacity * imageBytes, 77), previousActions: block(capacity, 77),
            previousRewards: block(capacity, -7), episodeEnds: block(capacity, -7), stepIndices: block(capacity, 77))
    }

    deinit {
        writer.vectors.deallocate()
        writer.images.deallocate()
        writer.previousActions.deallocate()
        writer.previousRewards.deallocate()
        writer.episodeEnds.deallocate()
        writer.stepIndices.deallocate()
    }

    subscript(row: Int) -> InputRow {
        precondition(row < capacity)
        let (width, bytes) = (writer.vectorWidth, writer.imageBytes)
        return InputRow(
            vector: (0..<width).map { writer.vectors[row * width + $0] },
            image: (0..<bytes).map { writer.images[row * bytes + $0] },
            previousAction: writer.previousActions[row], previousReward: writer.previousRewards[row],
            episodeEnd: writer.episodeEnds[row], stepIndex: writer.stepIndices[row])
    }
}

/// A trial as it was played: what the policy was given, did and got at each step.
struct PlayedTrial: Equatable {
    var inputs: [InputRow] = []
    var actions: [Int32] = []
    var rewards: [Float] = []
    var endedEpisode: [Bool] = []
    var isFinished: [Bool] = []

    var totalReward: Double { rewards.reduce(0) { $0 + Double($1) } }
}

/// Plays trials in lockstep to their ends, with lanes leaving as their trials end, as a rollout does.
///
/// - Parameters:
///   - choose: (trial, step, its inputs) to an action.
/// - Returns: the trials in the order of `streams`.
func playLockstep(
    _ lanes: TrialLanes, _ streams: [TrialStreams], rows: InputRows,
    choose: (_ trial: Int, _ step: Int, _ input: InputRow) -> Int
) -> [PlayedTrial] {
    var trials = [PlayedTrial](repeating: PlayedTrial(), count: streams.count)
    var alive = Array(streams.indices)
    var step = 0
    lanes.begin(streams, inputs: rows.writer)
    while lanes.count > 0 {
        var actions: [Int32] = []
        for (lane, trial) in alive.enumerated() {
            let input = rows[lane]
            trials[trial].inputs.append(input)
            actions.append(Int32(choose(trial, step, input)))
        }
        var rewards = [Float](repeating: .nan, count: alive.count)
        lanes.step(actions, rewards: &rewards, inputs: rows.writer)
        for (lane, trial) in alive.enumerated() {
            trials[trial].actions.append(actions[lane])
            trials[trial].rewards.append(rewards[lane])
            trials[trial].endedEpisode.append(lanes.endedEpisode(lane))
            trials[trial].isFinished.append(lanes.isFinished(lane))
        }
        let kept = alive.indices.filter { !lanes.isFinished($0) }
        if kept.count < alive.count { lanes.keep(lanes: kept, inputs: rows.writer) }
        alive = kept.map { alive[$0] }
        step += 1
    }
    return trials
}

/// The streams of trials 0 ..< count of a seed, as a rollout makes them.
func trialStreams(seed: UInt64, count: Int) -> [TrialStreams] {
    let root = RandomSource(seed: seed)
    return (0..<count).map { TrialStreams(root.split($0)) }
}
