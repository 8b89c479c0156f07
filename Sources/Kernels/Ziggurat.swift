import Foundation

/// A density that falls on x ≥ 0, cut into 256 layers of equal area (Marsaglia and Tsang 2000, "The ziggurat method for
/// generating random variables").
///
/// Layer i is the rectangle 0 ≤ x < `widths[i]` at heights `heights[i]` ..< `heights[i + 1]`; what of it lies left of
/// `widths[i + 1]` is under the curve, so that a uniform x needs no look at the density there. Layer 0 is the strip below
/// f(r) together with the tail beyond r = `widths[1]`, as a rectangle of the same area. The tables are computed, so there
/// is no constant to misprint. Draws are exact: layer, place and height use separate random bits.
struct Ziggurat: @unchecked Sendable {
    // Unchecked because pointers are not Sendable: the tables are written by `init` alone and only read afterwards.

    static let layers = 256

    /// v / f(r), r = x_1 > x_2 > … > x_256 = 0; shape [layers + 1]. Allocated once, never freed.
    let widths: UnsafePointer<Double>
    /// f(widths[i]), but 0 for layer 0; shape [layers + 1].
    let heights: UnsafePointer<Double>

    /// Where the tail begins.
    var tailStart: Double { widths[1] }

    /// - Parameters:
    ///   - density: f with f(0) = 1, falling on x ≥ 0; it need not integrate to 1.
    ///   - inverse: of the density, on (0, 1].
    ///   - tail: ∫ₓ^∞ f.
    ///   - bracket: an interval that holds r.
    init(
        density: (Double) -> Double, inverse: (Double) -> Double, tail: (Double) -> Double,
        bracket: ClosedRange<Double>
    ) {
        /// The edges for a given r, or nil if they reach the top of the density too early: then r is too small.
        func edges(_ start: Double) -> [Double]? {
            let area = start * density(start) + tail(start)
            var edges = [area / density(start), start]
            while edges.count < Ziggurat.layers {
                let height = density(edges.last!) + area / edges.last!
                guard height < 1 else { return nil }
                edges.append(inverse(height))
            }
            return density(edges.last!) + area / edges.last! > 1 ? nil : edges + [0]
        }
        var (low, high) = (bracket.lowerBound, bracket.upperBound)
        // Sixty halvings reach the spacing of doubles. The larger end is kept: its top layer is too large by a rounding.
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if edges(middle) == nil { low = middle } else { high = middle }
        }
        let found = edges(high)!
        let widths = UnsafeMutablePointer<Double>.allocate(capacity: found.count)
        let heights = UnsafeMutablePointer<Double>.allocate(capacity: found.count)
        for (index, edge) in found.enumerated() {
            (widths + index).initialize(to: edge)
            (heights + index).initialize(to: index == 0 ? 0 : density(edge))
        }
        self.widths = UnsafePointer(widths)
        self.heights = UnsafePointer(heights)
    }

    /// exp(−x² / 2)
    static let normal = Ziggurat(
        density: { exp(-0.5 * $0 * $0) }, inverse: { (-2 * log($0)).squareRoot() },
        tail: { (Double.pi / 2).squareRoot() * erfc($0 / 2.0.squareRoot()) }, bracket: 3...4)

    /// exp(−x)
    static let exponential = Ziggurat(
        density: { exp(-$0) }, inverse: { -log($0) }, tail: { exp(-$0) }, bracket: 7...8)
}
