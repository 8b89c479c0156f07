import Interface
import Kernels

/// The sizes of a recurrence with four gates over packed trials, and the matrix products that GRU and LSTM share.
///
/// Gates of a row lie side by side [4H]. Those before column `stateColumns` meet the state; the first `firstInputs` rows of
/// `weight_ih` give the first of them, the other rows the last: all four of an LSTM; r, z and n_x of a GRU, whose n_h meets
/// the state alone.
struct SequencePlan {
    let shape: PackedShape
    let blocks: StepBlocks
    /// I
    let inputs: Int
    /// H
    let width: Int
    private let firstInputs: Int
    private let stateColumns: Int

    /// Right factors of the products with inputs: by the first rows of `weight_ih`, and by the others.
    typealias InputFactors = (first: RightFactor, last: RightFactor?)

    /// - Parameters:
    ///   - record: its first operand is x [N, I], its output the states [N, H], its first attribute the shape's number.
    ///   - firstInputs: gates that the first rows of `weight_ih` give.
    ///   - states: gates that meet the state.
    init(_ record: borrowing Record, _ tape: Tape, firstInputs: Int, states: Int) {
        shape = tape.shape(record.integers[0])
        blocks = StepBlocks(shape: shape)
        inputs = record.operands[0].columns
        width = record.output.columns
        self.firstInputs = firstInputs * width
        stateColumns = states * width
    }

    /// Rows of `weight_ih` that give the last gates.
    private var lastInputs: Int { stateColumns - firstInputs }
    /// Where the last gates begin.
    private var lastColumn: Int { 4 * width - lastInputs }

    struct Memory {
        /// Of the rows of a run of steps [mostRows, 4H].
        let gates: UnsafeMutablePointer<Float>
        /// States of the step before [mostRows, H].
        let states: UnsafeMutablePointer<Float>
        /// [4H]
        let bias: UnsafeMutablePointer<Float>
        /// Room for the state before the first step [lanes, H].
        let zeros: UnsafeMutablePointer<Float>
        private var factors: UnsafeMutablePointer<Float>

        fileprivate init(_ plan: SequencePlan, _ start: UnsafeMutablePointer<Float>) {
            let (rows, zeroCount) = (plan.blocks.mostRows, plan.shape.lanes * plan.width)
            gates = start
            states = gates + rows * 4 * plan.width
            bias = states + rows * plan.width
            zeros = bias + 4 * plan.width
            factors = zeros + zeroCount
        }

        fileprivate static func count(_ plan: SequencePlan) -> Int {
            (plan.blocks.mostRows * 5 + 4 + plan.shape.lanes) * plan.width
        }

        /// Room for a right factor.
        fileprivate mutating func takeFactor(depth: Int, columns: Int) -> UnsafeMutablePointer<Float> {
            defer { factors += RightFactor.floats(depth: depth, columns: columns) }
            return factors
        }
    }

    func scratch(_ tape: Tape, inputFactors: Int, stateFactors: Int) -> Memory {
        // Of a factor and of its transpose, whichever is larger after rounding.
        func most(_ a: Int, _ b: Int) -> Int {
            max(RightFactor.floats(depth: a, columns: b), RightFactor.floats(depth: b, columns: a))
        }
        let count =
            Memory.count(self) + inputFactors * (most(inputs, firstInputs) + most(inputs, lastInputs))
            + stateFactors * most(width, stateColumns)
        return Memory(self, tape.scratch(count))
    }

    // MARK: Factors

    /// Of x W_ihᵀ.
    func inputFactor(_ weight: UnsafePointer<Float>, _ memory: inout Memory) -> InputFactors {
        func factor(_ first: Int, _ columns: Int) -> RightFactor {
            RightFactor(
                weight + first * inputs, depth: inputs, columns: columns, stride: inputs, transposed: true,
                rows: shape.rows, memory: memory.takeFactor(depth: inputs, columns: columns))
        }
        return (factor(0, firstInputs), lastInputs == 0 ? nil : factor(firstInputs, lastInputs))
    }

    /// Of ḡ W_ih.
    func inputCotangentFactor(_ weight: UnsafePointer<Float>, _ memory: inout Memory) -> InputFactors {
        func factor(_ first: Int, _ depth: Int) -> RightFactor {
            RightFactor(
                weight + first * inputs, depth: depth, columns: inputs, stride: inputs, rows: shape.rows,
                memory: memory.takeFactor(depth: depth, columns: inputs))
        }
        return (factor(0, firstInputs), lastInputs == 0 ? nil : factor(firstInputs, lastInputs))
    }

    /// Of h W_hhᵀ.
    func stateFactor(_ weight: UnsafePointer<Float>, _ memory: inout Memory) -> RightFactor {
        RightFactor(
            weight, depth: width, columns: stateColumns, stride: width, transposed: true, rows: shape.rows,
            memory: memory.takeFactor(depth: width, columns: stateColumns))
    }

    /// Of ḡ W_hh.
    func stateCotangentFactor(_ weight: UnsafePointer<Float>, _ memory: inout Memory) -> RightFactor {
        RightFactor(
            weight, depth: stateColumns, columns: width, stride: width, rows: shape.rows,
            memory: memory.takeFactor(depth: stateColumns, columns: width))
    }

    // MARK: Products over the rows of a run of steps

    /// gates = x W_ihᵀ, zeros where inputs give none; gates += x W_ihᵀ if `add`.
    func project(
        _ x: UnsafePointer<Float>, _ rows: Range<Int>, by factors: InputFactors, add: Bool,
        into gates: UnsafeMutablePointer<Float>
    ) {
        let source = x + rows.lowerBound * inputs
        factors.first.multiply(rows.count, source, inputs, into: gates, 4 * width, add: add)
        factors.last?.multiply(rows.count, source, inputs, into: gates + lastColumn, 4 * width, add: add)
        guard !add, lastColumn > firstInputs else { return }
        for row in 0..<rows.count {
            (gates + row * 4 * width + firstInputs).update(repeating: 0, count: lastColumn - firstInputs)
        }
    }

    /// W̄_ih += ḡᵀ x,  x̄ += ḡ W_ih
    func pullInputs(
        _ x: UnsafePointer<Float>, _ rows: Range<Int>, _ gates: UnsafePointer<Float>, _ factors: InputFactors?,
        _ dWeight: UnsafeMutablePointer<Float>, _ dx: UnsafeMutablePointer<Float>?
    ) {
        let first = rows.lowerBound * inputs
        func pullWeight(_ count: Int, _ gates: UnsafePointer<Float>, _ dWeight: UnsafeMutablePointer<Float>) {
            BLAS.multiply(
                count, inputs, rows.count, gates, 4 * width, transposeA: true, x + first, inputs, into: dWeight,
                inputs, beta: 1)
        }
        pullWeight(firstInputs, gates, dWeight)
        pullWeight(lastInputs, gates + lastColumn, dWeight + firstInputs * inputs)
        guard let dx, let factors else { return }
        factors.first.multiply(rows.count, gates, 4 * width, into: dx + first, inputs, add: true)
        factors.last?.multiply(rows.count, gates + lastColumn, 4 * width, into: dx + first, inputs, add: true)
    }

    /// W̄_hh += ḡᵀ h, with the gates and the states before each row in `memory`.
    func pullStates(_ rows: Range<Int>, _ memory: Memory, _ dWeight: UnsafeMutablePointer<Float>) {
        BLAS.multiply(
            stateColumns, width, rows.count, memory.gates, 4 * width, transposeA: true, memory.states, width,
            into: dWeight, width, beta: 1)
    }
}
