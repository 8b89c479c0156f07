import Interface
import Tasks
import Training

extension AnalysisRecord {
    /// The trials that were found to forget, as they can be looked at; empty if there are none, or if the task shows no
    /// colour images or no floor plan. A record that another build damaged has none either.
    public var forgottenTrials: [(member: Int, recording: TrialRecording)] {
        guard let trials = inside?.forgetting?.trials, !trials.isEmpty,
            let family = try? Configuration(yaml: configuration, path: "record").makeFamily()
        else { return [] }
        return trials.compactMap { trial in
            guard trial.member >= 0, trial.actions.allSatisfy((0..<family.actions).contains) else { return nil }
            let recording = TrialRecording(family, .script(trial.actions), seed: memberSeed, member: trial.member)
            guard recording.floorPlan != nil, recording.episodes.allSatisfy({ !$0.frames.isEmpty }),
                recording.episodes.map(\.steps) == trial.steps
            else { return nil }
            return (trial.member, recording)
        }
    }

    /// Writes the pictures of each of them (`TrialPictures`) to `directory`/member-NUMBER.
    ///
    /// - Parameter option: that named the directory.
    /// - Throws: one line if they cannot be written.
    /// - Returns: the directories that were made.
    public func writePictures(to directory: String, option: String) throws -> [String] {
        try forgottenTrials.map { member, recording in
            let place = "\(directory)/member-\(member)"
            try TrialPictures(recording, scale: 8).write(to: place, option: option)
            return place
        }
    }

    /// Throws one line if a directory cannot take pictures of a family's trials: before any work is done.
    public static func requirePictures(of family: any TaskFamily, in directory: String, option: String) throws {
        guard family.measures.contains(.success), family.episodes > 1, case .image(_, _, 3) = family.observation else {
            throw UserError(
                "\(option): pictures are of trials that fail after a success, and task '\(family.name)' as it was trained "
                    + "has none to draw; leave it out")
        }
        try TrialPictures.prepare(directory, option: option)
    }
}
