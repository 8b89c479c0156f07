import Interface
import Kernels
import Tasks

/// A family whose every number tells where it belongs: an input that is late, early, or of another lane is seen at
/// once. Trials differ in length; episodes end in terminal states and by time limits.
///
/// - A member is a number below 1000. `reset` draws a start below 512, and an episode has `length(member, start)` steps,
///   1 to 4. Where member + start is even it ends by its time limit, else in a terminal state.
/// - The observation is (member / 1000, start / 512, step / 4, noise), or as an image of four bytes (member and start
///   mod 256, their higher bits, step); the noise is the next number of the environment's stream.
/// - The action member mod 3 pays 1.
public struct ScriptedFamily: TaskFamily {
    /// What a step earns besides the 1 of the right action.
    public enum Rewards: Sendable {
        /// A number that no other step of any member earns, in (0, 1).
        case distinct
        /// Nothing.
        case plain
    }

    public let episodes: Int
    public let rewards: Rewards
    private let showsImages: Bool

    public init(episodes: Int = 5, rewards: Rewards = .distinct, showsImages: Bool = false) {
        self.episodes = episodes
        self.rewards = rewards
        self.showsImages = showsImages
    }

    public var name: String { "scripted" }
    public var observation: ObservationSpace {
        showsImages ? .image(height: 1, width: 1, channels: 4) : .vector(width: 4)
    }
    public var actions: Int { 3 }
    public var maximumEpisodeSteps: Int { 4 }

    /// Steps of an episode.
    public static func length(member: Int, start: Int) -> Int { 1 + (member + 3 * start) % 4 }

    /// Whether an episode ends by its time limit.
    public static func isTruncated(member: Int, start: Int) -> Bool { (member + start) % 2 == 0 }

    /// A multiple of 2⁻²², and so exact in Float32.
    public func reward(member: Int, start: Int, step: Int, action: Int) -> Float {
        let payment: Float = action == member % actions ? 1 : 0
        let code = member * 2048 + start * 4 + step
        return rewards == .distinct ? payment + Float(2 * code + 1) * 0x1p-22 : payment
    }

    /// The observation of a vector task.
    public static func vector(member: Int, start: Int, step: Int, noise: Float) -> [Float] {
        [Float(member) / 1000, Float(start) / 512, Float(step) / 4, noise]
    }

    /// The observation of an image task.
    public static func image(member: Int, start: Int, step: Int) -> [UInt8] {
        [UInt8(member & 255), UInt8(start & 255), UInt8((member >> 8) << 4 | (start >> 8)), UInt8(step)]
    }

    public func sample(_ random: inout RandomSource) -> Member {
        Member(family: self, number: random.integer(below: 1000))
    }

    public struct Member: Environment {
        let family: ScriptedFamily
        public let number: Int
        private var start = 0
        private var step = 0

        init(family: ScriptedFamily, number: Int) {
            self.family = family
            self.number = number
        }

        public mutating func reset(observation: ObservationWriter, random: inout RandomSource) {
            start = random.integer(below: 512)
            step = 0
            show(observation, &random)
        }

        public mutating func step(
            action: Int, observation: ObservationWriter, random: inout RandomSource
        ) -> Transition {
            let reward = family.reward(member: number, start: start, step: step, action: action)
            step += 1
            let isOver = step == ScriptedFamily.length(member: number, start: start)
            let isTruncated = ScriptedFamily.isTruncated(member: number, start: start)
            show(observation, &random)
            return Transition(reward: reward, terminated: isOver && !isTruncated, truncated: isOver && isTruncated)
        }

        private func show(_ observation: ObservationWriter, _ random: inout RandomSource) {
            let noise = random.uniform()
            if family.showsImages {
                let bytes = ScriptedFamily.image(member: number, start: start, step: step)
                observation.image.update(from: bytes, count: bytes.count)
            } else {
                let numbers = ScriptedFamily.vector(member: number, start: start, step: step, noise: noise)
                observation.vector.update(from: numbers, count: numbers.count)
            }
        }
    }
}
