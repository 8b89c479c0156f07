import Autodiff
import Foundation
import Kernels
import Models
import Tasks

/// What an iteration did, for the log.
public struct IterationReport: Sendable {
    /// Counted from 0.
    public var iteration: Int
    /// What it did.
    public var kind: Configuration.Stage.Kind
    /// Episodes of a trial in this iteration.
    public var episodes: Int
    /// Time steps since the run began, this iteration's included.
    public var timesteps = 0
    /// Mean over trials of the total reward.
    public var meanTotalReward = 0.0
    /// Mean reward of each episode [episodes].
    public var episodeMeans: [Double] = []
    public var update = PolicyUpdate()
    /// Within-step share of the targets' variance that the critic explained before it saw them.
    public var explainedVariance = 0.0
    /// Of the critic, or of reward prediction. Nil if the fit was not finite and was undone.
    public var criticLoss: Double?
    public var clock = PhaseClock()
    /// Time steps of the iteration a second of the whole iteration.
    public var stepsPerSecond = 0.0

    init(iteration: Int, kind: Configuration.Stage.Kind, episodes: Int) {
        self.iteration = iteration
        self.kind = kind
        self.episodes = episodes
    }
}

/// The outer loop of RL²: sample members, play trials, improve θ by TRPO (or PPO), fit the critic.
///
/// It knows protocols only: neither an architecture's name nor a task's occurs in this module. What it holds between
/// iterations is what a checkpoint holds, so a run that was killed and resumed gives the same bits as one that was not.
public final class Trainer {
    public let configuration: Configuration
    public let policy: any SequencePolicy
    /// θ of the policy [P]
    public let parameters: Matrix
    public let critic: Critic
    /// Iterations done.
    public internal(set) var iteration = 0
    /// Time steps done.
    public internal(set) var timesteps = 0

    private let workers: Workers
    private let trpo: TRPO
    private let ppo: PPO
    /// Adam of the policy, for PPO and for stages of reward prediction and of imitation.
    let policyRegression: TrialRegression
    private let teachers: [String: any Teacher]
    private let root: RandomSource
    private let makeFamily: (Configuration.Stage?) throws -> any TaskFamily
    private var stage = -1
    private var batch: TrialBatch?

    /// Independent random streams of a run, by purpose. Evaluation draws from another root (see `unseenMembers`).
    private enum Stream: Int { case policy, critic, trials, fisher, minibatches, unseen, policyMinibatches }

    /// A trainer of a model and a task of the catalogues.
    /// - Parameters:
    ///   - threads: worker threads; the result does not depend on them.
    ///   - teachers: makes the teacher of a stage of imitation from its name.
    public convenience init(
        _ configuration: Configuration, threads: Int,
        teachers: (String, any TaskFamily) throws -> any Teacher = Trainer.noTeacher
    ) throws {
        try configuration.validate()
        try self.init(
            configuration, policy: configuration.makePolicy(), critic: configuration.makeCritic(), threads: threads,
            teachers: teachers, makeFamily: configuration.makeFamily)
    }

