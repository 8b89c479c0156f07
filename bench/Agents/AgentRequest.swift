import Interface
import Kernels
import Tasks
import Training

/// An agent that is asked for by name, with some of its options given: `ucb1`, `ucb1:c=0.3`,
/// `gittins:rule=exact:discount=0.99`; several values of an option, `ucb1:c=0.1/0.2`, are what tuning is to try.
public struct AgentRequest: Sendable {
    public let entry: AgentEntry
    /// Options with one value.
    public let given: Values
    /// Options with several.
    public let tried: [AgentEntry.Tried]

    /// The agent with the options' standard values, or its own grid where it is tuned.
    public init(_ entry: AgentEntry, given: Values = [:]) {
        self.entry = entry
        self.given = given
        tried = []
    }

    /// All agents of a task that can play a family.
    /// - Parameter leftOut: is told why another cannot.
    public static func all(
        of task: String, playing family: any TaskFamily, leftOut: (String) -> Void
    ) -> [AgentRequest] {
        AgentCatalogue.entries(of: task).filter { entry in
            guard let objection = entry.objection(family) else { return true }
            leftOut(objection)
            return false
        }.map { AgentRequest($0) }
    }

    /// - Throws: one line about the first thing that is wrong.
    public init(_ text: String, task: String) throws {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard let entry = AgentCatalogue.entry(named: parts[0], of: task) else {
            let names = AgentCatalogue.entries(of: task).map(\.name).joined(separator: ", ")
            throw UserError("no agent '\(parts[0])' plays task '\(task)': choose from \(names)")
        }
        var (given, tried) = (Values(), [AgentEntry.Tried]())
        for part in parts.dropFirst() {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard sides.count == 2, let option = entry.options.first(where: { $0.name == sides[0] }) else {
                let names = entry.options.map(\.name).joined(separator: ", ")
                throw UserError(
                    "agent '\(entry.name)' has no option '\(sides[0])': "
                        + (names.isEmpty ? "it has none" : "write option=value with one of \(names)"))
            }
            guard given[option.name] == nil, !tried.contains(where: { $0.option == option.name }) else {
                throw UserError("agent '\(entry.name)': option '\(option.name)' is given twice")
            }
            let values = try sides[1].split(separator: "/").map {
                try option.value(String($0), label: "agent '\(entry.name)': \(option.name)")
            }
            switch values.count {
            case 0:
                throw UserError(
                    "agent '\(entry.name)': no values of \(option.name) to try; give some of \(option.range)")
            case 1: given[option.name] = values[0]
            default: tried.append(AgentEntry.Tried(option.name, values))
            }
        }
        self.entry = entry
        self.given = given
        self.tried = tried
    }

    /// Whether only tuning can tell which agent is meant.
    public var wantsTuning: Bool { !tried.isEmpty }

    /// All settings that tuning compares; one where there is nothing to tune.
    public var settings: [Values] {
        let own = entry.grid.filter { tried in
            given[tried.option] == nil && !self.tried.contains { $0.option == tried.option }
        }
        return (tried + own).reduce([given]) { settings, tried in
            settings.flatMap { setting in
                tried.values.map { value in
                    var setting = setting
                    setting[tried.option] = value
                    return setting
                }
            }
        }
    }

    /// Why an agent that is meant cannot play a family, in one line; nil if all can.
    public func objection(_ family: any TaskFamily) -> String? {
        settings.lazy.compactMap { entry.objection(family, given: $0) }.first
    }

    /// The agent as given, the other options standard.
    public var agent: any Agent { entry.makeAgent(given) }
}
