import Foundation

/// Closed forms that approximate the Gittins index of a Bernoulli arm with posterior Beta(p, q) under discount β, with
/// c = ln(1 / β), N = p + q, μ = p / N.
public enum GittinsApproximation {
    /// Whittle 1982:
    ///
    ///     μ + μ(1 − μ) / (N √((2c + 1/N) μ(1 − μ)) + μ − ½)
    public static func whittle(p: Double, q: Double, c: Double) -> Double {
        let pulls = p + q
        let mean = p / pulls
        let variance = mean * (1 - mean)
        return mean + variance / (pulls * ((2 * c + 1 / pulls) * variance).squareRoot() + mean - 0.5)
    }

    /// Brezzi & Lai 2002: a diffusion's boundary ψ, at the mean and variance of the posterior.
    ///
    ///     μ + √(μ(1 − μ) / (N + 1)) ψ(1 / ((N + 1) c))
    public static func brezziLai(p: Double, q: Double, c: Double) -> Double {
        let pulls = p + q
        let mean = p / pulls
        return mean + (mean * (1 - mean) / (pulls + 1)).squareRoot() * boundary(1 / ((pulls + 1) * c))
    }

    /// ψ(s) of Brezzi & Lai: pieces that nearly meet at .2, 1, 5 and 15.
    static func boundary(_ s: Double) -> Double {
        switch s {
        case ...0.2: (s / 2).squareRoot()
        case ...1: 0.49 - 0.11 / s.squareRoot()
        case ...5: 0.63 - 0.26 / s.squareRoot()
        case ...15: 0.77 - 0.58 / s.squareRoot()
        default: (2 * log(s) - log(log(s)) - log(16 * Double.pi)).squareRoot()
        }
    }
}
