import Foundation
import Kernels

/// The Gittins index of every count of a Bernoulli arm that can come, by dynamic programming.
///
/// The index of an arm is the charge λ a pull at which it is just worth pulling when one may stop at any time. For one λ
/// the worth of the arm after s successes in d pulls, of at most D, is
///
///     Q(d, s) = μ − λ + β (μ V(d + 1, s + 1) + (1 − μ) V(d + 1, s)),   V = max(0, Q),   μ = (s + 1) / (d + 2)
///
/// by backward induction from d = D − 1. Q falls with λ and is convex, and its zero is the index (calibration: Gittins
/// 1979). It is found between two neighbours of a grid of λ by linear interpolation; the error falls with the square of
/// the grid's step. Q rises with s, so that at each d those who stop are the s below a bound that rises with λ: below the
/// bound of the last λ nothing need be computed.
struct GittinsTable: Sendable {
    /// Pulls that a count may have, plus 1.
    let depths: Int
    /// [depths · (depths + 1) / 2], row d from d (d + 1) / 2 on.
    let indices: [Float]

    /// Steps of the grid of λ on 0 … 1.
    static let steps = 400

    /// The index after `successes` of `pulls`.
    func index(pulls: Int, successes: Int) -> Double { Double(indices[pulls * (pulls + 1) / 2 + successes]) }

    /// - Parameters:
    ///   - horizon: D, pulls in all; at least 1.
    ///   - discount: β in (0, 1]
    ///   - depths: how many rows of the table to keep; at most D.
    ///   - isEndless: D is only where the induction begins, with arms known from there on: V = max(0, μ − λ) / (1 − β).
    init(horizon: Int, discount: Double, depths: Int, isEndless: Bool = false) {
        self.depths = depths
        var indices = [Float](repeating: 1, count: depths * (depths + 1) / 2)
        indices.withUnsafeMutableBufferPointer {
            GittinsTable.fill($0.baseAddress!, horizon, discount, depths, isEndless)
        }
        self.indices = indices
    }

    /// - Parameter indices: [depths · (depths + 1) / 2], ones.
    static func fill(
        _ indices: UnsafeMutablePointer<Float>, _ horizon: Int, _ discount: Double, _ depths: Int, _ isEndless: Bool
    ) {
        // V of the row below; row d has d + 1 entries, so the last has horizon + 1.
        var values = [Double](repeating: 0, count: horizon + 2)
        // Q of the previous λ, for the rows that are kept; at λ = 0 arms are worth something.
        var worths = [Double](repeating: 0, count: depths * (depths + 1) / 2)
        // First s that goes on, of each row, at the previous λ.
        var bounds = [Int](repeating: 0, count: horizon)
        let step = 1 / Double(steps)
        values.withUnsafeMutableBufferPointer { values in
            for number in 0...steps {
                let charge = Double(number) * step
                for s in 0...horizon {
                    let mean = Double(s + 1) / Double(horizon + 2)
                    values[s] = isEndless ? max(0, (mean - charge) / (1 - discount)) : 0
                }
                for d in stride(from: horizon - 1, through: 0, by: -1) {
                    let (scale, row) = (1 / Double(d + 2), d * (d + 1) / 2)
                    var s = bounds[d]
                    // Those that stop now and did not before.
                    while s <= d {
                        let mean = Double(s + 1) * scale
                        let worth = mean - charge + discount * (mean * values[s + 1] + (1 - mean) * values[s])
                        if worth > 0 { break }
                        if d < depths {
                            let before = worths[row + s]
                            let share = number == 0 ? 0 : before / (before - worth)
                            indices[row + s] = Float(charge - step + step * share)
                        }
                        values[s] = 0
                        s += 1
                    }
                    bounds[d] = s
                    // Row d reads entries s and s + 1 of row d + 1 and writes entry s, from the left: in place.
                    let base = values.baseAddress!
                    for t in s..<max(d + 1, s) {
                        // Through 32 bits, which every processor converts in vectors.
                        let mean = Double(Int32(truncatingIfNeeded: t + 1)) * scale
                        base[t] = mean - charge + discount * (mean * base[t + 1] + (1 - mean) * base[t])
                    }
                    if d < depths { for t in s..<max(d + 1, s) { worths[row + t] = base[t] } }
                }
            }
        }
    }
}

extension GittinsTable {
    /// The index without a horizon, for arms of fewer than `depths` pulls. Where the induction begins, what is left is
    /// worth less than 10⁻⁶ of a pull.
    static func endless(discount: Double, depths: Int) -> GittinsTable {
        GittinsTable(
            horizon: horizon(discount: discount, depths: depths), discount: discount, depths: depths, isEndless: true)
    }

    /// D of the index without a horizon.
    static func horizon(discount: Double, depths: Int) -> Int {
        depths + Int((log(1e-6 * (1 - discount)) / log(discount)).rounded(.up))
    }
}

/// The undiscounted Gittins index with as many pulls left as there are: sup over stopping times τ of E Σ r / E τ, where τ is
/// at least 1 and at most what is left of the trial's n pulls.
///
/// An arm of d pulls with m left is row d of the table with horizon D = d + m; so there is a table for each D up to n.
final class FiniteHorizonGittins: Sendable {
    /// n
    let pulls: Int
    /// Table D begins at (D − 1) D (D + 1) / 6.
    private let indices: [Float]

    /// Entries of all tables: n (n + 1) (n + 2) / 6, of 4 bytes each.
    static func entries(pulls: Int) -> Double { Double(pulls) * Double(pulls + 1) * Double(pulls + 2) / 6 }
    /// More are refused.
    static let mostEntries = 40_000_000.0

    /// - Precondition: `entries(pulls:)` is at most `mostEntries`.
    init(pulls: Int) {
        precondition(Self.entries(pulls: pulls) <= Self.mostEntries, "too many pulls: \(pulls)")
        self.pulls = pulls
        var indices = [Float](repeating: 1, count: Int(Self.entries(pulls: pulls)))
        indices.withUnsafeMutableBufferPointer { indices in
            let base = indices.baseAddress!
            let pool = WorkerPool(threads: Processor.current.coreCount)
            // Long ones first, so that threads end together.
            pool.run(pulls) { number, _ in
                let horizon = pulls - number
                GittinsTable.fill(base + Self.start(horizon), horizon, 1, horizon, false)
            }
            pool.stop()
        }
        self.indices = indices
    }

    private static func start(_ horizon: Int) -> Int { (horizon - 1) * horizon * (horizon + 1) / 6 }

    /// The index of an arm of `pulls` pulls with `left` pulls left, at least 1.
    @inline(__always)
    func index(pulls: Int, successes: Int, left: Int) -> Double {
        Double(indices[Self.start(pulls + left) + pulls * (pulls + 1) / 2 + successes])
    }
}
