import Foundation
import Interface
import Kernels
import Tasks
import Training

/// A trial of a task that is seen: what was done. What was seen follows from it, and from the trial's own chance.
public struct VisualReplay: Codable, Sendable, Equatable {
    /// a_t of all episodes, one after another [steps]
    public let actions: [Int]
    /// π(· | history) [steps][A]
    public let probabilities: [[Double]]

    /// Nil for a family without colour images or a floor plan.
    init?(of family: any TaskFamily, _ agent: LearnedAgent) {
        let root = Trainer.heldOutMembers(seed: EvaluationBank.seed)
        guard case .image(_, _, 3) = family.observation, family.hasFloorPlan(trial: root.split(Replay.member))
        else { return nil }
        let trial = agent.trial(of: family, member: Replay.member, root: root)
        actions = trial.map { Int($0.action) }
        probabilities = trial.map(\.shownProbabilities)
    }

    /// The trial with all that there is to see; nil if the actions are not those of one whole trial.
    func recording(task: String, _ options: Values) -> TrialRecording? {
        guard let entry = taskCatalogue.entry(named: task) else { return nil }
        // A file may say 0 where a real number is meant.
        var given = Values()
        for option in entry.options { given[option.name] = options[option.name].flatMap(option.accepted) }
        let all = Values(defaults: entry.options, given: given)
        guard entry.objection(all) == nil else { return nil }
        let family = entry.make(all)
        guard probabilities.count == actions.count, actions.allSatisfy((0..<family.actions).contains),
            probabilities.allSatisfy({ $0.count == family.actions })
        else { return nil }
        let recording = TrialRecording(family, .script(actions), seed: EvaluationBank.seed, member: Replay.member)
        guard recording.floorPlan != nil, recording.episodes.allSatisfy({ !$0.frames.isEmpty }) else { return nil }
        return recording.episodes.reduce(0) { $0 + $1.steps } == actions.count ? recording : nil
    }
}

extension TaskFamily {
    fileprivate func hasFloorPlan(trial: RandomSource) -> Bool { floorPlan(of: member(of: trial)) != nil }
}
