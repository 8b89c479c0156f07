import Interface

/// A quantity of a trial that its environment knows at every step and the agent is not told: what an analysis tries to read
/// from a policy's memory by a linear map.
public struct ProbeQuantity: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// One of so many classes; its value is one number, that of the class, from 0.
        case classes(Int)
        /// So many real numbers.
        case vector(Int)
        /// So many statements, each true (1), false (−1), or not known yet to who has seen what the agent was shown (0).
        case statements(Int)
    }

    /// As records have it, such as `target_room`.
    public let name: String
    /// As a page has it, with units.
    public let meaning: String
    public let kind: Kind

    public init(_ name: String, _ meaning: String, _ kind: Kind) {
        (self.name, self.meaning, self.kind) = (name, meaning, kind)
    }

    /// Numbers in a value.
    public var valueCount: Int {
        switch kind {
        case .classes: 1
        case .vector(let count), .statements(let count): count
        }
    }
}

/// Follows one trial and tells the values of a task's quantities at every step. A value: there is one for each trial.
///
/// A task states its quantities by `TaskFamily.makeProbes`. What is stated is asked of every policy by `rl2x bench analyse`.
public protocol TrialProbes<Member>: Sendable {
    associatedtype Member: Environment

    /// The same for all members of a family.
    var quantities: [ProbeQuantity] { get }

    /// Writes the values at a step, when the policy has been shown `input` and has not acted yet. It is called at each step
    /// of a trial, in order, from the first on.
    ///
    /// - Parameters:
    ///   - environment: as it is at the step; after an episode's end, as `reset` left it.
    ///   - input: what the policy is given.
    ///   - values: of all quantities, one after another [Σ valueCount]
    mutating func observe(_ environment: Member, _ input: StepView, into values: UnsafeMutablePointer<Double>)
}
