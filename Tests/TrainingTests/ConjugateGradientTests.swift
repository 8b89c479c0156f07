import Kernels
import Testing

@testable import Training

@Suite struct ConjugateGradientTests {
    /// Runs on an explicit matrix, in double inside the product, so that only the solver's own arithmetic is Float32.
    private func solve(
        _ matrix: [[Double]], _ gradient: [Float], preconditioner: [Float]? = nil, iterations: Int,
        tolerance: Double = 1e-10
    ) -> (solution: [Float], report: ConjugateGradient.Report, products: Int) {
        let width = gradient.count
        let image = Matrix(rows: 1, columns: width)
        var solution = [Float](repeating: .nan, count: width)
        var products = 0
        let ones = [Float](repeating: 1, count: width)
        let report = ConjugateGradient(width: width).solve(
            gradient: gradient, solution: &solution, preconditioner: preconditioner ?? ones, iterations: iterations,
            tolerance: tolerance
        ) { direction in
            products += 1
            for row in 0..<width {
                image.pointer[row] = Float((0..<width).reduce(0) { $0 + matrix[row][$1] * Double(direction[$1]) })
            }
            return UnsafePointer(image.pointer)
        }
        return (solution, report, products)
    }

    /// F = Σ λ_i q_i q_iᵀ for orthonormal q_i.
    private func matrix(eigenvalues: [Double]) -> [[Double]] {
        let width = eigenvalues.count
        var random = RandomSource(seed: 12)
        let basis = orthonormalBasis(width, &random)
        return (0..<width).map { row in
            (0..<width).map { column in
                (0..<width).reduce(0) { $0 + eigenvalues[$1] * basis[$1][row] * basis[$1][column] }
            }
        }
    }

    /// F = [[4, 1], [1, 3]], g = (1, 2): x = (1, 7) / 11. The first step from 0 is gᵀg / gᵀFg = 5 / 20 along g.
    @Test func solvesTwoByTwoByHand() {
        let (fisher, g) = ([[4.0, 1], [1, 3]], [Float(1), 2])
        let one = solve(fisher, g, iterations: 1)
        #expect(one.solution == [0.25, 0.5])
        // g − F x = (−0.5, 0.25), and xᵀFx = 20 / 16.
        #expect(one.report.relativeResidual == (0.3125 / 5).squareRoot())
        #expect(one.report.curvature == 1.25)
        let two = solve(fisher, g, iterations: 2)
        #expect(two.report.iterations == 2)
        // A handful of roundings of numbers below 1: 8 · 2⁻²⁴.
        #expect(abs(Double(two.solution[0]) - 1 / 11.0) < 8 * 0x1p-24)
        #expect(abs(Double(two.solution[1]) - 7 / 11.0) < 8 * 0x1p-24)
        // xᵀFx = gᵀF⁻¹g = 15 / 11
        #expect(abs(two.report.curvature - 15 / 11.0) < 32 * 0x1p-24)
    }

    /// In exact arithmetic as many steps as there are different eigenvalues.
    @Test func needsOneStepForEachDifferentEigenvalue() {
        let eigenvalues = (0..<24).map { [0.5, 1, 3][$0 % 3] }
        let fisher = matrix(eigenvalues: eigenvalues)
        var random = RandomSource(seed: 13)
        let g = (0..<24).map { _ in Float(random.normal()) }
        let two = solve(fisher, g, iterations: 2)
        let three = solve(fisher, g, iterations: 3)
        #expect(two.report.relativeResidual > 1e-2)
        // The condition number is 6 and three steps round 24 numbers a few times each: 6 · 24 · 2⁻²⁴ ≈ 1e-5.
        #expect(three.report.relativeResidual < 1e-5)
        for row in 0..<24 {
            let image = (0..<24).reduce(0) { $0 + fisher[row][$1] * Double(three.solution[$1]) }
            #expect(abs(image - Double(g[row])) < 1e-5 * 5)
        }
    }

