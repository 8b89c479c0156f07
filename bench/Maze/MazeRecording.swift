import Kernels
import Models
import Tasks
import Training

/// One trial in a maze, with all that there is to see: where the agent stood and what it saw, step by step.
public struct MazeRecording: Sendable {
    public struct Episode: Sendable {
        /// Poses before each action, and the last one [steps + 1].
        public var poses: [MazePose]
        /// What was seen from each pose [steps + 1].
        public var frames: [Picture]
        public var actions: [MazeAction] = []
        public var reward: Double = 0
        public var reachesTarget = false

        public var steps: Int { actions.count }
    }

    public let family: FirstPersonMaze
    public let world: MazeWorld
    public let episodes: [Episode]
    /// Fewest actions from the start to the target; nil if none lead there.
    public let shortest: Int?

    /// Who plays.
    public enum Player {
        /// Knows the maze and takes a shortest path.
        case oracle
        /// Uniformly random actions.
        case random
        /// A trained policy.
        case learned(LearnedAgent)
        /// Who takes these actions, one after another through all episodes; forward where there are no more.
        case script([MazeAction])
    }

    /// Plays the trial of an unseen member of a seed: the one of that number in an evaluation with that seed.
    public init(_ family: FirstPersonMaze, _ player: Player, seed: Int, member number: Int = 0) {
        let family = family.heldOut()
        let root = Trainer.unseenMembers(seed: seed)
        var streams = TrialStreams(root.split(number))
        let member = family.sample(&streams.member)
        let path = MazeOracle(family.motion).path(in: member.world, from: member.start)
        var plan: [MazeAction] = []
        switch player {
        case .learned(let agent):
            plan = agent.trial(of: family, member: number, root: root).map { MazeAction(rawValue: Int($0.action))! }
        case .script(let actions): plan = actions
        case .oracle, .random: break
        }
        var episodes: [Episode] = []
        var step = 0
        for _ in 0..<family.episodes {
            episodes.append(
                MazeRecording.play(family, member) { place in
                    defer { step += 1 }
                    switch player {
                    case .oracle: return path?[place] ?? .forward
                    case .random: return MazeAction(rawValue: streams.actions.integer(below: family.actions))!
                    case .learned, .script: return step < plan.count ? plan[step] : .forward
                    }
                })
        }
        self.family = family
        self.episodes = episodes
        world = member.world
        shortest = path?.count
    }

    private static func play(
        _ family: FirstPersonMaze, _ member: FirstPersonMaze.Member, choose: (_ step: Int) -> MazeAction
    ) -> Episode {
        let memory = LaneInputs(lanes: 1, family.observation)
        defer { withExtendedLifetime(memory) {} }
        let frame = memory.writer
        let observation = ObservationWriter(vector: frame.vectors, image: frame.images)
        func picture() -> Picture {
            Picture(
                width: family.options.frameWidth, height: family.options.frameHeight,
                bytes: Array(UnsafeBufferPointer(start: frame.images, count: family.observation.count)))
        }
        // Mazes leave nothing to chance.
        var (member, chance) = (member, RandomSource(seed: 0))
        member.reset(observation: observation, random: &chance)
        var episode = Episode(poses: [member.pose], frames: [picture()])
        while true {
            let action = choose(episode.steps)
            let transition = member.step(action: action.rawValue, observation: observation, random: &chance)
            episode.actions.append(action)
            episode.poses.append(member.pose)
            episode.frames.append(picture())
            episode.reward += Double(transition.reward)
            episode.reachesTarget = transition.terminated
            if transition.endsEpisode { return episode }
        }
    }
}
