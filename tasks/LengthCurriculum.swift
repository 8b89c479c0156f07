import Interface

extension TrainingDefaults {
    /// Short trials first. A policy that is trained on trials of a hundred steps from the start settles on the first
    /// action that pays; one that has learned to compare actions in short trials goes on doing so in longer ones.
    ///
    /// In long trials the noise of the gradient decides how far a policy gets: hence large batches, and four trials of
    /// each member under the same chance, which takes three quarters of the variance away. Their critic sees many steps in
    /// one pass, and their large batches can bear the preconditioner, which follows more of the gradient, noise and all:
    /// with the small ones of short trials it costs more than it brings (docs/experiments.md).
    public static func byTrialLength(
        episodes: Int, stepsPerEpisode: Int, model: ModelTraits
    ) -> TrainingDefaults {
        let steps = episodes * stepsPerEpisode
        let isLong = steps > 30
        let shared: Values = isLong ? longTrials : [:]
        func stage(_ length: Int, _ iterations: Int, _ batchSteps: Int, _ options: Values) -> Stage {
            let shorter = max(1, length / stepsPerEpisode)
            return Stage(
                taskOptions: shorter < episodes ? ["episodes": .integer(shorter)] : [:], learner: "trpo",
                learnerOptions: shared.merging(options), iterations: iterations, batchSteps: batchSteps)
        }
        // Trials this short need no bonus; at 20 steps a policy without one stops short of exploring enough.
        if steps <= 12 {
            return TrainingDefaults(stages: [
                stage(steps, 20, 25_000, ["gae-lambda": 0.5, "maximum-kl": 0.01]),
                stage(steps, 40, 50_000, ["gae-lambda": 0.5, "maximum-kl": 0.008, "final-maximum-kl": 0.0005]),
            ])
        }
        // A policy that is to go on learning in longer trials must keep some entropy. In the longest ones too: what a late
        // look at a neglected action is worth, only those find out who sometimes take one. And lengths must not jump: from
        // 30 steps to 100 some seeds never learn to look again, and from 60 to 200 a policy ends further from the index. In the end the bonus fades and the trust region shrinks:
        // what is left of either costs reward.
        let exploring: Values = ["maximum-kl": 0.01, "entropy-bonus": 0.04, "trials-per-member": 4]
        let lengthened = exploring.merging(["critic-warmup": 2])
        var stages = [
            stage(
                10, 30, 25_000, exploring.merging(["gae-lambda": 0.7, "advantage-scale": "step"])),
            stage(
                min(steps, 30), 40, 100_000,
                lengthened.merging(["gae-lambda": 0.9, "advantage-scale": "step"])),
        ]
        for length in sequence(first: 60, next: { 2 * $0 }).prefix(while: { $0 < steps }) {
            stages.append(stage(length, 10, 300_000, lengthened.merging(["gae-lambda": 0.95])))
        }
        if isLong {
            let whole = lengthened.merging(["gae-lambda": 0.95])
            stages.append(
                stage(steps, 34, 500_000, whole.merging(["final-maximum-kl": 0.003, "final-entropy-bonus": 0])))
            stages.append(
                stage(
                    steps, 15, 500_000,
                    [
                        "gae-lambda": 0.95, "maximum-kl": 0.003, "final-maximum-kl": 0.001, "trials-per-member": 4,
                    ]))
        } else {
            stages.append(
                stage(
                    steps, 30, 200_000,
                    exploring.merging([
                        "gae-lambda": 0.9, "advantage-scale": "step", "final-maximum-kl": 0.001,
                        "final-entropy-bonus": 0,
                    ])))
        }
        return TrainingDefaults(
            modelOptions: isLong ? ["critic-hidden": .integer(max(1, model.hidden / 2))] : [:], stages: stages)
    }

    /// What suits trials of more than 30 steps, at whatever length a curriculum begins.
    static let longTrials: Values = [
        "preconditioning": 1.0, "relative-damping": 0.3, "critic-epochs": 1, "critic-minibatches": 40,
        "critic-learning-rate": 0.002,
    ]
}
