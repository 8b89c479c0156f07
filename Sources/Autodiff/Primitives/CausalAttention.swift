import CKernels
import Kernels

/// Multi-head causal attention (Vaswani et al. 2017) over a packed batch: queries, keys, values [N, D], D = heads · d.
/// In each lane, for each head, with Q, K, V [T, d]:
///
///     S = Q Kᵀ / √d − slope · distance,  P = softmax of each row of S,  O = P V
///
/// Step t sees the steps s ≤ t of its own lane, of these the last `window` if there is one; distance is t − s, slope
/// is the head's (ALiBi; Press, Smith, Lewis 2022) or 0. The readings, with M the softmax's symmetric derivative,
/// M X = P ⊙ (X − Σ_row P ⊙ X):
///
///     dO = P dV + M(dQ Kᵀ + Q dKᵀ) V / √d
///     V̄ += Pᵀ Ō,  G = M(Ō Vᵀ) / √d,  Q̄ += G K,  K̄ += Gᵀ Q
///
/// P is T times as large as anything else of a head, so it is not kept: only the logarithm of each row's sum of
/// exponentials is, [N, heads], from which one product and one exponential give P again. A lane's head is gathered
/// into contiguous scratch and worked on in blocks of queries, which leaves out most of what a causal mask or a window
/// would hide and keeps the scores in the cache.
enum CausalAttention: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let plan = Plan(record, tape)
        let (q, k, v, y) = (record.operands[0], record.operands[1], record.operands[2], record.output)
        let logSumCount = record.keepsSaved ? 0 : y.rows * plan.heads
        let (size, scores) = (plan.size, 4 * plan.size)
        let scratch = tape.scratch(4 * size + plan.scoreCount + logSumCount)
        let logSums = record.keepsSaved ? tape.saved(record) : scratch + scores + plan.scoreCount
        plan.forEachHead { head in
            plan.gather(head, tape.value(q), into: scratch)
            plan.gather(head, tape.value(k), into: scratch + size)
            plan.gather(head, tape.value(v), into: scratch + 2 * size)
            plan.forEachBlock(head) { block in
                plan.probabilities(head, block, scratch, scratch + size, logSums, known: false, scratch + scores)
                plan.multiply(
                    block, scratch + scores, scratch + 2 * size + block.keyOffset,
                    into: scratch + 3 * size + block.queryOffset)
            }
            plan.scatter(head, scratch + 3 * size, into: tape.mutableValue(y))
        }
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let tape = tangents.tape
        let plan = Plan(record, tape)
        let (q, k, v, y) = (record.operands[0], record.operands[1], record.operands[2], record.output)
        let (size, logSums) = (plan.size, tape.saved(record))
        let scratch = tape.scratch(7 * size + 2 * plan.scoreCount)
        // Q, K, V, their tangents, the output's tangent; P and the tangent of the scores.
        let (dOutput, p) = (scratch + 6 * size, scratch + 7 * size)
        let dScores = p + plan.scoreCount
        plan.forEachHead { head in
            plan.gather(head, tape.value(q), into: scratch)
            plan.gather(head, tape.value(k), into: scratch + size)
            plan.gather(head, tape.value(v), into: scratch + 2 * size)
            plan.gather(head, tangents.of(q), into: scratch + 3 * size)
            plan.gather(head, tangents.of(k), into: scratch + 4 * size)
            plan.gather(head, tangents.of(v), into: scratch + 5 * size)
            plan.forEachBlock(head) { block in
                let (query, key) = (block.queryOffset, block.keyOffset)
                plan.probabilities(head, block, scratch, scratch + size, logSums, known: true, p)
                plan.multiplyTransposed(block, scratch + 3 * size + query, scratch + size + key, into: dScores)
                plan.multiplyTransposed(block, scratch + query, scratch + 4 * size + key, into: dScores, beta: 1)
                rl2x_softmax_map(block.rows, block.keys, block.keys, plan.scale, p, dScores, dScores)
                plan.multiply(
                    block, p, scratch + 5 * size + key, into: dOutput + query)
                plan.multiply(
                    block, dScores, scratch + 2 * size + key, into: dOutput + query,
                    beta: 1)
            }
            plan.scatter(head, dOutput, into: tangents.output(y))
        }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let tape = cotangents.tape
        let plan = Plan(record, tape)
        let (q, k, v, y) = (record.operands[0], record.operands[1], record.operands[2], record.output)
        let (size, logSums) = (plan.size, tape.saved(record))
        let scratch = tape.scratch(7 * size + 2 * plan.scoreCount)
        // Q, K, V, the output's cotangent, the cotangents of Q, K, V; P and G.
        let (u, sums, p) = (scratch + 3 * size, scratch + 4 * size, scratch + 7 * size)
        let g = p + plan.scoreCount
        plan.forEachHead { head in
            plan.gather(head, tape.value(q), into: scratch)
            plan.gather(head, tape.value(k), into: scratch + size)
            plan.gather(head, tape.value(v), into: scratch + 2 * size)
            plan.gather(head, cotangents.of(y), into: u)
            sums.update(repeating: 0, count: 3 * size)
            plan.forEachBlock(head) { block in
                let (query, key) = (block.queryOffset, block.keyOffset)
                plan.probabilities(head, block, scratch, scratch + size, logSums, known: true, p)
                plan.multiplyTransposed(block, u + query, scratch + 2 * size + key, into: g)
                rl2x_softmax_map(block.rows, block.keys, block.keys, plan.scale, p, g, g)
                plan.multiply(block, g, scratch + size + key, into: sums + query)
                plan.addTransposedProduct(block, g, scratch + query, to: sums + size + key)
                plan.addTransposedProduct(block, p, u + query, to: sums + 2 * size + key)
            }
            plan.scatterAdd(head, sums, into: cotangents.accumulator(q))
            plan.scatterAdd(head, sums + size, into: cotangents.accumulator(k))
            plan.scatterAdd(head, sums + 2 * size, into: cotangents.accumulator(v))
        }
    }
}

