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
        let streams = TrialStreams(root.split(number))
        let made: any Tasks.Player =
            switch player {
            case .oracle: family.makeOracle(for: streams) ?? ScriptedPlayer(actions: [])
            case .random: RandomAgent().makePlayer(for: family)
            case .learned, .script: TrialScript(actions: script)
            }
        self.init(family.makeLiveTrial(streams), player: made, random: streams.actions)
    }

    private init(_ trial: any LiveTrial, player: any Tasks.Player, random: RandomSource) {
        var (player, random) = (player, random)
        family = trial.family
        (floorPlan, shortest) = (trial.floorPlan, trial.shortest)
        var episodes: [Episode] = []
        while !trial.isOver {
            var (episode, isOver) = (Episode(), false)
            func look(_ view: LiveView) {
                if let frame = view.frame { episode.frames.append(frame) }
                if let place = view.place { episode.places.append(place) }
            }
            look(trial.view)
            while !isOver {
                let action = player.act(trial.inputs[0], random: &random)
                let step = trial.take(action)
                episode.actions.append(action)
                episode.reward += Double(step.reward)
                episode.succeeded = step.succeeded
                look(step.view)
                isOver = step.endsEpisode
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
