import Interface
import Kernels

/// A learner of one trial, from its first step to its last, that is no trained policy: a classic algorithm, an oracle, a
/// random preference. A value: what it learned is what it holds.
public protocol Player: Sendable {
    /// Chooses an action in 0 ..< A.
    /// - Parameters:
    ///   - input: what every policy is told: of the previous step the action, the reward and whether it ended an episode,
    ///     and the observation. A reward belongs to `input.previousAction` also where `input.endsEpisode`.
    ///   - random: the trial's own stream for choices; nothing else draws from it.
    mutating func act(_ input: StepView, random: inout RandomSource) -> Int
}

/// Plays the same actions in every episode, such as a shortest path. After the last one it repeats action 0.
public struct ScriptedPlayer: Player {
    private let actions: [Int]
    private var next = 0

    /// - Parameter actions: of each episode, from its first step on.
    public init(actions: [Int]) { self.actions = actions }

    public mutating func act(_ input: StepView, random: inout RandomSource) -> Int {
        if input.endsEpisode { next = 0 }
        defer { next += 1 }
        return next < actions.count ? actions[next] : 0
    }
}
