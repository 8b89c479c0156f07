import Foundation
import Interface
import Kernels
import Tasks

/// Optimistic Thompson sampling as the RL² paper's column has it: of some vectors of arm means drawn from the posterior
/// the one with the highest joint posterior density is kept, and its best arm is pulled. Its authors drew at most 20. (May
/// et al. 2012 use the name for another rule, which does not reproduce the column: see `ThompsonSampling`.)
///
/// The draws are those of the algorithm, but only as far as they can still matter. With ℓ(x) = log f(x) / f(mode) ≤ 0
/// for the density f of an arm, Σ ℓ only falls as arms are added, so a vector is abandoned as soon as it lies below the
/// best so far; an arm that was never pulled has ℓ = 0 everywhere and is drawn in the vector that won alone; and with
/// successes only (or failures only) ℓ is an exponential variable: x = e^(−E/p) gives ℓ = −E (p − 1) / p.
public struct OptimisticThompsonSampling: ClassicAgent {
    /// Vectors drawn a step, at least 1.
    public let samples: Int

    public init(samples: Int = 20) { self.samples = samples }

    public var name: String { "Optimistic Thompson sampling" }
    public var parameters: String { "\(samples) samples" }

    public func makePlayer(for family: any TaskFamily) -> TrialPlayer {
        TrialPlayer(arms: family.actions, samples: samples)
    }

    public struct TrialPlayer: Player {
        private let samples: Int
        private var counts: ArmCounts
        /// Arms that were pulled, in the order of their first pulls.
        private var pulled: [Int] = []
        /// log f at the mode, without the constant of f, of each arm [k]
        private var peaks: [Double]
        /// The vector at hand and the best so far [k]; −log x, −log(1 − x) or x of an arm by its counts.
        private var drawn, best: [Double]

        init(arms: Int, samples: Int) {
            self.samples = samples
            counts = ArmCounts(arms: arms)
            pulled.reserveCapacity(arms)
            peaks = [Double](repeating: 0, count: arms)
            drawn = peaks
            best = peaks
        }

        public mutating func act(_ input: StepView, random: inout RandomSource) -> Int {
            if let arm = counts.observe(input) { learn(arm) }
            // One vector is as good as another where nothing was pulled.
            if !pulled.isEmpty {
                var density = -Double.infinity
                for _ in 0..<samples { draw(above: &density, &random) }
            }
            return bestArm(&random)
        }

        private mutating func learn(_ arm: Int) {
            let (a, b) = (counts.p[arm] - 1, counts.q[arm] - 1)
            if a + b == 1 { pulled.append(arm) }
            if a > 0 && b > 0 { peaks[arm] = a * log(a / (a + b)) + b * log(b / (a + b)) }
        }

        /// Draws a vector and keeps it if its density is above that of the best; gives up where it cannot be.
        private mutating func draw(above density: inout Double, _ random: inout RandomSource) {
            var sum = 0.0
            for arm in pulled {
                let (p, q) = (counts.p[arm], counts.q[arm])
                if p == 1 || q == 1 {
                    let (many, exponential) = (max(p, q), random.exponential())
                    drawn[arm] = exponential / many
                    sum -= exponential * (many - 1) / many
                } else {
                    let (success, failure) = (random.gamma(p), random.gamma(q))
                    let scale = 1 / (success + failure)
                    drawn[arm] = success * scale
                    sum += (p - 1) * log(success * scale) + (q - 1) * log(failure * scale) - peaks[arm]
                }
                if sum < density { return }
            }
            density = sum
            swap(&drawn, &best)
        }

        private mutating func bestArm(_ random: inout RandomSource) -> Int {
            var (chosen, largest) = (0, -1.0)
            for arm in 0..<counts.arms {
                let (p, q) = (counts.p[arm], counts.q[arm])
                let mean =
                    if p + q == 2 {
                        random.uniformDouble()
                    } else if q == 1 {
                        exp(-best[arm])
                    } else if p == 1 {
                        -expm1(-best[arm])
                    } else {
                        best[arm]
                    }
                if mean > largest { (chosen, largest) = (arm, mean) }
            }
            return chosen
        }
    }
}
