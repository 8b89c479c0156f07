import CKernels
import Interface
import Kernels

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
        /// First step that each packed row sees in forgetful heads [N]; nil: no head is forgetful.
        private let starts: UnsafePointer<Float>?
        /// The first head that is forgetful.
        private let firstForgetful: Int

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
            starts = record.operands[2].count > 0 ? tape.value(record.operands[2]) : nil
            firstForgetful = record.integers[4]
        }

        /// Floats of D columns of a gathered segment.
        var rowCount: Int { keyCapacity * columns }

        /// Floats of a block's scores.
        var scoreCount: Int { blockRows * scoreStride }

        /// Floats of a segment's starts.
        var startCount: Int { starts == nil ? 0 : keyCapacity }

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
        /// - Parameter starts: of the segment, from `gatherStarts`.
        @inline(__always)
        func probabilities(
            _ head: Int, _ segment: Segment, _ block: Block, _ part: Part, _ keys: RightFactor,
            _ logSums: UnsafeMutablePointer<Float>, known: Bool, _ starts: UnsafePointer<Float>,
            _ p: UnsafeMutablePointer<Float>
        ) -> Int {
            let operations = scores(block, part.queries, keys, into: p)
            let isForgetful = self.starts != nil && head >= firstForgetful
            rl2x_attention_softmax(
                block.rows, block.keys, scoreStride, firstRows, block.diagonal, window,
                isForgetful ? starts + block.first : nil, scale, slopes?[head] ?? 0, known ? 1 : 0, p,
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

        /// For each query of a segment the first of the segment's steps that it sees in forgetful heads.
        func gatherStarts(_ segment: Segment, into gathered: UnsafeMutablePointer<Float>) {
            guard let starts else { return }
            for query in 0..<segment.queries {
                let row = shape.row(step: segment.firstQuery + query, lane: segment.lane)
                gathered[query] = max(0, starts[row] - Float(segment.firstKey))
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
