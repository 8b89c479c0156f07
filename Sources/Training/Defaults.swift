import Kernels
import Models
import Tasks

/// Settings that train well, per task: the result of measurements, which the README states.
extension Configuration {
    /// A task's and model's defaults.
    ///
    /// - Parameters:
    ///   - taskOptions: those of the task that are given; the others take their standard values.
    ///   - modelOptions: likewise.
    public static func standard(
        task: String, model: String, taskOptions: OptionValues = [:], modelOptions: OptionValues = [:],
        seed: Int = 0
    ) throws -> Configuration {
        guard let entry = TaskCatalogue.entry(named: task) else {
            throw UserError("unknown task '\(task)': choose one of \(TaskCatalogue.names.joined(separator: ", "))")
        }
        guard let modelEntry = ModelCatalogue.entry(named: model) else {
            throw UserError("unknown model '\(model)': choose one of \(ModelCatalogue.names.joined(separator: ", "))")
        }
        let options = OptionValues(standard: entry.options, given: taskOptions)
        if let objection = entry.objection(options) { throw UserError(objection) }
        let family = entry.make(options)
        if case .image = family.observation {
            return Configuration(
                task: task, taskOptions: options, model: model,
                modelOptions: OptionValues(standard: modelEntry.options, given: modelOptions), slowUnits: 0.5,
                hidden: max(1, modelEntry.standardHidden / 2), seed: seed,
                stages: navigation(easier: entry.easier(options).last), ppo: PPO.Settings(),
                conjugateGradientIterations: 10,
                damping: 1e-3, fisherShare: 0.2, criticEpochs: 1, criticMinibatches: 10, criticLearningRate: 2e-3,
                criticLambda: 1)
        }
        let (episodes, steps) = (family.episodes, family.maximumTrialSteps)
        // A long trial's critic sees many steps in one pass. Its large batches can bear the preconditioner, which follows
        // more of the gradient, noise and all: with the small ones of short trials it costs more than it brings.
        let long = steps > 30
        let easier = long ? entry.easier(options) : []
        let memoryIsTaught = !easier.isEmpty
        return Configuration(
            task: task, taskOptions: options, model: model,
            modelOptions: OptionValues(standard: modelEntry.options, given: modelOptions),
            memoryHorizon: memoryIsTaught ? 1 : nil, inputGain: memoryIsTaught ? 6 : 1,
            hidden: modelEntry.standardHidden, criticHidden: long ? max(1, modelEntry.standardHidden / 2) : nil,
            seed: seed,
            stages: memoryIsTaught
                ? memoryFirst(easier: easier, episodes: episodes, steps: steps, rate: modelEntry.predictionRate)
                : curriculum(episodes: episodes, stepsPerEpisode: max(1, steps / episodes)),
            conjugateGradientIterations: 10, damping: 1e-3, preconditioning: long ? 1 : 0,
            relativeDamping: long ? 0.3 : 0, fisherShare: 0.2,
            criticEpochs: long ? 1 : 2, criticMinibatches: long ? 40 : 10, criticLearningRate: long ? 2e-3 : 1e-3,
            criticLambda: 1)
    }

    /// For tasks of several states that are met again within a trial. What was earned must be kept by state *and* action, and
    /// no policy gradient finds that in the steps at hand: it settles on keeping it by action alone. So the memory learns to
    /// predict rewards first, and that with two states, then three, and so on: a new state is little beside what is known,
    /// all of them at once are too much (docs/experiments.md). Then the outer loop of RL² takes over, on the task itself.
    static func memoryFirst(easier: [OptionValues], episodes: Int, steps: Int, rate: Double) -> [Stage] {
        func prediction(_ iterations: Int, options: OptionValues?) -> Stage {
            Stage(
                kind: .rewardPrediction, iterations: iterations, batchSteps: 50_000,
                episodes: episodes > 10 ? 10 : nil, taskOptions: options, discount: 1, gaeLambda: 1, maximumKL: 0.01,
                learningRate: rate)
        }
        let growing = easier.enumerated().map { place, options in
            prediction(min(30 + 10 * max(0, place - 1), 100), options: options)
        }
        let playing = Stage(
            iterations: 100, batchSteps: steps > 100 ? 500_000 : 200_000, discount: 1, gaeLambda: 0.9, maximumKL: 0.02,
            finalMaximumKL: 0.003, entropyBonus: 0.02, finalEntropyBonus: 0, criticWarmup: 2, trialsPerMember: 4)
        return growing + [prediction(350, options: nil), playing]
    }

