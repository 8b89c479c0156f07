import CKernels

/// Loops over arrays, vectorised for the processor at hand. Counts are in floats; arrays must not overlap unless a
/// function says that they may.
public enum Elementwise {
    /// y = eˣ for x clamped to [−87, 88], so that the result is always finite and normal; x and y may be the same array.
    public static func exp(_ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
        rl2x_exp(count, x, y)
    }

    /// y = tanh x; x and y may be the same array.
    public static func tanh(_ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
        rl2x_tanh(count, x, y)
    }

    /// y = 1 / (1 + e⁻ˣ); x and y may be the same array.
    public static func sigmoid(_ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
        rl2x_sigmoid(count, x, y)
    }

    /// y += a · x
    public static func addScaled(
        _ count: Int, _ a: Float, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>
    ) {
        rl2x_add_scaled(count, a, x, y)
    }

    /// y *= a
    public static func scale(_ count: Int, by a: Float, _ y: UnsafeMutablePointer<Float>) { rl2x_scale(count, a, y) }

    /// z += x ⊙ y
    public static func addProduct(
        _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, to z: UnsafeMutablePointer<Float>
    ) {
        rl2x_add_product(count, x, y, z)
    }

    /// z = x ⊙ y; z may be x or y.
    public static func product(
        _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ z: UnsafeMutablePointer<Float>
    ) {
        rl2x_product(count, x, y, z)
    }

    /// Σ xᵢ yᵢ in double precision, in an order that does not depend on the processor.
    public static func dot(_ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>) -> Double {
        rl2x_dot(count, x, y)
    }

    /// y [rows, columns] += bias [columns], row by row.
    public static func addBias(
        rows: Int, columns: Int, _ bias: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>
    ) {
        rl2x_add_bias(rows, columns, bias, y)
    }

    /// sums [columns] += Σ over the rows of y [rows, columns].
    public static func addColumnSums(
        rows: Int, columns: Int, of y: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Float>
    ) {
        rl2x_add_column_sums(rows, columns, y, sums)
    }
}

extension Elementwise {
    /// One step of Adam (Kingma and Ba 2015, algorithm 1), with the bias corrections folded into `rate` and `epsilon`:
    /// m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  θ ← θ − rate · m / (√v + ε).
    public static func adam(
        _ count: Int, rate: Float, beta1: Float, beta2: Float, epsilon: Float, gradient: UnsafePointer<Float>,
        firstMoment: UnsafeMutablePointer<Float>, secondMoment: UnsafeMutablePointer<Float>,
        parameters: UnsafeMutablePointer<Float>
    ) {
        rl2x_adam(count, rate, beta1, beta2, epsilon, gradient, firstMoment, secondMoment, parameters)
    }
}
