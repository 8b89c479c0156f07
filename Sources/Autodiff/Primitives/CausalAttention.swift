import CKernels
import Kernels

/// Multi-head causal attention (Vaswani et al. 2017) over a packed batch: rows [q | k | v], [N, 3D], D = heads · d, to
/// [N, D]. In each lane, for each head, with Q, K, V [T, d]:
///
///     S = Q Kᵀ / √d − slope · distance,  P = softmax of each row of S,  O = P V
///
/// Step t sees the steps s ≤ t of its own lane, of these the last `window` if there is one; distance is t − s, slope
/// is the head's (ALiBi; Press, Smith, Lewis 2022) or 0. There may be a *first token*: row 0, before the packed rows,
/// which every step of every lane sees besides, at distance 0, and which sees only itself. The readings, with M the
/// softmax's symmetric derivative, M X = P ⊙ (X − Σ_row P ⊙ X):
///
///     dO = P dV + M(dQ Kᵀ + Q dKᵀ) V / √d
///     V̄ += Pᵀ Ō,  G = M(Ō Vᵀ) / √d,  Q̄ += G K,  K̄ += Gᵀ Q
///
/// P is T times as large as anything else of a head, so it is not kept: only the logarithm of each row's sum of
/// exponentials is, [N, heads], from which one product and one exponential give P again. A lane's head is gathered
/// into contiguous scratch, the first token before its steps, and worked on in blocks of queries, which leaves out most
/// of what a causal mask or a window would hide and keeps the scores in the cache.
enum CausalAttention: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let plan = Plan(record, tape)
        let (qkv, y) = (record.operands[0], record.output)
        let logSumCount = record.keepsSaved ? 0 : y.rows * plan.heads
        let (size, scores) = (plan.size, 4 * plan.size)
        let scratch = tape.scratch(4 * size + plan.scoreCount + logSumCount)
        let logSums = record.keepsSaved ? tape.saved(record) : scratch + scores + plan.scoreCount
        let (rows, output) = (tape.value(qkv), tape.mutableValue(y))
        plan.forEachHead { head in
            plan.gather(head, rows, .query, into: scratch)
            plan.gather(head, rows, .key, into: scratch + size)
            plan.gather(head, rows, .value, into: scratch + 2 * size)
            plan.forEachBlock(head) { block in
                plan.probabilities(head, block, scratch, scratch + size, logSums, known: false, scratch + scores)
                plan.multiply(
                    block, scratch + scores, scratch + 2 * size, into: scratch + 3 * size + block.queryOffset)
            }
            plan.scatter(head, scratch + 3 * size, into: output)
        }
        plan.copyFirstToken(rows, to: output)
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let tape = tangents.tape
        let plan = Plan(record, tape)
        let (qkv, y) = (record.operands[0], record.output)
        let (size, logSums) = (plan.size, tape.saved(record))
        let scratch = tape.scratch(7 * size + 2 * plan.scoreCount)
        // Q, K, V, their tangents, the output's tangent; P and the tangent of the scores.
        let (dOutput, p) = (scratch + 6 * size, scratch + 7 * size)
        let dScores = p + plan.scoreCount
        guard let dRows = tangents.of(qkv) else {
            return tangents.output(y).update(repeating: 0, count: y.count)
        }
        let (rows, dy) = (tape.value(qkv), tangents.output(y))
        plan.forEachHead { head in
            plan.gather(head, rows, .query, into: scratch)
            plan.gather(head, rows, .key, into: scratch + size)
            plan.gather(head, rows, .value, into: scratch + 2 * size)
            plan.gather(head, dRows, .query, into: scratch + 3 * size)
            plan.gather(head, dRows, .key, into: scratch + 4 * size)
            plan.gather(head, dRows, .value, into: scratch + 5 * size)
            plan.forEachBlock(head) { block in
                let query = block.queryOffset
                plan.probabilities(head, block, scratch, scratch + size, logSums, known: true, p)
                plan.multiplyTransposed(block, scratch + 3 * size + query, scratch + size, into: dScores)
                plan.multiplyTransposed(block, scratch + query, scratch + 4 * size, into: dScores, beta: 1)
                rl2x_softmax_map(block.rows, block.keys, block.keys, plan.scale, p, dScores, dScores)
                plan.multiply(block, p, scratch + 5 * size, into: dOutput + query)
                plan.multiply(block, dScores, scratch + 2 * size, into: dOutput + query, beta: 1)
            }
            plan.scatter(head, dOutput, into: dy)
        }
        plan.copyFirstToken(dRows, to: dy)
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let tape = cotangents.tape
        let plan = Plan(record, tape)
        let (qkv, y) = (record.operands[0], record.output)
        guard let sum = cotangents.accumulator(qkv) else { return }
        let (size, logSums) = (plan.size, tape.saved(record))
        let scratch = tape.scratch(7 * size + 2 * plan.scoreCount)
        // Q, K, V, the output's cotangent, the cotangents of Q, K, V; P and G.
        let (u, sums, p) = (scratch + 3 * size, scratch + 4 * size, scratch + 7 * size)
        let g = p + plan.scoreCount
        let (rows, dy) = (tape.value(qkv), cotangents.of(y))
        plan.forEachHead { head in
            plan.gather(head, rows, .query, into: scratch)
            plan.gather(head, rows, .key, into: scratch + size)
            plan.gather(head, rows, .value, into: scratch + 2 * size)
            plan.gather(head, dy, .output, into: u)
            sums.update(repeating: 0, count: 3 * size)
            plan.forEachBlock(head) { block in
                let query = block.queryOffset
                plan.probabilities(head, block, scratch, scratch + size, logSums, known: true, p)
                plan.multiplyTransposed(block, u + query, scratch + 2 * size, into: g)
                rl2x_softmax_map(block.rows, block.keys, block.keys, plan.scale, p, g, g)
                plan.multiply(block, g, scratch + size, into: sums + query)
                plan.addTransposedProduct(block, g, scratch + query, to: sums + size)
                plan.addTransposedProduct(block, p, u + query, to: sums + 2 * size)
            }
            plan.scatterAdd(head, sums, .query, to: sum)
            plan.scatterAdd(head, sums + size, .key, to: sum)
            plan.scatterAdd(head, sums + 2 * size, .value, to: sum)
        }
        plan.addFirstToken(dy, to: sum)
    }
}

