import Bench
import Foundation
import Interface
import Kernels
import Tasks
import Training

/// Several players in one member, each in a trial of its own under the same chance: what a page of the demo shows. Used by
/// one actor.
final class Match {
    /// What a page asks for.
    struct Request: Decodable {
        var task: String
        /// Names of trained policies; the first one's task options hold unless `options` changes them.
        var agents: [String]
        /// Names of agents that are none.
        var opponents: [String]
        /// Options of the task by name, as text.
        var options: [String: String]?
        /// nil: any.
        var seed: Int?
        /// Whether the visitor plays too.
        var you: Bool?
    }

    /// Most players of a match.
    static let mostPlayers = 8
    /// Largest values of options, beyond which a page would wait too long.
    private static let limits = ["maze-size": 31, "arms": 50, "states": 30, "episodes": 500, "horizon": 100]
    /// Seeds of trials that are given by chance.
    private static let seeds = 0...99_999

    let seed: Int
    let family: any TaskFamily
    private let configuration: (task: String, options: Values)
    private(set) var players: [MatchPlayer] = []

    /// - Throws: one line about the first thing that cannot be.
    init(_ request: Request, agents all: [DemoAgent]) throws {
        guard request.agents.count + request.opponents.count + (request.you == true ? 1 : 0) <= Match.mostPlayers else {
            throw UserError("at most \(Match.mostPlayers) players fit into a trial: choose fewer")
        }
        if let seed = request.seed, seed < 0 {
            throw UserError("the seed is \(seed): choose a whole number of 0 or more")
        }
        seed = request.seed ?? Int.random(in: Match.seeds)
        let entry = try taskCatalogue.require(request.task)
        let chosen = try request.agents.map { name -> DemoAgent in
            guard let agent = all.first(where: { $0.name == name }) else {
                throw UserError("there is no agent '\(name)' here: choose one of the list")
            }
            guard agent.configuration.task == entry.name else {
                throw UserError("\(agent.title) plays \(agent.configuration.task) and not \(entry.name): leave it out")
            }
            return agent
        }
        let given = try Match.values(request.options ?? [:], of: entry)
        let options =
            try chosen.first?.configuration.playing(given).taskOptions ?? Values(defaults: entry.options, given: given)
        if let objection = entry.objection(options) { throw UserError(objection) }
        for (name, most) in Match.limits {
            if case .integer(let value)? = options[name], value > most {
                throw UserError("--\(name) is \(value): a page shows at most \(most)")
            }
        }
        let family = entry.make(options).heldOut()
        self.family = family
        configuration = (entry.name, options)
        let streams = TrialStreams(Trainer.heldOutMembers(seed: seed).split(0))
        for agent in chosen {
            let playing: LearnedAgent
            do {
                playing = try agent.agent.playing(agent.configuration.playing(options))
            } catch let error as UserError { throw UserError("\(agent.title): \(error.description)") }
            players.append(
                MatchPlayer(
                    .policy, agent.title, summary: agent.summary, family.makeLiveTrial(streams),
                    LivePlayer(playing, streams: streams, steps: family.maximumTrialSteps)))
        }
        let opponents = DemoOpponent.all(of: entry.name, playing: family)
        for name in request.opponents {
            guard let opponent = opponents.first(where: { $0.name == name }) else {
                throw UserError("there is no player '\(name)' for this \(entry.name): choose one of the list")
            }
            players.append(
                MatchPlayer(
                    .classic, opponent.title, summary: opponent.agent.parameters, family.makeLiveTrial(streams),
                    LivePlayer(opponent.agent, family: family, streams: streams)))
        }
        if request.you == true {
            players.append(MatchPlayer(.you, "You", summary: "", family.makeLiveTrial(streams), nil))
        }
        guard let trial = players.first?.trial else {
            throw UserError("nobody plays: choose an agent, or play yourself")
        }
        guard trial.choices != nil || (trial.floorPlan != nil && trial.view.frame != nil) else {
            throw UserError("task '\(entry.name)' has nothing that a page can show; see `rl2x evaluate`")
        }
    }

    /// What the texts of a page's form mean.
    private static func values(_ texts: [String: String], of entry: TaskEntry) throws -> Values {
        var values = Values()
        for (name, text) in texts.sorted(by: { $0.key < $1.key }) {
            guard let option = entry.options.named(name) else {
                throw UserError("task '\(entry.name)' has no option '\(name)': leave it out")
            }
            values[option.name] = try option.value(text, label: option.name)
        }
        return values
    }

    // MARK: Play

    /// A move of the visitor, and steps of everybody else.
    struct Move: Decodable {
        /// The visitor's action; nil: none.
        var action: Int?
        /// Steps of each agent.
        var steps: Int?
    }

    /// Most steps of a request.
    static let mostSteps = 2000

    /// Plays on, and tells what happened to each player.
    /// - Throws: one line if there is no such action, or nobody to take it.
    func play(_ move: Move) throws -> Played {
        let steps = move.steps ?? 0
        guard (0...Match.mostSteps).contains(steps) else {
            throw UserError("\(steps) steps: choose a number in 0 … \(Match.mostSteps)")
        }
        var played = players.map { _ in [MatchStep]() }
        if let action = move.action {
            guard let you = players.firstIndex(where: { $0.kind == .you }) else {
                throw UserError("you do not play in this trial: begin a new one and choose to")
            }
            guard (0..<family.actions).contains(action) else {
                throw UserError("there is no action \(action): choose one in 0 … \(family.actions - 1)")
            }
            guard !players[you].trial.isOver else { throw UserError("your trial is over: begin a new one") }
            played[you].append(players[you].take(action))
        }
        for index in players.indices where players[index].kind != .you {
            for _ in 0..<steps {
                guard let step = players[index].advance() else { break }
                played[index].append(step)
            }
        }
        return Played(
            isOver: players.allSatisfy(\.trial.isOver),
            players: zip(players, played).map { player, steps in Played.Player(steps: steps, now: player.moment) })
    }

