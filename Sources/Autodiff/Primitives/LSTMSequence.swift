import CKernels
import Interface
import Kernels

/// All steps of a long short-term memory over packed trials that begin with states of zeros: `LSTMCell`, step by step, with
/// the same numbers kept, but products with inputs and all weights' cotangents over many steps at once, as in
/// `GRUSequence`. The hidden states are the record's output, the cell states its last operand.
enum LSTMSequence: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let plan = SequencePlan(record, tape, firstInputs: 4, states: 4)
        let (x, width) = (tape.value(record.operands[0]), plan.width)
        let (hidden, cell) = (tape.mutableValue(record.output), tape.mutableValue(record.operands[5]))
        var memory = plan.scratch(tape, inputFactors: 1, stateFactors: 1)
        let inputs = plan.inputFactor(tape.value(record.operands[1]), &memory)
        let states = plan.stateFactor(tape.value(record.operands[2]), &memory)
        LSTMCell.join(tape.value(record.operands[3]), tape.value(record.operands[4]), width, into: memory.bias)
        let saved = record.keepsSaved ? tape.saved(record) : nil
        plan.blocks.forEach { steps in
            let rows = plan.blocks.rows(of: steps)
            plan.project(x, rows, by: inputs, add: false, into: memory.gates)
            for step in steps {
                let (row, lanes) = (plan.shape.offsets[step], plan.shape.lanesAtStep[step])
                let gates = memory.gates + (row - rows.lowerBound) * 4 * width
                var cellBefore = UnsafePointer(memory.zeros)
                if step > 0 {
                    let before = plan.shape.offsets[step - 1] * width
                    states.multiply(lanes, hidden + before, width, into: gates, 4 * width, add: true)
                    cellBefore = UnsafePointer(cell + before)
                }
                rl2x_lstm_forward(
                    lanes, width, gates, memory.bias, cellBefore, hidden + row * width, cell + row * width,
                    saved.map { $0 + row * 6 * width })
            }
        }
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let tape = tangents.tape
        let plan = SequencePlan(record, tape, firstInputs: 4, states: 4)
        let (x, weightX, weightH) = (record.operands[0], record.operands[1], record.operands[2])
        let (dHidden, dCell) = (tangents.output(record.output), tangents.output(record.operands[5]))
        let (width, dx) = (plan.width, tangents.of(x))
        var memory = plan.scratch(tape, inputFactors: 2, stateFactors: 2)
        let dInputs = plan.inputFactor(tangents.of(weightX)!, &memory)
        let inputs = dx == nil ? nil : plan.inputFactor(tape.value(weightX), &memory)
        let dStates = plan.stateFactor(tangents.of(weightH)!, &memory)
        let states = plan.stateFactor(tape.value(weightH), &memory)
        LSTMCell.join(tangents.of(record.operands[3])!, tangents.of(record.operands[4])!, width, into: memory.bias)
        let (saved, output) = (tape.saved(record), tape.value(record.output))
        plan.blocks.forEach { steps in
            let rows = plan.blocks.rows(of: steps)
            plan.project(tape.value(x), rows, by: dInputs, add: false, into: memory.gates)
            if let dx, let inputs { plan.project(dx, rows, by: inputs, add: true, into: memory.gates) }
            plan.blocks.copyPrevious(steps, of: output, width: width, to: memory.states)
            dStates.multiply(rows.count, memory.states, width, into: memory.gates, 4 * width, add: true)
            for step in steps {
                let (row, lanes) = (plan.shape.offsets[step], plan.shape.lanesAtStep[step])
                let gates = memory.gates + (row - rows.lowerBound) * 4 * width
                let before = step == 0 ? nil : plan.shape.offsets[step - 1] * width
                if let before {
                    states.multiply(lanes, dHidden + before, width, into: gates, 4 * width, add: true)
                }
                rl2x_lstm_pushforward(
                    lanes, width, saved + row * 6 * width, gates, memory.bias,
                    before.map { UnsafePointer(dCell + $0) }, dHidden + row * width, dCell + row * width)
            }
        }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let tape = cotangents.tape
        let plan = SequencePlan(record, tape, firstInputs: 4, states: 4)
        let (x, weightX, weightH) = (record.operands[0], record.operands[1], record.operands[2])
        let (width, dx) = (plan.width, cotangents.accumulator(x))
        let (dWeightX, dWeightH) = (cotangents.accumulator(weightX)!, cotangents.accumulator(weightH)!)
        // The states of all steps but the last are operands of the steps that follow them.
        let hidden = cotangents.accumulator(record.output)!
        let cell = cotangents.accumulator(record.operands[5])!
        var memory = plan.scratch(tape, inputFactors: 1, stateFactors: 1)
        let states = plan.stateCotangentFactor(tape.value(weightH), &memory)
        let inputs = dx == nil ? nil : plan.inputCotangentFactor(tape.value(weightX), &memory)
        memory.bias.update(repeating: 0, count: 4 * width)
        let (saved, output) = (tape.saved(record), tape.value(record.output))
        plan.blocks.forEachBackwards { steps in
            let rows = plan.blocks.rows(of: steps)
            for step in steps.reversed() {
                let (row, lanes) = (plan.shape.offsets[step], plan.shape.lanesAtStep[step])
                let gates = memory.gates + (row - rows.lowerBound) * 4 * width
                let before = step == 0 ? nil : plan.shape.offsets[step - 1] * width
                rl2x_lstm_pullback(
                    lanes, width, saved + row * 6 * width, hidden + row * width, cell + row * width, gates,
                    memory.bias, before.map { cell + $0 })
                if let before {
                    states.multiply(lanes, gates, 4 * width, into: hidden + before, width, add: true)
                }
            }
            plan.blocks.copyPrevious(steps, of: output, width: width, to: memory.states)
            plan.pullStates(rows, memory, dWeightH)
            plan.pullInputs(tape.value(x), rows, memory.gates, inputs, dWeightX, dx)
        }
        for bias in [record.operands[3], record.operands[4]] {
            Elementwise.addScaled(4 * width, 1, memory.bias, to: cotangents.accumulator(bias)!)
        }
    }
}

extension Tape {
    /// All hidden and cell states [N, H] of an LSTM over packed inputs x [N, I], from states of zeros.
    ///
    /// - Parameters:
    ///   - shape: how trials lie in the rows of x.
    ///   - weightX: `weight_ih` [4H, I]; `weightH`: `weight_hh` [4H, H]; `biasX`, `biasH`: [1, 4H] each.
    public func lstmSequence(
        _ x: Node, shape: PackedShape, weightX: Node, weightH: Node, biasX: Node, biasH: Node
    ) -> (hidden: Node, cell: Node) {
        let width = weightH.columns
        precondition(x.rows == shape.rows, "a packed batch of \(shape.rows) rows was given \(x.rows)")
        precondition(weightX.rows == 4 * width && weightX.columns == x.columns, "weight_ih does not fit")
        precondition(weightH.rows == 4 * width, "weight_hh does not fit")
        precondition(
            weightX.space != .constant && weightH.space != .constant && biasX.space != .constant
                && biasH.space != .constant, "an LSTM's weights have derivatives")
        precondition(biasX.count == 4 * width && biasH.count == 4 * width, "the biases do not fit")
        let hidden = variable(rows: x.rows, columns: width)
        let cell = variable(rows: x.rows, columns: width)
        apply(
            LSTMSequence.self, operands(x, weightX, weightH, biasX, biasH, cell), output: hidden,
            saved: 6 * x.rows * width, integers: attributes(register(shape)))
        return (hidden, cell)
    }
}
