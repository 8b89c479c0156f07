import Foundation
import Interface
import Kernels
import Tasks
import Training

/// One held-out member, played step by step by a trained policy: what the report page shows of a method at work. A pure
/// function of the final checkpoint and the bank, so a replay that is made anew is the same bytes.
public struct Replay: StoredResult, Sendable, Equatable {
    /// Version of the format that this build writes and reads.
    public static let version = 1
    public static let bankVersion: Int? = EvaluationBank.version
    public static let (title, folder) = ("a replay", "replays")
    public static let advice = "move it away to have `rl2x bench run` make it again"
    public static let isIndented = false
    /// Number, in the bank, of the member that is played. A bandit's first arm is not its best here: Greedy, which begins
    /// with the first, would find it at once, and there would be little to see.
    static let member = 4

    public let version: Int
    public let bank: Int
    public let cell: String
    public let modelName: String
    public let taskName: String
    public let settingName: String
    public let seed: Int
    /// Of the task catalogue.
    public let task: String
    public let taskOptions: Values
    /// Of a bandit or a tabular MDP.
    public let choices: ChoiceReplay?
    /// Of a task that is seen.
    public let visual: VisualReplay?

    enum CodingKeys: String, CodingKey {
        case version, bank, cell, modelName = "model_name", taskName = "task_name", settingName = "setting_name", seed
        case task, taskOptions = "task_options", choices, visual = "maze"
    }

    /// Plays the member. Nil for a task of which nothing is shown.
    init?(_ subject: CellRecord.Subject, configuration: Configuration, agent: LearnedAgent) throws {
        let family = try configuration.makeFamily().heldOut()
        choices = ChoiceReplay(of: family, agent)
        visual = VisualReplay(of: family, agent)
        guard choices != nil || visual != nil else { return nil }
        version = Replay.version
        bank = EvaluationBank.version
        (cell, modelName) = (subject.cell, subject.modelName)
        (taskName, settingName) = (subject.taskName, subject.settingName)
        (seed, task, taskOptions) = (configuration.seed, configuration.task, configuration.taskOptions)
    }

    public var flaw: String? {
        let isWhole = visual.map { $0.recording(task: task, taskOptions) != nil } ?? choices?.isWhole ?? false
        return isWhole ? nil : Replay.brokenWords
    }
}

extension LearnedAgent {
    /// One member's trial, step by step, with the distributions from which its actions were chosen.
    ///
    /// - Parameter root: as from `Trainer.heldOutMembers`.
    func trial(of family: any TaskFamily, member: Int, root: RandomSource) -> [TrialStep] {
        let (batch, workers) = (TrialBatch(family: family, trials: 1), Workers(threads: 1))
        batch.play(
            policy, parameters: UnsafePointer(weights.pointer), root: root, first: member, choice: choice,
            workers: workers)
        let shard = batch.shards[0]
        let (tape, outcomes) = (workers.tapes[0], policy.outputs)
        tape.begin(parameters: UnsafePointer(weights.pointer), recording: false)
        let logits = tape.value(policy.unroll(shard.inputs, shape: shard.shape, tape: tape))
        var distributions = [Float](repeating: 0, count: shard.rows * outcomes)
        Categorical.logProbabilities(
            rows: shard.rows, outcomes: outcomes, logits: logits, into: &distributions)
        var steps = shard.trial(0)
        for step in steps.indices {
            steps[step].logProbabilities = Array(distributions[step * outcomes..<(step + 1) * outcomes])
        }
        return steps
    }
}

extension TrialStep {
    /// π(· | history) [A], rounded to what can be seen.
    var shownProbabilities: [Double] { logProbabilities.map { shown(exp(Double($0))) } }
}

/// Rounded to four places: what a page shows, in few characters.
func shown(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }
