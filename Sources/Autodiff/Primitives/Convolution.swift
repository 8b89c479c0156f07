import CKernels
import Kernels

/// y = x ∗ W + b as `torch.nn.Conv2d`, with W [O, channels, kernel height, kernel width] and b [O]: images
/// [N, height · width · channels] to [N, output height · output width · O], channels last in both.
///
/// With P(x) [N · positions, K] the patches of x and W′ [O, K] the weights in the patches' order it is linear algebra:
///
///     y = P(x) W′ᵀ + b,  dy = P(x) dW′ᵀ + P(dx) W′ᵀ + db,  W̄′ += ȳᵀ P(x),  x̄ += Pᵀ(ȳ W′),  b̄ += Σ ȳ
///
/// With a rectifier y = max(x ∗ W + b, 0) is what is kept, and dy and ȳ pass where y > 0: the map before it, which is as
/// large as y, lies on no tape.
///
/// Patches are K / (stride² · channels) times as large as images, so they are never kept: each reading gathers them
/// anew, for a few images at a time, in a block of scratch that stays in the second-level cache. Where `Plan.isDirect`,
/// kernels of our own read the images where they lie, and no patches are made (`DirectConvolution.swift`).
enum Convolution: Primitive {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let (x, bias, y) = (record.operands[0], record.operands[2], record.output)
        let plan = Plan(record)
        if plan.isDirect { return plan.forwardDirectly(record, tape) }
        let memory = plan.scratch(tape, weights: 1)
        plan.permute(tape.value(record.operands[1]), into: memory.weights)
        plan.forEachBlock { first, count in
            plan.gather(plan.images(x, first, count, tape, memory), count, into: memory.patches)
            let out = tape.mutableValue(y) + first * y.columns
            plan.multiply(count, memory.patches, memory.weights, into: out, beta: 0)
            let rows = count * plan.shape.positions
            if plan.isRectified {
                rl2x_bias_relu(rows, plan.outputs, tape.value(bias), out)
            } else if bias.count > 0 {
                Elementwise.addBias(rows: rows, columns: plan.outputs, tape.value(bias), to: out)
            }
        }
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let (x, weight, bias, y) = (record.operands[0], record.operands[1], record.operands[2], record.output)
        let tape = tangents.tape
        let plan = Plan(record)
        if plan.isDirect { return plan.pushforwardDirectly(record, tangents) }
        let memory = plan.scratch(tape, weights: 2)
        let dWeights = memory.weights + plan.weightCount
        let dWeight = tangents.of(weight)
        plan.permute(tape.value(weight), into: memory.weights)
        if let dWeight { plan.permute(dWeight, into: dWeights) }
        plan.forEachBlock { first, count in
            let dy = tangents.output(y) + first * y.columns
            if dWeight != nil {
                plan.gather(plan.images(x, first, count, tape, memory), count, into: memory.patches)
                plan.multiply(count, memory.patches, dWeights, into: dy, beta: 0)
            } else {
                dy.update(repeating: 0, count: count * y.columns)
            }
            if let dx = tangents.of(x) {
                plan.gather(dx + first * x.columns, count, into: memory.patches)
                plan.multiply(count, memory.patches, memory.weights, into: dy, beta: 1)
            }
            if bias.count > 0, let dBias = tangents.of(bias) {
                Elementwise.addBias(rows: count * plan.shape.positions, columns: plan.outputs, dBias, to: dy)
            }
            if plan.isRectified {
                rl2x_where_positive(count * y.columns, tape.value(y) + first * y.columns, dy, dy)
            }
        }
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        let (x, weight, bias, y) = (record.operands[0], record.operands[1], record.operands[2], record.output)
        let tape = cotangents.tape
        let plan = Plan(record)
        if plan.isDirect { return plan.pullbackDirectly(record, cotangents) }
        let memory = plan.scratch(tape, weights: 2, outputs: plan.isRectified)
        let dWeights = memory.weights + plan.weightCount
        let dWeight = cotangents.accumulator(weight)
        plan.permute(tape.value(weight), into: memory.weights)
        dWeights.update(repeating: 0, count: plan.weightCount)
        let (outputs, patchCount) = (plan.outputs, plan.shape.patchCount)
        plan.forEachBlock { first, count in
            let rows = count * plan.shape.positions
            var u = cotangents.of(y) + first * y.columns
            if plan.isRectified {
                rl2x_where_positive(count * y.columns, tape.value(y) + first * y.columns, u, memory.outputs)
                u = UnsafePointer(memory.outputs)
            }
            if dWeight != nil {
                plan.gather(plan.images(x, first, count, tape, memory), count, into: memory.patches)
                BLAS.multiply(
                    outputs, patchCount, rows, u, outputs, transposeA: true, memory.patches, patchCount,
                    into: dWeights, patchCount, beta: 1)
            }
            if let dx = cotangents.accumulator(x) {
                BLAS.multiply(
                    rows, patchCount, outputs, u, outputs, memory.weights, patchCount, into: memory.patches,
                    patchCount)
                plan.scatter(memory.patches, count, into: dx + first * x.columns)
            }
            if bias.count > 0, let dBias = cotangents.accumulator(bias) {
                Elementwise.addColumnSums(rows: rows, columns: outputs, of: u, to: dBias)
            }
        }
        if let dWeight { plan.addUnpermuted(dWeights, to: dWeight) }
    }
}

