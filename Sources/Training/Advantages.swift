import Interface
import Kernels

/// Generalized advantage estimation (Schulman et al. 2016, equation 16) over trials.
public enum Advantages {
    /// For every trial, with t running back from its last step T − 1:
    ///
    ///     δ_t = r_t + γ_t V_{t+1} − V_t
    ///     A_t = δ_t + γ_t λ A_{t+1}          A_T = V_T = 0
    ///
    /// γ_t = γ inside a trial and 0 at its last step. An episode's end is no boundary: `discount` is the only one that
    /// this mathematics knows, and it is 0 where a trial ends, nowhere else.
    ///
    /// - Parameters:
    ///   - shape: of the packed rows; all arrays are [N].
    ///   - rewards: r_t
    ///   - values: V_t in units of reward
    ///   - discount: γ in [0, 1]; lambda: λ in [0, 1].
    ///   - advantages: A_t
    public static func estimate(
        shape: PackedShape, rewards: UnsafePointer<Float>, values: UnsafePointer<Float>, discount: Float,
        lambda: Float, advantages: UnsafeMutablePointer<Float>
    ) {
        for step in stride(from: shape.steps - 1, through: 0, by: -1) {
            let first = shape.offsets[step]
            let continuing = step + 1 < shape.steps ? shape.lanesAtStep[step + 1] : 0
            for lane in 0..<shape.lanesAtStep[step] {
                let row = first + lane
                var delta = rewards[row] - values[row]
                var carried: Float = 0
                if lane < continuing {
                    let next = shape.offsets[step + 1] + lane
                    delta += discount * values[next]
                    carried = discount * lambda * advantages[next]
                }
                advantages[row] = delta + carried
            }
        }
    }
}
