import Autodiff
import Foundation
import Kernels
import Models
import Tasks
import Testing

@testable import Training

/// F = (1/N) Jᵀ (diag p − p pᵀ) J of a GRU of width 4, column by column, against what it must be.
@Suite struct FisherProductTests {
    enum Case: String, CaseIterable {
        case bandit, ragged, forgetful

        var played: PlayedBatch {
            switch self {
            case .bandit: PlayedBatch(BernoulliBandit(arms: 3, episodes: 4), trials: 6)
            case .ragged: PlayedBatch(raggedFamily(), trials: 6)
            case .forgetful: PlayedBatch(raggedFamily(), trials: 6, memoryReset: .half)
            }
        }
    }

    /// All columns of F + damping · 1 at θ_old, [P][P].
    private func columns(_ played: PlayedBatch, damping: Float = 0) -> [[Double]] {
        // An update that may try no step leaves θ, the records at θ_old and the log-probabilities.
        let optimizer = played.optimizer
        played.setRandomAdvantages()
        _ = played.update(optimizer, .all(["conjugate-gradient-iterations": 1], backtrackLimit: 0))
        let width = played.parameters.count
        var unit = [Float](repeating: 0, count: width)
        return (0..<width).map { index in
            unit[index] = 1
            defer { unit[index] = 0 }
            let product = optimizer.fisher.product(unit, damping: .init(absolute: damping))
            return (0..<width).map { Double(product[$0]) }
        }
    }

    /// ∇_θ (1/N) Σ KL(π_old ‖ π_θ) = (1/N) Jᵀ (p_θ − p_old), from the tape of each shard at θ.
    private func divergenceGradient(_ played: PlayedBatch, at parameters: [Float]) -> [Double] {
        let (tape, workspace) = (Tape(), Workspace())
        var gradient = [Float](repeating: 0, count: parameters.count)
        parameters.withUnsafeBufferPointer { parameters in
            for shard in played.batch.shards {
                tape.begin(parameters: parameters.baseAddress!, recording: true)
                let logits = played.policy.unroll(shard.inputs, shape: shard.shape, tape: tape)
                tape.beginVJP(workspace: workspace)
                let (values, seed) = (tape.value(logits), workspace.cotangent(logits))
                let outcomes = shard.actionCount
                for row in 0..<shard.rows {
                    let exponentials = (0..<outcomes).map { exp(Double(values[row * outcomes + $0])) }
                    let total = exponentials.reduce(0, +)
                    for outcome in 0..<outcomes {
                        let old = exp(Double(shard.logProbabilities[row * outcomes + outcome]))
                        let difference = exponentials[outcome] / total - old
                        seed[row * outcomes + outcome] = Float(difference / Double(played.batch.rows))
                    }
                }
                tape.vjp(gradient: &gradient, workspace: workspace)
            }
        }
        return gradient.map(Double.init)
    }

    /// Central differences of the gradient: column i is (∇KL(θ + εe_i) − ∇KL(θ − εe_i)) / 2ε.
    private func finiteDifferences(_ played: PlayedBatch, step: Float) -> [[Double]] {
        let theta = played.parameters.values
        return theta.indices.map { index in
            var (above, below) = (theta, theta)
            above[index] += step
            below[index] -= step
            let width = Double(above[index] - below[index])
            let (right, left) = (divergenceGradient(played, at: above), divergenceGradient(played, at: below))
            return zip(right, left).map { ($0 - $1) / width }
        }
    }

    private func largest(_ matrix: [[Double]]) -> Double { matrix.joined().reduce(0) { max($0, abs($1)) } }

    private func difference(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
        zip(a, b).map { zip($0, $1).map { $0 - $1 } }
    }

