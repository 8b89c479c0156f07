import Interface
import Kernels

/// A recurrence whose state is too wide to be kept at each step, such as a matrix for each head, as `WideStateSequence` runs
/// it: what one step of one lane does to the state, and to its tangent and cotangent.
///
/// The output's row t is of the state after step t. Rows are those of the packed batch.
protocol WideStateCell {
    /// Reads the sizes of an application.
    init(_ record: borrowing Record)

    /// Floats of a lane's state, which begins with zeros.
    var stateCount: Int { get }
    /// Floats of memory that a step needs.
    var scratchCount: Int { get }

    /// The state before a step becomes that after it; writes the row of the output.
    func advance(
        _ values: OperandRows<UnsafePointer<Float>>, row: Int, state: UnsafeMutablePointer<Float>,
        output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>)
    /// The same for the state and its tangent; writes the row of the output's tangent.
    func push(
        _ values: OperandRows<UnsafePointer<Float>>, _ tangents: OperandRows<UnsafePointer<Float>>, row: Int,
        state: UnsafeMutablePointer<Float>, tangent: UnsafeMutablePointer<Float>, output: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>)
    /// Adds to the operands' cotangents; the cotangent of the state after a step becomes that of the state before it.
    /// - Parameter state: the state before the step.
    func pull(
        _ values: OperandRows<UnsafePointer<Float>>, _ cotangents: OperandRows<UnsafeMutablePointer<Float>>, row: Int,
        state: UnsafePointer<Float>, cotangent: UnsafeMutablePointer<Float>, output: UnsafePointer<Float>,
        scratch: UnsafeMutablePointer<Float>)
}

/// Where the rows of a record's operands begin, or those of their tangents or cotangents. An operand of one row has the
/// same for every step.
struct OperandRows<Pointer: Strideable> where Pointer.Stride == Int {
    private var starts = InlineArray<8, Pointer?>(repeating: nil)
    private var strides = InlineArray<8, Int>(repeating: 0)

    /// - Parameter start: where an operand begins; nil: it has none of the kind.
    @inline(__always)
    init(_ record: borrowing Record, _ start: (Node) -> Pointer?) {
        for index in 0..<Record.operandLimit where record.operands[index].count > 0 {
            let node = record.operands[index]
            starts[index] = start(node)
            strides[index] = node.rows == 1 ? 0 : node.columns
        }
    }

    @inline(__always)
    func optional(_ operand: Int, _ row: Int) -> Pointer? {
        starts[operand].map { $0.advanced(by: row * strides[operand]) }
    }

    @inline(__always)
    subscript(operand: Int, row: Int) -> Pointer { starts[operand]!.advanced(by: row * strides[operand]) }
}

/// All steps of a recurrence with a wide state over packed trials, lane after lane, so that a state stays in the fastest memory.
///
/// No state is kept. `pushforward` makes them again beside their tangents; `pullback` makes them again twice, first to
/// have one of every `run` steps, then those of each run, which it goes through backwards.
///
/// The last two operands are constants: the state before the first step [lanes, stateCount], in acting, which becomes that
/// after it; and flags [N, 1]: where a row's is 1, the state's floats from `firstForgotten` on count as zero
/// (`MemoryReset`). Attributes: the number of the packed shape, −1 for one step of which every row is a lane;
/// `firstForgotten`; and what the cell reads.
enum WideStateSequence<Cell: WideStateCell>: Primitive {
    private static var run: Int { 32 }

    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let (plan, cell) = (WideStatePlan(record, tape), Cell(record))
        let (count, columns) = (cell.stateCount, record.output.columns)
        let memory = tape.scratch(count + cell.scratchCount)
        let values = OperandRows(record) { tape.value($0) }
        let (output, given) = (tape.mutableValue(record.output), plan.state.map { tape.mutableValue($0) })
        for lane in 0..<plan.lanes {
            let state = given.map { $0 + lane * count } ?? memory
            if given == nil { state.update(repeating: 0, count: count) }
            for step in 0..<plan.steps(of: lane) {
                let row = plan.row(step, lane)
                plan.forget(row, state, count)
                cell.advance(values, row: row, state: state, output: output + row * columns, scratch: memory + count)
            }
        }
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let tape = tangents.tape
        let (plan, cell) = (WideStatePlan(record, tape), Cell(record))
        let (count, columns) = (cell.stateCount, record.output.columns)
        let state = tape.scratch(2 * count + cell.scratchCount)
        let (tangent, scratch) = (state + count, state + 2 * count)
        let values = OperandRows(record) { tape.value($0) }
        let directions = OperandRows(record) { tangents.of($0) }
        let output = tangents.output(record.output)
        for lane in 0..<plan.lanes {
            state.update(repeating: 0, count: 2 * count)
            for step in 0..<plan.steps(of: lane) {
                let row = plan.row(step, lane)
                plan.forget(row, state, count)
                plan.forget(row, tangent, count)
                cell.push(
                    values, directions, row: row, state: state, tangent: tangent, output: output + row * columns,
                    scratch: scratch)
            }
        }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let tape = cotangents.tape
        let (plan, cell) = (WideStatePlan(record, tape), Cell(record))
        let (count, columns) = (cell.stateCount, record.output.columns)
        let runs = (plan.mostSteps + run - 1) / run
        // The state before each run, the states before the steps of one, and the cotangent of a state.
        let starts = tape.scratch((runs + run + 1) * count + columns + cell.scratchCount)
        let states = starts + runs * count
        let cotangent = states + run * count
        let (unread, scratch) = (cotangent + count, cotangent + count + columns)
        let values = OperandRows(record) { tape.value($0) }
        let accumulators = OperandRows(record) { cotangents.accumulator($0) }
        let seed = cotangents.of(record.output)
        for lane in 0..<plan.lanes {
            let length = plan.steps(of: lane)
            let lastRun = (length - 1) / run
            /// The state before a step becomes that before the next.
            func pass(_ step: Int, _ state: UnsafeMutablePointer<Float>) {
                cell.advance(values, row: plan.row(step, lane), state: state, output: unread, scratch: scratch)
                plan.forget(plan.row(step + 1, lane), state, count)
            }
            starts.update(repeating: 0, count: count)
            for number in 0..<lastRun {
                let state = starts + (number + 1) * count
                state.update(from: starts + number * count, count: count)
                for step in number * run..<(number + 1) * run { pass(step, state) }
            }
            cotangent.update(repeating: 0, count: count)
            for number in stride(from: lastRun, through: 0, by: -1) {
                let first = number * run
                let steps = min(run, length - first)
                states.update(from: starts + number * count, count: count)
                for index in 1..<max(1, steps) {
                    let state = states + index * count
                    state.update(from: state - count, count: count)
                    pass(first + index - 1, state)
                }
                for index in stride(from: steps - 1, through: 0, by: -1) {
                    let row = plan.row(first + index, lane)
                    cell.pull(
                        values, accumulators, row: row, state: states + index * count, cotangent: cotangent,
                        output: seed + row * columns, scratch: scratch)
                    plan.forget(row, cotangent, count)
                }
            }
        }
    }
}

