import Interface
import Kernels
import Tasks

/// Uniformly random actions, on any task: the floor.
public struct RandomAgent: ClassicAgent {
    public var name: String { "Random" }
    public var parameters: String { "" }

    public init() {}

    public func makePlayer(for family: any TaskFamily) -> TrialPlayer { TrialPlayer(actions: family.actions) }

    public struct TrialPlayer: Player {
        let actions: Int

        public mutating func act(_ input: StepView, random: inout RandomSource) -> Int {
            random.integer(below: actions)
        }
    }
}
