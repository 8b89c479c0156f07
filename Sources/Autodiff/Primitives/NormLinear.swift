import CKernels
import Kernels

/// y [N, O] = n Wᵀ + b with n = layer norm of x [N, D]: what begins each sublayer of a transformer, in tiles of rows, so
/// that n is never stored. See `LayerNorm` and `Linear` for the rules; here they are joined:
///
///     dn = γ ⊙ M dx + x̂ ⊙ dγ + dβ,  dy = n dWᵀ + dn Wᵀ + db
///     n̄ = ȳ W,  W̄ += ȳᵀ n,  b̄ += Σ_rows ȳ,  then x̄, γ̄, β̄ from n̄
enum NormLinear: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let (x, weight, y) = (record.operands[0], record.operands[3], record.output)
        let (width, outputs) = (x.columns, y.columns)
        let norm = NormTile(record, width: width)
        let scratch = tape.scratch(norm.floats + RightFactor.floats(depth: width, columns: outputs))
        let factor = RightFactor(
            tape.value(weight), depth: width, columns: outputs, stride: width, transposed: true, rows: x.rows,
            memory: scratch + norm.floats)
        let (bias, out) = (record.bias.map { tape.value($0) }, tape.mutableValue(y))
        RowTiles.forEach(of: x.rows) { first, rows in
            let place = out + first * outputs
            norm.forward(first, rows, tape, into: scratch)
            if let bias { rl2x_sum_rows(rows, outputs, nil, bias, place) }
            factor.multiply(rows, scratch, width, into: place, outputs, add: bias != nil)
        }
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let (x, weight, y) = (record.operands[0], record.operands[3], record.output)
        let (tape, width, outputs) = (tangents.tape, x.columns, y.columns)
        let norm = NormTile(record, width: width)
        let size = RightFactor.floats(depth: width, columns: outputs)
        let scratch = tape.scratch(2 * norm.floats + 2 * size)
        let (dn, memory) = (scratch + norm.floats, scratch + 2 * norm.floats)
        func factor(_ source: UnsafePointer<Float>, _ memory: UnsafeMutablePointer<Float>) -> RightFactor {
            RightFactor(
                source, depth: width, columns: outputs, stride: width, transposed: true, rows: x.rows, memory: memory)
        }
        let (original, dWeight) = (factor(tape.value(weight), memory), factor(tangents.of(weight)!, memory + size))
        let (dBias, dy) = (record.bias.map { tangents.of($0)! }, tangents.output(y))
        RowTiles.forEach(of: x.rows) { first, rows in
            let place = dy + first * outputs
            norm.forward(first, rows, tape, into: scratch)
            norm.pushforward(first, rows, tangents, moments: scratch, into: dn)
            if let dBias { rl2x_sum_rows(rows, outputs, nil, dBias, place) }
            dWeight.multiply(rows, scratch, width, into: place, outputs, add: dBias != nil)
            original.multiply(rows, dn, width, into: place, outputs, add: true)
        }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let (x, weight, y) = (record.operands[0], record.operands[3], record.output)
        let (tape, width, outputs) = (cotangents.tape, x.columns, y.columns)
        let norm = NormTile(record, width: width)
        let size = RightFactor.floats(depth: outputs, columns: width)
        let tileSize = RightFactor.floats(depth: RowTiles.height, columns: width)
        let scratch = tape.scratch(2 * norm.floats + size + tileSize)
        let (n̄, memory) = (scratch + norm.floats, scratch + 2 * norm.floats)
        let factor = RightFactor(
            tape.value(weight), depth: outputs, columns: width, stride: width, rows: x.rows, memory: memory)
        let dWeight = cotangents.accumulator(weight)!
        let (dBias, u) = (record.bias.map { cotangents.accumulator($0)! }, cotangents.of(y))
        RowTiles.forEach(of: x.rows) { first, rows in
            let seed = u + first * outputs
            norm.forward(first, rows, tape, into: scratch)
            RightFactor(
                scratch, depth: rows, columns: width, stride: width, rows: outputs, memory: memory + size
            ).multiply(outputs, seed, outputs, transposeA: true, into: dWeight, width, add: true)
            if let dBias { Elementwise.addColumnSums(rows: rows, columns: outputs, of: seed, to: dBias) }
            factor.multiply(rows, seed, outputs, into: n̄, width)
            norm.pullback(first, rows, cotangents, moments: scratch, n̄)
        }
    }
}