    // MARK: What the page is told

    struct Played: Encodable {
        struct Player: Encodable {
            let steps: [MatchStep]
            let now: MatchMoment
        }
        /// Whether everybody's trial is over.
        let isOver: Bool
        let players: [Player]
    }

    struct Opening: Encodable {
        struct Player: Encodable {
            let name: String
            let kind: MatchPlayer.Kind
            let summary: String
            let now: MatchMoment
        }
        struct Table: Encodable {
            let meanRewards: [[Double]]
            let bestActions: [[Int]]
            let priorMean: Double
            let priorWeight: Double
        }
        struct Floor: Encodable {
            /// Each as west, north, width, height.
            let walls, targets: [[Int]]
            let side, cell, body: Int
        }
        let id: Int
        let task: String
        let options: [String: String]
        let seed: Int
        let episodes: Int
        let longestEpisode: Int
        let actions: Int
        let shortest: Int?
        let table: Table?
        let floor: Floor?
        let frame: [Int]?
        let players: [Player]
    }

    func opening(id: Int) -> Opening {
        let trial = players[0].trial
        func boxes(_ boxes: [FloorPlan.Box]) -> [[Int]] {
            boxes.map { [$0.x.lowerBound, $0.y.lowerBound, $0.x.count, $0.y.count] }
        }
        var frame: [Int]?
        if case .image(let height, let width, 3) = family.observation { frame = [width, height] }
        let options = configuration.options
        return Opening(
            id: id, task: configuration.task,
            options: Dictionary(uniqueKeysWithValues: options.names.map { ($0, options[$0].map { "\($0)" } ?? "") }),
            seed: seed, episodes: family.episodes, longestEpisode: family.maximumEpisodeSteps, actions: family.actions,
            shortest: trial.shortest,
            table: trial.choices.map {
                Opening.Table(
                    meanRewards: $0.meanRewards, bestActions: $0.bestActions, priorMean: $0.priorMean,
                    priorWeight: $0.priorWeight)
            },
            floor: trial.floorPlan.map {
                Opening.Floor(
                    walls: boxes($0.walls), targets: boxes($0.targets), side: $0.side, cell: $0.cell,
                    body: $0.bodyRadius)
            },
            frame: frame,
            players: players.map {
                Opening.Player(name: $0.name, kind: $0.kind, summary: $0.summary, now: $0.moment)
            })
    }
}

/// One player of a match: its trial, and what it will do next.
final class MatchPlayer {
    enum Kind: String, Encodable { case policy, classic, you }

    let kind: Kind
    let name: String
    let summary: String
    let trial: any LiveTrial
    /// nil: the visitor.
    let player: LivePlayer?
    /// The action that it has chosen for the step at hand; nil where its trial is over, and for the visitor.
    private var next: Int?
    /// π(· | history) of that step [A]; nil for those that have none.
    private var probabilities: [Double]?
    /// Steps of the episode so far.
    private var episodeSteps = 0

    init(_ kind: Kind, _ name: String, summary: String, _ trial: any LiveTrial, _ player: LivePlayer?) {
        (self.kind, self.name, self.summary, self.trial, self.player) = (kind, name, summary, trial, player)
        choose()
    }

    /// Lets it look at what it is shown, so that what it is going to do can be told before it does it.
    private func choose() {
        (next, probabilities) = (nil, nil)
        guard let player, !trial.isOver else { return }
        next = player.act(trial.inputs)
        probabilities = player.logProbabilities.map { $0.map { (exp(Double($0)) * 10_000).rounded() / 10_000 } }
    }

    /// Takes the action that it has chosen; nil if its trial is over.
    func advance() -> MatchStep? { next.map(take) }

    func take(_ action: Int) -> MatchStep {
        let (state, episode, before) = (state, trial.episode, probabilities)
        let step = trial.take(action)
        episodeSteps += 1
        let done = MatchStep(
            action: action, reward: Double(step.reward), state: state, episode: episode, step: episodeSteps,
            endsEpisode: step.endsEpisode, succeeded: step.succeeded, probabilities: before,
            place: step.view.place.map { [$0.x, $0.y, $0.degrees] })
        if step.endsEpisode { episodeSteps = 0 }
        choose()
        return done
    }

    /// The state that is shown one-hot; 0 where there is none.
    private var state: Int {
        let row = trial.inputs[0]
        return (0..<trial.inputs.vectorWidth).first { row.vector[$0] == 1 } ?? 0
    }

    var moment: MatchMoment {
        let view = trial.view
        return MatchMoment(
            isOver: trial.isOver, episode: trial.episode, step: episodeSteps, state: state,
            probabilities: probabilities, place: view.place.map { [$0.x, $0.y, $0.degrees] },
            frame: view.frame.map { Data($0.bytes).base64EncodedString() })
    }
}

/// What a player did.
struct MatchStep: Encodable {
    let action: Int
    let reward: Double
    /// In which it was done.
    let state: Int
    /// From 0.
    let episode: Int
    /// Of the episode, from 1.
    let step: Int
    let endsEpisode: Bool
    let succeeded: Bool
    /// From which the action was drawn.
    let probabilities: [Double]?
    /// Where that led: x, y, degrees.
    let place: [Int]?
}

/// Where a player is now.
struct MatchMoment: Encodable {
    let isOver: Bool
    let episode: Int
    let step: Int
    let state: Int
    /// From which its next action is drawn.
    let probabilities: [Double]?
    let place: [Int]?
    /// What it sees: rows of red, green, blue, in base64.
    let frame: String?
}
