import Autodiff
import CKernels
import Conformance
import Kernels
import TestSupport
import Testing

/// Convolutions without patches beside those with them, on whole numbers, of which float32 makes exact sums in any order.
@Suite struct DirectConvolutionTests {
    /// Sizes of one comparison: a rest of every tile and block, single places, several blocks of images.
    private struct Sizes {
        let shape: ConvolutionShape
        let images: Int
        let outputs: Int
        let isBytes: Bool
        let isRectified: Bool
        let hasBias: Bool

        init(_ random: inout RandomSource) {
            isBytes = random.integer(below: 3) == 0
            isRectified = random.integer(below: 2) == 0
            hasBias = isRectified || random.integer(below: 2) == 0
            // A row of the kernel of floats is a multiple of 16 numbers.
            let (kernelWidth, channels) =
                isBytes
                ? (1 + random.integer(below: 6), 1 + random.integer(below: 4))
                : [(1, 16), (2, 8), (3, 16), (4, 4), (5, 16), (2, 24), (1, 32), (16, 1)][random.integer(below: 8)]
            let kernelHeight = 1 + random.integer(below: 5)
            shape = ConvolutionShape(
                height: kernelHeight + random.integer(below: 12), width: kernelWidth + random.integer(below: 15),
                channels: channels, kernelHeight: kernelHeight, kernelWidth: kernelWidth,
                stride: 1 + random.integer(below: 3))
            images = 1 + random.integer(below: 24)
            outputs = 16 * (1 + random.integer(below: 3))
        }

        /// The convolution as a function of images, if they are not bytes, weights and bias, with some channels more.
        func function(bytes: [UInt8], more: Int) -> DifferentiableFunction {
            let (shape, channels) = (shape, outputs + more)
            let parameters = [PrimitiveCase.Shape(channels, shape.patchCount)] + (hasBias ? [.init(1, channels)] : [])
            let operands = (isBytes ? [] : [PrimitiveCase.Shape(images, shape.inputCount)]) + parameters
            return PrimitiveCase("", operands) { [images, isBytes, isRectified, hasBias] tape, nodes in
                let (weight, bias) = (nodes[isBytes ? 0 : 1], hasBias ? nodes.last : nil)
                return isBytes
                    ? tape.convolution(
                        bytes: bytes, count: images, shape, weight: weight, bias: bias, rectified: isRectified)
                    : tape.convolution(nodes[0], shape, weight: weight, bias: bias, rectified: isRectified)
            }.function(.variables)
        }

        /// Such parameters with a channel more, whose weights and bias are zero.
        func extended(_ parameters: [Float]) -> [Float] {
            let bias = hasBias ? outputs : 0
            var extended = parameters
            if hasBias { extended.append(0) }
            extended.insert(
                contentsOf: [Float](repeating: 0, count: shape.patchCount), at: parameters.count - bias)
            return extended
        }

        /// Rows of `channels` numbers without the last, or with a zero more.
        func shortened(_ rows: [Float]) -> [Float] {
            rows.enumerated().filter { $0.offset % (outputs + 1) < outputs }.map(\.element)
        }
        func lengthened(_ rows: [Float]) -> [Float] {
            stride(from: 0, to: rows.count, by: outputs).flatMap { rows[$0..<$0 + outputs] + [0] }
        }
    }

    /// With a channel more, which is no multiple of 16, the same convolution is done with patches.
    @Test(arguments: 0..<60) func meetsConvolutionWithPatches(_ seed: Int) {
        var random = RandomSource(seed: UInt64(seed))
        let sizes = Sizes(&random)
        func wholes(_ count: Int) -> [Float] { random.uniforms(count, bound: 2.49).map { $0.rounded() } }
        // 0 and 255 come to 0 and 1.
        let bytes = wholes(sizes.images * sizes.shape.inputCount).map { $0 > 0 ? UInt8.max : 0 }
        let (direct, other) = (sizes.function(bytes: bytes, more: 0), sizes.function(bytes: bytes, more: 1))
        let (theta, v) = (wholes(direct.parameterCount), wholes(direct.parameterCount))
        let (one, reference) = (direct.linearised(at: theta), other.linearised(at: sizes.extended(theta)))
        let u = wholes(one.output.count)
        #expect(one.value == sizes.shortened(reference.value))
        #expect(one.jvp(v) == sizes.shortened(reference.jvp(sizes.extended(v))))
        #expect(sizes.extended(one.vjp(u)) == reference.vjp(sizes.lengthened(u)))
    }

    /// The tile that a processor prefers changes no bit.
    @Test func tilesGiveTheSameBits() {
        var random = RandomSource(seed: 16)
        let (images, outputs, kernelRow) = (9, 32, 48)
        var window = rl2x_window(
            height: 8, width: 11, channels: 16, kernel_height: 4, kernel_width: 3, stride: 2, padding: 0,
            output_height: 3, output_width: 5)
        let (x, other) = (random.normals(images * 8 * 11 * 16), random.normals(images * 8 * 11 * 16))
        let weights = random.normals(outputs * 4 * kernelRow)
        let u = random.normals(images * 3 * 5 * outputs)
        func run(_ wide: Int32) -> (y: [Float], weights: [Float], x: [Float]) {
            var (y, dWeights, dx) = (u, weights, x)
            rl2x_convolve(wide, images, &window, outputs, x, weights, other, weights, weights, 1, u, &y)
            rl2x_convolve_weight_cotangent(wide, images, &window, outputs, x, u, &dWeights)
            rl2x_convolve_image_cotangent(wide, images, &window, outputs, weights, u, &dx)
            return (y, dWeights, dx)
        }
        let (narrow, wide) = (run(0), run(1))
        #expect(narrow.y != u && narrow.weights != weights && narrow.x != x)
        #expect(narrow.y == wide.y && narrow.weights == wide.weights && narrow.x == wide.x)
    }
}
