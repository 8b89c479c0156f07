import Bench
import Foundation
import Interface
import Tasks
import Training

/// The matches that pages have begun, one call at a time.
actor DemoHub {
    /// Matches that are kept; the one that nobody has played for longest makes room.
    static let mostMatches = 64

    private let agents: [DemoAgent]
    private var matches: [Int: Match] = [:]
    /// The latest last.
    private var order: [Int] = []
    private var count = 0

    init(_ agents: [DemoAgent]) {
        // Those that play a task as it is by default come first: their options are what its page begins with.
        func isStandard(_ agent: DemoAgent) -> Bool {
            let options = taskCatalogue.entry(named: agent.configuration.task)?.options ?? []
            return agent.configuration.taskOptions == Values(defaults: options)
        }
        self.agents = agents.filter(isStandard) + agents.filter { !isStandard($0) }
    }

    /// A request for a match that is not there.
    struct Gone: Error {}

    struct Menu: Encodable {
        struct Agent: Encodable {
            let name, title, summary, task: String
            let options: [String: String]
        }
        struct Opponent: Encodable {
            let name, title: String
            let isChosen: Bool
        }
        struct Task: Encodable {
            let name: String
            let opponents: [Opponent]
        }
        let version: String
        let agents: [Agent]
        /// Those that an agent plays.
        let tasks: [Task]
    }

    /// Who can play what.
    func menu() throws -> Menu {
        let names = taskCatalogue.names.filter { name in agents.contains { $0.configuration.task == name } }
        return Menu(
            version: Version.number,
            agents: agents.map { agent in
                let options = agent.configuration.taskOptions
                return Menu.Agent(
                    name: agent.name, title: agent.title, summary: agent.summary, task: agent.configuration.task,
                    options: Dictionary(
                        uniqueKeysWithValues: options.names.map { ($0, options[$0].map { "\($0)" } ?? "") }))
            },
            tasks: try names.map { name in
                let entry = try taskCatalogue.require(name)
                let family = entry.make(Values(defaults: entry.options))
                return Menu.Task(
                    name: name,
                    opponents: DemoOpponent.all(of: name, playing: family).map {
                        Menu.Opponent(name: $0.name, title: $0.title, isChosen: $0.isChosen)
                    })
            })
    }

    /// Begins a match.
    func begin(_ request: Match.Request) throws -> Match.Opening {
        let match = try Match(request, agents: agents)
        count += 1
        matches[count] = match
        order.append(count)
        if order.count > DemoHub.mostMatches { matches[order.removeFirst()] = nil }
        return match.opening(id: count)
    }

    /// Plays on in a match.
    func play(_ id: Int, _ move: Match.Move) throws -> Match.Played {
        guard let match = matches[id] else { throw Gone() }
        order.removeAll { $0 == id }
        order.append(id)
        return try match.play(move)
    }
}
