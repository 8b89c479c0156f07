import Kernels
import Tasks
import Training

/// A classic agent as the teacher of a policy (see `Configuration.Stage.Kind.imitation`).
public struct AgentTeacher: Teacher {
    public let agent: any ClassicAgent

    public init(_ agent: any ClassicAgent) { self.agent = agent }

    /// The teacher of a name such as `gittins` or `gittins:rule=exact:discount=0.99` (see `AgentRequest`).
    /// - Throws: one line if there is no such agent of the family's task, or if it cannot play the family.
    public init(named name: String, for family: any TaskFamily) throws {
        let request = try AgentRequest(name, task: family.name)
        if let objection = request.entry.objection(family) { throw UserError(objection) }
        guard let agent = request.agent as? any ClassicAgent, !request.wantsTuning else {
            throw UserError("'\(name)' cannot teach: name one classic agent, with one value for each option")
        }
        self.init(agent)
    }

    public func makePlayer(for family: any TaskFamily, lanes: Int) -> any LanePlayer {
        AgentTeacher.player(agent, family)
    }

    private static func player<Agent: ClassicAgent>(_ agent: Agent, _ family: any TaskFamily) -> any LanePlayer {
        AgentLanes(agent.makePlayer(for: family), family.observation)
    }
}

/// A player for each lane.
private final class AgentLanes<Learner: Player>: LanePlayer {
    private let fresh: Learner
    private var players: [Learner] = []
    private var sources: [RandomSource] = []
    private let vectorWidth: Int
    private let imageBytes: Int

    init(_ fresh: Learner, _ space: ObservationSpace) {
        self.fresh = fresh
        (vectorWidth, imageBytes) = (space.vectorWidth, space.imageBytes)
    }

    func begin(_ streams: [RandomSource]) {
        players = [Learner](repeating: fresh, count: streams.count)
        sources = streams
    }

    func act(_ inputs: StepInputs, into actions: UnsafeMutablePointer<Int32>) {
        for lane in 0..<inputs.rows {
            let input = PlayerInput(inputs, row: lane, vectorWidth: vectorWidth, imageBytes: imageBytes)
            actions[lane] = Int32(players[lane].act(input, random: &sources[lane]))
        }
    }

    func keep(lanes kept: [Int]) {
        for (place, lane) in kept.enumerated() where place != lane {
            players[place] = players[lane]
            sources[place] = sources[lane]
        }
        players.removeLast(players.count - kept.count)
        sources.removeLast(sources.count - kept.count)
    }
}
