import CKernels
import Interface
import Kernels

/// A causal depthwise convolution over packed trials: each column by itself, over the last K steps,
///
///     y_t = b + Σ_{j < K} w_j ⊙ x_{t − K + 1 + j}
///
/// with zeros before the first step. w is [C, K], as `torch.nn.Conv1d` with as many groups as channels has it. Columns come in
/// blocks; those from `firstForgetful` on of each see nothing of what lies before a row whose flag is 1 (`MemoryReset`).
///
///     dy_t = db + Σ_j (dw_j ⊙ x + w_j ⊙ dx),  w̄_j += ȳ_t ⊙ x,  x̄ += w_j ⊙ ȳ_t,  b̄ += Σ ȳ_t
enum CausalConvolution: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let plan = Plan(record, tape)
        let weights = tape.scratch(plan.weightCount)
        plan.transpose(tape.value(record.operands[1]), into: weights)
        let (x, y, bias) = (tape.value(record.operands[0]), tape.mutableValue(record.output), record.operands[2])
        if bias.count > 0 {
            rl2x_sum_rows(plan.rows, plan.columns, nil, tape.value(bias), y)
        } else {
            y.update(repeating: 0, count: record.output.count)
        }
        guard record.operands[3].count > 0 else {
            return plan.forEachTap { y0, x0, tap, count in
                Elementwise.addProduct(count, x + x0, weights + tap, to: y + y0)
            }
        }
        plan.step(x, tape.mutableValue(record.operands[3]), weights, into: y)
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let tape = tangents.tape
        let plan = Plan(record, tape)
        let weights = tape.scratch(2 * plan.weightCount)
        let dWeights = weights + plan.weightCount
        plan.transpose(tape.value(record.operands[1]), into: weights)
        plan.transpose(tangents.of(record.operands[1])!, into: dWeights)
        let (x, dx) = (tape.value(record.operands[0]), tangents.of(record.operands[0]))
        let (dy, bias) = (tangents.output(record.output), record.operands[2])
        if bias.count > 0 {
            rl2x_sum_rows(plan.rows, plan.columns, nil, tangents.of(bias)!, dy)
        } else {
            dy.update(repeating: 0, count: record.output.count)
        }
        plan.forEachTap { y0, x0, tap, count in
            Elementwise.addProduct(count, x + x0, dWeights + tap, to: dy + y0)
            if let dx { Elementwise.addProduct(count, dx + x0, weights + tap, to: dy + y0) }
        }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let tape = cotangents.tape
        let plan = Plan(record, tape)
        let weights = tape.scratch(2 * plan.weightCount)
        let sums = weights + plan.weightCount
        plan.transpose(tape.value(record.operands[1]), into: weights)
        sums.update(repeating: 0, count: plan.weightCount)
        let (x, dx) = (tape.value(record.operands[0]), cotangents.accumulator(record.operands[0]))
        let (u, bias) = (cotangents.of(record.output), record.operands[2])
        plan.forEachTap { y0, x0, tap, count in
            Elementwise.addProduct(count, u + y0, x + x0, to: sums + tap)
            if let dx { Elementwise.addProduct(count, u + y0, weights + tap, to: dx + x0) }
        }
        plan.addTransposed(sums, to: cotangents.accumulator(record.operands[1])!)
        if bias.count > 0 {
            Elementwise.addColumnSums(
                rows: plan.rows, columns: plan.columns, of: u, to: cotangents.accumulator(bias)!)
        }
    }
}

extension CausalConvolution {
    struct Plan {
        let rows: Int
        /// C
        let columns: Int
        /// K
        private let taps: Int
        private let shape: PackedShape?
        private let flags: UnsafePointer<Float>?
        private let block: Int
        private let firstForgetful: Int

        init(_ record: borrowing Record, _ tape: Tape) {
            shape = record.integers[0] < 0 ? nil : tape.shape(record.integers[0])
            (rows, columns) = (record.output.rows, record.output.columns)
            taps = record.operands[1].count / columns
            (block, firstForgetful) = (columns / record.integers[1], record.integers[2])
            flags = record.operands[4].count > 0 ? tape.value(record.operands[4]) : nil
        }

        var weightCount: Int { taps * columns }

        /// w [C, K] as [K, C].
        func transpose(_ weight: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
            for column in 0..<columns {
                for tap in 0..<taps { target[tap * columns + column] = weight[column * taps + tap] }
            }
        }

