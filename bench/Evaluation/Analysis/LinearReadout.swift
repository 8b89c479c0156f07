import Foundation
import Kernels

/// A linear map with an intercept from features to targets, fitted by ridge regression: how much of a quantity can be
/// read from a network's state by one layer and no more.
struct LinearReadout {
    let features: Int
    let targets: Int
    /// [F, targets]
    private let weights: [Double]
    /// [targets]
    private let intercepts: [Double]

    /// Penalty on the weights of standardised features, a row: small, because rows are many more than features, and there
    /// for features that say the same.
    static let penalty = 1e-6

    /// Minimises mean squared error + penalty · Σ w² over features of deviation 1. Features that do not vary weigh nothing.
    init(_ sums: ReadoutSums, penalty: Double = LinearReadout.penalty) {
        let (features, targets) = (sums.features, sums.targets)
        let means = (0..<features + targets).map { sums.mean($0) }
        let deviations = (0..<features).map { feature -> Double in
            let variance = sums.covariance(feature, feature)
            // Below the rounding of features that are single-precision numbers there is nothing to see.
            return variance > 1e-12 * (1 + means[feature] * means[feature]) ? variance.squareRoot() : .infinity
        }
        var matrix = [Double](repeating: 0, count: features * features)
        for row in 0..<features {
            for column in 0...row {
                matrix[row * features + column] = sums.covariance(row, column) / (deviations[row] * deviations[column])
            }
            matrix[row * features + row] += penalty
        }
        var solution = [Double](repeating: 0, count: features * targets)
        for row in 0..<features {
            for target in 0..<targets {
                solution[row * targets + target] = sums.covariance(row, features + target) / deviations[row]
            }
        }
        Self.solve(&matrix, &solution, size: features, columns: targets)
        var intercepts = Array(means[features...])
        for row in 0..<features {
            for target in 0..<targets {
                solution[row * targets + target] /= deviations[row]
                intercepts[target] -= means[row] * solution[row * targets + target]
            }
        }
        (self.features, self.targets, weights, self.intercepts) = (features, targets, solution, intercepts)
    }

    private init(features: Int, targets: Int, weights: [Double], intercepts: [Double]) {
        (self.features, self.targets, self.weights, self.intercepts) = (features, targets, weights, intercepts)
    }

    /// Penalties that are tried where rows are many and trials few: the rows of a trial say much the same.
    static let penalties = [1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10]

    /// Fits each group of targets with the penalty that reads it best by cross-validation.
    ///
    /// - Parameters:
    ///   - folds: sums over trials that are disjoint, at least one; with one there is nothing to validate on, and the
    ///     standard penalty is taken.
    ///   - groups: ranges that hold all targets.
    init(folds: [ReadoutSums], groups: [Range<Int>]) {
        let total = folds.dropFirst().reduce(into: folds[0]) { $0.add($1) }
        guard folds.count > 1 else {
            self.init(total)
            return
        }
        // Σ (y − ŷ)² over folds that the map was not fitted to [groups][penalties]
        var errors = [[Double]](repeating: [], count: groups.count)
        let others = folds.indices.map { fold in
            folds.indices.filter { $0 != fold }.dropFirst().reduce(into: folds[fold == 0 ? 1 : 0]) { $0.add(folds[$1]) }
        }
        for penalty in Self.penalties {
            let found = folds.indices.map { Self(others[$0], penalty: penalty).squaredErrors(on: folds[$0]) }
            for (index, group) in groups.enumerated() {
                errors[index].append(found.reduce(0) { sum, errors in group.reduce(sum) { $0 + errors[$1] } })
            }
        }
        let chosen = errors.map { errors in errors.indices.reduce(0) { errors[$1] < errors[$0] ? $1 : $0 } }
        var weights = [Double](repeating: 0, count: total.features * total.targets)
        var intercepts = [Double](repeating: 0, count: total.targets)
        for penalty in Set(chosen).sorted() {
            let fitted = Self(total, penalty: Self.penalties[penalty])
            for group in groups.indices where chosen[group] == penalty {
                for target in groups[group] {
                    intercepts[target] = fitted.intercepts[target]
                    for row in 0..<total.features {
                        weights[row * total.targets + target] = fitted.weights[row * total.targets + target]
                    }
                }
            }
        }
        self.init(features: total.features, targets: total.targets, weights: weights, intercepts: intercepts)
    }