extension CausalAttention {
    /// Queries at a time. Their scores, for a few hundred keys, fit the second-level cache.
    static let blockRows = 64

    /// Which of a row's columns are meant.
    enum Part { case query, key, value, output }

    /// One head of one lane.
    struct Head {
        let lane: Int
        /// T of this lane.
        let steps: Int
        let number: Int
        /// Where its T logarithms of sums lie: head after head, lane after lane.
        let logSumOffset: Int
    }

    /// Some queries of a head and the keys that any of them sees: the first token, if there is one, and steps.
    struct Block {
        let rows: Int
        /// Keys, the first token among them.
        let keys: Int
        let firstQuery: Int
        let firstKey: Int
        /// Floats before its first query in gathered queries.
        let queryOffset: Int
    }

    /// The sizes of one application, and the steps that the three functions share.
    struct Plan {
        let heads: Int
        /// d: numbers of a head in a row.
        let width: Int
        /// 1 / √d
        let scale: Float
        /// Floats of a gathered head, [first token + longest lane, d].
        let size: Int
        /// Floats of a block's scores.
        let scoreCount: Int
        /// 1 where row 0 is a first token, else 0.
        private let firstRows: Int
        /// D
        private let columns: Int
        /// 0: no window.
        private let window: Int
        private let shape: PackedShape
        private let slopes: UnsafePointer<Float>?

