import Autodiff
import Interface
import Kernels
import Models
import Synchronization

/// A GRU with a fault, for the kit to find.
struct FaultyModel: SequencePolicy {
    enum Fault: Sendable, CaseIterable {
        case none
        /// Begins with a fresh state wherever an episode has ended.
        case resetsMemoryAtEpisodeEnds
        /// Reads no reward where an episode has ended.
        case dropsLastReward
        /// An output holds something of the state that follows.
        case peeksAhead
        /// A tenth of every state is the mean over lanes.
        case leaksBetweenLanes
        /// Outputs of `step` are a little larger than those of `unroll`.
        case stepsOtherwise
        /// The pullback of its own primitive has a wrong factor.
        case wrongPullback
        /// Both readings of its own primitive have the same wrong factor.
        case wrongDerivative
        /// A parameter has another name at every call.
        case renamesParameters
        /// States depend on how many lanes there are.
        case countsLanes
        /// `restart` leaves the states.
        case keepsOldMemory
        /// A policy's head that begins as large as a critic's.
        case beginsCertain
        /// The recurrence keeps no state at all.
        case forgets
        /// Says that it has no memory, and has one.
        case deniesMemory
        /// Says that all actions are alike to it, and reads and writes each with weights of its own.
        case claimsSymmetry
        /// Says so too, and is not told which was taken, and gives all of them one logit.
        case tellsNoActionsApart

        /// An encoder that is not yet at fault, but for one of images that is not told of actions.
        func encoder(_ specification: ModelSpecification, _ layout: inout ParameterLayout) -> any Encoder {
            guard self == .tellsNoActionsApart,
                case .image(let height, let width, let channels) = specification.observation
            else { return specification.makeEncoder(&layout) }
            return PixelEncoder(
                height: height, width: width, channels: channels, actions: nil, features: specification.hidden,
                stepScale: specification.stepScale, layout: &layout)
        }
    }

    final class Memory: SequenceMemory {
        let states: RecurrentMemory
        let fault: Fault

        init(_ states: RecurrentMemory, _ fault: Fault) { (self.states, self.fault) = (states, fault) }

        var lanes: Int { states.lanes }
        var bytesPerLane: Int { fault == .deniesMemory ? 0 : states.bytesPerLane }
        func reset(lane: Int) { states.reset(lane: lane) }
        func keep(lanes kept: [Int]) { states.keep(lanes: kept) }
        func restart(lanes: Int) {
            if fault == .keepsOldMemory {
                states.states[0].setRows(lanes)
            } else {
                states.restart(lanes: lanes)
            }
        }
    }

    private static let calls = Mutex(0)

    private let fault: Fault
    private let encoder: any Encoder
    private let weightX: Node
    private let weightH: Node
    private let biasX: Node
    private let biasH: Node
    private let head: Head
    private let stored: ParameterLayout
    private let width: Int

    init(_ specification: ModelSpecification, _ fault: Fault) {
        self.fault = fault
        width = specification.hidden
        var layout = ParameterLayout()
        let plain = fault.encoder(specification, &layout)
        let reward = specification.observation.count + specification.actions
        // Only where features are the inputs side by side has the reward a column.
        let hasColumns = plain is ConcatenationEncoder
        encoder =
            switch fault {
            case .dropsLastReward where hasColumns:
                FeatureDropper(encoder: plain, columns: reward..<reward + 1) { $0.episodeEnds[$1] == 1 }
            case .tellsNoActionsApart where hasColumns:
                FeatureDropper(encoder: plain, columns: reward - specification.actions..<reward) { _, _ in true }
            default: plain
            }
        weightX = layout.add("weight_ih", [3 * width, encoder.features], .xavierUniform(blocks: 3))
        weightH = layout.add("weight_hh", [3 * width, width], .orthogonal(blocks: 3))
        biasX = layout.add("bias_ih", [3 * width], .constant(0))
        biasH = layout.add("bias_hh", [3 * width], .constant(0))
        head = Head(
            width: width, outputs: specification.outputs, gain: fault == .beginsCertain ? 3 : specification.headGain,
            layout: &layout)
        stored = layout
    }

    var layout: ParameterLayout {
        guard fault == .renamesParameters else { return stored }
        var layout = ParameterLayout()
        let call = FaultyModel.calls.withLock { calls in
            calls += 1
            return calls
        }
        for entry in stored.entries {
            _ = layout.add(entry.name == "bias_ih" ? "bias_\(call)" : entry.name, entry.shape, entry.initializer)
        }
        return layout
    }

    var outputs: Int { head.outputs }
    var isArmSymmetric: Bool { fault == .claimsSymmetry || fault == .tellsNoActionsApart }

    func makeMemory(lanes: Int, steps: Int) -> Memory { Memory(RecurrentMemory(lanes: lanes, widths: [width]), fault) }

    func step(_ inputs: StepInputs, memory: Memory, tape: Tape) -> Node {
        let features = encoder.encode(inputs, tape: tape)
        let state = memory.states.states[0]
        let before = tape.constant(UnsafePointer(state.pointer), rows: inputs.rows, columns: width)
        let next = tape.variable(rows: inputs.rows, columns: width)
        cell(features, inputs, 0, before, into: next, tape)
        state.copy(from: tape.value(next))
        let output = read(next, tape)
        guard fault == .stepsOtherwise else { return output }
        return tape.add(output, tape.matrixProduct(output, diagonal(1e-3, head.outputs, tape)))
    }

