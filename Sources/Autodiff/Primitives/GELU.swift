import CKernels

/// y = x Φ(x), Φ the distribution function of the standard normal (Hendrycks and Gimpel 2016): the exact form,
/// PyTorch's default, not the tanh approximation. dy = (Φ(x) + x φ(x)) dx.
enum GELU: Activation {
    static func evaluate(
        _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, slope: UnsafeMutablePointer<Float>
    ) { rl2x_gelu_slope(count, x, y, slope) }
}

extension Tape {
    /// x Φ(x), of the shape of x.
    public func gelu(_ x: Node) -> Node { activation(GELU.self, x) }
}
