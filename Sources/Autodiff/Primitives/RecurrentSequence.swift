import Interface
import Kernels

/// A recurrent cell with four gates, as `RecurrentSequence` runs it: the elementwise part of `GRUCell` or `LSTMCell`.
///
/// Pointers are to the first of some lanes that lie side by side. A GRU has no cell state: its pointers are nil.
protocol SequenceCell {
    /// Gates that the first rows of `weight_ih` give, and gates that meet the state (`SequencePlan`).
    static var firstInputs: Int { get }
    static var stateGates: Int { get }
    /// Numbers a unit that the readings need.
    static var savedCount: Int { get }

    /// The four biases [4H] from PyTorch's two.
    static func join(
        _ biasX: UnsafePointer<Float>, _ biasH: UnsafePointer<Float>, _ width: Int,
        into bias: UnsafeMutablePointer<Float>)
    /// Adds cotangents of the four biases [4H] to those of PyTorch's two.
    static func separate(
        _ bias: UnsafePointer<Float>, _ width: Int, _ dBiasX: UnsafeMutablePointer<Float>,
        _ dBiasH: UnsafeMutablePointer<Float>)

    /// States from those before and the gates.
    static func advance(
        _ lanes: Int, _ width: Int, gates: UnsafePointer<Float>, bias: UnsafePointer<Float>,
        hiddenBefore: UnsafePointer<Float>, cellBefore: UnsafePointer<Float>?, hidden: UnsafeMutablePointer<Float>,
        cell: UnsafeMutablePointer<Float>?, saved: UnsafeMutablePointer<Float>?)
    /// The states' tangents from those of the gates and of the states before; nil: these are zero.
    static func push(
        _ lanes: Int, _ width: Int, saved: UnsafePointer<Float>, gates: UnsafePointer<Float>,
        bias: UnsafePointer<Float>, hiddenBefore: UnsafePointer<Float>?, cellBefore: UnsafePointer<Float>?,
        hidden: UnsafeMutablePointer<Float>, cell: UnsafeMutablePointer<Float>?)
    /// The gates' cotangents from those of the states; adds to those of the biases and of the states before.
    static func pull(
        _ lanes: Int, _ width: Int, saved: UnsafePointer<Float>, hidden: UnsafePointer<Float>,
        cell: UnsafePointer<Float>?, gates: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>,
        hiddenBefore: UnsafeMutablePointer<Float>?, cellBefore: UnsafeMutablePointer<Float>?)
}