extension Convolution {
    /// Floats of patches at a time: half a megabyte, half of a second-level cache.
    static let blockCount = 1 << 17

    // What the eighth attribute of a record tells.
    static let bytesFlag = 1
    static let centredFlag = 2
    static let rectifiedFlag = 4

    /// The sizes of one application, and the maps that the three functions share.
    struct Plan {
        let shape: ConvolutionShape
        let images: Int
        let outputs: Int
        /// Whether the images are bytes, to be multiplied by `byteScale` and, if they are centred, lessened by 1.
        let isBytes: Bool
        let byteScale: Float
        let byteOffset: Float
        let isRectified: Bool
        /// Whether no patches are made.
        let isDirect: Bool
        let imagesPerBlock: Int
        let window: rl2x_window

        struct Memory {
            let weights: UnsafeMutablePointer<Float>
            let patches: UnsafeMutablePointer<Float>
            let images: UnsafeMutablePointer<Float>
            let outputs: UnsafeMutablePointer<Float>
        }

        init(_ record: borrowing Record) {
            let sizes = record.integers
            shape = ConvolutionShape(
                height: sizes[0], width: sizes[1], channels: sizes[2], kernelHeight: sizes[3], kernelWidth: sizes[4],
                stride: sizes[5], padding: sizes[6])
            images = record.output.rows
            outputs = record.operands[1].rows
            isBytes = sizes[7] & Convolution.bytesFlag != 0
            isRectified = sizes[7] & Convolution.rectifiedFlag != 0
            isDirect = Plan.isDirect(shape, outputs: outputs, isBytes: isBytes)
            byteScale = record.scalar
            byteOffset = sizes[7] & Convolution.centredFlag != 0 ? -1 : 0
            imagesPerBlock = max(
                1,
                isDirect
                    ? Convolution.directBlockCount / shape.inputCount
                    : Convolution.blockCount / (shape.positions * shape.patchCount))
            window = rl2x_window(
                height: Int64(shape.height), width: Int64(shape.width), channels: Int64(shape.channels),
                kernel_height: Int64(shape.kernelHeight), kernel_width: Int64(shape.kernelWidth),
                stride: Int64(shape.stride), padding: Int64(shape.padding), output_height: Int64(shape.outputHeight),
                output_width: Int64(shape.outputWidth))
        }

        var weightCount: Int { outputs * shape.patchCount }

        /// Room for some sets of weights, the patches of a block, unless they are not made, if they come as bytes, its
        /// images, and on request its outputs.
        func scratch(_ tape: Tape, weights sets: Int, outputs hasOutputs: Bool = false) -> Memory {
            let patchRoom = isDirect ? 0 : imagesPerBlock * shape.positions * shape.patchCount
            let imageRoom = isBytes ? imagesPerBlock * shape.inputCount : 0
            let outputRoom = hasOutputs ? imagesPerBlock * shape.positions * outputs : 0
            let start = tape.scratch(sets * weightCount + patchRoom + imageRoom + outputRoom)
            let patches = start + sets * weightCount
            return Memory(
                weights: start, patches: patches, images: patches + patchRoom, outputs: patches + patchRoom + imageRoom)
        }

        @inline(__always)
        func forEachBlock(_ body: (_ first: Int, _ count: Int) -> Void) {
            for first in stride(from: 0, to: images, by: imagesPerBlock) {
                body(first, min(imagesPerBlock, images - first))
            }
        }

        /// Some images as floats, where they lie or in `memory`.
        func images(_ x: Node, _ first: Int, _ count: Int, _ tape: Tape, _ memory: Memory) -> UnsafePointer<Float> {
            let start = tape.value(x) + first * x.columns
            guard isBytes else { return start }
            for image in 0..<count {
                let bytes = UnsafeRawPointer(start + image * x.columns).assumingMemoryBound(to: UInt8.self)
                rl2x_scale_bytes(
                    shape.inputCount, byteScale, byteOffset, bytes, memory.images + image * shape.inputCount)
            }
            return UnsafePointer(memory.images)
        }

        func gather(_ images: UnsafePointer<Float>, _ count: Int, into patches: UnsafeMutablePointer<Float>) {
            withUnsafePointer(to: window) { rl2x_gather_patches(count, $0, images, patches) }
        }

        func scatter(_ patches: UnsafePointer<Float>, _ count: Int, into images: UnsafeMutablePointer<Float>) {
            withUnsafePointer(to: window) { rl2x_scatter_patches(count, $0, patches, images) }
        }

