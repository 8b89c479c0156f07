import Tasks

/// A classic agent that is asked at each step what it would do where the policy is.
struct ChoiceAdvice: Sendable {
    let name: String
    /// A player that has seen nothing yet.
    let makePlayer: @Sendable () -> any AdvisingPlayer

    /// Most operations of planning that are spent on an analysis: about a minute of one core.
    private static let mostOperations = 1e11

    /// Those of a task's agents that give advice.
    ///
    /// - Parameters:
    ///   - trials: that they are asked in.
    ///   - leftOut: is told why one is missing.
    static func all(for family: any TaskFamily, trials: Int, leftOut: (String) -> Void) -> [ChoiceAdvice] {
        AgentCatalogue.entries(of: family.name).compactMap { entry in
            guard let given = entry.advice, entry.objection(family, given: given) == nil,
                let agent = entry.makeAgent(given) as? any ClassicAgent,
                let player = agent.makePlayer(for: family) as? any AdvisingPlayer
            else { return nil }
            guard player.planningOperations * Double(trials * family.maximumTrialSteps) <= mostOperations else {
                leftOut("agreement with \(agent.title): its plans for \(trials) trials would take too long")
                return nil
            }
            return ChoiceAdvice(name: agent.title) { player }
        }
    }
}