    /// For tasks that are seen. An easier task first, where there is one: a policy that seldom reaches its goal learns to
    /// wander, one that has learned what the goal looks like, and that it stays where it is, looks for it in a larger place
    /// too.
    ///
    /// How far a policy comes in the beginning depends on how often it is updated, hence small batches and a short λ; to
    /// look for what is far away and to remember where it was takes a long one, and batches that bear its noise. What is
    /// seen acts at once if units are fast, and is kept if others are slow; a policy that keeps some entropy goes on
    /// learning. Many small steps by Adam get further with the same trials than one large one by TRPO
    /// (docs/experiments.md). Trust regions, and with them rates, and entropy bonuses run from the upper to the lower end
    /// of their ranges.
    static func navigation(easier: OptionValues?) -> [Stage] {
        func stage(
            _ iterations: Int, _ batch: Int, lambda: Double = 0.97, kl: ClosedRange<Double> = 0.02...0.02,
            entropy: ClosedRange<Double>, options: OptionValues? = nil
        ) -> Stage {
            Stage(
                iterations: iterations, batchSteps: batch, taskOptions: options, discount: 0.99, gaeLambda: lambda,
                maximumKL: kl.upperBound, finalMaximumKL: kl.lowerBound, entropyBonus: entropy.upperBound,
                finalEntropyBonus: entropy.lowerBound)
        }
        return [
            stage(40, 10_000, lambda: 0.9, entropy: 0.03...0.03, options: easier),
            stage(60, 20_000, entropy: 0.03...0.03, options: easier),
            stage(400, 30_000, entropy: 0.005...0.01),
            stage(900, 40_000, kl: 0.002...0.02, entropy: 0...0.005),
        ]
    }

    /// Short trials first. A policy that is trained on trials of a hundred steps from the start settles on the first
    /// action that pays; one that has learned to compare actions in short trials goes on doing so in longer ones.
    ///
    /// In long trials the noise of the gradient decides how far a policy gets: hence large batches, and four trials of
    /// each member under the same chance, which takes three quarters of the variance away (see `GroupBaseline`).
    static func curriculum(episodes: Int, stepsPerEpisode: Int) -> [Stage] {
        func stage(
            _ steps: Int, _ iterations: Int, _ batch: Int, lambda: Double, _ kl: Double, to final: Double? = nil,
            scale: AdvantageScale = .batch, entropy: Double = 0, finalEntropy: Double? = nil, warmup: Int = 0,
            trialsPerMember: Int = 1
        ) -> Stage {
            let length = max(1, steps / stepsPerEpisode)
            return Stage(
                iterations: iterations, batchSteps: batch, episodes: length >= episodes ? nil : length, discount: 1,
                gaeLambda: lambda, maximumKL: kl, finalMaximumKL: final, advantageScale: scale, entropyBonus: entropy,
                finalEntropyBonus: finalEntropy, criticWarmup: warmup, trialsPerMember: trialsPerMember)
        }
        let steps = episodes * stepsPerEpisode
        if steps <= 20 {
            return [
                stage(steps, 20, 25_000, lambda: 0.5, 0.01),
                stage(steps, 40, 50_000, lambda: 0.5, 0.008, to: 0.0005),
            ]
        }
        // A policy that is to go on learning in longer trials must keep some entropy. In the longest ones too: what a late
        // look at a neglected action is worth, only those find out who sometimes take one. And lengths must not jump: from
        // 30 steps to 100 some seeds never learn to look again.
        func longer(_ steps: Int, _ iterations: Int, _ batch: Int) -> Stage {
            stage(
                steps, iterations, batch, lambda: steps > 30 ? 0.95 : 0.9, 0.01, scale: steps > 30 ? .batch : .step,
                entropy: 0.04, warmup: 2, trialsPerMember: 4)
        }
        var stages = [
            stage(10, 30, 25_000, lambda: 0.7, 0.01, scale: .step, entropy: 0.04, trialsPerMember: 4),
            longer(min(steps, 30), 40, 100_000),
        ]
        if steps > 60 { stages.append(longer(60, 10, 300_000)) }
        if steps > 30 {
            stages += [
                stage(
                    steps, 34, 500_000, lambda: 0.95, 0.01, to: 0.003, entropy: 0.04, finalEntropy: 0, warmup: 2,
                    trialsPerMember: 4),
                stage(steps, 15, 500_000, lambda: 0.95, 0.003, to: 0.001, trialsPerMember: 4),
            ]
        }
        return stages
    }
}
