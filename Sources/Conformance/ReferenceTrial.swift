import Interface
import Kernels
import Tasks

/// What an environment shows: a vector, or the bytes of an image.
struct Observation: Equatable {
    var vector: [Float]
    var image: [UInt8]

    init(of input: StepInput) { (vector, image) = (input.vector, input.image) }

    init(_ buffer: ObservationBuffer) { (vector, image) = (buffer.vector, buffer.image) }
}

/// Memory that an environment can write an observation to.
final class ObservationBuffer {
    let writer: ObservationWriter
    private let vectorWidth: Int
    private let imageBytes: Int

    init(_ space: ObservationSpace) {
        (vectorWidth, imageBytes) = (space.vectorWidth, space.imageBytes)
        let vector = UnsafeMutablePointer<Float>.allocate(capacity: max(1, vectorWidth))
        let image = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, imageBytes))
        vector.initialize(repeating: 0, count: max(1, vectorWidth))
        image.initialize(repeating: 0, count: max(1, imageBytes))
        writer = ObservationWriter(vector: vector, image: image)
    }

    deinit {
        writer.vector.deallocate()
        writer.image.deallocate()
    }

    var vector: [Float] { Array(UnsafeBufferPointer(start: writer.vector, count: vectorWidth)) }
    var image: [UInt8] { Array(UnsafeBufferPointer(start: writer.image, count: imageBytes)) }
}

/// A trial by the book, written down without lanes: one member, drawn once; its episodes one after the other.
struct ReferenceTrial {
    struct Step {
        /// What the policy must be shown before its action.
        var observation: Observation
        var transition: Transition
        /// What the environment showed after the action, before any reset.
        var following: Observation
    }

    private(set) var steps: [Step] = []

    /// Takes the given actions until the trial or the actions end.
    init(_ family: any TaskFamily, streams: TrialStreams, actions: [Int32]) {
        func play<Family: TaskFamily>(_ family: Family) {
            var streams = streams
            let buffer = ObservationBuffer(family.observation)
            var environment = family.sample(&streams.member)
            var episodesLeft = family.episodes
            environment.reset(observation: buffer.writer, random: &streams.environment)
            for action in actions where episodesLeft > 0 {
                let shown = Observation(buffer)
                let transition = environment.step(
                    action: Int(action), observation: buffer.writer, random: &streams.environment)
                steps.append(Step(observation: shown, transition: transition, following: Observation(buffer)))
                guard transition.endsEpisode else { continue }
                episodesLeft -= 1
                if episodesLeft > 0 { environment.reset(observation: buffer.writer, random: &streams.environment) }
            }
        }
        play(family)
    }
}

/// What holds for the members of every family, besides what their trials show.
enum FamilyLaws {
    private static let members = 8

    /// An episode of one member: what was shown and earned.
    private struct Trace: Equatable {
        var observations: [Observation] = []
        var transitions: [Transition] = []
    }

    /// `reset` starts an episode of the same MDP, whatever went before: an episode of a member that has played others is
    /// the one that a fresh copy of the member plays under the same chance.
    static func resetForgetsEpisodes(_ family: any TaskFamily) -> Bool {
        func holds<Family: TaskFamily>(_ family: Family) -> Bool {
            (0..<members).allSatisfy { index in
                let root = RandomSource(seed: 71).split(index)
                func trace(after earlier: Int) -> Trace {
                    var stream = root.split(0)
                    var member = family.sample(&stream)
                    for episode in 0..<earlier { _ = play(&member, of: family, chance: root.split(1, episode)) }
                    return play(&member, of: family, chance: root.split(2))
                }
                return trace(after: 0) == trace(after: 2)
            }
        }
        return holds(family)
    }

    /// What makes members different is drawn by `sample`, none of it by `reset`: under the same chance and actions,
    /// members differ still in episodes after their first.
    static func membersDifferAfterReset(_ family: any TaskFamily) -> Bool {
        func holds<Family: TaskFamily>(_ family: Family) -> Bool {
            let root = RandomSource(seed: 72)
            let later = max(1, 12 / family.maximumEpisodeSteps)
            let traces = (0..<members).map { index -> [Trace] in
                var stream = root.split(0, index)
                var member = family.sample(&stream)
                return (0...later).map { play(&member, of: family, chance: root.split(1, $0)) }
            }
            return traces.contains { $0.dropFirst() != traces[0].dropFirst() }
        }
        return holds(family)
    }

    private static func play<Family: TaskFamily>(
        _ member: inout Family.Member, of family: Family, chance: RandomSource
    ) -> Trace {
        var (random, actions) = (chance.split(0), chance.split(1))
        let buffer = ObservationBuffer(family.observation)
        var trace = Trace()
        member.reset(observation: buffer.writer, random: &random)
        trace.observations.append(Observation(buffer))
        for _ in 0..<family.maximumEpisodeSteps {
            let transition = member.step(
                action: actions.integer(below: family.actions), observation: buffer.writer, random: &random)
            trace.transitions.append(transition)
            if transition.endsEpisode { break }
            trace.observations.append(Observation(buffer))
        }
        return trace
    }
}
