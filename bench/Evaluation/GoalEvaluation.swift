import Interface
import Kernels
import Tasks
import Training

/// How an agent reaches the goal of a task, episode by episode, as Duan et al. 2016 report it of mazes (tables 2 and 3).
public struct GoalEvaluation: Sendable, Equatable, Codable {
    public struct Episode: Sendable, Equatable, Codable {
        /// Share of trials in which the target was reached.
        public let successRate: Double
        /// Mean steps of the successful ones; nil if there are none.
        public let length: Double?
        /// Of `length`; nil for fewer than two.
        public let standardError: Double?
        /// Mean over the successful ones of steps over the fewest that are possible; nil if there are none.
        public let lengthOverShortest: Double?

        enum CodingKeys: String, CodingKey {
            case successRate = "success_rate", length = "mean_length", standardError = "mean_length_standard_error"
            case lengthOverShortest = "length_over_shortest"
        }
    }

    public let episodes: [Episode]
    /// Share of trials in which episode 2 is no longer than episode 1, failures counted as the time limit; nil for a trial
    /// of one episode.
    public let improved: Double?
    /// Share of the trials with a success in which a later episode failed.
    public let successThenFailure: Double?
    /// Mean over members of the fewest steps possible; nil if no target can be reached.
    public let shortest: Double?

    enum CodingKeys: String, CodingKey {
        case episodes, improved, successThenFailure = "success_then_failure", shortest = "mean_shortest"
    }

    /// - Parameters:
    ///   - successes: whether each episode reached its goal [trials, episodes].
    ///   - steps: of each episode [trials, episodes].
    ///   - shortest: fewest steps possible in each trial; nil where the goal cannot be reached.
    public init(successes: [Bool], steps: [Int32], shortest: [Int?], episodes count: Int) {
        let trials = shortest.count
        precondition(successes.count == trials * count && steps.count == trials * count, "a number for each episode")
        func isSuccess(_ trial: Int, _ episode: Int) -> Bool { successes[trial * count + episode] }
        episodes = (0..<count).map { episode in
            let reached = (0..<trials).filter { isSuccess($0, episode) }
            let lengths = reached.map { Double(steps[$0 * count + episode]) }
            let ratios = zip(reached, lengths).compactMap { trial, length in
                shortest[trial].map { length / Double($0) }
            }
            let summary = Summary(lengths)
            return Episode(
                successRate: Double(reached.count) / Double(trials), length: known(summary.mean),
                standardError: known(summary.standardError), lengthOverShortest: known(Summary(ratios).mean))
        }
        improved =
            count < 2
            ? nil : Double((0..<trials).count { steps[$0 * count + 1] <= steps[$0 * count] }) / Double(trials)
        let successful = (0..<trials).filter { trial in (0..<count).contains { isSuccess(trial, $0) } }
        let lapsed = successful.count { trial in
            let first = (0..<count).first { isSuccess(trial, $0) }!
            return (first..<count).contains { !isSuccess(trial, $0) }
        }
        successThenFailure = successful.isEmpty ? nil : Double(lapsed) / Double(successful.count)
        self.shortest = known(Summary(shortest.compactMap { $0.map(Double.init) }).mean)
    }

    /// Of a played evaluation; nil for a task without a goal.
    /// - Parameter shortest: as from `shortest`.
    public init?(_ played: Evaluation, of family: any TaskFamily, shortest: @autoclosure () -> [Int?]) {
        guard family.measures.contains(.success) else { return nil }
        self.init(
            successes: played.episodeSuccesses, steps: played.episodeSteps, shortest: shortest(),
            episodes: family.episodes)
    }

    /// Length of an episode (from 0) over that of the first one; nil where either has no success.
    public func lengthOverFirst(_ episode: Int) -> Double? {
        guard let length = episodes[episode].length, let first = episodes[0].length else { return nil }
        return length / first
    }

    /// Fewest steps of an episode of each member of an evaluation.
    public static func shortest(
        _ members: Range<Int>, of family: any TaskFamily, seed: Int, workers: Workers
    ) -> [Int?] {
        let root = Trainer.heldOutMembers(seed: seed)
        let family = family.heldOut()
        let lengths = UnsafeMutableBufferPointer<Int32>.allocate(capacity: members.count)
        defer { lengths.deallocate() }
        workers.pool.run(members.count) { index, _ in
            lengths[index] = Int32(family.shortestEpisode(trial: root.split(members.lowerBound + index)) ?? -1)
        }
        return lengths.map { $0 < 0 ? nil : Int($0) }
    }

    /// Duan et al. 2016 on held-out mazes, the best of their seeds: mean length of successful episodes, its error, success.
    public struct Published: Sendable {
        public let lengths: [Double]
        public let errors: [Double]
        public let successRates: [Double]
        public let improved: Double

        /// Each length over that of the first episode.
        public var lengthsOverFirst: [Double] { lengths.map { $0 / lengths[0] } }

        public static let small = Published(
            lengths: [52.4, 39.1, 42.6, 43.5, 43.9], errors: [1.3, 0.9, 1.0, 1.1, 1.1],
            successRates: [0.993, 0.996, 0.997, 0.994, 0.996], improved: 0.917)
        public static let large = Published(
            lengths: [180.1, 151.8, 169.3, 162.3, 169.3], errors: [6.0, 5.9, 6.3, 6.4, 6.5],
            successRates: [0.971, 0.967, 0.958, 0.956, 0.961], improved: 0.714)

        /// For members of these options of a task, if there are any.
        public static func of(_ options: Values) -> Published? {
            switch options["maze-size"] {
            case .integer(5): small
            case .integer(9): large
            default: nil
            }
        }
    }
}

/// Nil for what is not a number: the mean of nothing.
private func known(_ value: Double) -> Double? { value.isFinite ? value : nil }

extension GoalEvaluation {
    /// What success and length are in each episode: a title and a cell for each.
    var rows: [[String]] {
        [
            ["success"] + episodes.map { Display.percent($0.successRate) },
            ["steps of a success"] + episodes.map { Display.fixed($0.length, 1) },
            ["over the shortest way"] + episodes.map { Display.fixed($0.lengthOverShortest, 2) },
        ]
    }
}
