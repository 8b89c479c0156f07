import Interface
import Kernels
import Tasks

/// Who plays in stages of imitation.
public protocol Teacher: Sendable {
    /// A player for the trials of a family, used by one thread.
    func makeLanePlayer(for family: any TaskFamily) -> any LanePlayer
}

/// Whose histories a teacher's actions are fitted at.
enum Histories: String, CaseIterable, Sendable {
    /// The teacher's own.
    case teacher
    /// The policy's own, as it is trained (Ross et al. 2011).
    case policy
    /// Those of random preferences, drawn anew for each trial.
    case preferences
}

/// Supervised learning of a teacher's behaviour: whether an architecture *can* be an algorithm, apart from whether the
/// outer loop finds it (Duan et al. 2016, section 3.1: a policy trained on trajectories of the Gittins index reaches it).
///
/// A teacher that learns, such as Thompson sampling, makes it algorithm distillation (Laskin et al. 2022). The oracle's actions
/// at the histories of others make it a decision-pretrained policy (Lee et al. 2023): what minimises the cross-entropy
/// there is the posterior probability that an action is the best one, which is posterior sampling.
final class Imitation: Learner {
    static let entry = LearnerEntry(
        name: "imitation", summary: "fits the policy to the actions of a teacher, by cross-entropy",
        options: [
            Option(
                "teacher", text: "oracle",
                help: "Whose actions are fitted: an agent of `rl2x baselines`, such as gittins or oracle"),
            Option(
                "histories", Histories.self, default: .teacher,
                help: "Who plays the trials at whose steps they are fitted"),
        ] + supervisedOptions(learningRate: 3e-3), columns: ["accepted", "critic_loss"], isOuterLoop: false
    ) { Imitation($0) }

    private let learning: Learning
    private var teachers: [String: any Teacher] = [:]

    init(_ learning: Learning) { self.learning = learning }

    func prepare(_ options: Values, for family: any TaskFamily) throws {
        let name = options.word("teacher")
        if teachers[name] == nil { teachers[name] = try learning.makeTeacher(name, family) }
    }

    func iterate(_ iteration: Iteration, on batch: TrialBatch, report: inout IterationReport) {
        guard let teacher = teachers[iteration.options.word("teacher")] else {
            preconditionFailure("a stage of imitation that was not prepared")
        }
        let actorCritic = learning.actorCritic
        let histories: Histories = iteration.options.choice("histories")
        let (root, workers) = (iteration.random(.trials), actorCritic.workers)
        report.clock.measure(.rollout) {
            switch histories {
            case .teacher: batch.play(teacher, root: root, workers: workers)
            case .policy:
                batch.play(
                    actorCritic.policy, parameters: UnsafePointer(actorCritic.parameters.pointer), root: root,
                    workers: workers)
            case .preferences: batch.playPreferences(RewardPrediction.preference, root: root, workers: workers)
            }
            if histories != .teacher { batch.relabel(by: teacher, root: root, workers: workers) }
        }
        let loss = report.clock.measure(.critic) {
            Imitation.fit(
                actorCritic.parameters, to: batch, by: actorCritic.policyOptimizer,
                settings: iteration.fadingSettings, random: iteration.random(.minibatches))
        }
        report.add(supervisedLoss: loss)
        report.headline =
            "\(histories == .teacher ? "teacher's return" : "return") \(Display.fixed(batch.meanTotalReward, 3))  cross-entropy "
            + "\(loss.map { Display.fixed($0, 4) } ?? "undone") nats a step"
    }

    /// Fits the policy's distribution to the actions of a batch that a teacher played, by cross-entropy. Returns the mean
    /// of −log π(teacher's action), nats a step, or nil if it was not finite and was undone.
    static func fit(
        _ parameters: Matrix, to batch: TrialBatch, by regression: TrialRegression,
        settings: TrialRegression.Settings, random: RandomSource
    ) -> Double? {
        regression.fit(parameters, to: batch, settings: settings, random: random) { shard, logits, weight, seed in
            let (actions, logProbabilities) = (shard.actionCount, shard.logProbabilities.pointer)
            Categorical.logProbabilities(rows: shard.rows, outcomes: actions, logits: logits, into: logProbabilities)
            var loss = 0.0
            for row in 0..<shard.rows {
                let (at, action) = (row * actions, Int(shard.actions.pointer[row]))
                Categorical.addLogProbabilityGradient(
                    outcome: action, outcomes: actions, logProbabilities: logProbabilities + at, weight: -weight,
                    to: seed + at)
                loss -= Double(logProbabilities[at + action])
            }
            return loss
        }
    }
}

/// Options of the learners that fit the policy to what is known of every step.
/// - Parameter learningRate: the default.
func supervisedOptions(learningRate: Double) -> [Option] {
    [
        Option("epochs", 0...100, default: 1, help: "Epochs over a batch"),
        Option("minibatches", 1...10_000, default: 10, help: "Adam steps of each epoch, on whole trials"),
        Option(
            "learning-rate", 1e-8...1, default: learningRate,
            help: "Adam's learning rate for the policy at the start of a stage; it falls to zero"),
    ]
}

extension Iteration {
    /// The rate falls to zero over the stage, because the noise of the last Adam steps is what is left.
    var fadingSettings: TrialRegression.Settings {
        var settings = TrialRegression.Settings(options)
        settings.learningRate = shareLeft * settings.learningRate
        return settings
    }
}

extension IterationReport {
    /// - Parameter loss: nil if the fit was not finite and was undone.
    mutating func add(supervisedLoss loss: Double?) {
        metrics["accepted"] = 0
        metrics["critic_loss"] = loss
        if loss == nil { warnings.append("the fit was not finite and was undone; lower --learning-rate") }
    }
}
