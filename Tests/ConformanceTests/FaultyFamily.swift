import Interface
import Kernels
import Tasks

/// Levers, one of which pays in each member, with a fault in how members are drawn.
struct FaultyFamily: TaskFamily {
    enum Fault: Sendable, CaseIterable {
        case none
        /// `reset` draws the member anew.
        case drawsMemberInReset
        /// `reset` goes on to the next member.
        case wandersInReset
        /// The lanes take a new member wherever an episode has ended.
        case drawsMemberInLanes
    }

    let fault: Fault

    var name: String { "levers" }
    var observation: ObservationSpace { .vector(width: 1) }
    var actions: Int { 4 }
    var episodes: Int { 4 }
    var maximumEpisodeSteps: Int { 3 }

    func sample(_ random: inout RandomSource) -> Member {
        Member(fault: fault, paying: random.integer(below: 4))
    }

    func makeEnvironments(_ count: Int) -> any EnvironmentLanes {
        fault == .drawsMemberInLanes ? RedrawingLanes(self) : EnvironmentArray(family: self, lanes: count)
    }

    struct Member: Environment {
        let fault: Fault
        var paying: Int
        var step = 0

        init(fault: Fault, paying: Int) { (self.fault, self.paying) = (fault, paying) }

        mutating func reset(observation: ObservationWriter, random: inout RandomSource) {
            step = 0
            observation.vector[0] = 0
            switch fault {
            case .drawsMemberInReset: paying = random.integer(below: 4)
            case .wandersInReset: paying = (paying + 1) % 4
            case .none, .drawsMemberInLanes: break
            }
        }

        mutating func step(action: Int, observation: ObservationWriter, random: inout RandomSource) -> Transition {
            step += 1
            observation.vector[0] = Float(step)
            return Transition(reward: action == paying ? 1 : -0.5, truncated: step == 3)
        }
    }
}

/// Lanes that sample where they should reset.
private final class RedrawingLanes: EnvironmentLanes {
    private let family: FaultyFamily
    private var members: [FaultyFamily.Member] = []

    init(_ family: FaultyFamily) { self.family = family }

    func begin(_ streams: inout [TrialStreams], inputs: StepInputsWriter) {
        members = streams.indices.map { family.sample(&streams[$0].member) }
        for lane in streams.indices { reset(lane, &streams, inputs) }
    }

    func restart(_ lane: Int, _ stream: inout TrialStreams, inputs: StepInputsWriter) {
        members[lane] = family.sample(&stream.member)
        members[lane].reset(observation: observation(lane, inputs), random: &stream.environment)
    }

    func step(
        _ actions: UnsafePointer<Int32>, streams: inout [TrialStreams], episodesLeft: [Int],
        transitions: inout [Transition], inputs: StepInputsWriter
    ) {
        for lane in members.indices {
            transitions[lane] = members[lane].step(
                action: Int(actions[lane]), observation: observation(lane, inputs), random: &streams[lane].environment)
            guard transitions[lane].endsEpisode, episodesLeft[lane] > 1 else { continue }
            members[lane] = family.sample(&streams[lane].member)
            reset(lane, &streams, inputs)
        }
    }

    func keep(lanes kept: [Int]) { members = kept.map { members[$0] } }

    private func reset(_ lane: Int, _ streams: inout [TrialStreams], _ inputs: StepInputsWriter) {
        members[lane].reset(observation: observation(lane, inputs), random: &streams[lane].environment)
    }

    private func observation(_ lane: Int, _ inputs: StepInputsWriter) -> ObservationWriter {
        ObservationWriter(vector: inputs.vectors + lane, image: inputs.images)
    }
}
