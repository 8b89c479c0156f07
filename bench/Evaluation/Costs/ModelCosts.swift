import Autodiff
import Kernels
import Models
import Tasks
import Training

/// What a configuration's models cost: what `rl2x info --model` prints, and what widths are matched by.
public struct ModelCosts: Sendable {
    /// P of the policy
    public let policyParameters: Int
    /// P of the critic
    public let criticParameters: Int
    /// Floating-point operations of the policy in matrix products, a time step of acting.
    public let actingOperations: Double
    /// The same of learning: one unroll with its record, one `jvp`, one `vjp`, a time step.
    public let learningOperations: Double
    /// Steps of the trials that operations were counted over.
    public let countedSteps: Int
    /// Bytes of the policy's memory, a lane.
    public let stateBytes: Int
    /// Bytes of the largest stage's rollout on `threads` threads: its batch, and the lanes that play at a time.
    public let rolloutBytes: Int

    /// - Parameter threads: that a rollout runs on.
    public init(_ configuration: Configuration, threads: Int) throws {
        let policy = try configuration.makePolicy()
        let family = try configuration.makeFamily()
        policyParameters = policy.layout.count
        criticParameters = try configuration.makeCritic().layout.count
        stateBytes = policy.memoryBytes(steps: family.maximumTrialSteps)
        // Operations are counted with parameters and a gradient.
        try ModelMemory.require([policy], vectors: 2)
        let counted = try OperationCount(configuration)
        (actingOperations, learningOperations, countedSteps) = (counted.acting, counted.learning, counted.steps)
        rolloutBytes =
            try configuration.stages.map { stage in
                let family = try configuration.makeFamily(stage: stage)
                let trials = max(1, stage.batchSteps / family.maximumTrialSteps)
                return TrialBatch.bytes(trials: trials, of: family, played: policy, threads: threads)
            }.max() ?? 0
    }
}

/// Matrix products of the policy, counted by the BLAS wrapper while it acts and learns on the calling thread, not by a
/// formula.
struct OperationCount {
    let acting: Double
    let learning: Double
    let steps: Int

    /// A longer trial costs no more a step, but for attention over all of it, and is cut to whole episodes.
    private static let longestTrial = 1000

    init(_ configuration: Configuration) throws {
        let policy = try configuration.makePolicy()
        let family = try OperationCount.family(configuration)
        steps = family.maximumTrialSteps
        // Values do not matter, and first values of a wide model take their time.
        let parameters = Matrix(rows: 1, columns: policy.layout.count)
        let batch = TrialBatch(family: family, trials: 1)
        let workers = Workers(threads: 1)
        let before = BLAS.operationsOfThisThread
        batch.play(
            policy, parameters: UnsafePointer(parameters.pointer), root: RandomSource(seed: 0), workers: workers)
        let played = BLAS.operationsOfThisThread
        let (tape, workspace) = (workers.tapes[0], workers.workspaces[0])
        let gradient = Matrix(rows: 1, columns: parameters.columns)
        for shard in batch.shards {
            tape.begin(parameters: UnsafePointer(parameters.pointer), recording: true)
            _ = policy.unroll(shard.inputs, shape: shard.shape, tape: tape)
            tape.jvp(direction: UnsafePointer(parameters.pointer), workspace: workspace)
            tape.beginVJP(workspace: workspace)
            tape.vjp(gradient: gradient.pointer, workspace: workspace)
        }
        acting = Double(played - before) / Double(batch.rows)
        learning = Double(BLAS.operationsOfThisThread - played) / Double(batch.rows)
    }

    private static func family(_ configuration: Configuration) throws -> any TaskFamily {
        let family = try configuration.makeFamily()
        guard family.maximumTrialSteps > longestTrial, var stage = configuration.stages.last else { return family }
        stage.taskOptions["episodes"] = .integer(max(1, longestTrial / family.maximumEpisodeSteps))
        return try configuration.makeFamily(stage: stage)
    }
}