        /// y [count · positions, O] = beta · y + patches W′ᵀ
        func multiply(
            _ count: Int, _ patches: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
            into y: UnsafeMutablePointer<Float>, beta: Float
        ) {
            let k = shape.patchCount
            BLAS.multiply(
                count * shape.positions, outputs, k, patches, k, weights, k, transposeB: true, into: y, outputs,
                beta: beta)
        }

        /// From [O, channels, kernel height, kernel width] to W′ [O, K] with K = kernel height · kernel width · channels.
        func permute(_ weight: UnsafePointer<Float>, into permuted: UnsafeMutablePointer<Float>) {
            forEachWeight { permuted[$1 * shape.patchCount + $2] = weight[$0] }
        }

        /// The way back, added.
        func addUnpermuted(_ permuted: UnsafePointer<Float>, to weight: UnsafeMutablePointer<Float>) {
            forEachWeight { weight[$0] += permuted[$1 * shape.patchCount + $2] }
        }

        /// Calls `body` with each weight's place in PyTorch's order, its output channel and its place in a patch.
        @inline(__always)
        func forEachWeight(_ body: (_ place: Int, _ output: Int, _ patchPlace: Int) -> Void) {
            let (pixels, channels) = (shape.kernelHeight * shape.kernelWidth, shape.channels)
            for output in 0..<outputs {
                for channel in 0..<channels {
                    for pixel in 0..<pixels {
                        body((output * channels + channel) * pixels + pixel, output, pixel * channels + channel)
                    }
                }
            }
        }
    }
}

extension Tape {
    /// Convolves images x [N, height · width · channels], channels last, with `weight` [O, channels · kernel height ·
    /// kernel width], a `Conv2d` weight in PyTorch's order, and adds `bias` [1, O]:
    /// [N, output height · output width · O], channels last.
    ///
    /// - Parameter rectified: gives the positive part of that, and needs a bias.
    public func convolution(
        _ x: Node, _ shape: ConvolutionShape, weight: Node, bias: Node? = nil, rectified: Bool = false
    ) -> Node {
        precondition(x.columns == shape.inputCount, "images of \(shape.inputCount) numbers were given \(x.columns)")
        return convolve(
            x, shape, weight: weight, bias: bias, scale: 1, flags: rectified ? Convolution.rectifiedFlag : 0)
    }

    /// Convolves `count` images of bytes, channels last, brought to 0 … 1, or to −1 … 1 if `centred`. The bytes are copied
    /// to the tape, where they take a quarter of the room of floats.
    public func convolution(
        bytes: UnsafePointer<UInt8>, count: Int, centred: Bool = false, _ shape: ConvolutionShape, weight: Node,
        bias: Node? = nil, rectified: Bool = false
    ) -> Node {
        let bytesPerFloat = MemoryLayout<Float>.size
        let x = constant(rows: count, columns: (shape.inputCount + bytesPerFloat - 1) / bytesPerFloat)
        let target = UnsafeMutableRawPointer(mutableValue(x))
        for image in 0..<count {
            (target + image * x.columns * bytesPerFloat).copyMemory(
                from: bytes + image * shape.inputCount, byteCount: shape.inputCount)
        }
        return convolveBytes(x, centred: centred, shape, weight: weight, bias: bias, rectified: rectified)
    }

    /// Convolves distinct images of bytes, channels last, brought to 0 … 1, or to −1 … 1 if `centred`:
    /// [U, output height · output width · O].
    public func convolution(
        _ images: DistinctImages, centred: Bool = false, _ shape: ConvolutionShape, weight: Node, bias: Node? = nil,
        rectified: Bool = false
    ) -> Node {
        precondition(
            images.width == shape.inputCount, "images of \(shape.inputCount) bytes were given \(images.width)")
        return convolveBytes(
            images.images, centred: centred, shape, weight: weight, bias: bias, rectified: rectified)
    }

    private func convolveBytes(
        _ x: Node, centred: Bool, _ shape: ConvolutionShape, weight: Node, bias: Node?, rectified: Bool
    ) -> Node {
        convolve(
            x, shape, weight: weight, bias: bias, scale: centred ? 2 / 255 : 1 / 255,
            flags: Convolution.bytesFlag | (centred ? Convolution.centredFlag : 0)
                | (rectified ? Convolution.rectifiedFlag : 0))
    }

    private func convolve(
        _ x: Node, _ shape: ConvolutionShape, weight: Node, bias: Node?, scale: Float, flags: Int
    ) -> Node {
        precondition(bias != nil || flags & Convolution.rectifiedFlag == 0, "a rectified convolution needs a bias")
        precondition(
            weight.columns == shape.patchCount, "a kernel of \(shape.patchCount) numbers was given \(weight.columns)")
        precondition(bias == nil || bias!.count == weight.rows, "a bias of \(bias!.count) for \(weight.rows) channels")
        let output = variable(rows: x.rows, columns: shape.positions * weight.rows)
        apply(
            Convolution.self, operands(x, weight, bias), output: output,
            integers: attributes(
                shape.height, shape.width, shape.channels, shape.kernelHeight, shape.kernelWidth, shape.stride,
                shape.padding, flags), scalar: scale)
        return output
    }
}