    /// Σ (y − ŷ)² of each target over the rows of some sums [targets].
    func squaredErrors(on sums: ReadoutSums) -> [Double] {
        // With u = (−w, 1 at the target, −b) a row's error is z · u: the sum of squares is uᵀ (Zᵀ Z) u.
        let width = sums.width
        var columns = [Double](repeating: 0, count: width * targets)
        for target in 0..<targets {
            for row in 0..<features { columns[row * targets + target] = -weights[row * targets + target] }
            columns[(features + target) * targets + target] = 1
            columns[(width - 1) * targets + target] = -intercepts[target]
        }
        let products = sums.multiplied(by: columns, columns: targets)
        return (0..<targets).map { target in
            (0..<width).reduce(0) { $0 + columns[$1 * targets + target] * products[$1 * targets + target] }
        }
    }

    /// Reads every target [rows, targets] from features [rows, F] that lie `stride` apart.
    func read(_ rows: Int, _ place: UnsafePointer<Double>, stride: Int) -> [Double] {
        var result = [Double]()
        result.reserveCapacity(rows * targets)
        for _ in 0..<rows { result += intercepts }
        weights.withUnsafeBufferPointer { weights in
            result.withUnsafeMutableBufferPointer {
                BLAS.multiply(
                    rows, targets, features, place, stride, weights.baseAddress!, targets, into: $0.baseAddress!,
                    targets, beta: 1)
            }
        }
        return result
    }

    /// Solves A X = B in place by Cholesky's factors, A = L Lᵀ.
    /// - Parameters:
    ///   - matrix: A, symmetric and positive definite; its lower half is read, and becomes L [size, size]
    ///   - right: B, becomes X [size, columns]
    static func solve(_ matrix: inout [Double], _ right: inout [Double], size: Int, columns: Int) {
        matrix.withUnsafeMutableBufferPointer { a in
            right.withUnsafeMutableBufferPointer { b in
                for row in 0..<size {
                    for column in 0...row {
                        var sum = a[row * size + column]
                        for k in 0..<column { sum -= a[row * size + k] * a[column * size + k] }
                        a[row * size + column] = row == column ? sum.squareRoot() : sum / a[column * size + column]
                    }
                }
                for row in 0..<size {
                    for k in 0..<row {
                        let factor = a[row * size + k]
                        for c in 0..<columns { b[row * columns + c] -= factor * b[k * columns + c] }
                    }
                    for c in 0..<columns { b[row * columns + c] /= a[row * size + row] }
                }
                for row in (0..<size).reversed() {
                    for k in row + 1..<max(size, row + 1) {
                        let factor = a[k * size + row]
                        for c in 0..<columns { b[row * columns + c] -= factor * b[k * columns + c] }
                    }
                    for c in 0..<columns { b[row * columns + c] /= a[row * size + row] }
                }
            }
        }
    }
}

/// Sums of features, targets and their products over rows: all that a readout is fitted from, whatever the number of rows.
struct ReadoutSums {
    let features: Int
    let targets: Int
    /// Columns of a row: features, targets, and 1.
    var width: Int { features + targets + 1 }
    /// Zᵀ Z over rows Z [width, width]
    private var products: [Double]

    init(features: Int, targets: Int) {
        (self.features, self.targets) = (features, targets)
        products = [Double](repeating: 0, count: (features + targets + 1) * (features + targets + 1))
    }