        init(_ record: borrowing Record, _ tape: Tape) {
            heads = record.integers[0]
            window = record.integers[1]
            shape = tape.shape(record.integers[2])
            firstRows = record.integers[3]
            columns = record.output.columns
            width = columns / heads
            scale = 1 / Float(width).squareRoot()
            size = (shape.steps + firstRows) * width
            let rows = min(CausalAttention.blockRows, shape.steps)
            scoreCount = rows * (firstRows + (window > 0 ? min(shape.steps, window + rows - 1) : shape.steps))
            slopes = record.operands[1].count > 0 ? tape.value(record.operands[1]) : nil
        }

        @inline(__always)
        func forEachHead(_ body: (Head) -> Void) {
            var offset = 0
            for lane in 0..<shape.lanes {
                let steps = shape.length(lane: lane)
                for number in 0..<heads {
                    body(Head(lane: lane, steps: steps, number: number, logSumOffset: offset))
                    offset += steps
                }
            }
        }

        @inline(__always)
        func forEachBlock(_ head: Head, _ body: (Block) -> Void) {
            for first in stride(from: 0, to: head.steps, by: CausalAttention.blockRows) {
                let rows = min(CausalAttention.blockRows, head.steps - first)
                let firstKey = window > 0 ? max(0, first + 1 - window) : 0
                body(
                    Block(
                        rows: rows, keys: firstRows + first + rows - firstKey, firstQuery: first, firstKey: firstKey,
                        queryOffset: first * width))
            }
        }

        /// P [rows, keys] of a block from all Q and K; writes or reads the logarithms of the rows' sums.
        @inline(__always)
        func probabilities(
            _ head: Head, _ block: Block, _ q: UnsafePointer<Float>, _ k: UnsafePointer<Float>,
            _ logSums: UnsafeMutablePointer<Float>, known: Bool, _ p: UnsafeMutablePointer<Float>
        ) {
            multiplyTransposed(block, q + block.queryOffset, k, into: p)
            rl2x_attention_softmax(
                block.rows, block.keys, block.keys, firstRows, block.firstQuery - block.firstKey, window, scale,
                slopes?[head.number] ?? 0, known ? 1 : 0, p, logSums + head.logSumOffset + block.firstQuery)
        }

        // MARK: Products of a block, whose keys are rows of all the keys of its head

        /// C [rows, d] = A [rows, keys] B [keys, d] + beta · C
        @inline(__always)
        func multiply(
            _ block: Block, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
            into c: UnsafeMutablePointer<Float>, beta: Float = 0
        ) {
            var beta = beta
            forEachKeyStretch(block) { column, row, count in
                BLAS.multiply(
                    block.rows, width, count, a + column, block.keys, b + row * width, width, into: c, width,
                    beta: beta)
                beta = 1
            }
        }

        /// C [rows, keys] = A [rows, d] B [keys, d]ᵀ + beta · C
        @inline(__always)
        func multiplyTransposed(
            _ block: Block, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
            into c: UnsafeMutablePointer<Float>, beta: Float = 0
        ) {
            forEachKeyStretch(block) { column, row, count in
                BLAS.multiply(
                    block.rows, count, width, a, width, b + row * width, width, transposeB: true, into: c + column,
                    block.keys, beta: beta)
            }
        }

        /// C [keys, d] += A [rows, keys]ᵀ B [rows, d]
        @inline(__always)
        func addTransposedProduct(
            _ block: Block, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, to c: UnsafeMutablePointer<Float>
        ) {
            forEachKeyStretch(block) { column, row, count in
                BLAS.multiply(
                    count, width, block.rows, a + column, block.keys, transposeA: true, b, width,
                    into: c + row * width, width, beta: 1)
            }
        }

        /// The keys of a block as stretches of gathered rows: one, or where a window has left the first token behind,
        /// two.
        @inline(__always)
        private func forEachKeyStretch(_ block: Block, _ body: (_ column: Int, _ row: Int, _ count: Int) -> Void) {
            if firstRows == 0 || block.firstKey == 0 {
                body(0, block.firstKey, block.keys)
            } else {
                body(0, 0, firstRows)
                body(firstRows, firstRows + block.firstKey, block.keys - firstRows)
            }
        }

        // MARK: From packed rows to one head, and back

