import Foundation
import Kernels
import Models
import Tasks
import Testing

@testable import Training

@Suite struct TRPOTests {
    private func bandit(trials: Int = 40, hidden: Int = 8, headGain: Float = 1, threads: Int = 2) -> PlayedBatch {
        let played = PlayedBatch(
            BernoulliBandit(arms: 3, episodes: 5), trials: trials, hidden: hidden, headGain: headGain, threads: threads)
        played.setRandomAdvantages()
        return played
    }

    @Test func anAcceptedStepImprovesTheSurrogateInsideTheTrustRegion() {
        for maximumKL in [1e-4, 1e-2, 1e-1] {
            let played = bandit()
            let before = played.parameters.bits
            let report = played.update(played.optimizer, .all(["maximum-kl": .real(maximumKL)]))
            #expect(report.outcome == .accepted)
            #expect(report.step.surrogateGain > 0)
            #expect(report.actualKL > 0 && report.actualKL <= maximumKL)
            // The full step is where the quadratic model, damping included, says δ.
            #expect(report.step.predictedKL <= maximumKL * 1.0001)
            #expect(report.step.products == 10)
            #expect(played.parameters.bits != before)
        }
    }

    /// The linear model of the surrogate and the quadratic one of the KL are exact in the limit of small steps: their
    /// relative errors fall with the step's length, √δ, so tenfold where δ falls a hundredfold. Fivefold leaves room for
    /// higher orders; a wrong factor in either model would stay. (The KL is compared at larger δ because its terms of
    /// first order cancel in the sum, which leaves 1e-8 of Float32 rounding.)
    @Test func predictionsAreRightForSmallSteps() {
        func errors(_ maximumKL: Double) -> (gain: Double, divergence: Double) {
            let played = bandit(hidden: 32)
            let report = played.update(played.optimizer, .all(["maximum-kl": .real(maximumKL)]))
            #expect(report.outcome == .accepted)
            return (
                abs(report.step.surrogateGain / report.step.predictedGain - 1),
                abs(report.actualKL / report.step.predictedKL - 1)
            )
        }
        let (large, middle, small) = (errors(1e-2), errors(1e-4), errors(1e-6))
        #expect(small.gain < middle.gain / 5, "gain: \(middle.gain), then \(small.gain)")
        #expect(middle.divergence < large.divergence / 5, "KL: \(large.divergence), then \(middle.divergence)")
    }

    /// The gradient is that of the surrogate: moving along it by a little gains the norm times the length.
    @Test func theGradientIsThatOfTheSurrogate() {
        let played = bandit()
        // With F = damping · 1 the step is the gradient's direction; its predicted gain is ‖g‖ · length.
        let report = played.update(
            played.optimizer, .all(["maximum-kl": 1e-5, "conjugate-gradient-iterations": 1, "damping": 10]))
        #expect(report.outcome == .accepted)
        // Second order: the relative error is of the order of the step, √(2 · 1e-5 / 10) ≈ 1e-3, times the curvature.
        #expect(abs(report.step.surrogateGain / report.step.predictedGain - 1) < 0.02)
    }

    @Test func aSearchThatMayTryNothingLeavesTheParameters() {
        let played = bandit()
        let before = played.parameters.bits
        let report = played.update(played.optimizer, .all(backtrackLimit: 0))
        #expect(report.outcome == .restored)
        #expect(played.parameters.bits == before)
    }

    /// With δ = 0 every step has length 0 and gains nothing.
    @Test func aSearchInWhichNothingImprovesLeavesTheParameters() {
        let played = bandit()
        let before = played.parameters.bits
        let report = played.update(played.optimizer, .all(["maximum-kl": 0], backtrackLimit: 4))
        #expect(report.outcome == .restored)
        #expect(report.step.backtracks == 4)
        #expect(played.parameters.bits == before)
    }

