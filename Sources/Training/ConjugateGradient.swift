import Kernels

/// Conjugate gradients (Hestenes and Stiefel 1952) for F x = g with a positive definite F that is known only through
/// its products.
public final class ConjugateGradient {
    private let residual: Matrix
    private let direction: Matrix
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
    }

    /// Solves from x = 0.
    /// - Parameters:
    ///   - gradient: g [P]
    ///   - solution: x [P]
    ///   - iterations: products at most.
    ///   - tolerance: stops where ‖g − F x‖ ≤ tolerance · ‖g‖.
    ///   - product: writes F d to the memory that it returns, [P], valid until its next call.
    public func solve(
        gradient: UnsafePointer<Float>, solution: UnsafeMutablePointer<Float>, iterations: Int,
        tolerance: Double = 1e-10, product: (UnsafePointer<Float>) -> UnsafePointer<Float>
    ) -> Report {
        let (r, d) = (residual.pointer, direction.pointer)
        solution.update(repeating: 0, count: width)
        r.update(from: gradient, count: width)
        d.update(from: gradient, count: width)
        let start = Elementwise.dot(width, r, r)
        var squared = start
        var done = 0
        while done < iterations && squared > tolerance * tolerance * start && squared > 0 {
            let image = product(d)
            let curvature = Elementwise.dot(width, d, image)
            // A product that is not positive definite would send x away; NaN ends here too.
            guard curvature > 0, curvature.isFinite else { break }
            let step = squared / curvature
            Elementwise.addScaled(width, Float(step), d, to: solution)
            Elementwise.addScaled(width, Float(-step), image, to: r)
            let next = Elementwise.dot(width, r, r)
            Elementwise.scale(width, by: Float(next / squared), d)
            Elementwise.addScaled(width, 1, r, to: d)
            squared = next
            done += 1
        }
        return Report(
            iterations: done, relativeResidual: start > 0 ? (squared / start).squareRoot() : 0,
            curvature: Elementwise.dot(width, solution, gradient) - Elementwise.dot(width, solution, r))
    }
}
