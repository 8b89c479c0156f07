import Autodiff
import Interface
import Kernels

/// φ for images (Duan et al. 2016, section 3.3): two convolutions of 5 × 5 with stride 2 to 16 channels, each followed by
/// a ReLU; their features beside a learned embedding of the previous action, the previous reward and the flag, and on
/// request the step index; and a fully connected layer with a ReLU over all of it. The embedding and the last layer are as
/// wide as the model: 256 in the paper.
///
/// Frames come as bytes and are brought to −1 … 1 on the way in. Where there is no previous action its embedding is zero.
///
/// Parameters, as in `torch.nn.Conv2d`, `Embedding` and `Linear`: `encoder.conv1.weight` [16, channels, 5, 5],
/// `encoder.conv1.bias` [16], `encoder.conv2.weight` [16, 16, 5, 5], `encoder.conv2.bias` [16],
/// `encoder.action_embedding.weight` [A, H], `encoder.fc.weight` [H, F + H + 2 or 3], `encoder.fc.bias` [H]. The F features
/// are flattened with channels last: in PyTorch `x.permute(0, 2, 3, 1).flatten(1)`. Weights start Xavier uniform, biases
/// zero.
public struct PixelEncoder: Encoder {
    public let features: Int
    private let first: ConvolutionShape
    private let second: ConvolutionShape
    private let stepScale: Float?
    private let weight1, bias1, weight2, bias2, weight, bias: Node
    /// nil: the action is left to others.
    private let table: Node?

    /// Output channels of the convolutions.
    private static let filters = 16
    private static let kernel = 5
    private static let stride = 2

    /// Smallest side of an image, pixels: what two convolutions can read.
    public static let smallestSide = kernel + stride * (kernel - 1)

    /// - Parameters:
    ///   - height: pixels, at least `smallestSide`, as `width`.
    ///   - width: pixels.
    ///   - actions: A; nil: it is not told of the action, and has no embedding of it.
    ///   - features: H.
    ///   - stepScale: steps that count as 1 in the feature that tells how long the trial has run; nil: no such feature.
    public init(
        height: Int, width: Int, channels: Int, actions: Int?, features: Int, stepScale: Float? = nil,
        layout: inout ParameterLayout
    ) {
        precondition(
            min(height, width) >= PixelEncoder.smallestSide, "images of \(height) × \(width) are too small to be read")
        let (filters, kernel) = (PixelEncoder.filters, PixelEncoder.kernel)
        first = ConvolutionShape(
            height: height, width: width, channels: channels, kernelHeight: kernel, kernelWidth: kernel,
            stride: PixelEncoder.stride)
        second = ConvolutionShape(
            height: first.outputHeight, width: first.outputWidth, channels: filters, kernelHeight: kernel,
            kernelWidth: kernel, stride: PixelEncoder.stride)
        self.features = features
        self.stepScale = stepScale
        weight1 = layout.add("encoder.conv1.weight", [filters, channels, kernel, kernel], .xavierUniform())
        bias1 = layout.add("encoder.conv1.bias", [filters], .constant(0))
        weight2 = layout.add("encoder.conv2.weight", [filters, filters, kernel, kernel], .xavierUniform())
        bias2 = layout.add("encoder.conv2.bias", [filters], .constant(0))
        table = actions.map {
            layout.add("encoder.action_embedding.weight", [$0, features], .xavierUniform())
        }
        let inputs = second.positions * filters + (table == nil ? 0 : features) + (stepScale == nil ? 2 : 3)
        weight = layout.add("encoder.fc.weight", [features, inputs], .xavierUniform())
        bias = layout.add("encoder.fc.bias", [features], .constant(0))
    }

    /// F: what the convolutions make of a frame.
    private var frameFeatures: Int { second.positions * PixelEncoder.filters }

    public func encode(_ inputs: StepInputs, tape: Tape) -> Node {
        let rows = inputs.rows
        // The last map is the sum of its parts: of what frames and actions have in common it is computed once.
        let seen = tape.rows(of: inputs.images, count: rows, width: first.inputCount) { images in
            let shallow = tape.convolution(
                images, centred: true, first, weight: weight1, bias: bias1, rectified: true)  // [U, …]
            let features = tape.convolution(shallow, second, weight: weight2, bias: bias2, rectified: true)  // [U, F]
            return tape.linear(features, weight: weight, fromColumn: 0)
        }  // [rows, H]
        let done = table.map {
            tape.embedding(
                inputs.previousActions, count: rows,
                table: tape.linear($0, weight: weight, fromColumn: frameFeatures))  // [rows, H]
        }
        let facts = tape.constant(rows: rows, columns: stepScale == nil ? 2 : 3)
        var row = tape.mutableValue(facts)
        for index in 0..<rows {
            row[0] = inputs.previousRewards[index]
            row[1] = inputs.episodeEnds[index]
            if let stepScale { row[2] = Float(inputs.stepIndices[index]) / stepScale }
            row += facts.columns
        }
        return tape.relu(
            tape.linear(
                facts, weight: weight, fromColumn: frameFeatures + (table?.columns ?? 0), bias: bias,
                addend: done.map { tape.add(seen, $0) } ?? seen))
    }
}
