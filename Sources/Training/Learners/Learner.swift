import Foundation
import Interface
import Kernels
import Tasks

/// What improves a model from trials: the outer loop, or what comes before it.
///
/// A learner is made once a run, by `LearnerEntry.make`, and is then handed a batch and its stage's options once an
/// iteration: it decides who plays the batch, and what follows from it. What lasts between iterations lies in the
/// `ActorCritic` that all learners of a run share, and is checkpointed with it; a learner that keeps more says so in
/// `state`.
///
/// To add a learner: one file that conforms, and one line in `learnerCatalogue`. `A2C.swift` is the worked example.
public protocol Learner: AnyObject {
    /// Throws a `UserError` if a stage with these options cannot be trained; called for each stage before anything is
    /// trained.
    func prepare(_ options: Values, for family: any TaskFamily) throws
    /// One iteration: plays the batch, learns from it, and reports.
    func iterate(_ iteration: Iteration, on batch: TrialBatch, report: inout IterationReport)
    /// What it keeps between iterations besides the `ActorCritic`, by name: tensors of fixed size that a checkpoint holds.
    var state: [(name: String, values: Matrix)] { get }
}

extension Learner {
    public func prepare(_ options: Values, for family: any TaskFamily) throws {}
    public var state: [(name: String, values: Matrix)] { [] }
}

/// A learner that can be asked for by name.
public struct LearnerEntry: CatalogueEntry {
    public static let kind = "learner"
    public let name: String
    public let summary: String
    public let options: [Option]
    /// Columns of metrics.csv that it fills, besides those of every iteration.
    public let columns: [String]
    /// Whether it is an outer loop of RL²: the policy plays and is improved by what it earns.
    public let isOuterLoop: Bool
    /// Of the steps of a batch, the share whose record it keeps at a time (see `UpdateMemory`), from a value for each option.
    public let recordedShare: @Sendable (Values) -> Double
    public let make: @Sendable (Learning) -> any Learner

    public init(
        name: String, summary: String, options: [Option], columns: [String], isOuterLoop: Bool = true,
        recordedShare: @escaping @Sendable (Values) -> Double = { _ in 0 },
        make: @escaping @Sendable (Learning) -> any Learner
    ) {
        self.name = name
        self.summary = summary
        self.options = options
        self.columns = columns
        self.isOuterLoop = isOuterLoop
        self.recordedShare = recordedShare
        self.make = make
    }
}

/// The learners that can be asked for by name. A new one is a file and a line here.
public let learnerCatalogue = Catalogue<LearnerEntry>([
    TRPO.entry,
    PPO.entry,
    A2C.entry,
    RewardPrediction.entry,
    Imitation.entry,
])

/// What a learner is made for.
public struct Learning {
    public let actorCritic: ActorCritic
    /// Makes the teacher of a name.
    /// - Throws: a `UserError` if there is no such teacher, or it cannot play the family.
    public let makeTeacher: (_ name: String, _ family: any TaskFamily) throws -> any Teacher
}

/// Where in its run an iteration stands, and with which options and random streams it is done.
public struct Iteration {
    /// Of the run's line, from 0: those of its parents come first, so that their trials are not drawn again.
    public let number: Int
    /// Of the stage, from 0.
    public let within: Int
    /// Iterations of the stage.
    public let count: Int
    /// A value for each of the learner's options.
    public let options: Values
    let root: RandomSource

    /// Independent random streams of an iteration, by purpose. Policy and critic are drawn before the first iteration, unseen
    /// members by evaluations.
    public enum Stream: Int, Sendable {
        case policy, critic, trials, fisher, minibatches, unseen, policyMinibatches
    }

    public func random(_ stream: Stream) -> RandomSource { root.split(stream.rawValue, number) }

    /// A value that changes over the stage from the option `name` to the option `final-name`, by equal factors.
    public func geometric(_ name: String) -> Double {
        let (start, end) = (options.real(name), options.real("final-\(name)"))
        return start * pow(end / start, share)
    }

    /// A value that changes over the stage from the option `name` to the option `final-name`, by equal steps.
    public func linear(_ name: String) -> Double {
        let (start, end) = (options.real(name), options.real("final-\(name)"))
        return start + (end - start) * share
    }

    /// 0 at the start of the stage, 1 at its end and beyond.
    private var share: Double { count > 1 ? min(1, Double(within) / Double(count - 1)) : 0 }

    /// 1 at the start of the stage, falling to almost 0 at its end.
    public var shareLeft: Double { 1 - Double(min(within, count - 1)) / Double(count) }
}

/// What an iteration did, for the log and the screen.
public struct IterationReport: Sendable {
    /// Of the run, from 0.
    public var iteration: Int
    /// Name of the learner.
    public var learner: String
    /// Episodes of a trial in this iteration.
    public var episodes: Int
    /// Time steps since the run's line began, this iteration's included.
    public var timesteps = 0
    /// Mean over trials of the total reward.
    public var meanTotalReward = 0.0
    /// Mean reward of each episode [episodes].
    public var episodeMeans: [Double] = []
    /// What became of the policy's update.
    public var outcome = PolicyUpdate.Outcome.skipped
    /// Numbers by the learner's columns; those that are missing or not finite are `nan` in metrics.csv.
    public var metrics: [String: Double] = [:]
    /// What counts most, for a line of progress.
    public var headline = ""
    /// Further numbers for a line of progress.
    public var details: [String] = []
    /// What the user should know, a line each.
    public var warnings: [String] = []
    public var clock = PhaseClock()
    /// Time steps of the iteration a second of the whole iteration.
    public var stepsPerSecond = 0.0

    init(iteration: Int, learner: String, episodes: Int) {
        self.iteration = iteration
        self.learner = learner
        self.episodes = episodes
    }
}
