import Autodiff
import Foundation
import Interface
import Kernels
import Models
import Tasks

/// Trains a model through the stages of a configuration.
///
/// It knows protocols only: no model, no task and no learner is named here. What it holds between iterations is what a
/// checkpoint holds, so a run that was killed and resumed gives the same bits as one that was not.
public final class Trainer {
    public let configuration: Configuration
    public let actorCritic: ActorCritic
    /// Iterations done.
    public internal(set) var iteration = 0
    /// Time steps done, by the parents of the run too.
    public internal(set) var timesteps = 0

    /// By name.
    let learners: [String: any Learner]
    private let root: RandomSource
    private let makeFamily: (Stage?) throws -> any TaskFamily
    private var stage = -1
    private var batch: TrialBatch?

    /// A trainer of a model and a task of the catalogues.
    /// - Parameters:
    ///   - threads: worker threads; the result does not depend on them.
    ///   - teachers: makes the teacher of a stage of imitation from its name.
    public convenience init(
        _ configuration: Configuration, threads: Int,
        teachers: @escaping (String, any TaskFamily) throws -> any Teacher = Trainer.noTeacher
    ) throws {
        try configuration.validate()
        try self.init(
            configuration, policy: configuration.makePolicy(), critic: configuration.makeCritic(), threads: threads,
            teachers: teachers, makeFamily: configuration.makeFamily)
    }

    /// A trainer of any policy on any task.
    ///
    /// - Parameters:
    ///   - configuration: its stages count; the names in it are only recorded.
    ///   - critic: a model of the policy's kind with one output, over the same inputs.
    ///   - makeFamily: the family of a stage; the families of all stages share observation and action spaces.
    public init(
        _ configuration: Configuration, policy: any SequencePolicy, critic: any SequencePolicy, threads: Int,
        teachers: @escaping (String, any TaskFamily) throws -> any Teacher = Trainer.noTeacher,
        makeFamily: @escaping (Stage?) throws -> any TaskFamily
    ) throws {
        try configuration.validateStages()
        self.configuration = configuration
        self.makeFamily = makeFamily
        let family = try makeFamily(nil)
        guard policy.outputs == family.actions, critic.outputs == 1 else {
            throw UserError(
                "the policy has \(policy.outputs) outputs and the critic \(critic.outputs): the task '\(family.name)' "
                    + "wants \(family.actions) and 1")
        }
        try Trainer.requireSteadyLayout(policy, "policy")
        try Trainer.requireSteadyLayout(critic, "critic")
        // The parameters, and three vectors of TRPO or Adam.
        try ModelMemory.require([policy, critic], vectors: 4)
        for stage in configuration.stages {
            let family = try makeFamily(stage)
            try TrialBatch.requireMemory(
                trials: Trainer.trials(stage, family), of: family, played: policy, threads: threads,
                advice: "lower --batch-steps, --episodes, --hidden or --threads")
            let share = try learnerCatalogue.require(stage.learner).recordedShare(stage.learnerOptions)
            try UpdateMemory(policy, family, recording: share)
                .require(trials: Trainer.trials(stage, family), threads: threads)
        }
        let workers = Workers(threads: threads)
        root = RandomSource(seed: UInt64(configuration.seed))
        actorCritic = ActorCritic(
            policy: policy, parameters: Trainer.firstParameters(of: policy, seed: configuration.seed),
            critic: Critic(
                model: critic, random: root.split(Iteration.Stream.critic.rawValue), workers: workers),
            workers: workers)
        let learning = Learning(actorCritic: actorCritic, makeTeacher: teachers)
        var learners: [String: any Learner] = [:]
        for stage in configuration.stages {
            let learner = try learners[stage.learner] ?? learnerCatalogue.require(stage.learner).make(learning)
            try learner.prepare(stage.learnerOptions, for: family)
            learners[stage.learner] = learner
        }
        self.learners = learners
    }

