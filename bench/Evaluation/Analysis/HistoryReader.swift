import Autodiff
import Foundation
import Interface
import Kernels
import Models
import Tasks

/// A policy with frozen weights that is shown trials step by step, its own or others: what it would do next, and what it
/// knows. It belongs to one thread at a time.
protocol HistoryReader: AnyObject {
    /// Begins trials in lanes 0 ..< `lanes`.
    func begin(lanes: Int)
    /// Shows every lane its next step.
    func step(_ inputs: StepInputs)
    /// Keeps only some lanes, in their order: `kept` is increasing.
    func keep(lanes kept: [Int])
    /// log π(· | history) after the last step [lanes, A]
    var logProbabilities: [Float] { get }
    /// Numbers of a lane in which the policy holds what it knows; 0: they cannot be read.
    var featureWidth: Int { get }
    /// Writes them, `featureWidth` a lane, at a distance of `stride`.
    func writeFeatures(to place: UnsafeMutablePointer<Double>, stride: Int)
}

/// What a policy knows after a step: the state vectors of a recurrent one, all of them side by side; of another what its
/// head reads.
final class PolicyReader<Policy: SequencePolicy>: HistoryReader {
    private let policy: Policy
    private let weights: Matrix
    private let memory: Policy.Memory
    private let tape = Tape()
    private var lanes = 0
    private(set) var logProbabilities: [Float]
    private(set) var featureWidth = 0

    /// - Parameters:
    ///   - weights: θ [P]
    ///   - lanes: most lanes.
    ///   - steps: most steps of a trial that it is shown.
    init(_ policy: Policy, weights: Matrix, family: any TaskFamily, lanes: Int, steps: Int) {
        (self.policy, self.weights) = (policy, weights)
        memory = policy.makeMemory(lanes: lanes, steps: steps)
        logProbabilities = [Float](repeating: 0, count: lanes * policy.outputs)
        // One step tells how wide it is.
        let blank = StepColumns(space: family.observation, rows: 1)
        blank.writer.previousActions[0] = -1
        begin(lanes: 1)
        step(blank.inputs(from: 0, rows: 1))
        featureWidth = states.map { $0.reduce(0) { $0 + $1.columns } } ?? tape.features?.columns ?? 0
    }

    private var states: [Matrix]? { (memory as? RecurrentMemory)?.states }

    func begin(lanes: Int) {
        self.lanes = lanes
        memory.restart(lanes: lanes)
    }

    func step(_ inputs: StepInputs) {
        tape.begin(parameters: UnsafePointer(weights.pointer), recording: false)
        let logits = policy.step(inputs, memory: memory, tape: tape)
        logProbabilities.withUnsafeMutableBufferPointer {
            Categorical.logProbabilities(
                rows: lanes, outcomes: policy.outputs, logits: tape.value(logits), into: $0.baseAddress!)
        }
    }

    func keep(lanes kept: [Int]) {
        lanes = kept.count
        memory.keep(lanes: kept)
    }

    func writeFeatures(to place: UnsafeMutablePointer<Double>, stride: Int) {
        var start = place
        func write(_ source: UnsafePointer<Float>, _ width: Int) {
            for lane in 0..<lanes {
                for index in 0..<width { start[lane * stride + index] = Double(source[lane * width + index]) }
            }
            start += width
        }
        if let states {
            for state in states { write(UnsafePointer(state.pointer), state.columns) }
        } else if let node = tape.features {
            write(tape.value(node), node.columns)
        }
    }
}

extension SequencePolicy {
    /// - Parameter steps: most steps of a trial that it is shown; nil: those of a whole one.
    func makeReader(weights: Matrix, family: any TaskFamily, lanes: Int, steps: Int? = nil) -> any HistoryReader {
        PolicyReader(
            self, weights: weights, family: family, lanes: lanes, steps: steps ?? family.maximumTrialSteps)
    }
}
