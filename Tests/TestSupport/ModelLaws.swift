import Autodiff
import Kernels
import Models

/// A policy at some θ with trials to run: what the laws of sequence models are stated for.
public struct ModelUnderTest {
    public let policy: any SequencePolicy
    /// θ [P]
    public let parameters: [Float]
    public let trials: RandomTrials

    /// A policy whose every parameter counts: its first values and noise on top, because a bias that is zero hides
    /// what is wrong with it.
    public init(
        _ policy: any SequencePolicy, trials: RandomTrials, noise: Float = 0.2, random: inout RandomSource
    ) {
        self.policy = policy
        self.trials = trials
        let count = policy.layout.count
        parameters = zip(policy.layout.initialValues(random.split(1)), random.normals(count, deviation: noise)).map(+)
    }

    init(_ policy: any SequencePolicy, parameters: [Float], trials: RandomTrials) {
        (self.policy, self.parameters, self.trials) = (policy, parameters, trials)
    }

    /// The same model with other trials.
    public func with(_ trials: RandomTrials) -> ModelUnderTest {
        ModelUnderTest(policy, parameters: parameters, trials: trials)
    }

    /// Whether anything passes from step to step: a memory of no bytes must leave every later output as it was.
    public var remembers: Bool {
        func bytes<Policy: SequencePolicy>(_ policy: Policy) -> Int {
            policy.makeMemory(lanes: 1, steps: longest).bytesPerLane
        }
        return bytes(policy) > 0
    }

    /// The whole unroll as a function of θ, for the laws of calculus.
    public var function: DifferentiableFunction {
        let (rows, shape) = trials.packed(trials.packingOrder())
        let policy = policy
        return DifferentiableFunction(parameterCount: parameters.count) { tape in
            policy.unroll(rows.inputs, shape: shape, tape: tape)
        }
    }

    /// Outputs by trial and step, `[trial][step][outputs]`, from one unroll of the trials of `order`; a trial that is
    /// not in it has none.
    public func unrolled(order: [Int]? = nil) -> [[[Float]]] {
        let order = order ?? trials.packingOrder()
        let (rows, shape) = trials.packed(order)
        let policy = policy
        let flat = DifferentiableFunction(parameterCount: parameters.count) { tape in
            policy.unroll(rows.inputs, shape: shape, tape: tape)
        }.value(at: parameters)
        var result = [[[Float]]](repeating: [], count: trials.steps.count)
        for (lane, trial) in order.enumerated() {
            for step in trials.steps[trial].indices {
                let row = shape.row(step: step, lane: lane)
                result[trial].append(Array(flat[row * policy.outputs..<(row + 1) * policy.outputs]))
            }
        }
        return result
    }

    /// Outputs by trial and step from `step`, with lanes given up as their trials end.
    public func stepped() -> [[[Float]]] {
        func fresh<Policy: SequencePolicy>(_ policy: Policy) -> [[[Float]]] {
            stepped(policy) { $0.makeMemory(lanes: $1, steps: longest) }
        }
        return fresh(policy)
    }

    /// The same with a memory that has been used before and was `restart`ed, or `reset` lane by lane.
    public func steppedWithUsedMemory(resettingLanes: Bool) -> [[[Float]]] {
        func used<Policy: SequencePolicy>(_ policy: Policy) -> [[[Float]]] {
            stepped(policy) { policy, lanes in
                let memory = policy.makeMemory(lanes: lanes, steps: longest)
                run(policy, memory, steps: 2)
                if resettingLanes {
                    for lane in 0..<lanes { memory.reset(lane: lane) }
                } else {
                    memory.restart(lanes: lanes)
                }
                return memory
            }
        }
        return used(policy)
    }

    private var longest: Int { trials.steps.map(\.count).max() ?? 0 }

