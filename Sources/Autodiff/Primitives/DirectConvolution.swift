import CKernels
import Kernels

/// The readings of a convolution whose kernels keep a tile of sums in registers and read images where they lie.
///
/// The products of patches and weights are as narrow as there are output channels, and a library does so narrow ones, and
/// the gathering, at less than half of its speed.
extension Convolution {
    /// Floats of images at a time: an eighth of a megabyte, so that they and their outputs stay in a second-level cache.
    static let directBlockCount = 1 << 15
    /// Output channels of a block of weights: a register of AVX-512.
    private static let blockOutputs = 16
}

extension Convolution.Plan {
    /// Whether the kernels can do it: blocks of channels must be whole and the kernel inside of the image. Bytes have no
    /// cotangent, which needs whole blocks of numbers in a row of the kernel.
    static func isDirect(_ shape: ConvolutionShape, outputs: Int, isBytes: Bool) -> Bool {
        shape.padding == 0 && outputs % Convolution.blockOutputs == 0
            && (isBytes || shape.kernelWidth * shape.channels % Convolution.blockOutputs == 0)
    }

    func forwardDirectly(_ record: borrowing Record, _ tape: Tape) {
        let (x, bias, y) = (record.operands[0], record.operands[2], record.output)
        let memory = scratch(tape, weights: 1)
        block(tape.value(record.operands[1]), into: memory.weights)
        forEachBlock { first, count in
            convolve(
                count, images(x, first, count, tape, memory), UnsafePointer(memory.weights), nil, nil,
                bias: bias.count > 0 ? tape.value(bias) : nil, rectified: isRectified, gate: nil,
                into: tape.mutableValue(y) + first * y.columns)
        }
    }

    func pushforwardDirectly(_ record: borrowing Record, _ tangents: Tangents) {
        let (x, weight, bias, y) = (record.operands[0], record.operands[1], record.operands[2], record.output)
        let tape = tangents.tape
        let memory = scratch(tape, weights: 2)
        let dWeights = memory.weights + weightCount
        let (dx, dWeight) = (tangents.of(x), tangents.of(weight))
        if dx != nil { block(tape.value(weight), into: memory.weights) }
        if let dWeight { block(dWeight, into: dWeights) }
        forEachBlock { first, count in
            convolve(
                count, dWeight == nil ? nil : images(x, first, count, tape, memory), UnsafePointer(dWeights),
                dx.map { $0 + first * x.columns }, UnsafePointer(memory.weights),
                bias: bias.count > 0 ? tangents.of(bias) : nil, rectified: false,
                gate: isRectified ? tape.value(y) + first * y.columns : nil,
                into: tangents.output(y) + first * y.columns)
        }
    }

    func pullbackDirectly(_ record: borrowing Record, _ cotangents: Cotangents) {
        let (x, weight, bias, y) = (record.operands[0], record.operands[1], record.operands[2], record.output)
        let tape = cotangents.tape
        let memory = scratch(tape, weights: 2, outputs: isRectified)
        let dWeights = memory.weights + weightCount
        let (dx, dWeight) = (cotangents.accumulator(x), cotangents.accumulator(weight))
        if dx != nil { permute(tape.value(weight), into: memory.weights) }
        dWeights.update(repeating: 0, count: weightCount)
        forEachBlock { first, count in
            var u = cotangents.of(y) + first * y.columns
            if isRectified {
                rl2x_where_positive(count * y.columns, tape.value(y) + first * y.columns, u, memory.outputs)
                u = UnsafePointer(memory.outputs)
            }
            if dWeight != nil {
                let source = images(x, first, count, tape, memory)
                withUnsafePointer(to: window) {
                    rl2x_convolve_weight_cotangent(isWide, count, $0, outputs, source, u, dWeights)
                }
                BLAS.count(operations: operations(count))
            }
            if let dx {
                withUnsafePointer(to: window) {
                    rl2x_convolve_image_cotangent(
                        isWide, count, $0, outputs, memory.weights, u, dx + first * x.columns)
                }
                BLAS.count(operations: operations(count))
            }
            if bias.count > 0, let dBias = cotangents.accumulator(bias) {
                Elementwise.addColumnSums(rows: count * shape.positions, columns: outputs, of: u, to: dBias)
            }
        }
        if let dWeight { addUnblocked(dWeights, to: dWeight) }
    }

    private var isWide: Int32 { Processor.current.hasAVX512 ? 1 : 0 }

    /// Of one product of the patches of some images and a set of weights.
    private func operations(_ count: Int) -> Int { 2 * count * shape.positions * weightCount }

    /// y = x ∗ W + x₂ ∗ W₂ + b, of which x, x₂ and b may be missing, rectified or where the gate is positive.
    private func convolve(
        _ count: Int, _ x: UnsafePointer<Float>?, _ weights: UnsafePointer<Float>, _ otherX: UnsafePointer<Float>?,
        _ otherWeights: UnsafePointer<Float>?, bias: UnsafePointer<Float>?, rectified: Bool,
        gate: UnsafePointer<Float>?, into y: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: window) {
            rl2x_convolve(
                isWide, count, $0, outputs, x, weights, otherX, otherWeights, bias, rectified ? 1 : 0, gate, y)
        }
        BLAS.count(operations: ((x == nil ? 0 : 1) + (otherX == nil ? 0 : 1)) * operations(count))
    }

    /// From [O, channels, kernel height, kernel width] to the kernels' [O / 16, K, 16].
    private func block(_ weight: UnsafePointer<Float>, into blocked: UnsafeMutablePointer<Float>) {
        forEachWeight { blocked[blockedPlace($1, $2)] = weight[$0] }
    }

    /// The way back, added.
    private func addUnblocked(_ blocked: UnsafePointer<Float>, to weight: UnsafeMutablePointer<Float>) {
        forEachWeight { weight[$0] += blocked[blockedPlace($1, $2)] }
    }

    @inline(__always)
    private func blockedPlace(_ output: Int, _ patchPlace: Int) -> Int {
        let lanes = Convolution.blockOutputs
        return (output / lanes * shape.patchCount + patchPlace) * lanes + output % lanes
    }
}
