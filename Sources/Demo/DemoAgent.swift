import Bench
import Interface
import Models
import Tasks
import Training

/// A trained policy that the demo can let play.
public struct DemoAgent: Sendable {
    /// As it was named, such as `zoo:maze-gru`.
    public let name: String
    let configuration: Configuration
    let agent: LearnedAgent

    /// - Throws: one line if there is no such run, or nothing to play with.
    public init(_ run: RunDirectory) throws {
        name = run.name
        configuration = try run.configuration()
        try configuration.validate()
        agent = try LearnedAgent(run, configuration)
        _ = try taskCatalogue.require(configuration.task)
    }

    /// The last part of its name, which pages have room for.
    var title: String {
        if name.hasPrefix(Zoo.prefix) { return String(name.dropFirst(Zoo.prefix.count)) }
        return name.split(separator: "/").last.map(String.init) ?? name
    }

    /// Such as "gru-128, 53 253 parameters".
    var summary: String {
        // A number stays on one line.
        let count = Display.grouped(agent.policy.layout.count).replacing(" ", with: "\u{A0}")
        return "\(configuration.modelName), \(count) parameters"
    }
}

/// An agent that is no trained policy, as the demo offers it.
struct DemoOpponent {
    let name: String
    let title: String
    let agent: any Agent & Teacher
    /// Whether it plays unless the page says otherwise.
    let isChosen: Bool

    /// Names in `AgentCatalogue` of those that a task's page offers, and of those that play at first.
    private static let offered: [String: (names: [String], chosen: Set<String>)] = [
        "bandit": (["thompson", "ucb1", "greedy", "bayes-optimal", "random"], ["thompson", "ucb1", "greedy"]),
        "mdp": (["psrl", "beb", "greedy", "random"], ["psrl", "greedy"]),
        "maze": (["oracle", "random"], []),
    ]

    /// Those that can play a family, at once.
    static func all(of task: String, playing family: any TaskFamily) -> [DemoOpponent] {
        let offer = offered[task] ?? (["oracle", "random"], [])
        return offer.names.compactMap { name in
            guard let entry = AgentCatalogue.entry(named: name, of: task), entry.objection(family) == nil,
                let agent = entry.makeAgent() as? any Agent & Teacher
            else { return nil }
            // A table of millions of beliefs would keep everybody waiting.
            if name == "bayes-optimal", let bandit = family as? BernoulliBandit, !bandit.isQuicklySolved { return nil }
            let title = name == "bayes-optimal" ? "Exact play" : agent.name
            return DemoOpponent(name: name, title: title, agent: agent, isChosen: offer.chosen.contains(name))
        }
    }
}
