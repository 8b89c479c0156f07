import Autodiff
import Kernels

/// What a policy and a critic of one architecture have in common, so that both can have the same weights: all but the head,
/// and the column by which the critic alone is told the step.
public struct SharedTrunk {
    /// A matrix in both parameter vectors; the critic's may have more columns.
    private struct Piece {
        let rows: Int
        let policy: (offset: Int, columns: Int)
        let critic: (offset: Int, columns: Int)
    }

    private let pieces: [Piece]

    /// Nil if a matrix of the policy's trunk has no place in the critic, which is then of another width.
    public init?(policy: ParameterLayout, critic: ParameterLayout) {
        var pieces: [Piece] = []
        for entry in policy.entries where !entry.name.hasPrefix("head.") {
            guard let other = critic.entries.first(where: { $0.name == entry.name }) else { return nil }
            let isVector = entry.shape.count == 1
            let rows = isVector ? 1 : entry.shape[0]
            guard isVector ? other.shape == entry.shape : other.shape[0] == rows && other.count >= entry.count
            else { return nil }
            pieces.append(
                Piece(
                    rows: rows, policy: (entry.offset, entry.count / rows),
                    critic: (other.offset, other.count / rows)))
        }
        self.pieces = pieces
    }

    /// Gives the critic the policy's weights.
    func copy(from policy: UnsafePointer<Float>, to critic: UnsafeMutablePointer<Float>) {
        forEachRow { here, there, count in (critic + there).update(from: policy + here, count: count) }
    }

    /// Adds `factor` times a gradient of the critic's to one of the policy's.
    func add(_ factor: Float, _ critic: UnsafePointer<Float>, to policy: UnsafeMutablePointer<Float>) {
        forEachRow { here, there, count in Elementwise.addScaled(count, factor, critic + there, to: policy + here) }
    }

    /// Zeroes what a gradient of the critic's has for the policy's weights.
    func clear(_ critic: UnsafeMutablePointer<Float>) {
        forEachRow { _, there, count in (critic + there).update(repeating: 0, count: count) }
    }

    private func forEachRow(_ body: (_ policy: Int, _ critic: Int, _ count: Int) -> Void) {
        for piece in pieces {
            if piece.policy.columns == piece.critic.columns {
                body(piece.policy.offset, piece.critic.offset, piece.rows * piece.policy.columns)
                continue
            }
            for row in 0..<piece.rows {
                body(
                    piece.policy.offset + row * piece.policy.columns,
                    piece.critic.offset + row * piece.critic.columns, piece.policy.columns)
            }
        }
    }
}
