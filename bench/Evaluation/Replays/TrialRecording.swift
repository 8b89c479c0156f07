import Interface
import Kernels
import Tasks
import Training

/// One trial, with all that there is to see: what the agent saw, what it did, and where it stood, step by step.
public struct TrialRecording: Sendable {
    public struct Episode: Sendable {
        /// Where the agent stood before each action, and at the end [steps + 1]; empty without a floor plan.
        public var places: [FloorPlan.Place] = []
        /// What was seen from there [steps + 1]; empty unless observations are colour images.
        public var frames: [Picture] = []
        public var actions: [Int] = []
        public var reward = 0.0
        public var succeeded = false

        public var steps: Int { actions.count }
    }

    public let family: any TaskFamily
    /// The member from above; nil where there is nothing to draw.
    public let floorPlan: FloorPlan?
    public let episodes: [Episode]
    /// Fewest actions of a successful episode; nil if there are none or nobody knows.
    public let shortest: Int?

    /// Who plays.
    public enum Player {
        /// Knows the member. Where there is no oracle, action 0.
        case oracle
        /// Uniformly random actions.
        case random
        /// A trained policy.
        case learned(LearnedAgent)
        /// Who takes these actions, one after another through all episodes; action 0 where there are no more.
        case script([Int])
    }

    /// Plays the trial of a held-out member of a seed: the one of that number in an evaluation with that seed.
    public init(_ family: any TaskFamily, _ player: Player, seed: Int, member number: Int = 0) {
        let family = family.heldOut()
        let root = Trainer.heldOutMembers(seed: seed)
        var script: [Int] = []
        switch player {
        case .learned(let agent):
            script = agent.trial(of: family, member: number, root: root).map { Int($0.action) }
        case .script(let actions): script = actions
        case .oracle, .random: break
        }
        self.init(family, trial: root.split(number)) { member -> any Tasks.Player in
            switch player {
            case .oracle: family.makeOracle(trial: root.split(number)) ?? ScriptedPlayer(actions: [])
            case .random: RandomAgent().makePlayer(for: family)
            case .learned, .script: TrialScript(actions: script)
            }
        }
    }

    private init<Family: TaskFamily>(
        _ family: Family, trial: RandomSource, player make: (Family.Member) -> any Tasks.Player
    ) {
        var streams = TrialStreams(trial)
        var member = family.sample(&streams.member)
        var player = make(member)
        self.family = family
        let floorPlan = family.floorPlan(of: member)
        self.floorPlan = floorPlan
        shortest = family.shortestEpisode(of: member)
        let columns = StepColumns(space: family.observation, rows: 1)
        let (writer, observation) = (columns.writer, columns.writer.observation(0))
        var episodes: [Episode] = []
        var (step, action, reward): (Int32, Int32, Float) = (0, -1, 0)
        for number in 0..<family.episodes {
            member.reset(observation: observation, random: &streams.environment)
            var episode = Episode()
            var isOver = false
            func look() {
                if let picture = Picture(columns.inputs(from: 0, rows: 1), family.observation) {
                    episode.frames.append(picture)
                }
                if floorPlan != nil { episode.places.append(family.place(of: member)) }
            }
            look()
            while !isOver {
                let begins = number > 0 && episode.steps == 0
                writer.set(0, action: action, reward: reward, episodeEnd: begins ? 1 : 0, stepIndex: step)
                let chosen = player.act(columns.inputs(from: 0, rows: 1)[0], random: &streams.actions)
                let transition = member.step(
                    action: chosen, observation: observation, random: &streams.environment)
                episode.actions.append(chosen)
                episode.reward += Double(transition.reward)
                episode.succeeded = transition.terminated
                look()
                (action, reward, step) = (Int32(chosen), transition.reward, step + 1)
                isOver = transition.endsEpisode
            }
            episodes.append(episode)
        }
        self.episodes = episodes
    }
}

/// The actions of a whole trial, one after another.
private struct TrialScript: Tasks.Player {
    let actions: [Int]

    mutating func act(_ input: StepView, random: inout RandomSource) -> Int {
        input.stepIndex < actions.count ? actions[input.stepIndex] : 0
    }
}

extension Picture {
    /// An observation of one row; nil unless it is a colour image.
    init?(_ inputs: StepInputs, _ space: ObservationSpace) {
        guard case .image(let height, let width, 3) = space else { return nil }
        self.init(
            width: width, height: height, bytes: Array(UnsafeBufferPointer(start: inputs.images, count: space.count)))
    }
}