/// All steps of a recurrent cell over packed trials that begin with states of zeros: the cell, step by step, with the same
/// numbers kept, but products with inputs and all weights' cotangents over many steps at once (`StepBlocks`), and each
/// matrix brought into the order of its products once (`RightFactor`).
///
/// Operands: x, `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`, and the cell states [N, H] where there are any; the output
/// is the hidden states.
enum RecurrentSequence<Cell: SequenceCell>: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let plan = SequencePlan(record, tape, firstInputs: Cell.firstInputs, states: Cell.stateGates)
        let (x, width) = (tape.value(record.operands[0]), plan.width)
        let (hidden, cell) = (tape.mutableValue(record.output), record.cellStates.map { tape.mutableValue($0) })
        var memory = plan.scratch(tape, inputFactors: 1, stateFactors: 1)
        let inputs = plan.inputFactor(tape.value(record.operands[1]), &memory)
        let states = plan.stateFactor(tape.value(record.operands[2]), &memory)
        let saved = record.keepsSaved ? tape.saved(record) : nil
        Cell.join(tape.value(record.operands[3]), tape.value(record.operands[4]), width, into: memory.bias)
        memory.zeros.update(repeating: 0, count: plan.shape.lanes * width)
        plan.blocks.forEach { steps in
            let rows = plan.blocks.rows(of: steps)
            plan.project(x, rows, by: inputs, add: false, into: memory.gates)
            for step in steps {
                let (row, lanes) = (plan.shape.offsets[step], plan.shape.lanesAtStep[step])
                let gates = memory.gates + (row - rows.lowerBound) * 4 * width
                let before = step == 0 ? nil : plan.shape.offsets[step - 1] * width
                if let before { states.multiply(lanes, hidden + before, width, into: gates, 4 * width, add: true) }
                Cell.advance(
                    lanes, width, gates: gates, bias: memory.bias,
                    hiddenBefore: before.map { hidden + $0 } ?? memory.zeros,
                    cellBefore: cell.map { cell in before.map { cell + $0 } ?? memory.zeros },
                    hidden: hidden + row * width, cell: cell.map { $0 + row * width },
                    saved: saved.map { $0 + row * Cell.savedCount * width })
            }
        }
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let tape = tangents.tape
        let plan = SequencePlan(record, tape, firstInputs: Cell.firstInputs, states: Cell.stateGates)
        let (x, weightX, weightH) = (record.operands[0], record.operands[1], record.operands[2])
        let (dHidden, dCell) = (tangents.output(record.output), record.cellStates.map { tangents.output($0) })
        let (width, dx) = (plan.width, tangents.of(x))
        var memory = plan.scratch(tape, inputFactors: 2, stateFactors: 2)
        let dInputs = plan.inputFactor(tangents.of(weightX)!, &memory)
        let inputs = dx == nil ? nil : plan.inputFactor(tape.value(weightX), &memory)
        let dStates = plan.stateFactor(tangents.of(weightH)!, &memory)
        let states = plan.stateFactor(tape.value(weightH), &memory)
        let (saved, hidden) = (tape.saved(record), tape.value(record.output))
        Cell.join(tangents.of(record.operands[3])!, tangents.of(record.operands[4])!, width, into: memory.bias)
        plan.blocks.forEach { steps in
            let rows = plan.blocks.rows(of: steps)
            plan.project(tape.value(x), rows, by: dInputs, add: false, into: memory.gates)
            if let dx, let inputs { plan.project(dx, rows, by: inputs, add: true, into: memory.gates) }
            plan.blocks.copyPrevious(steps, of: hidden, width: width, to: memory.states)
            dStates.multiply(rows.count, memory.states, width, into: memory.gates, 4 * width, add: true)
            for step in steps {
                let (row, lanes) = (plan.shape.offsets[step], plan.shape.lanesAtStep[step])
                let gates = memory.gates + (row - rows.lowerBound) * 4 * width
                let before = step == 0 ? nil : plan.shape.offsets[step - 1] * width
                if let before { states.multiply(lanes, dHidden + before, width, into: gates, 4 * width, add: true) }
                Cell.push(
                    lanes, width, saved: saved + row * Cell.savedCount * width, gates: gates, bias: memory.bias,
                    hiddenBefore: before.map { UnsafePointer(dHidden + $0) },
                    cellBefore: dCell.flatMap { dCell in before.map { UnsafePointer(dCell + $0) } },
                    hidden: dHidden + row * width, cell: dCell.map { $0 + row * width })
            }
        }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let tape = cotangents.tape
        let plan = SequencePlan(record, tape, firstInputs: Cell.firstInputs, states: Cell.stateGates)
        let (x, weightX, weightH) = (record.operands[0], record.operands[1], record.operands[2])
        let (width, dx) = (plan.width, cotangents.accumulator(x))
        let (dWeightX, dWeightH) = (cotangents.accumulator(weightX)!, cotangents.accumulator(weightH)!)
        // The states of all steps but the last are operands of the steps that follow them.
        let uHidden = cotangents.accumulator(record.output)!
        let uCell = record.cellStates.map { cotangents.accumulator($0)! }
        var memory = plan.scratch(tape, inputFactors: 1, stateFactors: 1)
        let states = plan.stateCotangentFactor(tape.value(weightH), &memory)
        let inputs = dx == nil ? nil : plan.inputCotangentFactor(tape.value(weightX), &memory)
        let (saved, hidden) = (tape.saved(record), tape.value(record.output))
        memory.bias.update(repeating: 0, count: 4 * width)
        plan.blocks.forEachBackwards { steps in
            let rows = plan.blocks.rows(of: steps)
            for step in steps.reversed() {
                let (row, lanes) = (plan.shape.offsets[step], plan.shape.lanesAtStep[step])
                let gates = memory.gates + (row - rows.lowerBound) * 4 * width
                let before = step == 0 ? nil : plan.shape.offsets[step - 1] * width
                Cell.pull(
                    lanes, width, saved: saved + row * Cell.savedCount * width, hidden: uHidden + row * width,
                    cell: uCell.map { UnsafePointer($0 + row * width) }, gates: gates, bias: memory.bias,
                    hiddenBefore: before.map { uHidden + $0 },
                    cellBefore: uCell.flatMap { uCell in before.map { uCell + $0 } })
                if let before {
                    states.multiply(lanes, gates, 4 * width, into: uHidden + before, width, add: true)
                }
            }
            plan.blocks.copyPrevious(steps, of: hidden, width: width, to: memory.states)
            plan.pullStates(rows, memory, dWeightH)
            plan.pullInputs(tape.value(x), rows, memory.gates, inputs, dWeightX, dx)
        }
        Cell.separate(
            memory.bias, width, cotangents.accumulator(record.operands[3])!,
            cotangents.accumulator(record.operands[4])!)
    }
}

extension Record {
    /// Where a `RecurrentSequence` has its cell states; nil: it has none.
    fileprivate var cellStates: Node? { operands[5].count > 0 ? operands[5] : nil }
}

extension Tape {
    /// Checks the shapes of a sequence and applies it.
    /// - Parameter cell: [N, H], a variable for its cell states; nil: it has none.
    /// - Returns: the hidden states [N, H].
    func recurrentSequence<Cell: SequenceCell>(
        _ type: Cell.Type, _ x: Node, shape: PackedShape, weightX: Node, weightH: Node, biasX: Node, biasH: Node,
        cell: Node? = nil
    ) -> Node {
        let (width, gates) = (weightH.columns, Cell.stateGates)
        precondition(x.rows == shape.rows, "a packed batch of \(shape.rows) rows was given \(x.rows)")
        precondition(weightX.rows == gates * width && weightX.columns == x.columns, "weight_ih does not fit")
        precondition(weightH.rows == gates * width, "weight_hh does not fit")
        precondition(
            weightX.space != .constant && weightH.space != .constant && biasX.space != .constant
                && biasH.space != .constant, "weights of a recurrence have derivatives")
        precondition(biasX.count == gates * width && biasH.count == gates * width, "the biases do not fit")
        let hidden = variable(rows: x.rows, columns: width)
        apply(
            RecurrentSequence<Cell>.self, operands(x, weightX, weightH, biasX, biasH, cell), output: hidden,
            saved: Cell.savedCount * x.rows * width, integers: attributes(register(shape)))
        return hidden
    }
}