    /// With M the diagonal of F itself a diagonal F of any condition needs one product; without it, many.
    @Test func aPreconditionerUndoesTheScaleOfTheParameters() {
        let scales = (0..<20).map { Double(1 << $0) }
        let fisher = (0..<20).map { row in (0..<20).map { row == $0 ? scales[row] : 0 } }
        let g = (0..<20).map { Float($0 + 1) }
        let plain = solve(fisher, g, iterations: 3)
        let solved = solve(fisher, g, preconditioner: scales.map { Float(1 / $0) }, iterations: 3)
        #expect(plain.report.relativeResidual > 0.1)
        #expect(solved.report.iterations == 1 || solved.report.relativeResidual < 1e-6)
        for row in 0..<20 { #expect(abs(Double(solved.solution[row]) * scales[row] - Double(g[row])) < 1e-5) }
        // xᵀFx = Σ gᵢ² / λᵢ
        let curvature = zip(g, scales).reduce(0) { $0 + Double($1.0) * Double($1.0) / $1.1 }
        #expect(abs(solved.report.curvature - curvature) < 1e-5 * curvature)
    }

    @Test func reportsTheTrueResidualAndCurvature() {
        let fisher = matrix(eigenvalues: (0..<16).map { 0.01 * Double(1 << ($0 / 2)) })
        var random = RandomSource(seed: 14)
        let g = (0..<16).map { _ in Float(random.normal()) }
        for iterations in [1, 3, 6] {
            let solved = solve(fisher, g, iterations: iterations)
            #expect(solved.products == iterations && solved.report.iterations == iterations)
            let x = solved.solution.map(Double.init)
            let image = fisher.map { row in zip(row, x).reduce(0) { $0 + $1.0 * $1.1 } }
            let residual = zip(g, image).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
            let norm = g.reduce(0) { $0 + Double($1) * Double($1) }
            let curvature = zip(x, image).reduce(0) { $0 + $1.0 * $1.1 }
            // The recursive residual drifts from the true one by about 2⁻²⁴ ‖F‖ ‖x‖ a step: 6 · 6e-8 · 1.28 · 100 / 4.
            #expect(abs(solved.report.relativeResidual - (residual / norm).squareRoot()) < 2e-5)
            #expect(abs(solved.report.curvature - curvature) < 2e-5 * curvature)
        }
    }

    @Test func stopsAtTheTolerance() {
        let fisher = matrix(eigenvalues: (0..<12).map { 1 + 0.1 * Double($0) })
        let solved = solve(fisher, [Float](repeating: 1, count: 12), iterations: 100, tolerance: 1e-3)
        #expect(solved.report.iterations < 8 && solved.report.relativeResidual <= 1e-3)
    }

    @Test func aGradientOfZeroHasTheSolutionZero() {
        let solved = solve([[2, 0], [0, 2]], [0, 0], iterations: 5)
        #expect(solved.solution == [0, 0])
        #expect(solved.products == 0 && solved.report.relativeResidual == 0 && solved.report.curvature == 0)
    }

    /// A matrix that is not positive definite, or a product that is not finite, ends the search where it was sound.
    @Test(arguments: [-1.0, .nan, .infinity]) func stopsAtABadProduct(_ entry: Double) {
        let solved = solve([[1, 0], [0, entry]], [0, 1], iterations: 5)
        #expect(solved.solution == [0, 0])
        #expect(solved.report.iterations == 0)
        #expect(solved.report.curvature == 0)
    }
}

/// Orthonormal vectors by Gram–Schmidt, each orthogonalised twice.
private func orthonormalBasis(_ width: Int, _ random: inout RandomSource) -> [[Double]] {
    var basis: [[Double]] = []
    while basis.count < width {
        var vector = (0..<width).map { _ in random.normal() }
        for _ in 0..<2 {
            for other in basis {
                let projection = zip(vector, other).reduce(0) { $0 + $1.0 * $1.1 }
                vector = zip(vector, other).map { $0 - projection * $1 }
            }
        }
        let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        basis.append(vector.map { $0 / norm })
    }
    return basis
}