    func unroll(_ inputs: StepInputs, shape: PackedShape, tape: Tape) -> Node {
        let features = encoder.encode(inputs, tape: tape)
        let sequence = tape.variable(rows: shape.rows, columns: width)
        var state = tape.zeros(rows: shape.lanes, columns: width)
        for step in 0..<shape.steps {
            let alive = shape.lanesAtStep[step]
            let rows = shape.offsets[step]..<shape.offsets[step] + alive
            let next = sequence.rows(rows)
            cell(features.rows(rows), inputs, rows.lowerBound, state.rows(0..<alive), into: next, tape)
            state = next
        }
        guard fault == .peeksAhead else { return read(sequence, tape) }
        let shifted = tape.variable(rows: shape.rows, columns: width)
        for step in 0..<shape.steps {
            let later = step + 1 < shape.steps ? shape.lanesAtStep[step + 1] : 0
            let (first, end) = (shape.offsets[step], shape.offsets[step] + shape.lanesAtStep[step])
            if later > 0 {
                let source = shape.offsets[step + 1]
                tape.copy(sequence.rows(source..<source + later), into: shifted.rows(first..<first + later))
            }
            if first + later < end {
                tape.copy(
                    tape.zeros(rows: end - first - later, columns: width), into: shifted.rows(first + later..<end))
            }
        }
        return read(tape.add(sequence, shifted), tape)
    }

    /// One step of the recurrence; the rows of `features` are those of `inputs` from `row` on.
    private func cell(
        _ features: Node, _ inputs: StepInputs, _ row: Int, _ state: Node, into next: Node, _ tape: Tape
    ) {
        let lanes = features.rows
        var state = state
        switch fault {
        case .resetsMemoryAtEpisodeEnds:
            let mask = tape.constant(rows: lanes, columns: width)
            for index in 0..<lanes * width {
                tape.mutableValue(mask)[index] = 1 - inputs.episodeEnds[row + index / width]
            }
            state = tape.multiply(mask, state)
        case .leaksBetweenLanes:
            let mean = tape.constant(rows: lanes, columns: lanes)
            tape.mutableValue(mean).update(repeating: 0.1 / Float(lanes), count: lanes * lanes)
            state = tape.add(
                tape.matrixProduct(state, diagonal(0.9, width, tape)), tape.matrixProduct(mean, state))
        case .countsLanes:
            state = tape.matrixProduct(state, diagonal(1 / Float(lanes), width, tape))
        case .forgets:
            state = tape.zeros(rows: lanes, columns: width)
        default: break
        }
        tape.gruCell(
            features, hidden: state, weightX: weightX, weightH: weightH, biasX: biasX, biasH: biasH, into: next)
    }

    private func read(_ hidden: Node, _ tape: Tape) -> Node {
        switch fault {
        case .tellsNoActionsApart:
            let logits = head.read(hidden, tape: tape).reshaped(rows: hidden.rows * outputs, columns: 1)
            let same = tape.repeatRows(tape.groupMean(logits, size: outputs), count: outputs)
            return same.reshaped(rows: hidden.rows, columns: outputs)
        case .wrongPullback: return head.read(tape.wrong(hidden, WrongPullback.self), tape: tape)
        case .wrongDerivative: return head.read(tape.wrong(hidden, WrongDerivative.self), tape: tape)
        default: return head.read(hidden, tape: tape)
        }
    }

    private func diagonal(_ value: Float, _ size: Int, _ tape: Tape) -> Node {
        let node = tape.zeros(rows: size, columns: size)
        for index in 0..<size { tape.mutableValue(node)[index * size + index] = value }
        return node
    }
}

/// φ without some of its columns in some rows.
private struct FeatureDropper: Encoder {
    let encoder: any Encoder
    let columns: Range<Int>
    let drops: @Sendable (_ inputs: StepInputs, _ row: Int) -> Bool
    var features: Int { encoder.features }

    func encode(_ inputs: StepInputs, tape: Tape) -> Node {
        let node = encoder.encode(inputs, tape: tape)
        for row in 0..<inputs.rows where drops(inputs, row) {
            for column in columns { tape.mutableValue(node)[row * features + column] = 0 }
        }
        return node
    }
}

/// y = x, with derivatives that are not its own.
private protocol WrongIdentity: Primitive {
    static var forwardFactor: Float { get }
    static var backwardFactor: Float { get }
}

extension WrongIdentity {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        tape.mutableValue(record.output).update(from: tape.value(record.operands[0]), count: record.output.count)
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let (dx, dy) = (tangents.of(record.operands[0])!, tangents.output(record.output))
        for index in 0..<record.output.count { dy[index] = forwardFactor * dx[index] }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let (dx, dy) = (cotangents.accumulator(record.operands[0])!, cotangents.of(record.output))
        for index in 0..<record.output.count { dx[index] += backwardFactor * dy[index] }
    }
}

private enum WrongPullback: WrongIdentity {
    static let forwardFactor: Float = 1
    static let backwardFactor: Float = 1.01
}

private enum WrongDerivative: WrongIdentity {
    static let forwardFactor: Float = 1.01
    static let backwardFactor: Float = 1.01
}

extension Tape {
    fileprivate func wrong(_ x: Node, _ primitive: any Primitive.Type) -> Node {
        let output = variable(rows: x.rows, columns: x.columns)
        apply(primitive, operands(x), output: output)
        return output
    }
}
