import Interface
import Kernels

/// Mazes that are seen through the agent's eyes (Duan et al. 2016, section 3.3): find the red block; it and the start
/// stay where they are for the trial's episodes, so who remembers goes straight to it in the second one.
///
/// - A member is a maze of N × N cells (`MazeWorld`), a start pose in the middle of a room, with a random heading, and a
///   target in another room, uniform over the pairs of different rooms, which lie at least two cells apart.
/// - Actions: forward, left, right (`MazeMotion`). Rewards: −0.04 a step, −0.001 more for one that hits a wall, 1 more
///   for the one that reaches the target, where the episode ends.
/// - After 250 steps in a 5 × 5 maze the episode is cut: ⌈250 ((N − 1) / 4)²⌉ in others, 1000 in 9 × 9.
/// - The observation is a frame of bytes, height × width × 3 (`Raycaster`).
///
/// Training draws from a fixed set of mazes, the same for every run, or from all. What is held out for evaluation is
/// stated by `HoldOut`.
public struct FirstPersonMaze: TaskFamily {
    /// Which mazes no training meets.
    public enum HoldOut: String, Sendable, CaseIterable {
        /// One layout in five, by what its walls are (`MazeLayout.isHeldOut`): no evaluation shows walls that were trained on.
        case layouts
        /// As published: other draws of layout, start and target. A 5 × 5 maze has 192 layouts, so almost all of those that
        /// are drawn have been seen with another start or target.
        case draws
    }

    /// What can be chosen of a maze.
    public struct Options: Sendable, Equatable {
        /// N: cells a side, odd, at least 3.
        public var size = 5
        public var episodes = 2
        /// Mazes in the training set; 0: no limit.
        public var trainingMazes = 1000
        public var holdOut = HoldOut.layouts
        public var generator = MazeLayout.Generator.wilson
        /// Chance that a wall which is left between two rooms is taken away.
        public var loops = 0.0
        /// Cells of a step forward.
        public var step = 0.25
        /// Degrees of a turn.
        public var turn = 90
        /// Pixels.
        public var frameWidth = 40
        /// Pixels.
        public var frameHeight = 30
        /// Horizontal, degrees.
        public var fieldOfView = 90.0

        public init() {}

        /// R: rooms a side.
        public var rooms: Int { (size + 1) / 2 }

        /// Why such a maze cannot be, in words that name the option; nil if it can.
        public var objection: String? {
            if size < 3 || size % 2 == 0 {
                return
                    "--maze-size is \(size): it counts cells and must be odd and at least 3, so that start and target fit "
                    + "into two rooms that are two cells apart; choose 5 or 9, say"
            }
            if turn < 1 || 360 % turn != 0 {
                return "--turn-degrees is \(turn): it must divide 360, such as 15, 30 or 45"
            }
            if holdOut == .layouts, !FirstPersonMaze.dividesLayouts(self) {
                return
                    "--hold-out layouts: with --maze-size \(size) and --loops \(decimal(loops)) there are too few layouts "
                    + "to keep some apart; use --hold-out draws"
            }
            if let mazes, trainingMazes > mazes {
                return
                    "--training-mazes is \(trainingMazes): at --maze-size \(size) with --hold-out \(holdOut.rawValue) there "
                    + "are \(mazes) mazes to train on; choose at most that, or 0 for no limit"
            }
            return nil
        }

        /// Mazes to train on: layouts, times the ordered pairs of different rooms; nil where there are too many to count.
        var mazes: Int? {
            guard loops == 0, let trees = FirstPersonMaze.trees[rooms] else { return nil }
            let layouts = holdOut == .draws ? trees.count : trees.count { !$0.isHeldOut }
            return layouts * rooms * rooms * (rooms * rooms - 1)
        }
    }

    public let options: Options
    public let motion: MazeMotion
    public let raycaster: Raycaster
    /// Draws mazes that no training meets.
    public let isHeldOut: Bool

    /// - Precondition: `options.objection` is nil.
    public init(_ options: Options = Options()) {
        precondition(options.objection == nil, options.objection ?? "")
        let motion = MazeMotion(step: options.step, turn: options.turn)
        self.init(
            options, motion,
            Raycaster(
                width: options.frameWidth, height: options.frameHeight, fieldOfView: options.fieldOfView,
                headings: motion.headings), isHeldOut: false)
    }

    private init(_ options: Options, _ motion: MazeMotion, _ raycaster: Raycaster, isHeldOut: Bool) {
        self.options = options
        self.motion = motion
        self.raycaster = raycaster
        self.isHeldOut = isHeldOut
    }

    /// The mazes that are kept for testing.
    public func heldOut() -> FirstPersonMaze { FirstPersonMaze(options, motion, raycaster, isHeldOut: true) }

    public var name: String { "maze" }
    public var observation: ObservationSpace {
        .image(height: options.frameHeight, width: options.frameWidth, channels: 3)
    }
    public var actions: Int { MazeAction.allCases.count }
    public var episodes: Int { options.episodes }

    public var maximumEpisodeSteps: Int {
        let side = options.size - 1
        return (250 * side * side + 15) / 16
    }

    /// All layouts without loops, by R, where they are so few that one can ask for more mazes than there are.
    static let trees = [2: MazeLayout.trees(size: 2), 3: MazeLayout.trees(size: 3)]

