import CKernels
import Kernels

/// The feed-forward sublayer of a transformer with its norm, and with the residual addition if wanted (ρ = 1, else 0):
///
///     h = n W₁ᵀ + b₁,  y = ρ x + gelu(h) W₂ᵀ + b₂,  n = layer norm of x [N, D]
///
/// Kept: h [N, F]. It is worked on in tiles of rows, so that all else is in the cache between its products:
///
///     dh = n dW₁ᵀ + dn W₁ᵀ + db₁,  dy = ρ dx + gelu(h) dW₂ᵀ + (gelu′(h) ⊙ dh) W₂ᵀ + db₂
///     h̄ = gelu′(h) ⊙ (ȳ W₂),  W̄₂ += ȳᵀ gelu(h),  W̄₁ += h̄ᵀ n,  n̄ = h̄ W₁,  x̄ += ρ ȳ + (from n̄, as `LayerNorm`)
enum FeedForward: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let size = Size(record)
        let (width, inner) = (size.width, size.inner)
        let norm = NormTile(record, width: width)
        let scratch = tape.scratch(norm.floats + 2 * size.tile + 2 * size.factor)
        let active = scratch + norm.floats
        let (passing, memory) = (active + size.tile, active + 2 * size.tile)
        let (weight1, weight2) = size.factors(tape.value(size.weight1), tape.value(size.weight2), memory)
        let kept = record.keepsSaved ? tape.saved(record) : nil
        let (x, y) = (tape.value(size.x), tape.mutableValue(record.output))
        let (bias1, bias2) = (tape.value(size.bias1), tape.value(size.bias2))
        RowTiles.forEach(of: size.rows) { first, rows in
            let (h, place) = (kept.map { $0 + first * inner } ?? passing, y + first * width)
            norm.forward(first, rows, tape, into: scratch)
            rl2x_sum_rows(rows, inner, nil, bias1, h)
            weight1.multiply(rows, scratch, width, into: h, inner, add: true)
            rl2x_gelu(rows * inner, h, active)
            rl2x_sum_rows(rows, width, size.isResidual ? x + first * width : nil, bias2, place)
            weight2.multiply(rows, active, inner, into: place, width, add: true)
        }
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let tape = tangents.tape
        let size = Size(record)
        let (width, inner) = (size.width, size.inner)
        let norm = NormTile(record, width: width)
        let scratch = tape.scratch(2 * norm.floats + 3 * size.tile + 4 * size.factor)
        let (dn, active) = (scratch + norm.floats, scratch + 2 * norm.floats)
        let (slope, dh) = (active + size.tile, active + 2 * size.tile)
        let memory = active + 3 * size.tile
        let (weight1, weight2) = size.factors(tape.value(size.weight1), tape.value(size.weight2), memory)
        let (dWeight1, dWeight2) = size.factors(
            tangents.of(size.weight1)!, tangents.of(size.weight2)!, memory + 2 * size.factor)
        let (dx, dy, kept) = (tangents.of(size.x)!, tangents.output(record.output), tape.saved(record))
        let (dBias1, dBias2) = (tangents.of(size.bias1)!, tangents.of(size.bias2)!)
        RowTiles.forEach(of: size.rows) { first, rows in
            let (h, place) = (kept + first * inner, dy + first * width)
            norm.forward(first, rows, tape, into: scratch)
            norm.pushforward(first, rows, tangents, moments: scratch, into: dn)
            rl2x_sum_rows(rows, inner, nil, dBias1, dh)
            dWeight1.multiply(rows, scratch, width, into: dh, inner, add: true)
            weight1.multiply(rows, dn, width, into: dh, inner, add: true)
            rl2x_gelu_slope(rows * inner, h, active, slope)
            Elementwise.product(rows * inner, slope, dh, dh)
            rl2x_sum_rows(rows, width, size.isResidual ? dx + first * width : nil, dBias2, place)
            dWeight2.multiply(rows, active, inner, into: place, width, add: true)
            weight2.multiply(rows, dh, inner, into: place, width, add: true)
        }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let tape = cotangents.tape
        let size = Size(record)
        let (width, inner) = (size.width, size.inner)
        let norm = NormTile(record, width: width)
        let tileFactor = RightFactor.floats(depth: RowTiles.height, columns: max(width, inner))
        let backFactor = RightFactor.floats(depth: inner, columns: width)
        let scratch = tape.scratch(2 * norm.floats + 3 * size.tile + size.factor + backFactor + tileFactor)
        let (n̄, active) = (scratch + norm.floats, scratch + 2 * norm.floats)
        let (slope, h̄) = (active + size.tile, active + 2 * size.tile)
        let memory = active + 3 * size.tile
        let tileMemory = memory + size.factor + backFactor
        let weight2 = RightFactor(
            tape.value(size.weight2), depth: width, columns: inner, stride: inner, rows: size.rows, memory: memory)
        let weight1 = RightFactor(
            tape.value(size.weight1), depth: inner, columns: width, stride: width, rows: size.rows,
            memory: memory + size.factor)
        let (dWeight1, dWeight2) = (cotangents.accumulator(size.weight1)!, cotangents.accumulator(size.weight2)!)
        let (dBias1, dBias2) = (cotangents.accumulator(size.bias1)!, cotangents.accumulator(size.bias2)!)
        let (dx, u, kept) = (cotangents.accumulator(size.x)!, cotangents.of(record.output), tape.saved(record))
        RowTiles.forEach(of: size.rows) { first, rows in
            let (h, seed) = (kept + first * inner, u + first * width)
            rl2x_gelu_slope(rows * inner, h, active, slope)
            RightFactor(active, depth: rows, columns: inner, stride: inner, rows: width, memory: tileMemory)
                .multiply(width, seed, width, transposeA: true, into: dWeight2, inner, add: true)
            weight2.multiply(rows, seed, width, into: h̄, inner)
            Elementwise.product(rows * inner, slope, h̄, h̄)
            norm.forward(first, rows, tape, into: scratch)
            RightFactor(scratch, depth: rows, columns: width, stride: width, rows: inner, memory: tileMemory)
                .multiply(inner, h̄, inner, transposeA: true, into: dWeight1, width, add: true)
            weight1.multiply(rows, h̄, inner, into: n̄, width)
            Elementwise.addColumnSums(rows: rows, columns: width, of: seed, to: dBias2)
            Elementwise.addColumnSums(rows: rows, columns: inner, of: h̄, to: dBias1)
            norm.pullback(first, rows, cotangents, moments: scratch, n̄)
            if size.isResidual { Elementwise.addScaled(rows * width, 1, seed, to: dx + first * width) }
        }
    }

    /// The operands after those of the norm, and the sizes.
    private struct Size {
        let x: Node
        let weight1: Node
        let bias1: Node
        let weight2: Node
        let bias2: Node
        let isResidual: Bool
        let rows: Int
        /// D
        let width: Int
        /// F
        let inner: Int

        @inline(__always)
        init(_ record: borrowing Record) {
            (x, weight1, bias1) = (record.operands[0], record.operands[3], record.operands[4])
            (weight2, bias2) = (record.operands[5], record.operands[6])
            isResidual = record.integers[0] != 0
            (rows, width, inner) = (x.rows, x.columns, weight1.rows)
        }

        /// Floats of a tile of h.
        var tile: Int { RowTiles.height * inner }

        /// Floats of W₁ᵀ or W₂ᵀ as a right factor, whichever are more.
        var factor: Int {
            max(RightFactor.floats(depth: width, columns: inner), RightFactor.floats(depth: inner, columns: width))
        }

        /// W₁ᵀ [D, F] and W₂ᵀ [F, D] of weights or their tangents.
        @inline(__always)
        func factors(
            _ weight1: UnsafePointer<Float>, _ weight2: UnsafePointer<Float>, _ memory: UnsafeMutablePointer<Float>
        ) -> (RightFactor, RightFactor) {
            (
                RightFactor(
                    weight1, depth: width, columns: inner, stride: width, transposed: true, rows: rows, memory: memory),
                RightFactor(
                    weight2, depth: inner, columns: width, stride: inner, transposed: true, rows: rows,
                    memory: memory + factor)
            )
        }
    }
}

