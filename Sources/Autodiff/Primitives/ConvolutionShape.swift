/// Sizes of a two-dimensional convolution: images [height, width, channels], row-major with **channels last**, and a
/// kernel that moves by `stride` over the image with `padding` zeros around it.
///
/// Channels last, because then a row of a patch lies in one stretch of the image, and the product of patches and
/// weights is the output image as it stands: nothing is transposed. A model that is compared with PyTorch must flatten
/// there with `x.permute(0, 2, 3, 1)`.
public struct ConvolutionShape: Sendable, Equatable {
    public let height: Int
    public let width: Int
    public let channels: Int
    public let kernelHeight: Int
    public let kernelWidth: Int
    public let stride: Int
    public let padding: Int

    public init(
        height: Int, width: Int, channels: Int, kernelHeight: Int, kernelWidth: Int, stride: Int = 1, padding: Int = 0
    ) {
        precondition(stride > 0 && padding >= 0 && kernelHeight > 0 && kernelWidth > 0, "a window of no size")
        precondition(
            height + 2 * padding >= kernelHeight && width + 2 * padding >= kernelWidth,
            "a kernel of \(kernelHeight)×\(kernelWidth) does not fit an image of \(height)×\(width)")
        self.height = height
        self.width = width
        self.channels = channels
        self.kernelHeight = kernelHeight
        self.kernelWidth = kernelWidth
        self.stride = stride
        self.padding = padding
    }

    public var outputHeight: Int { (height + 2 * padding - kernelHeight) / stride + 1 }
    public var outputWidth: Int { (width + 2 * padding - kernelWidth) / stride + 1 }
    /// Numbers in an image.
    public var inputCount: Int { height * width * channels }
    /// Places of the kernel.
    public var positions: Int { outputHeight * outputWidth }
    /// K: numbers under the kernel.
    public var patchCount: Int { kernelHeight * kernelWidth * channels }
}
