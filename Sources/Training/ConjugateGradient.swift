import Kernels

/// Conjugate gradients (Hestenes and Stiefel 1952) for F x = g with a positive definite F that is known only through
/// its products, with a preconditioner M that is a diagonal.
public final class ConjugateGradient {
    private let residual: Matrix
    private let direction: Matrix
    private let scaled: Matrix
    private let width: Int

    public struct Report: Sendable {
        public var iterations: Int
        /// ‖g − F x‖ / ‖g‖
        public var relativeResidual: Double
        /// xᵀ F x, from the residual: xᵀ(g − r).
        public var curvature: Double
    }

    public init(width: Int) {
        self.width = width
        residual = Matrix(rows: 1, columns: width)
        direction = Matrix(rows: 1, columns: width)
        scaled = Matrix(rows: 1, columns: width)
    }

    /// Solves from x = 0.
    /// - Parameters:
    ///   - gradient: g [P]
    ///   - solution: x [P]
    ///   - preconditioner: the diagonal of M⁻¹ [P], all positive; ones: none.
    ///   - iterations: products at most.
    ///   - tolerance: stops where rᵀ M⁻¹ r ≤ tolerance² · gᵀ M⁻¹ g, with r = g − F x.
    ///   - product: writes F d to the memory that it returns, [P], valid until its next call.
    public func solve(
        gradient: UnsafePointer<Float>, solution: UnsafeMutablePointer<Float>,
        preconditioner: UnsafePointer<Float>, iterations: Int, tolerance: Double = 1e-10,
        product: (UnsafePointer<Float>) -> UnsafePointer<Float>
    ) -> Report {
        let (r, d, z) = (residual.pointer, direction.pointer, scaled.pointer)
        solution.update(repeating: 0, count: width)
        r.update(from: gradient, count: width)
        Elementwise.product(width, preconditioner, r, z)
        d.update(from: z, count: width)
        let norm = Elementwise.dot(width, r, r)
        let start = Elementwise.dot(width, r, z)
        var size = start
        var done = 0
        while done < iterations && size > tolerance * tolerance * start && size > 0 {
            let image = product(d)
            let curvature = Elementwise.dot(width, d, image)
            // A product that is not positive definite would send x away; NaN ends here too.
            guard curvature > 0, curvature.isFinite else { break }
            let step = size / curvature
            Elementwise.addScaled(width, Float(step), d, to: solution)
            Elementwise.addScaled(width, Float(-step), image, to: r)
            Elementwise.product(width, preconditioner, r, z)
            let next = Elementwise.dot(width, r, z)
            Elementwise.scale(width, by: Float(next / size), d)
            Elementwise.addScaled(width, 1, z, to: d)
            size = next
            done += 1
        }
        return Report(
            iterations: done,
            relativeResidual: norm > 0 ? (Elementwise.dot(width, r, r) / norm).squareRoot() : 0,
            curvature: Elementwise.dot(width, solution, gradient) - Elementwise.dot(width, solution, r))
    }
}