extension Tape {
    /// gelu(layer norm(x) W₁ᵀ + b₁) W₂ᵀ + b₂ of x [N, D], and x itself added if `residual`: [N, D]. No operand is a
    /// constant.
    ///
    /// - Parameters:
    ///   - scale: [1, D], of the norm, as `shift`.
    ///   - weight1: [F, D]; `bias1` [1, F]; `weight2` [D, F]; `bias2` [1, D].
    public func feedForward(
        _ x: Node, scale: Node, shift: Node, weight1: Node, bias1: Node, weight2: Node, bias2: Node,
        residual: Bool, epsilon: Float = 1e-5
    ) -> Node {
        let (width, inner) = (x.columns, weight1.rows)
        precondition(
            scale.count == width && shift.count == width && weight1.columns == width && bias1.count == inner
                && weight2.rows == width && weight2.columns == inner && bias2.count == width,
            "a feed-forward layer that does not fit \(width) features")
        precondition(
            [x, scale, shift, weight1, bias1, weight2, bias2].allSatisfy { $0.space != .constant },
            "its operands have derivatives")
        let output = variable(rows: x.rows, columns: width)
        apply(
            FeedForward.self, operands(x, scale, shift, weight1, bias1, weight2, bias2), output: output,
            saved: x.rows * inner, integers: attributes(residual ? 1 : 0), scalar: epsilon)
        return output
    }
}
