import Autodiff
import Interface
import Kernels
import Testing

/// A recurrence over whole trials is its cell, step by step: the same states, tangents and cotangents.
@Suite struct SequenceTests {
    /// Lanes that fill several runs of steps, with trials that end inside of one.
    private static let shape = PackedShape(
        lengths: [Int](repeating: 11, count: 40) + [Int](repeating: 8, count: 20) + [3, 1])
    private static let (inputs, width) = (21, 33)

    private enum Cell: CaseIterable, CustomStringConvertible {
        case gru, lstm

        var gates: Int { self == .gru ? 3 : 4 }
        var description: String { self == .gru ? "gru" : "lstm" }
    }

    /// What a tape gives for one way of running a recurrence.
    private struct Readings {
        var states: [Float]
        var tangents: [Float]
        var gradient: [Float]
    }

    @Test(arguments: Cell.allCases)
    private func aSequenceIsItsCellStepByStep(_ cell: Cell) throws {
        let whole = readings(of: cell, atOnce: true)
        let stepwise = readings(of: cell, atOnce: false)
        #expect(difference(whole.states, stepwise.states) < 1e-5)
        #expect(difference(whole.tangents, stepwise.tangents) < 1e-5)
        #expect(difference(whole.gradient, stepwise.gradient) < 1e-5)
    }

    /// The largest difference, as a share of the largest number.
    private func difference(_ first: [Float], _ second: [Float]) -> Float {
        let largest = first.map(abs).max() ?? 0
        precondition(first.count == second.count && largest > 0)
        return zip(first, second).map { abs($0 - $1) }.max()! / largest
    }

    private func readings(of cell: Cell, atOnce: Bool) -> Readings {
        let (shape, inputs, width, gates) = (Self.shape, Self.inputs, Self.width, cell.gates)
        var random = RandomSource(seed: 5)
        func draw(_ count: Int, _ scale: Float) -> [Float] { (0..<count).map { _ in scale * Float(random.normal()) } }
        let counts = [shape.rows * inputs, gates * width * inputs, gates * width * width, gates * width, gates * width]
        let parameters = counts.flatMap { draw($0, 0.3) }
        let direction = counts.flatMap { draw($0, 1) }
        let seed = draw(shape.rows * width, 1)
        let (tape, workspace) = (Tape(), Workspace())
        return parameters.withUnsafeBufferPointer { theta in
            tape.begin(parameters: theta.baseAddress!, recording: true)
            var offset = 0
            func node(_ rows: Int, _ columns: Int) -> Node {
                defer { offset += rows * columns }
                return Node(space: .parameter, offset: offset, rows: rows, columns: columns)
            }
            let x = node(shape.rows, inputs)
            let (weightX, weightH) = (node(gates * width, inputs), node(gates * width, width))
            let (biasX, biasH) = (node(1, gates * width), node(1, gates * width))
            let states: Node
            switch (cell, atOnce) {
            case (.gru, true):
                states = tape.gruSequence(
                    x, shape: shape, weightX: weightX, weightH: weightH, biasX: biasX, biasH: biasH)
            case (.lstm, true):
                states =
                    tape.lstmSequence(
                        x, shape: shape, weightX: weightX, weightH: weightH, biasX: biasX, biasH: biasH
                    ).hidden
            case (_, false):
                states = tape.variable(rows: shape.rows, columns: width)
                let memory = tape.variable(rows: shape.rows, columns: width)
                var before = tape.zeros(rows: shape.lanes, columns: width)
                var memoryBefore = before
                for step in 0..<shape.steps {
                    let rows = shape.offsets[step]..<shape.offsets[step] + shape.lanesAtStep[step]
                    let (hidden, kept) = (before.rows(0..<rows.count), memoryBefore.rows(0..<rows.count))
                    if cell == .gru {
                        tape.gruCell(
                            x.rows(rows), hidden: hidden, weightX: weightX, weightH: weightH, biasX: biasX,
                            biasH: biasH, into: states.rows(rows))
                    } else {
                        tape.lstmCell(
                            x.rows(rows), hidden: hidden, cell: kept, weightX: weightX, weightH: weightH, biasX: biasX,
                            biasH: biasH, into: states.rows(rows), memory.rows(rows))
                    }
                    (before, memoryBefore) = (states.rows(rows), memory.rows(rows))
                }
            }
            var gradient = [Float](repeating: 0, count: parameters.count)
            let values = Array(UnsafeBufferPointer(start: tape.value(states), count: states.count))
            direction.withUnsafeBufferPointer { tape.jvp(direction: $0.baseAddress!, workspace: workspace) }
            let tangents = Array(UnsafeBufferPointer(start: workspace.tangent(states), count: states.count))
            tape.beginVJP(workspace: workspace)
            workspace.cotangent(states).update(from: seed, count: seed.count)
            gradient.withUnsafeMutableBufferPointer { tape.vjp(gradient: $0.baseAddress!, workspace: workspace) }
            return Readings(states: values, tangents: tangents, gradient: gradient)
        }
    }
}
