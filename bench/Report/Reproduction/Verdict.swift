import Foundation

/// Whether a mean agrees with a published one.
public enum Verdict: String, Sendable {
    case agrees, better, worse

    /// Standard errors that a difference may have.
    public static let bound = 3.0

    /// The test, in words.
    public static let statement =
        "agrees: |ours − published| ≤ 3 standard errors of the difference, which counts ours, that of a published mean of "
        + "\(PaperTable.members) members (with our spread) and its rounding to \(PaperTable.resolution)"

    /// - Parameter deviation: as from `deviation(_:published:)`.
    public init(deviation: Double) {
        self = abs(deviation) <= Verdict.bound ? .agrees : deviation > 0 ? .better : .worse
    }

    /// (ours − published) in standard errors of the difference. The published mean is of `PaperTable.members` members of
    /// the same family, so its variance is our members' over their number; rounding to a step h adds h² / 12.
    public static func deviation(_ ours: Summary, published: Double) -> Double {
        let sampling = ours.standardDeviation * ours.standardDeviation / Double(PaperTable.members)
        let rounding = PaperTable.resolution * PaperTable.resolution / 12
        let variance = ours.standardError * ours.standardError + sampling + rounding
        return (ours.mean - published) / variance.squareRoot()
    }
}
