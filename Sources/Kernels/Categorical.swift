import CKernels
import Foundation

/// Categorical distributions over A outcomes, a row each: logits [N, A] in, log-probabilities [N, A] out, and what a
/// policy gradient needs of them.
public enum Categorical {
    /// log softmax of each row; in place if both arrays are the same.
    public static func logProbabilities(
        rows: Int, outcomes: Int, logits: UnsafePointer<Float>, into result: UnsafeMutablePointer<Float>
    ) {
        rl2x_log_softmax(rows, outcomes, logits, result)
    }

    /// Draws an outcome from one row of log-probabilities by inversion of a uniform number in [0, 1).
    public static func sample(_ logProbabilities: UnsafePointer<Float>, outcomes: Int, uniform: Float) -> Int {
        var cumulative: Float = 0
        for outcome in 0..<outcomes - 1 {
            cumulative += expf(logProbabilities[outcome])
            if uniform < cumulative { return outcome }
        }
        return outcomes - 1
    }

    /// The most probable outcome of one row; the first of equals.
    public static func mode(_ logProbabilities: UnsafePointer<Float>, outcomes: Int) -> Int {
        var best = 0
        for outcome in 1..<max(outcomes, 1) where logProbabilities[outcome] > logProbabilities[best] { best = outcome }
        return best
    }

    /// Σ over rows of the entropy −Σ p log p, in nats.
    public static func entropySum(rows: Int, outcomes: Int, logProbabilities: UnsafePointer<Float>) -> Double {
        var sum = 0.0
        for index in 0..<rows * outcomes {
            let logP = logProbabilities[index]
            sum -= Double(expf(logP) * logP)
        }
        return sum
    }

    /// Σ over rows of KL(old ‖ new) = Σ p_old (log p_old − log p_new), in nats. TRPO constrains this direction.
    public static func divergenceSum(
        rows: Int, outcomes: Int, old: UnsafePointer<Float>, new: UnsafePointer<Float>
    ) -> Double {
        var sum = 0.0
        for index in 0..<rows * outcomes { sum += Double(expf(old[index]) * (old[index] - new[index])) }
        return sum
    }

    /// u = (diag p − p pᵀ) v for each row, times `scale`: the Fisher metric of the logits. u may be v.
    public static func fisherMetric(
        rows: Int, outcomes: Int, logProbabilities: UnsafePointer<Float>, tangents v: UnsafePointer<Float>,
        scale: Float, into u: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<rows {
            let at = row * outcomes
            var mean: Float = 0
            for a in 0..<outcomes { mean += expf(logProbabilities[at + a]) * v[at + a] }
            for a in 0..<outcomes { u[at + a] = scale * expf(logProbabilities[at + a]) * (v[at + a] - mean) }
        }
    }

    /// Adds weight · ∇_logits log p(outcome) = weight · (onehot − p) for one row.
    public static func addLogProbabilityGradient(
        outcome: Int, outcomes: Int, logProbabilities: UnsafePointer<Float>, weight: Float,
        to gradient: UnsafeMutablePointer<Float>
    ) {
        for a in 0..<outcomes { gradient[a] -= weight * expf(logProbabilities[a]) }
        gradient[outcome] += weight
    }

    /// Adds weight · ∇_logits H(p) = −weight · p (log p + H) for each row.
    public static func addEntropyGradient(
        rows: Int, outcomes: Int, logProbabilities: UnsafePointer<Float>, weight: Float,
        to gradient: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<rows {
            let (logP, target) = (logProbabilities + row * outcomes, gradient + row * outcomes)
            var entropy: Float = 0
            for a in 0..<outcomes { entropy -= expf(logP[a]) * logP[a] }
            for a in 0..<outcomes { target[a] -= weight * expf(logP[a]) * (logP[a] + entropy) }
        }
    }
}
