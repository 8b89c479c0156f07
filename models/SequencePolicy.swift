import Autodiff
import Interface
import Kernels

/// A sequence model that acts: the contract of every architecture in rl2x. Read this first.
///
/// At step t it is given φ(s_t, a_{t−1}, r_{t−1}, d_{t−1}) and gives [B, outputs] numbers: the logits of A actions, or
/// with one output the value of the history (the critic is a second model of the same kind).
///
/// **Two ways to run, one function.** `step` advances B lanes by one step and is what acting uses. `unroll` runs whole
/// trials at once and is what learning uses. They are the same function of the history, which is a tested law:
/// row (t, b) of `unroll` equals the output of the t-th `step` in lane b. A recurrent model conforms to
/// `RecurrentPolicy`, writes only its cell and gets both.
///
/// **Memory is an explicit value**, never optional, never hidden in the model. It is all that passes from step to step,
/// so it holds across the episodes of a trial, and is made anew (or `reset`) at the start of a trial and nowhere else.
/// (An ablation may have a model forget when an episode ends; see `MemoryReset`.)
///
/// **Written in tape primitives.** Nobody who adds a model writes a derivative: the tape's two readings give the exact
/// Fisher product and the gradient. A model holds no parameters, only their places in θ (`layout`), so it is a
/// value that any number of threads may use.
///
/// To add a model: one file in models/ and one line in `ModelCatalogue`.
public protocol SequencePolicy: Sendable {
    associatedtype Memory: SequenceMemory

    /// Names, shapes, order and first values of the parameters. The same at every call.
    var layout: ParameterLayout { get }
    /// Width of a row of output.
    var outputs: Int { get }
    /// What its memory forgets when an episode ends: nothing, unless the model was built for an ablation and says so.
    var memoryReset: MemoryReset { get }
    /// Renaming the actions renames its logits, and does not change its value: a law that the kit checks of those who say so.
    var isArmSymmetric: Bool { get }

    /// The memory of `lanes` trials that have not begun.
    /// - Parameter steps: most steps that a trial may have; what a cache must hold.
    func makeMemory(lanes: Int, steps: Int) -> Memory

    /// Advances every lane of `memory` by one step.
    /// - Parameter inputs: row b belongs to lane b; `inputs.rows == memory.lanes`.
    /// - Returns: [B, outputs]
    func step(_ inputs: StepInputs, memory: Memory, tape: Tape) -> Node

    /// Runs whole trials from their start.
    /// - Parameters:
    ///   - inputs: N rows, packed as `shape` says.
    /// - Returns: [N, outputs], packed likewise.
    func unroll(_ inputs: StepInputs, shape: PackedShape, tape: Tape) -> Node
}

extension SequencePolicy {
    public var memoryReset: MemoryReset { .none }
    public var isArmSymmetric: Bool { false }

    /// Bytes of a lane's memory for trials of at most `steps` steps; 0: the model has none.
    public func memoryBytes(steps: Int) -> Int { makeMemory(lanes: 1, steps: steps).bytesPerLane }
}

/// The memory of several lanes. A reference, so that a rollout can keep one and refill it.
public protocol SequenceMemory: AnyObject {
    /// Lanes held now.
    var lanes: Int { get }
    /// Makes a lane's memory that of a trial which has not begun.
    func reset(lane: Int)
    /// Keeps only some lanes, in their order: `kept` is increasing. Done when trials of different length end.
    func keep(lanes kept: [Int])
    /// Makes the memory `lanes` lanes that have not begun, up to the number that it was made with.
    func restart(lanes: Int)
    /// Bytes a lane.
    var bytesPerLane: Int { get }
}

/// A model whose memory is a few vectors a lane: it writes its cell, and `step` and `unroll` are derived, and with them what
/// `memoryReset` says.
public protocol RecurrentPolicy: SequencePolicy where Memory == RecurrentMemory {
    associatedtype Output: OutputLayer

    /// Turns the inputs into features, [rows, I].
    var encoder: any Encoder { get }
    /// Turns the cell's output into logits or a value.
    var head: Output { get }
    /// Widths of the state vectors, at most eight: [H] for a GRU, [H, H] for an LSTM. The first is what the head reads.
    var stateWidths: [Int] { get }
    /// States that lie side by side in each state vector, such as one of each action; 1 unless the model says otherwise. Half
    /// of a memory is half of each of them.
    var statesPerVector: Int { get }

