import Foundation

/// With what probability Thompson sampling pulls each arm: that the arm's draw from its posterior Beta(1 + s, 1 + f) is the
/// largest,
///
///     P(a) = ∫ ∏_{b ≠ a} F_b dF_a
///
/// by the trapezoidal rule over `cells` cells of 0 … 1, in which the F are integrated densities. Posteriors are wide
/// against a cell up to some thousand pulls; the error is then below 10⁻⁴.
struct ThompsonChoice {
    static let cells = 512

    /// F at the ends of the cells, by counts [cells + 1]
    private var cumulative: [Int: [Double]] = [:]
    /// log x and log (1 − x) at the nodes of each cell [cells · 4]
    private let logarithms: [(Double, Double)]

    /// Gauss and Legendre's four points on 0 … 1, and their weights.
    private static let nodes = [
        (0.069431844202974, 0.173927422568727), (0.330009478207572, 0.326072577431273),
        (0.669990521792428, 0.326072577431273), (0.930568155797026, 0.173927422568727),
    ]

    init() {
        logarithms = (0..<Self.cells).flatMap { cell in
            Self.nodes.map { node in
                let x = (Double(cell) + node.0) / Double(Self.cells)
                return (log(x), log1p(-x))
            }
        }
    }

    /// P(a) of each arm [k]; sums to 1.
    mutating func probabilities(successes: [Int], failures: [Int]) -> [Double] {
        let arms = successes.count
        let columns = (0..<arms).map { column(successes[$0], failures[$0]) }
        var result = [Double](repeating: 0, count: arms)
        // ∏_{b ≠ a} F_b at one end of a cell, by products from the left and from the right.
        func others(_ edge: Int, into products: inout [Double]) {
            products[0] = 1
            for arm in 1..<max(arms, 1) { products[arm] = products[arm - 1] * columns[arm - 1][edge] }
            var rest = 1.0
            for arm in (0..<arms).reversed() {
                products[arm] *= rest
                rest *= columns[arm][edge]
            }
        }
        var (before, after) = (result, result)
        others(0, into: &before)
        for cell in 0..<Self.cells {
            others(cell + 1, into: &after)
            for arm in 0..<arms {
                result[arm] += (columns[arm][cell + 1] - columns[arm][cell]) * (before[arm] + after[arm]) / 2
            }
            swap(&before, &after)
        }
        let total = result.reduce(0, +)
        return result.map { $0 / total }
    }

    private mutating func column(_ successes: Int, _ failures: Int) -> [Double] {
        let key = successes << 32 | failures
        if let column = cumulative[key] { return column }
        let (s, f) = (Double(successes), Double(failures))
        let mode = s + f == 0 ? 0.5 : s / (s + f)
        // Densities are relative to the mode's, so that none is too small to be told from 0 where it matters.
        let peak = (s > 0 ? s * log(mode) : 0) + (f > 0 ? f * log1p(-mode) : 0)
        var column = [0.0]
        column.reserveCapacity(Self.cells + 1)
        for cell in 0..<Self.cells {
            var mass = 0.0
            for (index, node) in Self.nodes.enumerated() {
                let (logX, logRest) = logarithms[4 * cell + index]
                mass += node.1 * exp(s * logX + f * logRest - peak)
            }
            column.append(column[cell] + mass)
        }
        let total = column[Self.cells]
        column = column.map { $0 / total }
        cumulative[key] = column
        return column
    }
}
