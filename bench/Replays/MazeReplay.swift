import Foundation
import Kernels
import Tasks
import Training

/// A maze trial: what was done. Mazes leave nothing to chance, so what was seen follows from it.
public struct MazeReplay: Codable, Sendable, Equatable {
    /// a_t of all episodes, one after another [steps]
    public let actions: [Int]
    /// π(· | history) [steps][A]
    public let probabilities: [[Double]]

    /// Nil for another family.
    init?(of family: any TaskFamily, _ agent: LearnedAgent) {
        guard let family = family as? FirstPersonMaze else { return nil }
        let root = Trainer.unseenMembers(seed: EvaluationBank.seed)
        let trial = agent.trial(of: family, member: Replay.member, root: root)
        actions = trial.map { Int($0.action) }
        probabilities = trial.map(\.shownProbabilities)
    }

    /// The trial with all that there is to see; nil if the actions are not those of one whole trial.
    func recording(_ options: OptionValues) -> MazeRecording? {
        let plan = actions.compactMap(MazeAction.init(rawValue:))
        guard let entry = TaskCatalogue.entry(named: "maze"), plan.count == actions.count,
            probabilities.count == actions.count,
            probabilities.allSatisfy({ $0.count == MazeAction.allCases.count })
        else { return nil }
        // A file may say 0 where a real number is meant.
        var given = OptionValues()
        for option in entry.options { given[option.name] = options[option.name].flatMap(option.accepted) }
        let all = OptionValues(standard: entry.options, given: given)
        guard entry.objection(all) == nil, let family = entry.make(all) as? FirstPersonMaze else { return nil }
        let recording = MazeRecording(family, .script(plan), seed: EvaluationBank.seed, member: Replay.member)
        return recording.episodes.reduce(0) { $0 + $1.steps } == actions.count ? recording : nil
    }
}