/// The layer norm of a tile of rows, whose input, weight and bias are the first three operands of a record.
struct NormTile {
    private let x: Node
    private let weight: Node
    private let bias: Node
    private let epsilon: Float
    private let width: Int

    @inline(__always)
    init(_ record: borrowing Record, width: Int) {
        (x, weight, bias) = (record.operands[0], record.operands[1], record.operands[2])
        epsilon = record.scalar
        self.width = width
    }

    /// Floats of a tile: n [rows, D] and the moments of its rows, which the readings want.
    var floats: Int { RowTiles.height * (width + 2) }

    private func moments(_ tile: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
        tile + RowTiles.height * width
    }

    @inline(__always)
    func forward(_ first: Int, _ rows: Int, _ tape: Tape, into tile: UnsafeMutablePointer<Float>) {
        rl2x_layer_norm(
            rows, width, epsilon, tape.value(x) + first * width, tape.value(weight), tape.value(bias), tile,
            moments(tile), moments(tile) + RowTiles.height)
    }

    /// - Parameter tile: where `forward` wrote this tile.
    @inline(__always)
    func pushforward(
        _ first: Int, _ rows: Int, _ tangents: Tangents, moments tile: UnsafeMutablePointer<Float>,
        into dn: UnsafeMutablePointer<Float>
    ) {
        rl2x_layer_norm_pushforward(
            rows, width, tangents.tape.value(x) + first * width, moments(tile), moments(tile) + RowTiles.height,
            tangents.tape.value(weight), tangents.of(weight), tangents.of(bias), tangents.of(x)! + first * width, dn)
    }

    /// - Parameter tile: where `forward` wrote this tile.
    @inline(__always)
    func pullback(
        _ first: Int, _ rows: Int, _ cotangents: Cotangents, moments tile: UnsafeMutablePointer<Float>,
        _ n̄: UnsafePointer<Float>
    ) {
        rl2x_layer_norm_pullback(
            rows, width, cotangents.tape.value(x) + first * width, moments(tile), moments(tile) + RowTiles.height,
            cotangents.tape.value(weight), n̄, cotangents.accumulator(weight), cotangents.accumulator(bias),
            cotangents.accumulator(x)! + first * width)
    }
}

extension Record {
    /// b of a `NormLinear`; nil: it has none.
    fileprivate var bias: Node? { operands[4].count > 0 ? operands[4] : nil }
}

extension Tape {
    /// Layer norm of x [N, D] by `scale` [1, D] and `shift` [1, D], then a linear map: [N, O]; weight [O, D], bias [1, O] or
    /// none. No operand is a constant.
    public func normLinear(
        _ x: Node, scale: Node, shift: Node, weight: Node, bias: Node? = nil, epsilon: Float = 1e-5
    ) -> Node {
        precondition(
            scale.count == x.columns && shift.count == x.columns && weight.columns == x.columns
                && (bias == nil || bias!.count == weight.rows),
            "a norm and a linear map that do not fit \(x.columns) features")
        precondition(
            [x, scale, shift, weight, bias].allSatisfy { $0 == nil || $0!.space != .constant },
            "its operands have derivatives")
        let output = variable(rows: x.rows, columns: weight.rows)
        apply(NormLinear.self, operands(x, scale, shift, weight, bias), output: output, scalar: epsilon)
        return output
    }
}