    /// Adds rows Z = [features | targets | 1] [rows, width].
    mutating func add(_ rows: Int, _ place: UnsafePointer<Double>) {
        let width = width
        products.withUnsafeMutableBufferPointer {
            BLAS.multiply(
                width, width, rows, place, width, transposeA: true, place, width, into: $0.baseAddress!, width, beta: 1)
        }
    }

    mutating func add(_ other: ReadoutSums) {
        for index in products.indices { products[index] += other.products[index] }
    }

    /// Zᵀ Z U [width, columns] for U [width, columns].
    func multiplied(by right: [Double], columns: Int) -> [Double] {
        var result = [Double](repeating: 0, count: width * columns)
        products.withUnsafeBufferPointer { products in
            right.withUnsafeBufferPointer { right in
                result.withUnsafeMutableBufferPointer {
                    BLAS.multiply(
                        width, columns, width, products.baseAddress!, width, right.baseAddress!, columns,
                        into: $0.baseAddress!, columns, beta: 0)
                }
            }
        }
        return result
    }

    var rows: Double { products[width * width - 1] }

    func mean(_ column: Int) -> Double { products[column * width + width - 1] / rows }

    func covariance(_ one: Int, _ other: Int) -> Double {
        products[one * width + other] / rows - mean(one) * mean(other)
    }
}

/// How well targets were read on rows that the readout has not seen, step by step.
struct ReadoutErrors {
    let steps: Int
    let targets: Int
    private var rows: [Double]  // [steps]
    private var squares: [Double]  // Σ (y − ŷ)² [steps, targets]
    private var sums: [Double]  // Σ y [steps, targets]
    private var sumsOfSquares: [Double]  // Σ y² [steps, targets]

    init(steps: Int, targets: Int) {
        (self.steps, self.targets) = (steps, targets)
        rows = [Double](repeating: 0, count: steps)
        squares = [Double](repeating: 0, count: steps * targets)
        (sums, sumsOfSquares) = (squares, squares)
    }

    mutating func add(step: Int, target: Int, value: Double, read: Double) {
        if target == 0 { rows[step] += 1 }
        let place = step * targets + target
        squares[place] += (value - read) * (value - read)
        sums[place] += value
        sumsOfSquares[place] += value * value
    }

    mutating func add(_ other: ReadoutErrors) {
        for index in rows.indices { rows[index] += other.rows[index] }
        for index in squares.indices {
            squares[index] += other.squares[index]
            sums[index] += other.sums[index]
            sumsOfSquares[index] += other.sumsOfSquares[index]
        }
    }

    /// R² = 1 − Σ (y − ŷ)² / Σ (y − ȳ)² over some targets, each with its own mean ȳ over the steps: the mean of their R²,
    /// each weighted by how much it varies, so that an arm which is hardly ever pulled does not decide. Nil where nothing
    /// varies.
    func explained(targets chosen: Range<Int>, steps: Range<Int>) -> Double? {
        var (error, variation, size) = (0.0, 0.0, 0.0)
        let count = steps.reduce(0.0) { $0 + rows[$1] }
        for target in chosen {
            var (sum, square) = (0.0, 0.0)
            for step in steps {
                let place = step * targets + target
                error += squares[place]
                sum += sums[place]
                square += sumsOfSquares[place]
            }
            variation += square - sum * sum / count
            size += square
        }
        return variation > 1e-9 * max(size, 1e-300) ? 1 - error / variation : nil
    }

    /// The same with ȳ the mean of each step's own rows: a read-out that knows only the step has R² = 0.
    func explained(targets chosen: Range<Int>, withinEach steps: [Int]) -> Double? {
        var (error, variation, size) = (0.0, 0.0, 0.0)
        for step in steps where rows[step] > 0 {
            for target in chosen {
                let place = step * targets + target
                error += squares[place]
                variation += sumsOfSquares[place] - sums[place] * sums[place] / rows[step]
                size += sumsOfSquares[place]
            }
        }
        return variation > 1e-9 * max(size, 1e-300) ? 1 - error / variation : nil
    }
}