    /// One step of the recurrence for B lanes.
    /// - Parameters:
    ///   - features: [B, I]
    ///   - state: a [B, width] for each of `stateWidths`.
    ///   - next: where the next state must be written, a [B, width] for each of `stateWidths`.
    func cell(_ features: Node, state: NodeList, next: NodeList, tape: Tape)

    /// The states of all steps of whole trials. Derived from `cell`; a model whose cell has a primitive for whole sequences
    /// gives that instead, which is the same function and faster.
    /// - Parameters:
    ///   - features: [N, I], packed as `shape` says.
    ///   - episodeEnds: d_{t−1} of each row [N].
    /// - Returns: a [N, width] for each of `stateWidths`.
    func states(_ features: Node, episodeEnds: UnsafePointer<Float>, shape: PackedShape, tape: Tape) -> NodeList
}

extension RecurrentPolicy {
    public var outputs: Int { head.outputs }
    public var statesPerVector: Int { 1 }

    public func makeMemory(lanes: Int, steps: Int) -> RecurrentMemory {
        RecurrentMemory(lanes: lanes, widths: stateWidths)
    }

    public func step(_ inputs: StepInputs, memory: RecurrentMemory, tape: Tape) -> Node {
        let lanes = inputs.rows
        precondition(lanes == memory.lanes, "\(lanes) inputs for a memory of \(memory.lanes) lanes")
        let features = encoder.encode(inputs, tape: tape)
        let widths = stateWidths
        let kept = NodeList(count: widths.count) {
            tape.constant(UnsafePointer(memory.states[$0].pointer), rows: lanes, columns: widths[$0])
        }
        let state = memoryReset.applied(
            to: kept, parts: statesPerVector, episodeEnds: inputs.episodeEnds, tape: tape)
        let next = NodeList(count: widths.count) { tape.variable(rows: lanes, columns: widths[$0]) }
        cell(features, state: state, next: next, tape: tape)
        for index in widths.indices { memory.states[index].copy(from: tape.value(next[index])) }
        return head.read(next[0], tape: tape)
    }

    public func unroll(_ inputs: StepInputs, shape: PackedShape, tape: Tape) -> Node {
        precondition(inputs.rows == shape.rows, "\(inputs.rows) inputs for a packed batch of \(shape.rows) rows")
        let features = encoder.encode(inputs, tape: tape)
        // The head reads all steps at once.
        return head.read(states(features, episodeEnds: inputs.episodeEnds, shape: shape, tape: tape)[0], tape: tape)
    }

    public func states(
        _ features: Node, episodeEnds: UnsafePointer<Float>, shape: PackedShape, tape: Tape
    ) -> NodeList {
        statesByCell(features, episodeEnds: episodeEnds, shape: shape, tape: tape)
    }

    /// The states of all steps by one `cell` after the other: step t writes its rows.
    func statesByCell(
        _ features: Node, episodeEnds: UnsafePointer<Float>, shape: PackedShape, tape: Tape
    ) -> NodeList {
        let widths = stateWidths
        let sequence = NodeList(count: widths.count) { tape.variable(rows: shape.rows, columns: widths[$0]) }
        var state = NodeList(count: widths.count) { tape.zeros(rows: shape.lanes, columns: widths[$0]) }
        for step in 0..<shape.steps {
            let alive = shape.lanesAtStep[step]
            let rows = shape.offsets[step]..<shape.offsets[step] + alive
            let next = sequence.rows(rows)
            let kept = memoryReset.applied(
                to: state.rows(0..<alive), parts: statesPerVector, episodeEnds: episodeEnds + rows.lowerBound,
                tape: tape)
            cell(features.rows(rows), state: kept, next: next, tape: tape)
            state = next
        }
        return sequence
    }
}

/// Hidden states: a matrix [lanes, width] each.
public final class RecurrentMemory: SequenceMemory {
    public let states: [Matrix]

    public init(lanes: Int, widths: [Int]) { states = widths.map { Matrix(rows: lanes, columns: $0) } }

    public var lanes: Int { states[0].rows }

    public var bytesPerLane: Int { states.reduce(0) { $0 + $1.columns } * MemoryLayout<Float>.size }

    public func reset(lane: Int) { for state in states { state.zero(row: lane) } }

    public func keep(lanes kept: [Int]) {
        for state in states {
            for (place, lane) in kept.enumerated() { state.move(row: lane, to: place) }
            state.setRows(kept.count)
        }
    }

    public func restart(lanes: Int) {
        for state in states {
            state.setRows(lanes)
            state.fill(0)
        }
    }
}
