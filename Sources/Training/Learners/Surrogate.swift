import Autodiff
import Foundation
import Kernels
import Models

/// What TRPO maximises over some shards, L(θ) = (1/N) Σ A π_θ(a | h) / π_old(a | h) + β · mean entropy, and the mean
/// KL(π_old ‖ π_θ) that bounds it.
final class Surrogate {
    private let policy: any SequencePolicy
    private let workers: Workers
    private let sums: ShardSums

    init(policy: any SequencePolicy, workers: Workers, sums: ShardSums) {
        (self.policy, self.workers, self.sums) = (policy, workers, sums)
    }

    /// Unrolls π, keeps its log-probabilities in the shards, and pulls L's gradient back: at θ the ratio is exactly 1, so it
    /// is (1/N) Σ A ∇ log π.
    ///
    /// - Parameters:
    ///   - rows: N
    ///   - hasMoved: π may have left the policy that played, whose log-probabilities the shards hold: A is multiplied by the
    ///     ratio of the two.
    ///   - records: a tape for each shard, to be read again; nil: none is.
    ///   - gradient: [P]
    /// - Returns: π's mean entropy, nats.
    func computeGradient(
        at parameters: UnsafePointer<Float>, _ shards: ArraySlice<ShardBatch>, rows: Int, entropyBonus: Float,
        hasMoved: Bool, records: [Tape]?, into gradient: Matrix
    ) -> Double {
        let count = shards.count
        sums.prepare(count)
        let weight = 1 / Float(rows)
        let entropies = Buffer<Double>(capacity: count)
        workers.pool.run(count) { index, worker in
            let shard = shards[shards.startIndex + index]
            let tape = records?[index] ?? workers.tapes[worker]
            let workspace = workers.workspaces[worker]
            tape.begin(parameters: parameters, recording: true)
            let logits = policy.unroll(shard.inputs, shape: shard.shape, tape: tape)
            tape.output = logits
            entropies[index] =
                hasMoved
                ? shard.reweight(logits: tape.value(logits)) : shard.keepDistributions(logits: tape.value(logits))
            let (actions, logProbabilities) = (shard.actionCount, shard.logProbabilities.pointer)
            tape.beginVJP(workspace: workspace)
            let seed = workspace.cotangent(logits)
            for row in 0..<shard.rows {
                Categorical.addLogProbabilityGradient(
                    outcome: Int(shard.actions.pointer[row]), outcomes: actions,
                    logProbabilities: logProbabilities + row * actions,
                    weight: weight * shard.advantages.pointer[row], to: seed + row * actions)
            }
            if entropyBonus > 0 {
                Categorical.addEntropyGradient(
                    rows: shard.rows, outcomes: actions, logProbabilities: logProbabilities,
                    weight: weight * entropyBonus, to: seed)
            }
            let slot = sums.slot(index)
            slot.update(repeating: 0, count: sums.width)
            tape.vjp(gradient: slot, workspace: workspace)
        }
        gradient.copy(from: UnsafePointer(sums.reduce(count, pool: workers.pool)))
        return (0..<count).reduce(0) { $0 + entropies[$1] } / Double(rows)
    }

    /// How much L gains over the policy that the shards remember, and the mean KL; over a quarter of the shards where these
    /// show already that the KL is too large.
    func measure(
        _ parameters: UnsafePointer<Float>, _ shards: ArraySlice<ShardBatch>, entropyBonus: Double, maximumKL: Double
    ) -> (gain: Double, divergence: Double) {
        let probe = shards.count >= 8 ? shards.count / 4 : 0
        var sums = Sums()
        if probe > 0 {
            sums = measure(parameters, shards.prefix(probe), entropyBonus: entropyBonus)
            let divergence = sums.divergence / sums.rows
            if divergence > 1.2 * maximumKL { return (sums.gain / sums.rows, divergence) }
        }
        sums.add(measure(parameters, shards.dropFirst(probe), entropyBonus: entropyBonus))
        return (sums.gain / sums.rows, sums.divergence / sums.rows)
    }

    /// Sums over rows.
    private struct Sums {
        var (gain, divergence, rows) = (0.0, 0.0, 0.0)

        mutating func add(_ other: Sums) {
            gain += other.gain
            divergence += other.divergence
            rows += other.rows
        }
    }

    private func measure(
        _ parameters: UnsafePointer<Float>, _ shards: ArraySlice<ShardBatch>, entropyBonus: Double
    ) -> Sums {
        let parts = Buffer<Sums>(capacity: shards.count)
        workers.pool.run(shards.count) { index, worker in
            let (shard, tape) = (shards[shards.startIndex + index], workers.tapes[worker])
            let actions = shard.actionCount
            tape.begin(parameters: parameters, recording: false)
            let logits = policy.unroll(shard.inputs, shape: shard.shape, tape: tape)
            let new = tape.mutableValue(logits)
            let old = UnsafePointer(shard.logProbabilities.pointer)
            Categorical.logProbabilities(rows: shard.rows, outcomes: actions, logits: UnsafePointer(new), into: new)
            var part = Sums()
            for row in 0..<shard.rows {
                let at = row * actions + Int(shard.actions.pointer[row])
                part.gain += Double(shard.advantages.pointer[row] * (expf(new[at] - old[at]) - 1))
            }
            if entropyBonus > 0 {
                let change =
                    Categorical.entropySum(
                        rows: shard.rows, outcomes: actions, logProbabilities: UnsafePointer(new))
                    - Categorical.entropySum(rows: shard.rows, outcomes: actions, logProbabilities: old)
                part.gain += entropyBonus * change
            }
            part.divergence = Categorical.divergenceSum(
                rows: shard.rows, outcomes: actions, old: old, new: UnsafePointer(new))
            part.rows = Double(shard.rows)
            parts[index] = part
        }
        var sums = Sums()
        for index in shards.indices { sums.add(parts[index - shards.startIndex]) }
        return sums
    }
}
