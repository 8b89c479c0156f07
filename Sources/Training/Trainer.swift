import Foundation
import Kernels
import Models
import Tasks

/// What an iteration did, for the log.
public struct IterationReport: Sendable {
    /// Counted from 0.
    public var iteration: Int
    /// Episodes of a trial in this iteration.
    public var episodes: Int
    /// Time steps since the run began, this iteration's included.
    public var timesteps: Int
    /// Mean over trials of the total reward.
    public var meanTotalReward: Double
    /// Mean reward of each episode [episodes].
    public var episodeMeans: [Double]
    public var update: TRPO.Report
    /// Within-step share of the targets' variance that the critic explained before it saw them.
    public var explainedVariance: Double
    /// Nil if the fit was not finite and was undone.
    public var criticLoss: Double?
    public var clock: PhaseClock
    /// Time steps of the iteration a second of the whole iteration.
    public var stepsPerSecond: Double
}

/// The outer loop of RL²: sample members, play trials, improve θ by TRPO, fit the critic.
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
    private let optimizer: TRPO
    private let root: RandomSource
    private var stage = -1
    private var batch: TrialBatch?

    /// Independent random streams of a run, by purpose. Evaluation draws from another root (see `unseenMembers`).
    private enum Stream: Int { case policy, critic, trials, fisher, minibatches, unseen }

    /// - Parameter threads: worker threads; the result does not depend on them.
    public init(_ configuration: Configuration, threads: Int) throws {
        try configuration.validate()
        self.configuration = configuration
        workers = Workers(threads: threads)
        root = RandomSource(seed: UInt64(configuration.seed))
        policy = try configuration.makePolicy()
        parameters = Matrix(rows: 1, columns: policy.layout.count)
        parameters.copy(from: policy.layout.initialValues(root.split(Stream.policy.rawValue)))
        critic = Critic(
            model: try configuration.makeCritic(), random: root.split(Stream.critic.rawValue), workers: workers)
        optimizer = TRPO(policy: policy, workers: workers)
    }

    /// The stream of members that no training with any seed has drawn from.
    public static func unseenMembers(seed: Int) -> RandomSource {
        RandomSource(seed: UInt64(seed)).split(Stream.unseen.rawValue)
    }

    public var isFinished: Bool { iteration >= configuration.iterations }

    /// Bytes that the policy's Fisher records hold.
    public var recordBytes: Int { optimizer.recordBytes }

    /// The threads of this trainer, for measuring what else they can do.
    public var sharedWorkers: Workers { workers }

    /// Steps of the last iteration's batch.
    public var batchRows: Int { batch?.rows ?? 0 }

    /// One iteration.
    public func step() throws -> IterationReport {
        let start = ContinuousClock.now
        let (settings, batch) = try enterStage()
        var clock = PhaseClock()

        let trials = root.split(Stream.trials.rawValue, iteration)
        clock.measure(.rollout) {
            batch.play(policy, parameters: UnsafePointer(parameters.pointer), root: trials, workers: workers)
        }
        clock.measure(.values) {
            critic.scale.update(batch, discount: settings.discount)
            critic.evaluate(batch)
        }
        let explained = clock.measure(.advantages) {
            batch.estimateAdvantages(
                discount: Float(settings.discount), lambda: Float(settings.gaeLambda),
                targetLambda: Float(configuration.criticLambda), workers: workers)
            batch.standardizeAdvantages(configuration.advantageScale)
            return critic.explainedVariance(batch)
        }
        let warmingUp = configuration.place(of: iteration).within < settings.criticWarmup
        let update = warmingUp ? TRPO.Report(outcome: .skipped) : improvePolicy(batch, settings, &clock)
        let loss = clock.measure(.critic) {
            critic.fit(
                batch,
                settings: Critic.Settings(
                    epochs: configuration.criticEpochs, minibatches: configuration.criticMinibatches,
                    learningRate: configuration.criticLearningRate),
                random: root.split(Stream.minibatches.rawValue, iteration))
        }

        timesteps += batch.rows
        let report = IterationReport(
            iteration: iteration, episodes: batch.family.episodes, timesteps: timesteps,
            meanTotalReward: batch.meanTotalReward, episodeMeans: batch.episodeMeans, update: update,
            explainedVariance: explained, criticLoss: loss, clock: clock,
            stepsPerSecond: Double(batch.rows) / (ContinuousClock.now - start).inSeconds)
        iteration += 1
        return report
    }

    private func improvePolicy(
        _ batch: TrialBatch, _ settings: Configuration.Stage, _ clock: inout PhaseClock
    ) -> TRPO.Report {
        optimizer.update(
            parameters: parameters, batch: batch,
            settings: TRPO.Settings(
                maximumKL: settings.maximumKL,
                conjugateGradientIterations: configuration.conjugateGradientIterations,
                damping: configuration.damping, fisherShare: configuration.fisherShare,
                entropyBonus: settings.entropyBonus),
            random: root.split(Stream.fisher.rawValue, iteration), clock: &clock)
    }

    /// The settings of the coming iteration, and a batch of its size.
    private func enterStage() throws -> (Configuration.Stage, TrialBatch) {
        let index = configuration.place(of: iteration).stage
        let settings = configuration.stages[index]
        if let batch, index == stage { return (settings, batch) }
        let family = try configuration.makeFamily(stage: settings)
        // Returns of longer trials have another scale. What was before is read from the schedule, not from this object,
        // so that a run which is resumed between two stages does the same.
        if iteration > 0 {
            let previous = configuration.stages[configuration.place(of: iteration - 1).stage]
            let trialSteps = try configuration.makeFamily(stage: previous).maximumTrialSteps
            if trialSteps != family.maximumTrialSteps { critic.scale = ReturnScale() }
        }
        let trials = max(1, settings.batchSteps / family.maximumTrialSteps)
        let fresh = TrialBatch(family: family, trials: trials)
        (batch, stage) = (fresh, index)
        return (settings, fresh)
    }
}