        func addTransposed(_ source: UnsafePointer<Float>, to weight: UnsafeMutablePointer<Float>) {
            for column in 0..<columns {
                for tap in 0..<taps { weight[column * taps + tap] += source[tap * columns + column] }
            }
        }

        /// Every product of the sum, some columns at a time.
        ///
        /// - Parameter body: is given where they begin in y, in x and in w [K, C], and how many they are.
        @inline(__always)
        func forEachTap(_ body: (_ y: Int, _ x: Int, _ tap: Int, _ count: Int) -> Void) {
            for step in 0..<(shape?.steps ?? 1) {
                let (first, lanes) = (shape?.offsets[step] ?? 0, shape?.lanesAtStep[step] ?? rows)
                for lane in 0..<lanes {
                    /// Whether an episode ended between the step that is looked back to and this one.
                    var isParted = false
                    for back in 0..<min(taps, step + 1) {
                        if back > 0, let flags, flags[row(step - back + 1, lane)] == 1 { isParted = true }
                        let (y, x) = ((first + lane) * columns, row(step - back, lane) * columns)
                        let tap = (taps - 1 - back) * columns
                        guard isParted else {
                            body(y, x, tap, columns)
                            continue
                        }
                        guard firstForgetful > 0 else { continue }
                        for start in stride(from: 0, to: columns, by: block) {
                            body(y + start, x + start, tap + start, firstForgetful)
                        }
                    }
                }
            }
        }

        @inline(__always)
        private func row(_ step: Int, _ lane: Int) -> Int { (shape?.offsets[step] ?? 0) + lane }

        /// One step of each lane, whose last K − 1 inputs are its state [K − 1, C], the oldest first.
        func step(
            _ x: UnsafePointer<Float>, _ state: UnsafeMutablePointer<Float>, _ weights: UnsafePointer<Float>,
            into y: UnsafeMutablePointer<Float>
        ) {
            for lane in 0..<rows {
                let kept = state + lane * (taps - 1) * columns
                if let flags, flags[lane] == 1 {
                    for start in stride(from: 0, to: (taps - 1) * columns, by: block) {
                        (kept + start + firstForgetful).update(repeating: 0, count: block - firstForgetful)
                    }
                }
                let (now, target) = (x + lane * columns, y + lane * columns)
                for tap in 0..<taps {
                    let source = tap < taps - 1 ? UnsafePointer(kept + tap * columns) : now
                    Elementwise.addProduct(columns, source, weights + tap * columns, to: target)
                }
                guard taps > 1 else { continue }
                kept.update(from: kept + columns, count: (taps - 2) * columns)
                (kept + (taps - 2) * columns).update(from: now, count: columns)
            }
        }
    }
}

extension Tape {
    /// Each column of x [N, C] over the last K steps of its trial, by a weight of its own: [N, C].
    ///
    /// - Parameters:
    ///   - weight: [C, K], the last of a row for the present step; `bias`: [1, C] or none. Neither is a constant.
    ///   - state: a constant [lanes, (K − 1) · C], in acting: the last K − 1 inputs, which become those after the step; nil:
    ///     trials begin.
    ///   - shape: the number of the packed shape; nil: one step, of which every row is a lane.
    ///   - flags: a constant [N, 1]: where it is 1, columns from `firstForgetful` on of each of `blocks` blocks of columns
    ///     begin anew.
    public func causalConvolution(
        _ x: Node, weight: Node, bias: Node? = nil, state: Node? = nil, shape: Int?, flags: Node? = nil,
        blocks: Int = 1, firstForgetful: Int = 0
    ) -> Node {
        let packed = shape.map { self.shape($0) }
        precondition(packed == nil || packed!.rows == x.rows, "the shape does not fit")
        precondition(
            weight.rows == x.columns && x.columns % blocks == 0, "the weight does not fit \(x.columns) columns")
        precondition(
            [weight, bias].allSatisfy { $0 == nil || $0!.space != .constant }
                && (bias == nil || bias!.count == x.columns),
            "a bias for each column")
        precondition(
            state == nil
                || (state!.space == .constant && state!.count == x.rows * x.columns * (weight.columns - 1)
                    && shape == nil),
            "a state is a constant, and taken one step further")
        precondition(state == nil || !isRecording, "a step that changes a state has no derivative")
        precondition(flags == nil || flags!.count == x.rows, "a row has one flag")
        let output = variable(rows: x.rows, columns: x.columns)
        apply(
            CausalConvolution.self, operands(x, weight, bias, state, flags), output: output,
            integers: attributes(shape ?? -1, blocks, firstForgetful))
        return output
    }
}