/// Where the rows of the lanes lie, and what their states forget.
struct WideStatePlan {
    /// The state before the first step, in acting; nil: zeros.
    let state: Node?
    private let shape: PackedShape?
    private let rows: Int
    private let flags: UnsafePointer<Float>?
    private let firstForgotten: Int

    init(_ record: borrowing Record, _ tape: Tape) {
        shape = record.integers[0] < 0 ? nil : tape.shape(record.integers[0])
        firstForgotten = record.integers[1]
        rows = record.output.rows
        state = record.operands[6].count > 0 ? record.operands[6] : nil
        flags = record.operands[7].count > 0 ? tape.value(record.operands[7]) : nil
    }

    var lanes: Int { shape?.lanes ?? rows }
    var mostSteps: Int { shape?.steps ?? 1 }
    func steps(of lane: Int) -> Int { shape?.length(lane: lane) ?? 1 }

    @inline(__always)
    func row(_ step: Int, _ lane: Int) -> Int { (shape?.offsets[step] ?? 0) + lane }

    /// Zeros what a state [count], or its tangent or cotangent, forgets before the step of a row.
    @inline(__always)
    func forget(_ row: Int, _ state: UnsafeMutablePointer<Float>, _ count: Int) {
        guard let flags, flags[row] == 1 else { return }
        (state + firstForgotten).update(repeating: 0, count: count - firstForgotten)
    }
}

extension Tape {
    /// Stops unless a packed shape, a state that a step changes in place [lanes, stateCount] and flags [N, 1] fit N rows.
    func requireSequence(rows: Int, shape: Int?, state: Node?, stateCount: Int, flags: Node?) {
        let packed = shape.map { self.shape($0) }
        precondition(packed == nil || packed!.rows == rows, "the shape does not fit")
        precondition(
            state == nil || (state!.space == .constant && state!.count == rows * stateCount && shape == nil),
            "a state is a constant, and taken one step further")
        precondition(state == nil || !isRecording, "a step that changes a state has no derivative")
        precondition(flags == nil || flags!.count == rows, "a row has one flag")
    }

    /// Checks what all recurrences with a wide state have in common, and applies one.
    ///
    /// - Parameters:
    ///   - operands: the cell's own, of which the first has a row for each step; as the seventh the state, in acting: a
    ///     constant [lanes, stateCount], which becomes that after the step; as the eighth flags, a constant [N, 1].
    ///   - columns: of the output.
    ///   - shape: the number of the packed shape; nil: one step, of which every row is a lane.
    ///   - firstForgotten: floats of the state from here on count as zero where a flag is 1.
    ///   - first: attributes of the cell's own, and `second`, `third`.
    /// - Returns: [N, columns]
    func wideStateSequence<Cell: WideStateCell>(
        _ cell: Cell.Type, _ operands: InlineArray<8, Node>, columns: Int, stateCount: Int, shape: Int?,
        firstForgotten: Int, _ first: Int = 0, _ second: Int = 0, _ third: Int = 0, scalar: Float = 0
    ) -> Node {
        let (rows, state, flags) = (operands[0].rows, operands[6], operands[7])
        requireSequence(
            rows: rows, shape: shape, state: state.count > 0 ? state : nil, stateCount: stateCount,
            flags: flags.count > 0 ? flags : nil)
        let output = variable(rows: rows, columns: columns)
        apply(
            WideStateSequence<Cell>.self, operands, output: output,
            integers: attributes(shape ?? -1, firstForgotten, first, second, third), scalar: scalar)
        return output
    }
}