    private func stepped<Policy: SequencePolicy>(
        _ policy: Policy, memory make: (Policy, Int) -> Policy.Memory
    ) -> [[[Float]]] {
        let order = trials.packingOrder()
        var result = [[[Float]]](repeating: [], count: order.count)
        let memory = make(policy, order.count)
        var alive = order
        let tape = Tape()
        for step in 0..<(trials.steps[order[0]].count) {
            let kept = alive.indices.filter { trials.steps[alive[$0]].count > step }
            if kept.count < alive.count {
                memory.keep(lanes: kept)
                alive = kept.map { alive[$0] }
            }
            let rows = trials.row(order, step: step)
            let flat = advance(policy, rows, memory, tape)
            for (lane, trial) in alive.enumerated() {
                result[trial].append(Array(flat[lane * policy.outputs..<(lane + 1) * policy.outputs]))
            }
        }
        return result
    }

    /// Some steps whose outputs nobody wants, with all lanes.
    private func run<Policy: SequencePolicy>(_ policy: Policy, _ memory: Policy.Memory, steps: Int) {
        let tape = Tape()
        for step in 0..<steps {
            let rows = OwnedInputs(
                trials.packingOrder().map { trials.steps[$0][min(step, trials.steps[$0].count - 1)] })
            _ = advance(policy, rows, memory, tape)
        }
    }

    private func advance<Policy: SequencePolicy>(
        _ policy: Policy, _ rows: OwnedInputs, _ memory: Policy.Memory, _ tape: Tape
    ) -> [Float] {
        parameters.withUnsafeBufferPointer { theta in
            tape.begin(parameters: theta.baseAddress!, recording: false)
            let output = policy.step(rows.inputs, memory: memory, tape: tape)
            return Array(UnsafeBufferPointer(start: tape.value(output), count: output.count))
        }
    }
}

// MARK: Laws

/// unroll ≡ step: ‖unroll − repeated step‖ / ‖unroll‖ over all trials and steps.
public func unrollStepError(_ model: ModelUnderTest) -> Double {
    relativeDistance(model.stepped().joinedNumbers, from: model.unrolled().joinedNumbers)
}

/// What changing all that is shown at one step of one trial does to the outputs.
public struct ChangeReport {
    /// Outputs of the trial before the step have the same bits.
    public var pastIsUntouched: Bool
    /// All outputs of the other trials have the same bits.
    public var othersAreUntouched: Bool
    /// The trial's output at the step changed: otherwise the two above say nothing.
    public var presentChanges: Bool
    /// Some later output of the trial changed: the model remembers. False also where there is none.
    public var futureChanges: Bool
}

/// Causality and lane independence, to the bit.
public func changeReport(
    _ model: ModelUnderTest, trial: Int, step: Int, random: inout RandomSource
) -> ChangeReport {
    let before = model.unrolled()
    let other = model.trials.changed(trial: trial, steps: step..<step + 1, random: &random)
    let after = model.with(other).unrolled()
    func same(_ trial: Int, _ range: Range<Int>) -> Bool {
        range.allSatisfy { sameBits(before[trial][$0], after[trial][$0]) }
    }
    let length = before[trial].count
    return ChangeReport(
        pastIsUntouched: same(trial, 0..<step),
        othersAreUntouched: before.indices.allSatisfy { $0 == trial || same($0, 0..<before[$0].count) },
        presentChanges: !same(trial, step..<step + 1), futureChanges: !same(trial, step + 1..<length))
}

/// Packing order is irrelevant: the largest relative distance between a trial's outputs in the whole batch and in
/// other batches, where equal lengths trade lanes, or where it is alone.
public func packingError(_ model: ModelUnderTest) -> Double {
    let whole = model.unrolled()
    let all = Array(model.trials.steps.indices)
    let reversed = model.unrolled(order: model.trials.packingOrder(preference: all.reversed()))
    var error = relativeDistance(reversed.joinedNumbers, from: whole.joinedNumbers)
    for trial in all {
        let alone = model.unrolled(order: [trial])
        error = max(error, relativeDistance(alone.joinedNumbers, from: [whole[trial]].joinedNumbers))
    }
    return error
}

extension [[[Float]]] {
    /// All numbers, one after the other.
    public var joinedNumbers: [Float] { flatMap { $0.flatMap { $0 } } }
}