    /// A policy that is almost sure of its actions has a tiny Fisher metric: the quadratic model allows a step whose true
    /// KL is far beyond δ. One try must be refused; the line search must find a shorter one.
    @Test func aStepOutsideTheTrustRegionIsShortenedOrUndone() {
        func saturated() -> PlayedBatch {
            let played = bandit(headGain: 12)
            played.setRandomAdvantages(seed: 8)
            return played
        }
        let settings = TRPO.Settings.all(["maximum-kl": 0.5, "damping": 1e-6], backtrackLimit: 1)
        let one = saturated()
        let before = one.parameters.bits
        let refused = one.update(one.optimizer, settings)
        #expect(refused.outcome == .restored, "the case must be one where the first step is too long")
        #expect(one.parameters.bits == before)

        var patient = settings
        patient.backtrackLimit = 20
        let many = saturated()
        let accepted = many.update(many.optimizer, patient)
        #expect(accepted.outcome == .accepted)
        #expect(accepted.step.backtracks > 0)
        #expect(accepted.actualKL <= 0.5 && accepted.step.surrogateGain > 0)
    }

    @Test func equalAdvantagesHaveNothingToImprove() {
        let played = bandit()
        for shard in played.batch.shards { for row in 0..<shard.rows { shard.advantages.pointer[row] = 2 } }
        played.batch.standardizeAdvantages(.batch)
        let before = played.parameters.bits
        let report = played.update(played.optimizer, .all())
        #expect(report.outcome == .restored)
        #expect(played.parameters.bits == before)
    }

    /// Without advantages the entropy bonus is all that there is to gain: the step must raise the entropy, by what the
    /// surrogate says. The bonus β = 2 of entropy's change in nats; sums of Float32 logarithms, N · 2⁻²⁴ of about 1.
    @Test func theEntropyBonusRaisesTheEntropy() {
        func zeroed(_ played: PlayedBatch) {
            for shard in played.batch.shards { for row in 0..<shard.rows { shard.advantages.pointer[row] = 0 } }
        }
        let played = bandit()
        zeroed(played)
        let optimizer = played.optimizer
        let report = played.update(optimizer, .all(["entropy-bonus": 2]))
        #expect(report.outcome == .accepted && report.step.surrogateGain > 0)
        #expect(report.actualKL <= 0.01)
        zeroed(played)
        let after = played.update(optimizer, .all(backtrackLimit: 0))
        #expect(abs(2 * (after.entropy - report.entropy) - report.step.surrogateGain) < 200 * 0x1p-24)
        #expect(after.entropy <= log(3.0) + 1e-6)
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity], [1.0, 0.3])
    func anAdvantageThatIsNotFiniteLeavesTheParameters(_ value: Float, _ fisherShare: Double) {
        let played = bandit()
        let shard = played.batch.shards[1]
        shard.advantages.pointer[shard.rows - 1] = value
        let before = played.parameters.bits
        let report = played.update(played.optimizer, .all(["fisher-share": .real(fisherShare)]))
        #expect(report.outcome == .notFinite)
        #expect(played.parameters.bits == before)
    }

    /// An input that is not finite makes the gradient NaN through the network.
    @Test func aGradientThatIsNotFiniteLeavesTheParameters() {
        let played = bandit()
        played.batch.shards[0].columns.writer.previousRewards[3] = .infinity
        let before = played.parameters.bits
        let report = played.update(played.optimizer, .all())
        #expect(report.outcome == .notFinite)
        #expect(played.parameters.bits == before)
    }

    /// And a healthy batch after a sick one is trained on as if nothing had been.
    @Test func theNextUpdateIsSoundAgain() {
        let fresh = bandit()
        let expected = fresh.update(fresh.optimizer, .all())

        let played = bandit()
        let optimizer = played.optimizer
        played.batch.shards[0].advantages.pointer[0] = .nan
        #expect(played.update(optimizer, .all()).outcome == .notFinite)
        played.setRandomAdvantages()
        let report = played.update(optimizer, .all())
        #expect(report.outcome == .accepted && report.step.surrogateGain == expected.step.surrogateGain)
        #expect(played.parameters.bits == fresh.parameters.bits)
    }

    @Test func theBitsDoNotDependOnTheNumberOfThreads() {
        let results = [1, 2, 3].map { threads -> [UInt32] in
            let played = bandit(trials: 700, threads: threads)
            #expect(played.batch.shards.count > 3)
            let report = played.update(played.optimizer, .all(["fisher-share": 0.5]))
            #expect(report.outcome == .accepted)
            return played.parameters.bits + [Float(report.actualKL).bitPattern, Float(report.entropy).bitPattern]
        }
        #expect(results[0] == results[1] && results[0] == results[2])
    }
}