extension CausalAttention {
    /// Queries at a time. Their scores, for a few hundred keys, fit the second-level cache.
    static let blockRows = 64

    /// One head of one lane.
    struct Head {
        let lane: Int
        /// T of this lane.
        let steps: Int
        let number: Int
        /// Where its T logarithms of sums lie: head after head, lane after lane.
        let logSumOffset: Int
    }

    /// Some queries of a head and the keys that any of them sees.
    struct Block {
        let rows: Int
        let keys: Int
        let firstQuery: Int
        let firstKey: Int
        let queryOffset: Int
        let keyOffset: Int
    }

    /// The sizes of one application, and the steps that the three functions share.
    struct Plan {
        let heads: Int
        /// d: numbers of a head in a row.
        let width: Int
        /// 1 / √d
        let scale: Float
        /// Floats of a gathered head, [longest lane, d].
        let size: Int
        /// Floats of a block's scores.
        let scoreCount: Int
        private let columns: Int
        /// 0: no window.
        private let window: Int
        private let shape: PackedShape
        private let slopes: UnsafePointer<Float>?

        init(_ record: borrowing Record, _ tape: Tape) {
            heads = record.integers[0]
            window = record.integers[1]
            shape = tape.shape(record.integers[2])
            columns = record.output.columns
            width = columns / heads
            scale = 1 / Float(width).squareRoot()
            size = shape.steps * width
            let rows = min(CausalAttention.blockRows, shape.steps)
            scoreCount = rows * (window > 0 ? min(shape.steps, window + rows - 1) : shape.steps)
            slopes = record.operands[3].count > 0 ? tape.value(record.operands[3]) : nil
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
                        rows: rows, keys: first + rows - firstKey, firstQuery: first, firstKey: firstKey,
                        queryOffset: first * width, keyOffset: firstKey * width))
            }
        }

        /// P [rows, keys] of a block from Q and K; writes or reads the logarithms of the rows' sums.
        @inline(__always)
        func probabilities(
            _ head: Head, _ block: Block, _ q: UnsafePointer<Float>, _ k: UnsafePointer<Float>,
            _ logSums: UnsafeMutablePointer<Float>, known: Bool, _ p: UnsafeMutablePointer<Float>
        ) {
            multiplyTransposed(block, q + block.queryOffset, k + block.keyOffset, into: p)
            rl2x_attention_softmax(
                block.rows, block.keys, block.keys, block.firstQuery - block.firstKey, window, scale,
                slopes?[head.number] ?? 0, known ? 1 : 0, p, logSums + head.logSumOffset + block.firstQuery)
        }

        // MARK: Products of a block

        /// C [rows, d] = A [rows, keys] B [keys, d] + beta · C
        @inline(__always)
        func multiply(
            _ block: Block, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
            into c: UnsafeMutablePointer<Float>, beta: Float = 0
        ) {
            BLAS.multiply(block.rows, width, block.keys, a, block.keys, b, width, into: c, width, beta: beta)
        }

        /// C [rows, keys] = A [rows, d] B [keys, d]ᵀ + beta · C
        @inline(__always)
        func multiplyTransposed(
            _ block: Block, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
            into c: UnsafeMutablePointer<Float>, beta: Float = 0
        ) {
            BLAS.multiply(
                block.rows, block.keys, width, a, width, b, width, transposeB: true, into: c, block.keys, beta: beta)
        }

        /// C [keys, d] += A [rows, keys]ᵀ B [rows, d]
        @inline(__always)
        func addTransposedProduct(
            _ block: Block, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, to c: UnsafeMutablePointer<Float>
        ) {
            BLAS.multiply(
                block.keys, width, block.rows, a, block.keys, transposeA: true, b, width, into: c, width, beta: 1)
        }

        // MARK: From packed rows to the steps of one head, and back

        /// The steps of a head [T, d] out of packed rows [N, D]; zeros where there are no rows.
        @inline(__always)
        func gather(_ head: Head, _ packed: UnsafePointer<Float>?, into steps: UnsafeMutablePointer<Float>) {
            guard let packed else { return steps.update(repeating: 0, count: head.steps * width) }
            for step in 0..<head.steps {
                (steps + step * width).update(from: packed + place(head, step), count: width)
            }
        }

        @inline(__always)
        func scatter(_ head: Head, _ steps: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>) {
            for step in 0..<head.steps {
                (packed + place(head, step)).update(from: steps + step * width, count: width)
            }
        }

        @inline(__always)
        func scatterAdd(_ head: Head, _ steps: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>?) {
            guard let packed else { return }
            for step in 0..<head.steps {
                Elementwise.addScaled(width, 1, steps + step * width, to: packed + place(head, step))
            }
        }

        @inline(__always)
        private func place(_ head: Head, _ step: Int) -> Int {
            shape.row(step: step, lane: head.lane) * columns + head.number * width
        }
    }
}

