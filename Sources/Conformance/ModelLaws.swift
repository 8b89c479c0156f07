import Kernels

/// unroll ≡ step: ‖unroll − repeated step‖ / ‖unroll‖ over all trials and steps.
public func unrollStepError(_ model: ModelUnderTest) -> Double {
    relativeDistance(model.stepped().joinedNumbers, from: model.unrolled().joinedNumbers)
}

/// What changing all that is shown at one step of one trial does to the outputs.
public struct ChangeReport: Sendable {
    /// Outputs of the trial before the step are what they were.
    public var pastIsUntouched: Bool
    /// All outputs of the other trials are what they were.
    public var othersAreUntouched: Bool
    /// The trial's output at the step changed: otherwise the two above say nothing.
    public var presentChanges: Bool
    /// Later steps of the trial whose outputs changed: the model remembers.
    public var laterSteps: [Int]
}

/// Causality, lane independence and memory, to the bit; where images are shown, the first two to rounding, because distinct
/// images of a batch are encoded together, and products with another number of rows may round in another way.
///
/// - Parameter before: the outputs without a change, where they are known already.
public func changeReport(
    _ model: ModelUnderTest, before: [[[Float]]]? = nil, trial: Int, step: Int, random: inout RandomSource
) -> ChangeReport {
    let before = before ?? model.unrolled()
    let other = model.trials.changed(trial: trial, steps: step..<step + 1, random: &random)
    let after = model.with(other).unrolled()
    func same(_ trial: Int, _ step: Int) -> Bool { sameBits(before[trial][step], after[trial][step]) }
    let rounding = model.trials.observation.imageBytes > 0 ? roundingTolerance(depth: model.parameters.count) : 0
    func isUntouched(_ trial: Int, _ steps: Range<Int>) -> Bool {
        steps.allSatisfy {
            same(trial, $0) || relativeDistance(after[trial][$0], from: before[trial][$0]) < rounding
        }
    }
    return ChangeReport(
        pastIsUntouched: isUntouched(trial, 0..<step),
        othersAreUntouched: before.indices.allSatisfy { other in
            other == trial || isUntouched(other, before[other].indices)
        }, presentChanges: !same(trial, step),
        laterSteps: (step + 1..<before[trial].count).filter { !same(trial, $0) })
}

/// Packing is irrelevant: the largest relative distance between a trial's outputs in one batch and in others.
///
/// Trials of equal length trade lanes, and a trial that is alone is compared with the same trial beside copies of itself,
/// some of them cut short: where it lies and how many lie beside it must not matter. (What lies beside it must not
/// either: that is lane independence.)
public func packingError(_ model: ModelUnderTest) -> Double {
    let whole = model.unrolled()
    let all = Array(model.trials.steps.indices)
    let reversed = model.unrolled(order: model.trials.packingOrder(preference: all.reversed()))
    var error = relativeDistance(reversed.joinedNumbers, from: whole.joinedNumbers)
    for trial in all {
        let alone = model.unrolled(order: [trial])[trial]
        let steps = model.trials.steps[trial]
        var copies = model.trials
        copies.steps = [steps, Array(steps.prefix((steps.count + 1) / 2)), steps, Array(steps.prefix(1))]
        for copy in model.with(copies).unrolled() where copy.count == alone.count {
            error = max(error, relativeDistance([copy].joinedNumbers, from: [alone].joinedNumbers))
        }
    }
    return error
}

/// Memory begins anew: whether a memory that was used gives the same bits as a fresh one, after `reset` of each lane and
/// after `restart`.
public func restartReport(_ model: ModelUnderTest) -> (reset: Bool, restart: Bool) {
    let fresh = model.stepped().joinedNumbers
    return (
        sameBits(model.steppedWithUsedMemory(resettingLanes: true).joinedNumbers, fresh),
        sameBits(model.steppedWithUsedMemory(resettingLanes: false).joinedNumbers, fresh)
    )
}

/// How far the outputs of different lanes lie apart: at the first steps of long trials and at their last.
///
/// RMS over lanes and outputs of the distance from the lanes' mean, averaged over a tenth of the steps.
public func spreadReport(_ model: ModelUnderTest) -> (first: Double, last: Double) {
    let outputs = model.unrolled()
    let steps = outputs[0].count
    func spread(_ step: Int) -> Double {
        var sum = 0.0
        for output in 0..<model.policy.outputs {
            let values = outputs.map { Double($0[step][output]) }
            let mean = values.reduce(0, +) / Double(values.count)
            sum += values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        }
        return (sum / Double(outputs.count * model.policy.outputs)).squareRoot()
    }
    func mean(_ range: Range<Int>) -> Double { range.reduce(0) { $0 + spread($1) } / Double(range.count) }
    let tenth = max(1, steps / 10)
    return (mean(0..<tenth), mean(steps - tenth..<steps))
}

/// Arm symmetry: renaming the actions renames a policy's logits, and leaves a value (one output) as it is.
public struct RelabellingReport: Sendable {
    /// ‖outputs of the renamed history − renamed outputs‖ / ‖outputs‖, the largest over some permutations.
    public var error: Double
    /// ‖renamed outputs − outputs‖ / ‖outputs‖, the smallest: 0 of who does not tell actions apart, to whom the law says
    /// nothing. Infinite of a value, which has no actions.
    public var contrast: Double
}

/// - Parameter permutations: how many names are tried, none of which leaves all actions as they are.
public func relabellingReport(
    _ model: ModelUnderTest, permutations: Int = 4, random: inout RandomSource
) -> RelabellingReport {
    let before = model.unrolled()
    let (actions, isValue) = (model.trials.actions, model.policy.outputs == 1)
    var report = RelabellingReport(error: 0, contrast: .infinity)
    let plain = Array(0..<actions)
    for _ in 0..<(actions > 1 ? permutations : 0) {
        var names = plain
        while names == plain { names = random.permutation(actions) }
        let renamed = before.map { trial in
            trial.map { outputs -> [Float] in
                if isValue { return outputs }
                var renamed = outputs
                for (action, output) in outputs.enumerated() { renamed[names[action]] = output }
                return renamed
            }
        }
        let after = model.with(model.trials.relabelled(names)).unrolled()
        report.error = max(report.error, relativeDistance(after.joinedNumbers, from: renamed.joinedNumbers))
        if isValue { continue }
        report.contrast = min(
            report.contrast, relativeDistance(renamed.joinedNumbers, from: before.joinedNumbers))
    }
    return report
}
