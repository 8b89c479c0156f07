import CKernels
import Kernels

/// Multi-head causal attention (Vaswani et al. 2017) over a packed batch: rows [q | k | v], [N, 3D], D = heads · d, to
/// [N, D]. In each lane, for each head, with Q, K, V [T, d]:
///
///     S = Q Kᵀ / √d − slope · distance,  P = softmax of each row of S,  O = P V
///
/// Step t sees the steps s ≤ t of its own lane, of these the last `window` if there is one; distance is t − s, slope
/// is the head's (ALiBi; Press, Smith, Lewis 2022) or 0. There may be a *first token*: row 0, before the packed rows,
/// which every step of every lane sees besides, at distance 0, and which sees only itself. In *forgetful* heads a step
/// sees no step before its own `start` either. The readings, with M the softmax's symmetric derivative,
/// M X = P ⊙ (X − Σ_row P ⊙ X):
///
///     dO = P dV + M(dQ Kᵀ + Q dKᵀ) V / √d
///     V̄ += Pᵀ Ō,  G = M(Ō Vᵀ) / √d,  Q̄ += G K,  K̄ += Gᵀ Q
///
/// P is T times as large as anything else of a head, so it is not kept: only the logarithm of each row's sum of
/// exponentials is, [N, heads], from which one product and one exponential give P again. The rows of a lane, or with a
/// window of a segment of it, are gathered into contiguous scratch, the first token before them; each head is then worked
/// on in blocks of queries, which leaves out most of what a causal mask would hide and keeps the scores in the cache.
enum CausalAttention: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let plan = Plan(record, tape)
        let (qkv, y) = (record.operands[0], record.output)
        let width = plan.width
        let turnedSize = RightFactor.floats(depth: width, columns: plan.keyCapacity)
        let plainSize = RightFactor.floats(depth: plan.keyCapacity, columns: width)
        let logSumCount = record.keepsSaved ? 0 : y.rows * plan.heads
        let scratch = tape.scratch(
            4 * plan.rowCount + turnedSize + plainSize + plan.scoreCount + logSumCount + plan.startCount)
        let output = scratch + 3 * plan.rowCount
        let memory = output + plan.rowCount
        let p = memory + turnedSize + plainSize
        let logSums = record.keepsSaved ? tape.saved(record) : p + plan.scoreCount
        let starts = p + plan.scoreCount + logSumCount
        let (rows, out) = (tape.value(qkv), tape.mutableValue(y))
        var operations = 0
        plan.forEachSegment { segment in
            plan.gather(segment, rows, columns: 3 * plan.columns, into: scratch)
            plan.gatherStarts(segment, into: starts)
            for head in 0..<plan.heads {
                let part = plan.part(head, segment, scratch)
                let keys = plan.factor(part.keys, segment, transposed: true, memory)
                let values = plan.factor(part.values, segment, transposed: false, memory + turnedSize)
                let result = output + head * width
                plan.forEachBlock(segment) { block in
                    operations += plan.probabilities(
                        head, segment, block, part, keys, logSums, known: false, starts, p)
                    operations += values.multiplyPart(
                        block.rows, columns: width, depth: block.keys, p, plan.scoreStride,
                        into: result + block.first * plan.columns, plan.columns)
                }
            }
            plan.scatterQueries(segment, output, into: out)
        }
        BLAS.count(operations: operations)
        plan.copyFirstToken(rows, to: out)
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let tape = tangents.tape
        let plan = Plan(record, tape)
        let (qkv, y) = (record.operands[0], record.output)
        guard let dRows = tangents.of(qkv) else {
            return tangents.output(y).update(repeating: 0, count: y.count)
        }
        let (width, stride) = (plan.width, plan.scoreStride)
        let turnedSize = RightFactor.floats(depth: width, columns: plan.keyCapacity)
        let plainSize = RightFactor.floats(depth: plan.keyCapacity, columns: width)
        let scratch = tape.scratch(
            7 * plan.rowCount + 2 * turnedSize + 2 * plainSize + 2 * plan.scoreCount + plan.startCount)
        let (dScratch, output) = (scratch + 3 * plan.rowCount, scratch + 6 * plan.rowCount)
        let memory = output + plan.rowCount
        let p = memory + 2 * turnedSize + 2 * plainSize
        let dScores = p + plan.scoreCount
        let starts = dScores + plan.scoreCount
        let (rows, dy, logSums) = (tape.value(qkv), tangents.output(y), tape.saved(record))
        var operations = 0
        plan.forEachSegment { segment in
            plan.gather(segment, rows, columns: 3 * plan.columns, into: scratch)
            plan.gather(segment, dRows, columns: 3 * plan.columns, into: dScratch)
            plan.gatherStarts(segment, into: starts)
            for head in 0..<plan.heads {
                let (part, dPart) = (plan.part(head, segment, scratch), plan.part(head, segment, dScratch))
                let keys = plan.factor(part.keys, segment, transposed: true, memory)
                let dKeys = plan.factor(dPart.keys, segment, transposed: true, memory + turnedSize)
                let values = plan.factor(part.values, segment, transposed: false, memory + 2 * turnedSize)
                let dValues = plan.factor(dPart.values, segment, transposed: false, memory + 2 * turnedSize + plainSize)
                plan.forEachBlock(segment) { block in
                    operations += plan.probabilities(
                        head, segment, block, part, keys, logSums, known: true, starts, p)
                    operations += plan.scores(block, dPart.queries, keys, into: dScores)
                    operations += plan.scores(block, part.queries, dKeys, into: dScores, add: true)
                    rl2x_softmax_map(block.rows, block.keys, stride, plan.scale, p, dScores, dScores)
                    let result = output + head * width + block.first * plan.columns
                    operations += dValues.multiplyPart(
                        block.rows, columns: width, depth: block.keys, p, stride, into: result, plan.columns)
                    operations += values.multiplyPart(
                        block.rows, columns: width, depth: block.keys, dScores, stride, into: result, plan.columns,
                        add: true)
                }
            }
            plan.scatterQueries(segment, output, into: dy)
        }
        BLAS.count(operations: operations)
        plan.copyFirstToken(dRows, to: dy)
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let tape = cotangents.tape
        let plan = Plan(record, tape)
        let (qkv, y) = (record.operands[0], record.output)
        guard let sum = cotangents.accumulator(qkv) else { return }
        let (width, stride) = (plan.width, plan.scoreStride)
        let turnedSize = RightFactor.floats(depth: width, columns: plan.keyCapacity)
        let plainSize = RightFactor.floats(depth: plan.keyCapacity, columns: width)
        let blockSize = RightFactor.floats(depth: blockRows, columns: width)
        let scratch = tape.scratch(
            7 * plan.rowCount + 2 * turnedSize + plainSize + blockSize + 2 * plan.scoreCount + plan.startCount)
        let (sums, u) = (scratch + 3 * plan.rowCount, scratch + 6 * plan.rowCount)
        let memory = u + plan.rowCount
        let blockMemory = memory + 2 * turnedSize + plainSize
        let p = blockMemory + blockSize
        let g = p + plan.scoreCount
        let starts = g + plan.scoreCount
        let (rows, dy, logSums) = (tape.value(qkv), cotangents.of(y), tape.saved(record))
        var operations = 0
        plan.forEachSegment { segment in
            plan.gather(segment, rows, columns: 3 * plan.columns, into: scratch)
            plan.gatherQueries(segment, dy, into: u)
            plan.gatherStarts(segment, into: starts)
            sums.update(repeating: 0, count: 3 * segment.keys * plan.columns)
            for head in 0..<plan.heads {
                let (part, sum) = (plan.part(head, segment, scratch), plan.part(head, segment, sums))
                let keysTransposed = plan.factor(part.keys, segment, transposed: true, memory)
                let values = plan.factor(part.values, segment, transposed: true, memory + turnedSize)
                let keys = plan.factor(part.keys, segment, transposed: false, memory + 2 * turnedSize)
                plan.forEachBlock(segment) { block in
                    let seed = u + head * width + block.first * plan.columns
                    operations += plan.probabilities(
                        head, segment, block, part, keysTransposed, logSums, known: true, starts, p)
                    operations += values.multiplyPart(
                        block.rows, columns: block.keys, depth: width, seed, plan.columns, into: g, stride,
                        isPadded: true)
                    rl2x_softmax_map(block.rows, block.keys, stride, plan.scale, p, g, g)
                    operations += keys.multiplyPart(
                        block.rows, columns: width, depth: block.keys, g, stride,
                        into: sum.queries + 3 * block.first * plan.columns, 3 * plan.columns)
                    operations += plan.addTransposed(
                        block, g, part.queries + 3 * block.first * plan.columns, 3 * plan.columns, to: sum.keys,
                        blockMemory)
                    operations += plan.addTransposed(block, p, seed, plan.columns, to: sum.values, blockMemory)
                }
            }
            plan.scatterAdd(segment, sums, to: sum)
        }
        BLAS.count(operations: operations)
        plan.addFirstToken(dy, to: sum)
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
    ///   - starts: a constant [N, 1], the first step of its lane that each row may see in forgetful heads, at most its own.
    ///   - firstForgetful: the heads from this one on are forgetful; without `starts` none is.
    public func causalAttention(
        _ qkv: Node, shape: Int, heads: Int, window: Int? = nil, firstToken: Bool = false, slopes: Node? = nil,
        starts: Node? = nil, firstForgetful: Int = 0
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
        precondition(
            starts == nil || (starts!.space == .constant && starts!.count == self.shape(shape).rows),
            "starts are one constant a row")
        let output = variable(rows: rows, columns: width)
        apply(
            CausalAttention.self, operands(qkv, slopes, starts), output: output, saved: rows * heads,
            integers: attributes(heads, window ?? 0, shape, firstRows, firstForgetful))
        return output
    }
}