extension Tape {
    /// Causal attention of packed rows, [N, D] each: queries, keys, values to [N, D].
    ///
    /// - Parameters:
    ///   - shape: number of the packed shape, from `register`.
    ///   - heads: heads, each of D / heads neighbouring columns.
    ///   - window: steps that a step sees, itself among them; nil: all since the trial began.
    ///   - slopes: a constant [1, heads], what a step of distance takes from a score (ALiBi); nothing if absent.
    public func causalAttention(
        queries: Node, keys: Node, values: Node, shape: Int, heads: Int, window: Int? = nil, slopes: Node? = nil
    ) -> Node {
        let (rows, width) = (queries.rows, queries.columns)
        precondition(heads > 0 && width % heads == 0, "\(width) columns cannot be cut into \(heads) heads")
        precondition(
            keys.rows == rows && values.rows == rows && keys.columns == width && values.columns == width,
            "queries, keys and values of different shapes")
        precondition(self.shape(shape).rows == rows, "\(rows) rows for a packed shape of \(self.shape(shape).rows)")
        precondition(window == nil || window! > 0, "a window of \(window!) steps sees nothing")
        precondition(
            slopes == nil || (slopes!.space == .constant && slopes!.count == heads), "slopes are one constant a head")
        let output = variable(rows: rows, columns: width)
        apply(
            CausalAttention.self, operands(queries, keys, values, slopes), output: output, saved: rows * heads,
            integers: attributes(heads, window ?? 0, shape))
        return output
    }
}