        /// One part of a head out of packed rows: the first token's, then the steps' [first token + T, d]; queries and
        /// outputs without the first token [T, d].
        @inline(__always)
        func gather(
            _ head: Head, _ packed: UnsafePointer<Float>, _ part: Part, into gathered: UnsafeMutablePointer<Float>
        ) {
            var place = gathered
            if firstRows > 0, part == .key || part == .value {
                place.update(from: packed + column(head, part), count: width)
                place += width
            }
            for step in 0..<head.steps {
                (place + step * width).update(from: packed + offset(head, step, part), count: width)
            }
        }

        @inline(__always)
        func scatter(_ head: Head, _ steps: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>) {
            for step in 0..<head.steps {
                (packed + offset(head, step, .output)).update(from: steps + step * width, count: width)
            }
        }

        @inline(__always)
        func scatterAdd(
            _ head: Head, _ gathered: UnsafePointer<Float>, _ part: Part, to packed: UnsafeMutablePointer<Float>
        ) {
            var place = gathered
            if firstRows > 0, part == .key || part == .value {
                Elementwise.addScaled(width, 1, place, to: packed + column(head, part))
                place += width
            }
            for step in 0..<head.steps {
                Elementwise.addScaled(width, 1, place + step * width, to: packed + offset(head, step, part))
            }
        }

        /// The first token sees only itself: its output is its value.
        func copyFirstToken(_ qkv: UnsafePointer<Float>, to output: UnsafeMutablePointer<Float>) {
            if firstRows > 0 { output.update(from: qkv + 2 * columns, count: columns) }
        }

        func addFirstToken(_ output: UnsafePointer<Float>, to qkv: UnsafeMutablePointer<Float>) {
            if firstRows > 0 { Elementwise.addScaled(columns, 1, output, to: qkv + 2 * columns) }
        }

        @inline(__always)
        private func offset(_ head: Head, _ step: Int, _ part: Part) -> Int {
            let stride = part == .output ? columns : 3 * columns
            return (firstRows + shape.row(step: step, lane: head.lane)) * stride + column(head, part)
        }

        @inline(__always)
        private func column(_ head: Head, _ part: Part) -> Int {
            switch part {
            case .query, .output: head.number * width
            case .key: columns + head.number * width
            case .value: 2 * columns + head.number * width
            }
        }
    }
}

extension Tape {
    /// Causal attention of packed rows: queries, keys and values side by side, [R, 3D], to [R, D].
    ///
    /// - Parameters:
    ///   - shape: number of the packed shape of N rows, from `register`; R is N, or N + 1 with a first token.
    ///   - heads: heads, each of D / heads neighbouring columns.
    ///   - window: steps that a step sees, itself among them; nil: all since the trial began.
    ///   - firstToken: row 0 is no step, but a token that all steps see.
    ///   - slopes: a constant [1, heads], what a step of distance takes from a score (ALiBi); nothing if absent.
    public func causalAttention(
        _ qkv: Node, shape: Int, heads: Int, window: Int? = nil, firstToken: Bool = false, slopes: Node? = nil
    ) -> Node {
        let (rows, width) = (qkv.rows, qkv.columns / 3)
        precondition(
            heads > 0 && qkv.columns == 3 * width && width % heads == 0,
            "\(qkv.columns) columns cannot be cut into queries, keys and values of \(heads) heads")
        let firstRows = firstToken ? 1 : 0
        precondition(
            self.shape(shape).rows + firstRows == rows,
            "\(rows) rows for a packed shape of \(self.shape(shape).rows) and \(firstRows) first tokens")
        precondition(window == nil || window! > 0, "a window of \(window!) steps sees nothing")
        precondition(
            slopes == nil || (slopes!.space == .constant && slopes!.count == heads), "slopes are one constant a head")
        let output = variable(rows: rows, columns: width)
        apply(
            CausalAttention.self, operands(qkv, slopes), output: output, saved: rows * heads,
            integers: attributes(heads, window ?? 0, shape, firstRows))
        return output
    }
}
