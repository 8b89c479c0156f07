import CKernels
import Interface
import Kernels

/// All steps of a gated recurrent unit over packed trials that begin with a state of zeros: `GRUCell`, step by step, with
/// the same numbers kept, but products with inputs and all weights' cotangents over many steps at once (`StepBlocks`), and
/// each matrix brought into the order of its products once (`RightFactor`).
enum GRUSequence: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let plan = SequencePlan(record, tape, firstInputs: 2, states: 3)
        let (x, output) = (tape.value(record.operands[0]), tape.mutableValue(record.output))
        var memory = plan.scratch(tape, inputFactors: 1, stateFactors: 1)
        let inputs = plan.inputFactor(tape.value(record.operands[1]), &memory)
        let states = plan.stateFactor(tape.value(record.operands[2]), &memory)
        GRUCell.join(tape.value(record.operands[3]), tape.value(record.operands[4]), plan.width, into: memory.bias)
        let saved = record.keepsSaved ? tape.saved(record) : nil
        plan.blocks.forEach { steps in
            let rows = plan.blocks.rows(of: steps)
            plan.project(x, rows, by: inputs, add: false, into: memory.gates)
            for step in steps {
                let (row, lanes) = (plan.shape.offsets[step], plan.shape.lanesAtStep[step])
                let gates = memory.gates + (row - rows.lowerBound) * 4 * plan.width
                let before =
                    step == 0
                    ? UnsafePointer(memory.zeros) : UnsafePointer(output) + plan.shape.offsets[step - 1] * plan.width
                if step > 0 { states.multiply(lanes, before, plan.width, into: gates, 4 * plan.width, add: true) }
                rl2x_gru_forward(
                    lanes, plan.width, gates, memory.bias, before, output + row * plan.width,
                    saved.map { $0 + row * 5 * plan.width })
            }
        }
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let tape = tangents.tape
        let plan = SequencePlan(record, tape, firstInputs: 2, states: 3)
        let (x, weightX, weightH) = (record.operands[0], record.operands[1], record.operands[2])
        let (output, dOutput, width) = (tape.value(record.output), tangents.output(record.output), plan.width)
        let dx = tangents.of(x)
        var memory = plan.scratch(tape, inputFactors: 2, stateFactors: 2)
        let dInputs = plan.inputFactor(tangents.of(weightX)!, &memory)
        let inputs = dx == nil ? nil : plan.inputFactor(tape.value(weightX), &memory)
        let dStates = plan.stateFactor(tangents.of(weightH)!, &memory)
        let states = plan.stateFactor(tape.value(weightH), &memory)
        GRUCell.join(tangents.of(record.operands[3])!, tangents.of(record.operands[4])!, width, into: memory.bias)
        let saved = tape.saved(record)
        plan.blocks.forEach { steps in
            let rows = plan.blocks.rows(of: steps)
            plan.project(tape.value(x), rows, by: dInputs, add: false, into: memory.gates)
            if let dx, let inputs { plan.project(dx, rows, by: inputs, add: true, into: memory.gates) }
            plan.blocks.copyPrevious(steps, of: output, width: width, to: memory.states)
            dStates.multiply(rows.count, memory.states, width, into: memory.gates, 4 * width, add: true)
            for step in steps {
                let (row, lanes) = (plan.shape.offsets[step], plan.shape.lanesAtStep[step])
                let gates = memory.gates + (row - rows.lowerBound) * 4 * width
                let dBefore = step == 0 ? nil : UnsafePointer(dOutput) + plan.shape.offsets[step - 1] * width
                if let dBefore { states.multiply(lanes, dBefore, width, into: gates, 4 * width, add: true) }
                rl2x_gru_pushforward(
                    lanes, width, saved + row * 5 * width, gates, memory.bias, dBefore,
                    dOutput + row * width)
            }
        }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let tape = cotangents.tape
        let plan = SequencePlan(record, tape, firstInputs: 2, states: 3)
        let (x, weightX, weightH) = (record.operands[0], record.operands[1], record.operands[2])
        let (width, dx) = (plan.width, cotangents.accumulator(x))
        let (dWeightX, dWeightH) = (cotangents.accumulator(weightX)!, cotangents.accumulator(weightH)!)
        // The states of all steps but the last are operands of the steps that follow them.
        let u = cotangents.accumulator(record.output)!
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
                let before = step == 0 ? nil : u + plan.shape.offsets[step - 1] * width
                rl2x_gru_pullback(
                    lanes, width, saved + row * 5 * width, u + row * width, gates, memory.bias, before)
                if let before { states.multiply(lanes, gates, 4 * width, into: before, width, add: true) }
            }
            plan.blocks.copyPrevious(steps, of: output, width: width, to: memory.states)
            plan.pullStates(rows, memory, dWeightH)
            plan.pullInputs(tape.value(x), rows, memory.gates, inputs, dWeightX, dx)
        }
        GRUCell.separate(
            memory.bias, width, cotangents.accumulator(record.operands[3])!,
            cotangents.accumulator(record.operands[4])!)
    }
}

extension Tape {
    /// All states [N, H] of a GRU over packed inputs x [N, I], from states of zeros.
    ///
    /// - Parameters:
    ///   - shape: how trials lie in the rows of x.
    ///   - weightX: `weight_ih` [3H, I]; `weightH`: `weight_hh` [3H, H]; `biasX`, `biasH`: [1, 3H] each.
    public func gruSequence(
        _ x: Node, shape: PackedShape, weightX: Node, weightH: Node, biasX: Node, biasH: Node
    ) -> Node {
        let width = weightH.columns
        precondition(x.rows == shape.rows, "a packed batch of \(shape.rows) rows was given \(x.rows)")
        precondition(weightX.rows == 3 * width && weightX.columns == x.columns, "weight_ih does not fit")
        precondition(weightH.rows == 3 * width, "weight_hh does not fit")
        precondition(
            weightX.space != .constant && weightH.space != .constant && biasX.space != .constant
                && biasH.space != .constant, "a GRU's weights have derivatives")
        precondition(biasX.count == 3 * width && biasH.count == 3 * width, "the biases do not fit")
        let states = variable(rows: x.rows, columns: width)
        apply(
            GRUSequence.self, operands(x, weightX, weightH, biasX, biasH), output: states,
            saved: 5 * x.rows * width, integers: attributes(register(shape)))
        return states
    }
}