    /// Whether both sides of the division by layout hold a layout that is not too rare: among some hundred draws.
    static func dividesLayouts(_ options: Options) -> Bool {
        guard options.rooms <= 3 || options.loops > 0.5 else { return true }
        var random = RandomSource(seed: 0x6C61_796F)
        var (isTrained, isHeldOut) = (false, false)
        for _ in 0..<400 where !(isTrained && isHeldOut) {
            let layout = MazeLayout(
                size: options.rooms, generator: options.generator, loops: options.loops, random: &random)
            if layout.isHeldOut { isHeldOut = true } else { isTrained = true }
        }
        return isTrained && isHeldOut
    }

    /// The mazes of the training set are numbered streams of this source.
    private static let trainingSet = RandomSource(seed: 0x6D61_7A65)

    public func sample(_ random: inout RandomSource) -> Member {
        guard !isHeldOut && options.trainingMazes > 0 else { return draw(&random) }
        var source = FirstPersonMaze.trainingSet.split(options.size, random.integer(below: options.trainingMazes))
        return draw(&source)
    }

    private func draw(_ random: inout RandomSource) -> Member {
        let layout = drawLayout(&random)
        let start = random.integer(below: layout.rooms)
        // Uniform over the other rooms.
        let other = random.integer(below: layout.rooms - 1)
        let world = MazeWorld(layout, target: other < start ? other : other + 1)
        let (x, y) = world.centre(of: start)
        return Member(self, world, start: MazePose(x: x, y: y, heading: random.integer(below: motion.headings)))
    }

    private func drawLayout(_ random: inout RandomSource) -> MazeLayout {
        func next() -> MazeLayout {
            MazeLayout(size: options.rooms, generator: options.generator, loops: options.loops, random: &random)
        }
        var layout = next()
        // Both sides of the division were seen to hold layouts (`dividesLayouts`).
        while options.holdOut == .layouts && layout.isHeldOut != isHeldOut { layout = next() }
        return layout
    }

    /// Of one who takes a shortest path in every episode; nil if there is none.
    public func oracleReturn(of member: Member) -> Double? {
        guard let path = path(of: member) else { return nil }
        var (pose, hits) = (member.start, 0)
        for action in path {
            let outcome = motion.apply(action, to: pose, in: member.world)
            pose = outcome.pose
            if outcome.hitsWall { hits += 1 }
        }
        return Double(episodes) * (1 - 0.04 * Double(path.count) - 0.001 * Double(hits))
    }

    public var measures: Set<Measure> { [.success, .length] }

    public func shortestEpisode(of member: Member) -> Int? { path(of: member)?.count }

    public func makeOracle(for member: Member) -> (any Player)? {
        path(of: member).map { ScriptedPlayer(actions: $0.map(\.rawValue)) }
    }

    public func optimalActions(in environment: Member) -> [Int]? {
        let (oracle, world) = (MazeOracle(motion), environment.world)
        guard let left = oracle.path(in: world, from: environment.pose)?.count else { return nil }
        return MazeAction.allCases.filter { action in
            let outcome = motion.apply(action, to: environment.pose, in: world)
            return outcome.reachesTarget || oracle.path(in: world, from: outcome.pose)?.count == left - 1
        }.map(\.rawValue)
    }

    public func makeProbes() -> (any TrialProbes<Member>)? { MazeProbes(self) }

    /// A shortest path; nil if none leads to the target.
    private func path(of member: Member) -> [MazeAction]? {
        MazeOracle(motion).path(in: member.world, from: member.start)
    }

    public func floorPlan(of member: Member) -> FloorPlan? { member.world.floorPlan }

    public func place(of environment: Member) -> FloorPlan.Place {
        let pose = environment.pose
        let (x, y) = environment.world.place((pose.x, pose.y))
        return FloorPlan.Place(x: x, y: y, degrees: pose.heading * motion.turn)
    }

    public struct Member: Environment {
        public let family: FirstPersonMaze
        public let world: MazeWorld
        /// Where every episode begins.
        public let start: MazePose
        public private(set) var pose: MazePose
        /// Steps of the episode so far.
        public private(set) var steps = 0

        init(_ family: FirstPersonMaze, _ world: MazeWorld, start: MazePose) {
            self.family = family
            self.world = world
            self.start = start
            pose = start
        }

        public mutating func reset(observation: ObservationWriter, random: inout RandomSource) {
            pose = start
            steps = 0
            family.raycaster.render(world, from: pose, into: observation.image)
        }

        public mutating func step(
            action: Int, observation: ObservationWriter, random: inout RandomSource
        ) -> Transition {
            let outcome = family.motion.apply(MazeAction(rawValue: action)!, to: pose, in: world)
            pose = outcome.pose
            steps += 1
            family.raycaster.render(world, from: pose, into: observation.image)
            let reward: Float = -0.04 - (outcome.hitsWall ? 0.001 : 0) + (outcome.reachesTarget ? 1 : 0)
            return Transition(
                reward: reward, terminated: outcome.reachesTarget,
                truncated: !outcome.reachesTarget && steps == family.maximumEpisodeSteps)
        }
    }
}
