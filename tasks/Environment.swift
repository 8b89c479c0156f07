import Kernels

/// What a step of an MDP gives, besides the next observation.
public struct Transition: Sendable, Equatable {
    /// r_t
    public var reward: Float
    /// The MDP reached a state in which the episode ends.
    public var terminated: Bool
    /// The episode was cut by its time limit.
    public var truncated: Bool

    public init(reward: Float, terminated: Bool = false, truncated: Bool = false) {
        self.reward = reward
        self.terminated = terminated
        self.truncated = truncated
    }

    /// d_t of the next input: the episode is over, for whichever reason.
    public var endsEpisode: Bool { terminated || truncated }
}

/// One member of a family, ready to be played: a single MDP, fixed for a whole trial.
///
/// A value, so that lanes are an array of them. It draws its transitions and rewards from the source that it is handed.
public protocol Environment: Sendable {
    /// Starts an episode of the same MDP and writes its first observation.
    mutating func reset(observation: ObservationWriter, random: inout RandomSource)
    /// Takes an action in 0 ..< A and writes the observation that follows.
    ///
    /// After a step that ends the episode the caller calls `reset`, whose observation replaces this one.
    mutating func step(action: Int, observation: ObservationWriter, random: inout RandomSource) -> Transition
}

/// Where an environment writes an observation: straight into the batch that the policy will read.
public struct ObservationWriter {
    /// [width] for vectors.
    public let vector: UnsafeMutablePointer<Float>
    /// [height × width × channels] for images, channels last.
    public let image: UnsafeMutablePointer<UInt8>

    public init(vector: UnsafeMutablePointer<Float>, image: UnsafeMutablePointer<UInt8>) {
        self.vector = vector
        self.image = image
    }
}
