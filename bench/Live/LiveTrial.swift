import Interface
import Kernels
import Tasks

/// One trial that is played step by step, with all that there is to see: the member stays for the trial, an episode's end
/// starts the next one at once, and the input that follows holds its first observation with the last action, reward and
/// d = 1. A reference, used by one thread at a time.
public protocol LiveTrial: AnyObject {
    var family: any TaskFamily { get }
    /// What a player is told now: one row. It holds until the next action.
    var inputs: StepInputs { get }
    /// Whether all episodes are over; then no action can be taken.
    var isOver: Bool { get }
    /// The episode that is played, from 0; after the end their number.
    var episode: Int { get }
    /// Steps of the trial so far.
    var steps: Int { get }
    /// The member from above; nil where there is nothing to draw.
    var floorPlan: FloorPlan? { get }
    /// Mean reward and best action of each state; nil where there are too many.
    var choices: ChoiceTable? { get }
    /// Fewest steps of a successful episode; nil if there are none or nobody knows.
    var shortest: Int? { get }
    /// Where the agent stands and what it sees.
    var view: LiveView { get }

    /// Takes an action in 0 ..< A.
    ///
    /// - Precondition: the trial is not over, and there is such an action.
    func take(_ action: Int) -> LiveStep
}

/// What there is to see of a moment of a trial.
public struct LiveView: Sendable {
    /// nil without a floor plan.
    public var place: FloorPlan.Place?
    /// nil unless observations are colour images.
    public var frame: Picture?
}

/// What an action did.
public struct LiveStep: Sendable {
    public let reward: Float
    public let endsEpisode: Bool
    /// The episode ended in a terminal state and not by its time limit.
    public let succeeded: Bool
    /// Right after the action: at an episode's end the place that it ended at, and not the start of the next.
    public let view: LiveView
}

extension TaskFamily {
    /// A trial that has not begun.
    /// - Parameter streams: member and chance of the environment are drawn from them.
    public func makeLiveTrial(_ streams: TrialStreams) -> any LiveTrial { FamilyTrial(self, streams) }
}

private final class FamilyTrial<Family: TaskFamily>: LiveTrial {
    private let own: Family
    private var streams: TrialStreams
    private var member: Family.Member
    private let columns: StepColumns
    let floorPlan: FloorPlan?
    let choices: ChoiceTable?
    let shortest: Int?
    private(set) var episode = 0
    private(set) var steps = 0

    init(_ family: Family, _ streams: TrialStreams) {
        own = family
        self.streams = streams
        member = family.sample(&self.streams.member)
        floorPlan = family.floorPlan(of: member)
        choices = family.choices(of: member)
        shortest = family.shortestEpisode(of: member)
        columns = StepColumns(space: family.observation, rows: 1)
        member.reset(observation: columns.writer.observation(0), random: &self.streams.environment)
        columns.writer.set(0, action: -1, reward: 0, episodeEnd: 0, stepIndex: 0)
    }

    var family: any TaskFamily { own }
    var inputs: StepInputs { columns.inputs(from: 0, rows: 1) }
    var isOver: Bool { episode == own.episodes }

    var view: LiveView {
        LiveView(
            place: floorPlan == nil ? nil : own.place(of: member),
            frame: Picture(columns.inputs(from: 0, rows: 1), own.observation))
    }

    func take(_ action: Int) -> LiveStep {
        precondition(!isOver && (0..<own.actions).contains(action), "action \(action) of \(own.actions)")
        let observation = columns.writer.observation(0)
        let transition = member.step(action: action, observation: observation, random: &streams.environment)
        let step = LiveStep(
            reward: transition.reward, endsEpisode: transition.endsEpisode, succeeded: transition.terminated, view: view
        )
        steps += 1
        if transition.endsEpisode {
            episode += 1
            if !isOver { member.reset(observation: observation, random: &streams.environment) }
        }
        columns.writer.set(
            0, action: Int32(action), reward: transition.reward, episodeEnd: transition.endsEpisode ? 1 : 0,
            stepIndex: Int32(steps))
        return step
    }
}