    /// The preconditioner is 1 / (an estimate of F's diagonal): the mean of 4000 estimates against the diagonal itself. An
    /// estimate is a mean of squares of sums of independent rows, so it deviates by at most about √2 of its mean for one
    /// shard (more where few rows count), the mean of 4000 by .022 of it: .2 is nine of those.
    @Test(arguments: Case.allCases) func thePreconditionerHoldsTheDiagonalOfF(_ kind: Case) {
        let played = kind.played
        let exact = columns(played).enumerated().map { $1[$0] }
        let optimizer = played.optimizer
        played.setRandomAdvantages()
        _ = played.update(optimizer, .all(["conjugate-gradient-iterations": 1], backtrackLimit: 0))
        let mean = exact.reduce(0, +) / Double(exact.count)
        var sums = [Double](repeating: 0, count: exact.count)
        let (draws, damping) = (4000, Float(1e-3) * Float(mean))
        for draw in 0..<draws {
            optimizer.fisher.precondition(exponent: 1, damping: damping, random: RandomSource(seed: 3).split(draw))
            for place in sums.indices { sums[place] += 1 / Double(optimizer.fisher.preconditioner.pointer[place]) }
        }
        for (place, sum) in sums.enumerated() {
            let estimate = sum / Double(draws) - Double(damping)
            #expect(
                abs(estimate - exact[place]) < 0.2 * exact[place] + 1e-3 * mean,
                "parameter \(place): \(estimate), exact \(exact[place])")
        }
    }

    /// The error of central differences is c ε² + O(ε⁴): it must fall fourfold when ε is halved, and Richardson's
    /// combination (4 H(ε) − H(2ε)) / 3, which cancels c, must meet F. What remains there is of the order of ε⁴, here
    /// ε² of what was cancelled, and rounding: gradients of at most ε · max F, in which some hundred numbers were
    /// rounded to 2⁻²⁴ each, divided by ε.
    @Test(arguments: Case.allCases) func isTheHessianOfTheMeanKL(_ kind: Case) {
        let played = kind.played
        let fisher = columns(played)
        let (coarse, fine): (Float, Float) = (0.1, 0.05)
        let (coarseHessian, fineHessian) = (
            finiteDifferences(played, step: coarse), finiteDifferences(played, step: fine)
        )
        let coarseError = largest(difference(coarseHessian, fisher))
        let fineError = largest(difference(fineHessian, fisher))
        #expect((3.7...4.3).contains(coarseError / fineError), "\(coarseError) fell to \(fineError)")

        let extrapolated = zip(fineHessian, coarseHessian).map { zip($0, $1).map { (4 * $0 - $1) / 3 } }
        let error = largest(difference(extrapolated, fisher))
        let bound = Double(coarse * coarse) * coarseError + 100 * 0x1p-24 * largest(fisher)
        #expect(error < bound, "\(error) of \(bound), F up to \(largest(fisher))")
        #expect(bound < 1e-3 * largest(fisher), "the bound must mean something")
    }

    /// Each entry of a column is a sum over rows, steps and units in Float32: some hundred roundings of 2⁻²⁴, relative
    /// to at most the largest entry (of a positive semi-definite matrix that lies on the diagonal).
    @Test(arguments: Case.allCases) func isSymmetric(_ kind: Case) {
        let fisher = columns(kind.played)
        let scale = largest(fisher)
        var error = 0.0
        for i in fisher.indices { for j in 0..<i { error = max(error, abs(fisher[i][j] - fisher[j][i])) } }
        #expect(scale > 1e-3 && error < 100 * 0x1p-24 * scale, "\(error / scale) of the largest entry")
    }

    /// Cholesky's decomposition of F + ε exists just where F's eigenvalues are above −ε; ε is the size of rounding,
    /// which adds up to at most width · 100 · 2⁻²⁴ of the largest entry.
    @Test(arguments: Case.allCases) func isPositiveSemiDefinite(_ kind: Case) {
        let fisher = columns(kind.played)
        let width = fisher.count
        let shift = Double(width) * 100 * 0x1p-24 * largest(fisher)
        var factor = (0..<width).map { i in (0..<width).map { j in (fisher[i][j] + fisher[j][i]) / 2 } }
        var smallest = Double.infinity
        for j in 0..<width {
            var pivot = factor[j][j] + shift
            for k in 0..<j { pivot -= factor[j][k] * factor[j][k] }
            smallest = min(smallest, pivot)
            guard pivot > 0 else { break }
            factor[j][j] = pivot.squareRoot()
            for i in j + 1..<width {
                var sum = factor[i][j]
                for k in 0..<j { sum -= factor[i][k] * factor[j][k] }
                factor[i][j] = sum / factor[j][j]
            }
        }
        #expect(smallest > 0)
    }

    @Test func dampingAddsToTheDiagonal() {
        let played = Case.bandit.played
        let (plain, damped) = (columns(played), columns(played, damping: 0.5))
        for i in plain.indices {
            for j in plain.indices {
                // One rounding of a sum of at most 1.
                #expect(abs(damped[i][j] - plain[i][j] - (i == j ? 0.5 : 0)) <= 0x1p-24)
            }
        }
    }

    /// With the preconditioner M = (diag F + damping)^e of the update before, damping in its units adds μ M to F.
    @Test(arguments: [0, 0.5, 1]) func relativeDampingIsAShareOfThePreconditioner(_ exponent: Double) {
        let played = Case.bandit.played
        let optimizer = played.optimizer
        played.setRandomAdvantages()
        _ = played.update(
            optimizer,
            .all(
                [
                    "conjugate-gradient-iterations": 1, "preconditioning": .real(exponent), "relative-damping": 0.5,
                ], backtrackLimit: 0))
        let width = played.parameters.count
        var unit = [Float](repeating: 0, count: width)
        for index in 0..<width {
            unit[index] = 1
            defer { unit[index] = 0 }
            let images = [Float(0), 0.5].map { share -> [Float] in
                let product = optimizer.fisher.product(unit, damping: .init(relative: share))
                return (0..<width).map { product[$0] }
            }
            for place in 0..<width {
                let added = place == index ? 0.5 / optimizer.fisher.preconditioner.pointer[place] : 0
                #expect(abs(images[1][place] - images[0][place] - added) <= 0x1p-22)
            }
        }
    }

    /// The bits of a product do not depend on the number of threads.
    @Test func isTheSameForAnyNumberOfThreads() {
        let products = [1, 2, 3].map { threads -> [UInt32] in
            let played = PlayedBatch(BernoulliBandit(arms: 3, episodes: 4), trials: 700, threads: threads)
            let optimizer = played.optimizer
            played.setRandomAdvantages()
            _ = played.update(optimizer, .all(["conjugate-gradient-iterations": 1], backtrackLimit: 0))
            #expect(played.batch.shards.count > 3)
            let direction = (0..<played.parameters.count).map { Float($0 % 7) - 3 }
            let product = optimizer.fisher.product(direction)
            return (0..<played.parameters.count).map { product[$0].bitPattern }
        }
        #expect(products[0] == products[1] && products[0] == products[2])
    }

    /// A part of the trials means whole trials, each at most once, as they are in the batch.
    @Test func aShareTakesWholeTrials() {
        let played = PlayedBatch(raggedFamily(), trials: 50)
        played.setRandomAdvantages()
        let optimizer = played.optimizer
        var chosen: [[[TrialStep]]] = []
        for seed in [1, 1, 2] {
            var clock = PhaseClock()
            _ = optimizer.update(
                played.batch, settings: .all(["fisher-share": 0.3], backtrackLimit: 0),
                random: RandomSource(seed: UInt64(seed)), clock: &clock)
            let trials = optimizer.fisher.shards.flatMap(\.allTrials)
            #expect(trials.count == 15)
            chosen.append(trials)
        }
        #expect(chosen[0] == chosen[1] && chosen[0] != chosen[2])
        var available = played.batch.shards.flatMap(\.allTrials)
        for trial in chosen[0] {
            let index = available.firstIndex(of: trial)
            #expect(index != nil, "a trial that is none of the batch's, or one twice")
            if let index { available.remove(at: index) }
        }
    }

    /// With a share of 0.3 the update solves with the Fisher matrix of just those trials: its predicted KL is theirs.
    @Test func anUpdateWithAShareImprovesTheSurrogateInsideTheTrustRegion() {
        let played = PlayedBatch(raggedFamily(), trials: 50, hidden: 8)
        played.setRandomAdvantages()
        let before = played.parameters.bits
        let report = played.update(played.optimizer, .all(["fisher-share": 0.3]))
        #expect(report.outcome == .accepted)
        #expect(report.actualKL > 0 && report.actualKL <= 0.01)
        #expect(report.step.surrogateGain > 0)
        #expect(played.parameters.bits != before)
    }
}
