/// A share of cases with its 95 % confidence interval by Wilson (1927), which holds for few cases too, and for none that or all
/// that are counted.
public struct Proportion: Codable, Sendable, Equatable {
    public let count: Int
    public let total: Int
    /// Nil of no cases; so are the ends of the interval.
    public let share: Double?
    public let lower: Double?
    public let upper: Double?

    public init(_ count: Int, of total: Int) {
        (self.count, self.total) = (count, total)
        guard total > 0 else {
            (share, lower, upper) = (nil, nil, nil)
            return
        }
        let (z, n) = (1.959963984540054, Double(total))
        let p = Double(count) / n
        let middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        let margin = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        (share, lower, upper) = (p, max(0, middle - margin), min(1, middle + margin))
    }
}
