import Interface
import Kernels

/// ρ_M: a distribution over MDPs that share observation and action spaces. (Never a type named `Task`: it would shadow
/// Swift concurrency's.)
///
/// To add a family: one file that conforms, and one line in `TaskCatalogue`.
public protocol TaskFamily: Sendable {
    associatedtype Member: Environment

    /// Name in the catalogue.
    var name: String { get }
    var observation: ObservationSpace { get }
    /// A: actions, the same in every member.
    var actions: Int { get }
    /// n: episodes of a trial.
    var episodes: Int { get }
    /// Upper bound of the steps of an episode.
    var maximumEpisodeSteps: Int { get }

    /// Draws a member M. All that makes M different from others is drawn here, none of it in `reset`.
    func sample(_ random: inout RandomSource) -> Member

    /// The family whose members are unseen after a training on this one: what evaluations draw from. A family that can
    /// draw a member twice divides its members by what they are, and gives the other part; where that cannot happen, as
    /// with real-valued members, it is the family itself.
    func heldOut() -> Self

    /// Environments of this family for `count` lanes; an array of members unless a family has something faster.
    func makeEnvironments(_ count: Int) -> any EnvironmentLanes

    /// Steps an array of members (see `EnvironmentLanes.step`). A requirement with one implementation for all, so that
    /// the compiler makes the loop over lanes for each family's own type; there is no need to write another.
    static func step(
        _ environments: inout [Member], _ actions: UnsafePointer<Int32>, streams: inout [TrialStreams],
        episodesLeft: [Int], transitions: inout [Transition], inputs: StepInputsWriter)

    // MARK: What is known of play

    /// What is reported of an episode.
    var measures: Set<Measure> { get }
    /// Mean return of a trial of uniformly random actions, where it is known in closed form.
    var randomReturn: Double? { get }
    /// Mean total reward of Bayes-optimal play, which knows the family but not M: no policy does better. Nil where it
    /// cannot be computed in a moment.
    var optimalReturn: Double? { get }
    /// Mean total reward of the oracle, which knows M, where it is known in closed form.
    var oracleReturn: Double? { get }
    /// Mean total reward of the oracle on `member`; nil where nobody knows how to compute it.
    func oracleReturn(of member: Member) -> Double?
    /// Fewest steps in which an episode of `member` can succeed; nil where there are none, or nobody knows.
    func shortestEpisode(of member: Member) -> Int?
    /// The oracle: a player who knows M and earns the most; nil where nobody knows how to play so.
    func makeOracle(for member: Member) -> (any Player)?
    /// What a player who knows M may do now, all of equals; nil where nobody knows how to compute it.
    func optimalActions(in environment: Member) -> [Int]?

    // MARK: What can be looked at

    /// Mean reward and best action of each state, where there are few states; nil elsewhere.
    func choices(of member: Member) -> ChoiceTable?
    /// The member from above; nil where there is nothing to draw.
    func floorPlan(of member: Member) -> FloorPlan?
    /// Where the agent stands on the floor plan.
    func place(of environment: Member) -> FloorPlan.Place
    /// Follows a trial and reports what an analysis tries to read from a policy's memory; nil where nothing is stated.
    func makeProbes() -> (any TrialProbes<Member>)?
}

/// What is reported of the episodes of a task, besides the reward.
public enum Measure: String, Sendable, Codable, CaseIterable {
    /// Share of episodes that end in a terminal state: the goal.
    case success
    /// Steps of successful episodes, also as a multiple of the shortest way where that is known.
    case length
}

extension TaskFamily {
    /// Upper bound of the steps of a trial.
    public var maximumTrialSteps: Int { episodes * maximumEpisodeSteps }

    /// Lanes that play members of this family in lockstep.
    public func makeLanes(_ count: Int) -> TrialLanes {
        TrialLanes(
            environments: makeEnvironments(count), episodes: episodes, maximumEpisodeSteps: maximumEpisodeSteps)
    }

    public func makeEnvironments(_ count: Int) -> any EnvironmentLanes { EnvironmentArray(family: self, lanes: count) }

    public static func step(
        _ environments: inout [Member], _ actions: UnsafePointer<Int32>, streams: inout [TrialStreams],
        episodesLeft: [Int], transitions: inout [Transition], inputs: StepInputsWriter
    ) {
        for lane in environments.indices {
            let observation = inputs.observation(lane)
            transitions[lane] = environments[lane].step(
                action: Int(actions[lane]), observation: observation, random: &streams[lane].environment)
            if transitions[lane].endsEpisode && episodesLeft[lane] > 1 {
                environments[lane].reset(observation: observation, random: &streams[lane].environment)
            }
        }
    }

    public func heldOut() -> Self { self }

    public var measures: Set<Measure> { [] }
    public var randomReturn: Double? { nil }
    public var optimalReturn: Double? { nil }
    public var oracleReturn: Double? { nil }
    public func oracleReturn(of member: Member) -> Double? { nil }
    public func shortestEpisode(of member: Member) -> Int? { nil }
    public func makeOracle(for member: Member) -> (any Player)? { nil }
    public func optimalActions(in environment: Member) -> [Int]? { nil }
    public func makeProbes() -> (any TrialProbes<Member>)? { nil }
    public func choices(of member: Member) -> ChoiceTable? { nil }
    public func floorPlan(of member: Member) -> FloorPlan? { nil }
    public func place(of environment: Member) -> FloorPlan.Place { FloorPlan.Place(x: 0, y: 0, degrees: 0) }

    /// Mean total reward of a player who knows M, on the member of each of some trials: what such a player would have
    /// earned but for luck. Nil where the task does not tell.
    ///
    /// - Parameter trials: as they are given to `TrialStreams`.
    public func oracleReturns(trials: some Sequence<RandomSource>) -> [Double]? {
        var rewards: [Double] = []
        for trial in trials {
            guard let reward = oracleReturn(of: member(of: trial)) else { return nil }
            rewards.append(reward)
        }
        return rewards
    }

    /// The member of a trial.
    /// - Parameter trial: as given to `TrialStreams`.
    public func member(of trial: RandomSource) -> Member {
        var stream = TrialStreams(trial).member
        return sample(&stream)
    }

    /// The oracle of a trial's member.
    public func makeOracle(trial: RandomSource) -> (any Player)? { makeOracle(for: member(of: trial)) }
    public func makeOracle(for trial: TrialStreams) -> (any Player)? {
        var stream = trial.member
        return makeOracle(for: sample(&stream))
    }
    /// Fewest steps in which an episode of a trial's member can succeed.
    public func shortestEpisode(trial: RandomSource) -> Int? { shortestEpisode(of: member(of: trial)) }
}

/// The random streams of one trial. Each is drawn from by one thing only, so member i is the same whoever plays it.
public struct TrialStreams: Sendable {
    public var member: RandomSource
    public var environment: RandomSource
    public var actions: RandomSource

    public init(_ trial: RandomSource) { self.init(group: trial, number: 0) }

    /// Trials of one group play the same member under the same chance; only their actions are drawn apart.
    /// - Parameter number: of the trial in its group, from 0.
    public init(group: RandomSource, number: Int) {
        member = group.split(0)
        environment = group.split(1)
        actions = group.split(2 + number)
    }
}
