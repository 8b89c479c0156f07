import Interface
import Kernels
import Tasks
import Training

/// A learning algorithm that was designed: told what kind of task it plays, not which member.
///
/// To add one: a file with a `Player`, the agent that makes it, and a line in `agentCatalogue`. Playing is the same for
/// all: members, chance and inputs are those that a learned policy is given, by the same code (`Rollout`).
public protocol ClassicAgent: Agent, Teacher {
    associatedtype TrialPlayer: Player

    /// A player that has seen nothing yet; each trial is played by a copy of it. What it must know of the family it is
    /// told here: the number of actions, episodes and steps.
    func makePlayer(for family: any TaskFamily) -> TrialPlayer
}

extension ClassicAgent {
    public func makeLanePlayer(for family: any TaskFamily) -> any LanePlayer {
        let fresh = makePlayer(for: family)
        return PlayerLanes { _ in fresh }
    }
}

/// A player that can say what it would do after a history whose actions another chose: what a policy is held against.
public protocol AdvisingPlayer: Player {
    /// The actions that it holds best, all of equals, at least one. Called instead of `act`, at every step of a trial.
    /// - Parameters: as of `act`.
    mutating func bestActions(_ input: StepView, random: inout RandomSource) -> [Int]
    /// Floating-point operations that this takes at a step, roughly.
    var planningOperations: Double { get }
}

/// The player who knows the member and earns the most: the ceiling. Of tasks that have one.
public struct OracleAgent: Agent, Teacher {
    public var name: String { "Oracle" }
    public var parameters: String { "" }

    public init() {}

    /// Why a family has no oracle; nil if it has.
    static func objection(_ family: any TaskFamily) -> String? {
        family.makeOracle(trial: RandomSource(seed: 0)) == nil ? "task '\(family.name)' has no oracle" : nil
    }

    public func makeLanePlayer(for family: any TaskFamily) -> any LanePlayer {
        PlayerLanes { AnyPlayer(family.makeOracle(for: $0)) }
    }

    /// A player of whatever kind, or who repeats action 0 where there is no oracle.
    private struct AnyPlayer: Player {
        private var player: any Player

        init(_ player: (any Player)?) { self.player = player ?? ScriptedPlayer(actions: []) }

        mutating func act(_ input: StepView, random: inout RandomSource) -> Int {
            player.act(input, random: &random)
        }
    }
}