    public var policy: any SequencePolicy { actorCritic.policy }
    /// θ of the policy [P]
    public var parameters: Matrix { actorCritic.parameters }
    public var critic: Critic { actorCritic.critic }

    /// For those who know no teachers.
    public static func noTeacher(_ name: String, _ family: any TaskFamily) throws -> any Teacher {
        throw UserError("unknown teacher '\(name)'")
    }

    /// θ would be written with one table of contents and read with another.
    private static func requireSteadyLayout(_ model: any SequencePolicy, _ role: String) throws {
        guard let change = ParameterLayout.difference(model.layout, model.layout) else { return }
        throw UserError(
            "the \(role)'s layout changes between calls (\(change)): make it once, in the model's init, and return that"
        )
    }

    /// θ [P] with which a run of a seed begins.
    public static func firstParameters(of policy: any SequencePolicy, seed: Int) -> Matrix {
        let parameters = Matrix(rows: 1, columns: policy.layout.count)
        let random = RandomSource(seed: UInt64(seed)).split(Iteration.Stream.policy.rawValue)
        parameters.copy(from: policy.layout.initialValues(random))
        return parameters
    }

    /// The stream of members that no training with any seed has drawn from.
    public static func heldOutMembers(seed: Int) -> RandomSource {
        RandomSource(seed: UInt64(seed)).split(Iteration.Stream.unseen.rawValue)
    }

    public var isFinished: Bool {
        configuration.timestepLimit.map { ownTimesteps >= $0 } ?? (iteration >= configuration.iterations)
    }

    /// Time steps done, without those of the run's parents.
    public var ownTimesteps: Int { configuration.ownTimesteps(of: timesteps) }

    /// Steps of the last iteration's batch.
    public var batchRows: Int { batch?.rows ?? 0 }

    /// One iteration.
    public func step() throws -> IterationReport {
        let start = ContinuousClock.now
        let place = configuration.place(of: iteration)
        let stage = configuration.stages[place.stage]
        let batch = try enter(place.stage)
        var report = IterationReport(iteration: iteration, learner: stage.learner, episodes: batch.family.episodes)
        learners[stage.learner]!.iterate(
            Iteration(
                number: (configuration.parent?.lineIterations ?? 0) + iteration, within: place.within,
                count: stage.iterations, options: stage.learnerOptions, root: root), on: batch, report: &report)
        timesteps += batch.rows
        report.timesteps = timesteps
        report.meanTotalReward = batch.meanTotalReward
        report.episodeMeans = batch.episodeMeans
        if report.headline.isEmpty { report.headline = "return \(Display.fixed(report.meanTotalReward, 3))" }
        report.stepsPerSecond = Double(batch.rows) / (ContinuousClock.now - start).inSeconds
        iteration += 1
        return report
    }

    /// Trials of an iteration: whole trials of the longest length within the stage's steps, at least one.
    private static func trials(_ stage: Stage, _ family: any TaskFamily) -> Int {
        max(1, stage.batchSteps / family.maximumTrialSteps)
    }

    /// A batch of the size of a stage's.
    private func enter(_ index: Int) throws -> TrialBatch {
        if let batch, index == stage { return batch }
        let settings = configuration.stages[index]
        let family = try makeFamily(settings)
        // Returns of longer trials have another scale. What was before is read from the schedule, not from this object,
        // so that a run which is resumed between two stages does the same.
        if iteration > 0 {
            let previous = configuration.stages[configuration.place(of: iteration - 1).stage]
            let trialSteps = try makeFamily(previous).maximumTrialSteps
            if trialSteps != family.maximumTrialSteps { critic.scale = ReturnScale() }
        }
        let fresh = TrialBatch(
            family: family, trials: Trainer.trials(settings, family), trialsPerMember: settings.trialsPerMember,
            refillsLanes: true)
        (batch, stage) = (fresh, index)
        return fresh
    }
}
