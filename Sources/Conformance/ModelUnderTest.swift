import Autodiff
import Interface
import Kernels
import Models

/// A model at some θ with trials to run: what the laws of sequence models are stated for.
public struct ModelUnderTest {
    public let policy: any SequencePolicy
    /// θ [P]
    public let parameters: [Float]
    public let trials: TrialInputs

    /// A model whose every parameter counts: its first values and noise on top, because a bias that is zero hides
    /// what is wrong with it.
    public init(
        _ policy: any SequencePolicy, trials: TrialInputs, noise: Float, random: inout RandomSource
    ) {
        let count = policy.layout.count
        self.init(
            policy,
            parameters: zip(
                policy.layout.initialValues(random.split(1)), random.normals(count, deviation: noise)
            ).map(+), trials: trials)
    }

    public init(_ policy: any SequencePolicy, parameters: [Float], trials: TrialInputs) {
        (self.policy, self.parameters, self.trials) = (policy, parameters, trials)
    }

    /// The same model with other trials.
    public func with(_ trials: TrialInputs) -> ModelUnderTest {
        ModelUnderTest(policy, parameters: parameters, trials: trials)
    }

    /// The whole unroll as a function of θ, for the laws of calculus.
    public var function: DifferentiableFunction { function(of: trials.packingOrder()) }

    private func function(of order: [Int]) -> DifferentiableFunction {
        let (rows, shape) = trials.packed(order)
        let policy = policy
        return DifferentiableFunction(parameterCount: parameters.count) { tape in
            policy.unroll(rows.inputs, shape: shape, tape: tape)
        }
    }

    /// Outputs by trial and step, `[trial][step][outputs]`, from one unroll of the trials of `order`, longest first; a
    /// trial that is not in it has none.
    public func unrolled(order: [Int]? = nil) -> [[[Float]]] {
        let order = order ?? trials.packingOrder()
        let shape = PackedShape(lengths: order.map { trials.steps[$0].count })
        let flat = function(of: order).value(at: parameters)
        var result = [[[Float]]](repeating: [], count: trials.steps.count)
        for (lane, trial) in order.enumerated() {
            for step in trials.steps[trial].indices {
                let row = shape.row(step: step, lane: lane)
                result[trial].append(Array(flat[row * policy.outputs..<(row + 1) * policy.outputs]))
            }
        }
        return result
    }

    /// When the memory of a lane is made that of a trial which has not begun, besides at its start.
    public enum LaneReset: Sendable {
        case never
        /// Before every step whose input says that an episode has ended.
        case episodeEnds
    }

    /// Outputs by trial and step from `step`, with lanes given up as their trials end.
    public func stepped(resetting reset: LaneReset = .never) -> [[[Float]]] {
        func fresh<Policy: SequencePolicy>(_ policy: Policy) -> [[[Float]]] {
            stepped(policy, reset) { $0.makeMemory(lanes: $1, steps: longest) }
        }
        return fresh(policy)
    }

    /// The same with a memory that has been used before and was `restart`ed, or `reset` lane by lane.
    public func steppedWithUsedMemory(resettingLanes: Bool) -> [[[Float]]] {
        func used<Policy: SequencePolicy>(_ policy: Policy) -> [[[Float]]] {
            stepped(policy, .never) { policy, lanes in
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
        _ policy: Policy, _ reset: LaneReset, memory make: (Policy, Int) -> Policy.Memory
    ) -> [[[Float]]] {
        let order = trials.packingOrder()
        var result = [[[Float]]](repeating: [], count: order.count)
        let memory = make(policy, order.count)
        var alive = order
        let tape = Tape()
        for step in 0..<longest {
            let kept = alive.indices.filter { trials.steps[alive[$0]].count > step }
            if kept.count < alive.count {
                memory.keep(lanes: kept)
                alive = kept.map { alive[$0] }
            }
            if reset == .episodeEnds {
                for (lane, trial) in alive.enumerated() where trials.steps[trial][step].episodeEnd == 1 {
                    memory.reset(lane: lane)
                }
            }
            let flat = advance(
                policy, OwnedInputs(alive.map { trials.steps[$0][step] }, space: trials.observation), memory, tape)
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
                trials.packingOrder().map { trials.steps[$0][min(step, trials.steps[$0].count - 1)] },
                space: trials.observation)
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

extension [[[Float]]] {
    /// All numbers, one after the other.
    public var joinedNumbers: [Float] { flatMap { $0.flatMap { $0 } } }
}
