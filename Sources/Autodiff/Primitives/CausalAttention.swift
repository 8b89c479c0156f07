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
        let scratch = tape.scratch(4 * plan.rowCount + turnedSize + plainSize + plan.scoreCount + logSumCount)
        let output = scratch + 3 * plan.rowCount
        let memory = output + plan.rowCount
        let p = memory + turnedSize + plainSize
        let logSums = record.keepsSaved ? tape.saved(record) : p + plan.scoreCount
        let (rows, out) = (tape.value(qkv), tape.mutableValue(y))
        var operations = 0
        plan.forEachSegment { segment in
            plan.gather(segment, rows, columns: 3 * plan.columns, into: scratch)
            for head in 0..<plan.heads {
                let part = plan.part(head, segment, scratch)
                let keys = plan.factor(part.keys, segment, transposed: true, memory)
                let values = plan.factor(part.values, segment, transposed: false, memory + turnedSize)
                let result = output + head * width
                plan.forEachBlock(segment) { block in
                    operations += plan.probabilities(head, segment, block, part, keys, logSums, known: false, p)
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
        let scratch = tape.scratch(7 * plan.rowCount + 2 * turnedSize + 2 * plainSize + 2 * plan.scoreCount)
        let (dScratch, output) = (scratch + 3 * plan.rowCount, scratch + 6 * plan.rowCount)
        let memory = output + plan.rowCount
        let p = memory + 2 * turnedSize + 2 * plainSize
        let dScores = p + plan.scoreCount
        let (rows, dy, logSums) = (tape.value(qkv), tangents.output(y), tape.saved(record))
        var operations = 0
        plan.forEachSegment { segment in
            plan.gather(segment, rows, columns: 3 * plan.columns, into: scratch)
            plan.gather(segment, dRows, columns: 3 * plan.columns, into: dScratch)
            for head in 0..<plan.heads {
                let (part, dPart) = (plan.part(head, segment, scratch), plan.part(head, segment, dScratch))
                let keys = plan.factor(part.keys, segment, transposed: true, memory)
                let dKeys = plan.factor(dPart.keys, segment, transposed: true, memory + turnedSize)
                let values = plan.factor(part.values, segment, transposed: false, memory + 2 * turnedSize)
                let dValues = plan.factor(dPart.values, segment, transposed: false, memory + 2 * turnedSize + plainSize)
                plan.forEachBlock(segment) { block in
                    operations += plan.probabilities(head, segment, block, part, keys, logSums, known: true, p)
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
        let scratch = tape.scratch(7 * plan.rowCount + 2 * turnedSize + plainSize + blockSize + 2 * plan.scoreCount)
        let (sums, u) = (scratch + 3 * plan.rowCount, scratch + 6 * plan.rowCount)
        let memory = u + plan.rowCount
        let blockMemory = memory + 2 * turnedSize + plainSize
        let p = blockMemory + blockSize
        let g = p + plan.scoreCount
        let (rows, dy, logSums) = (tape.value(qkv), cotangents.of(y), tape.saved(record))
        var operations = 0
        plan.forEachSegment { segment in
            plan.gather(segment, rows, columns: 3 * plan.columns, into: scratch)
            plan.gatherQueries(segment, dy, into: u)
            sums.update(repeating: 0, count: 3 * segment.keys * plan.columns)
            for head in 0..<plan.heads {
                let (part, sum) = (plan.part(head, segment, scratch), plan.part(head, segment, sums))
                let keysTransposed = plan.factor(part.keys, segment, transposed: true, memory)
                let values = plan.factor(part.values, segment, transposed: true, memory + turnedSize)
                let keys = plan.factor(part.keys, segment, transposed: false, memory + 2 * turnedSize)
                plan.forEachBlock(segment) { block in
                    let seed = u + head * width + block.first * plan.columns
                    operations += plan.probabilities(
                        head, segment, block, part, keysTransposed, logSums, known: true, p)
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

extension CausalAttention {
    /// Queries at a time: two tiles of the products' kernel. Few, so that little is computed of what they do not see.
    static let blockRows = 24

    /// Some steps of a lane as queries, and the steps that any of them sees: a whole lane, or a stretch of it that is not
    /// much longer than a window.
    struct Segment {
        let lane: Int
        /// T of this lane.
        let steps: Int
        let firstQuery: Int
        let queries: Int
        let firstKey: Int
        /// Rows of the gathered segment, the first token among them.
        let keys: Int
        /// Where the logarithms of this lane's sums lie, T for each head.
        let logSumOffset: Int
    }

    /// Some queries of a segment.
    struct Block {
        /// First query, counted within the segment.
        let first: Int
        let rows: Int
        /// Gathered rows that any of them sees.
        let keys: Int
        /// Steps of the segment before the first query.
        let diagonal: Int
    }

    /// Columns of one head in gathered rows of 3D: of the first query, and of the first key and value, which is the first
    /// token's if there is one.
    struct Part {
        let queries: UnsafeMutablePointer<Float>
        let keys: UnsafeMutablePointer<Float>
        let values: UnsafeMutablePointer<Float>
    }

    /// The sizes of one application, and the steps that the three functions share.
    struct Plan {
        let heads: Int
        /// D
        let columns: Int
        /// d: numbers of a head in a row.
        let width: Int
        /// 1 / √d
        let scale: Float
        /// Most rows of a gathered segment.
        let keyCapacity: Int
        /// Floats from a row of scores to the next.
        let scoreStride: Int
        /// 1 where row 0 is a first token, else 0.
        private let firstRows: Int
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
            keyCapacity =
                firstRows
                + (window > 0 ? min(shape.steps, window - 1 + Plan.segmentQueries(window)) : shape.steps)
            scoreStride = RightFactor.paddedColumns(keyCapacity)
            slopes = record.operands[1].count > 0 ? tape.value(record.operands[1]) : nil
        }

        /// Floats of D columns of a gathered segment.
        var rowCount: Int { keyCapacity * columns }

        /// Floats of a block's scores.
        var scoreCount: Int { blockRows * scoreStride }

        /// Long enough for what is gathered to be used, short enough for most of it to be seen.
        private static func segmentQueries(_ window: Int) -> Int {
            (max(2 * blockRows, window / 2) + blockRows - 1) / blockRows * blockRows
        }

        @inline(__always)
        func forEachSegment(_ body: (Segment) -> Void) {
            var offset = 0
            for lane in 0..<shape.lanes {
                let steps = shape.length(lane: lane)
                let length = window > 0 ? Plan.segmentQueries(window) : steps
                for first in stride(from: 0, to: steps, by: length) {
                    let queries = min(length, steps - first)
                    let firstKey = window > 0 ? max(0, first + 1 - window) : 0
                    body(
                        Segment(
                            lane: lane, steps: steps, firstQuery: first, queries: queries, firstKey: firstKey,
                            keys: firstRows + first + queries - firstKey, logSumOffset: offset))
                }
                offset += heads * steps
            }
        }

        @inline(__always)
        func forEachBlock(_ segment: Segment, _ body: (Block) -> Void) {
            for first in stride(from: 0, to: segment.queries, by: blockRows) {
                let rows = min(blockRows, segment.queries - first)
                let diagonal = segment.firstQuery + first - segment.firstKey
                body(Block(first: first, rows: rows, keys: firstRows + diagonal + rows, diagonal: diagonal))
            }
        }

        /// One head in gathered rows of 3D.
        @inline(__always)
        func part(_ head: Int, _ segment: Segment, _ gathered: UnsafeMutablePointer<Float>) -> Part {
            let first = gathered + head * width
            let firstQueryRow = firstRows + segment.firstQuery - segment.firstKey
            return Part(
                queries: first + firstQueryRow * 3 * columns, keys: first + columns, values: first + 2 * columns)
        }

        /// Keys or values of a head [keys, d], or transposed, as a right factor.
        @inline(__always)
        func factor(
            _ source: UnsafePointer<Float>, _ segment: Segment, transposed: Bool, _ memory: UnsafeMutablePointer<Float>
        ) -> RightFactor {
            RightFactor(
                source, depth: transposed ? width : segment.keys, columns: transposed ? segment.keys : width,
                stride: 3 * columns, transposed: transposed, rows: segment.queries, memory: memory)
        }

        /// C [rows, keys] = queries of a block times keys, or added to C.
        @inline(__always)
        func scores(
            _ block: Block, _ queries: UnsafePointer<Float>, _ keys: RightFactor,
            into c: UnsafeMutablePointer<Float>, add: Bool = false
        ) -> Int {
            keys.multiplyPart(
                block.rows, columns: block.keys, depth: width, queries + 3 * block.first * columns, 3 * columns,
                into: c, scoreStride, isPadded: true, add: add)
        }

        /// P [rows, keys] of a block; writes or reads the logarithms of the rows' sums.
        @inline(__always)
        func probabilities(
            _ head: Int, _ segment: Segment, _ block: Block, _ part: Part, _ keys: RightFactor,
            _ logSums: UnsafeMutablePointer<Float>, known: Bool, _ p: UnsafeMutablePointer<Float>
        ) -> Int {
            let operations = scores(block, part.queries, keys, into: p)
            rl2x_attention_softmax(
                block.rows, block.keys, scoreStride, firstRows, block.diagonal, window, scale, slopes?[head] ?? 0,
                known ? 1 : 0, p,
                logSums + segment.logSumOffset + head * segment.steps + segment.firstQuery + block.first)
            return operations
        }

        /// C [keys, d] += A [rows, keys]ᵀ B [rows, d]; rows of C are 3D floats apart.
        @inline(__always)
        func addTransposed(
            _ block: Block, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ stride: Int,
            to c: UnsafeMutablePointer<Float>, _ memory: UnsafeMutablePointer<Float>
        ) -> Int {
            RightFactor(b, depth: block.rows, columns: width, stride: stride, rows: block.keys, memory: memory)
                .multiplyPart(
                    block.keys, columns: width, depth: block.rows, a, scoreStride, transposeA: true, into: c,
                    3 * columns, add: true)
        }

        // MARK: From packed rows to a segment, and back

        /// The first token's row and those of the steps of a segment.
        func gather(
            _ segment: Segment, _ packed: UnsafePointer<Float>, columns: Int,
            into gathered: UnsafeMutablePointer<Float>
        ) {
            if firstRows > 0 { gathered.update(from: packed, count: columns) }
            shape.offsets.withUnsafeBufferPointer {
                rl2x_gather_rows(
                    segment.keys - firstRows, $0.baseAddress! + segment.firstKey, firstRows + segment.lane, columns,
                    packed, gathered + firstRows * columns)
            }
        }

        /// Adds rows of 3D to the first token's and to those of the steps of a segment.
        func scatterAdd(
            _ segment: Segment, _ gathered: UnsafePointer<Float>, to packed: UnsafeMutablePointer<Float>
        ) {
            if firstRows > 0 { Elementwise.addScaled(3 * columns, 1, gathered, to: packed) }
            shape.offsets.withUnsafeBufferPointer {
                rl2x_scatter_rows(
                    segment.keys - firstRows, $0.baseAddress! + segment.firstKey, firstRows + segment.lane,
                    3 * columns, gathered + firstRows * 3 * columns, packed, 1)
            }
        }

        /// Rows of D of the queries of a segment.
        func gatherQueries(
            _ segment: Segment, _ packed: UnsafePointer<Float>, into gathered: UnsafeMutablePointer<Float>
        ) {
            shape.offsets.withUnsafeBufferPointer {
                rl2x_gather_rows(
                    segment.queries, $0.baseAddress! + segment.firstQuery, firstRows + segment.lane, columns, packed,
                    gathered)
            }
        }

        func scatterQueries(
            _ segment: Segment, _ gathered: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>
        ) {
            shape.offsets.withUnsafeBufferPointer {
                rl2x_scatter_rows(
                    segment.queries, $0.baseAddress! + segment.firstQuery, firstRows + segment.lane, columns, gathered,
                    packed, 0)
            }
        }

        /// The first token sees only itself: its output is its value.
        func copyFirstToken(_ qkv: UnsafePointer<Float>, to output: UnsafeMutablePointer<Float>) {
            if firstRows > 0 { output.update(from: qkv + 2 * columns, count: columns) }
        }

        func addFirstToken(_ output: UnsafePointer<Float>, to qkv: UnsafeMutablePointer<Float>) {
            if firstRows > 0 { Elementwise.addScaled(columns, 1, output, to: qkv + 2 * columns) }
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