    /// A trainer of any policy on any task, such as those of another package.
    ///
    /// - Parameters:
    ///   - configuration: its stages and the outer loop's settings count; the names in it are only recorded.
    ///   - critic: a model of the policy's kind with one output, over the same inputs.
    ///   - makeFamily: the family of a stage; the families of all stages share observation and action spaces.
    public init(
        _ configuration: Configuration, policy: any SequencePolicy, critic: any SequencePolicy, threads: Int,
        teachers make: (String, any TaskFamily) throws -> any Teacher = Trainer.noTeacher,
        makeFamily: @escaping (Configuration.Stage?) throws -> any TaskFamily
    ) throws {
        try configuration.validateSettings()
        self.configuration = configuration
        self.policy = policy
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
        }
        self.teachers = try configuration.stages.reduce(into: [:]) { teachers, stage in
            guard let name = stage.teacher else { return }
            teachers[name] = try teachers[name] ?? make(name, family)
        }
        workers = Workers(threads: threads)
        root = RandomSource(seed: UInt64(configuration.seed))
        parameters = Trainer.firstParameters(of: policy, seed: configuration.seed)
        self.critic = Critic(model: critic, random: root.split(Stream.critic.rawValue), workers: workers)
        trpo = TRPO(policy: policy, workers: workers)
        policyRegression = TrialRegression(model: policy, workers: workers)
        ppo = PPO(policy: policy, regression: policyRegression, workers: workers)
    }

    /// For those who know no teachers.
    public static func noTeacher(_ name: String, _ family: any TaskFamily) throws -> any Teacher {
        throw UserError("nobody here knows the teacher '\(name)'")
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
        let random = RandomSource(seed: UInt64(seed)).split(Stream.policy.rawValue)
        parameters.copy(from: policy.layout.initialValues(random))
        return parameters
    }

    /// The stream of members that no training with any seed has drawn from.
    public static func unseenMembers(seed: Int) -> RandomSource {
        RandomSource(seed: UInt64(seed)).split(Stream.unseen.rawValue)
    }

    public var isFinished: Bool { iteration >= configuration.iterations }

    /// Bytes that the policy's Fisher records hold.
    public var recordBytes: Int { trpo.recordBytes }

    /// The threads of this trainer, for measuring what else they can do.
    public var sharedWorkers: Workers { workers }

    /// Steps of the last iteration's batch.
    public var batchRows: Int { batch?.rows ?? 0 }

    /// One iteration.
    public func step() throws -> IterationReport {
        let start = ContinuousClock.now
        let (settings, batch) = try enterStage()
        var report = IterationReport(iteration: iteration, kind: settings.kind, episodes: batch.family.episodes)
        switch settings.kind {
        case .improvement: improve(batch, settings, &report)
        case .rewardPrediction: predictRewards(batch, settings, &report)
        case .imitation: imitate(batch, settings, &report)
        }
        timesteps += batch.rows
        report.timesteps = timesteps
        report.meanTotalReward = batch.meanTotalReward
        report.episodeMeans = batch.episodeMeans
        report.stepsPerSecond = Double(batch.rows) / (ContinuousClock.now - start).inSeconds
        iteration += 1
        return report
    }

    /// Play, judge, improve the policy, fit the critic.
    private func improve(_ batch: TrialBatch, _ settings: Configuration.Stage, _ report: inout IterationReport) {
        let trials = root.split(Stream.trials.rawValue, iteration)
        report.clock.measure(.rollout) {
            batch.play(policy, parameters: UnsafePointer(parameters.pointer), root: trials, workers: workers)
        }
        let scale = critic.scale
        report.clock.measure(.values) {
            critic.scale.update(batch, discount: settings.discount)
            critic.evaluate(batch)
        }
        report.explainedVariance = report.clock.measure(.advantages) {
            batch.estimateAdvantages(
                discount: Float(settings.discount), lambda: Float(settings.gaeLambda),
                targetLambda: Float(configuration.criticLambda), workers: workers)
            batch.standardizeAdvantages(settings.advantageScale)
            return critic.explainedVariance(batch)
        }
        if configuration.place(of: iteration).within < settings.criticWarmup {
            report.update.outcome = .skipped
        } else {
            report.update = improvePolicy(batch, settings, &report.clock)
        }
        report.criticLoss = report.clock.measure(.critic) {
            critic.fit(
                batch, settings: regressionSettings(settings, share: 1),
                random: root.split(Stream.minibatches.rawValue, iteration))
        }
        // Rewards that were not finite must not stay in the scale of those to come.
        if report.criticLoss == nil { critic.scale = scale }
    }

    /// Random habits, and the policy's memory fitted to what they saw. The rate falls to zero over the stage, because the
    /// noise of the last Adam steps is what the policy starts with.
    private func predictRewards(
        _ batch: TrialBatch, _ settings: Configuration.Stage, _ report: inout IterationReport
    ) {
        report.update.outcome = .skipped
        report.clock.measure(.rollout) {
            batch.playHabits(
                RewardPrediction.habit, root: root.split(Stream.trials.rawValue, iteration), workers: workers)
        }
        let left = 1 - Double(configuration.place(of: iteration).within) / Double(settings.iterations)
        report.criticLoss = report.clock.measure(.critic) {
            RewardPrediction.fit(
                parameters, to: batch, by: policyRegression,
                settings: regressionSettings(settings, share: left),
                random: root.split(Stream.minibatches.rawValue, iteration))
        }
    }

    /// A teacher plays fresh members, and the policy is fitted to what it did; the rate falls to zero over the stage.
    private func imitate(_ batch: TrialBatch, _ settings: Configuration.Stage, _ report: inout IterationReport) {
        guard let name = settings.teacher, let teacher = teachers[name] else {
            preconditionFailure("a stage of imitation without its teacher")
        }
        report.update.outcome = .skipped
        report.clock.measure(.rollout) {
            batch.play(teacher, root: root.split(Stream.trials.rawValue, iteration), workers: workers)
        }
        let left = 1 - Double(configuration.place(of: iteration).within) / Double(settings.iterations)
        report.criticLoss = report.clock.measure(.critic) {
            Imitation.fit(
                parameters, to: batch, by: policyRegression, settings: regressionSettings(settings, share: left),
                random: root.split(Stream.minibatches.rawValue, iteration))
        }
    }

    private func regressionSettings(_ stage: Configuration.Stage, share: Double) -> TrialRegression.Settings {
        TrialRegression.Settings(
            epochs: configuration.criticEpochs, minibatches: configuration.criticMinibatches,
            learningRate: share * (stage.learningRate ?? configuration.criticLearningRate))
    }

    private func improvePolicy(
        _ batch: TrialBatch, _ stage: Configuration.Stage, _ clock: inout PhaseClock
    ) -> PolicyUpdate {
        let within = configuration.place(of: iteration).within
        let (maximumKL, entropyBonus) = (stage.maximumKL(within: within), stage.entropyBonus(within: within))
        if let settings = configuration.ppo {
            return ppo.update(
                parameters: parameters, batch: batch, settings: settings,
                rate: settings.learningRate * (maximumKL / configuration.stages[0].maximumKL).squareRoot(),
                maximumKL: maximumKL, entropyBonus: entropyBonus,
                random: root.split(Stream.policyMinibatches.rawValue, iteration), clock: &clock)
        }
        return trpo.update(
            parameters: parameters, batch: batch,
            settings: TRPO.Settings(
                maximumKL: maximumKL, conjugateGradientIterations: configuration.conjugateGradientIterations,
                damping: configuration.damping, preconditioning: configuration.preconditioning,
                relativeDamping: configuration.relativeDamping, fisherShare: configuration.fisherShare,
                entropyBonus: entropyBonus),
            random: root.split(Stream.fisher.rawValue, iteration), clock: &clock)
    }

    /// Trials of an iteration: whole trials of the longest length within the stage's steps, at least one.
    private static func trials(_ stage: Configuration.Stage, _ family: any TaskFamily) -> Int {
        max(1, stage.batchSteps / family.maximumTrialSteps)
    }

    /// The settings of the coming iteration, and a batch of its size.
    private func enterStage() throws -> (Configuration.Stage, TrialBatch) {
        let index = configuration.place(of: iteration).stage
        let settings = configuration.stages[index]
        if let batch, index == stage { return (settings, batch) }
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
        return (settings, fresh)
    }
}
