import Autodiff
import Kernels

/// What a memory forgets when an episode ends: an ablation of the RL² contract, which says that it keeps everything. Duan
/// et al. 2016 tried to reset a part of the hidden state between episodes, and found no improvement.
///
/// It is part of the model's own function of its inputs, read off the flag d_{t−1}: before a step whose flag is 1 is taken
/// in, something is forgotten. The step itself, with the last action and reward of the episode that ended, is not. So
/// `step` and `unroll` stay one function, gradients stop where the memory does, and who plays or trains need not know of it.
public enum MemoryReset: String, Sendable, Codable, CaseIterable {
    /// Nothing: the RL² contract.
    case none
    /// Everything: the memory is that of a trial which has not begun.
    case episode
    /// A half of it: the second half of each state vector of a recurrent model is set to 0, and in the second half of an
    /// attention layer's heads a step sees only the steps of its own episode. Of an odd number it is the larger half.
    case half

    /// The first of `count` units or heads that forget; those before it keep what they hold.
    public func firstForgetful(of count: Int) -> Int {
        switch self {
        case .none: count
        case .episode: 0
        case .half: count / 2
        }
    }

    /// The states that go into a recurrent cell.
    ///
    /// - Parameters:
    ///   - states: a [B, width] each.
    ///   - parts: states that lie side by side in each of them, [B · parts, width / parts].
    ///   - episodeEnds: d_{t−1} of each lane [B].
    func applied(to states: NodeList, parts: Int, episodeEnds: UnsafePointer<Float>, tape: Tape) -> NodeList {
        let lanes = states[0].rows
        guard self != .none, (0..<lanes).contains(where: { episodeEnds[$0] == 1 }) else { return states }
        let flags = tape.constant(rows: lanes * parts, columns: 1)
        let flag = tape.mutableValue(flags)
        for row in 0..<flags.rows { flag[row] = episodeEnds[row / parts] }
        return NodeList(count: states.count) {
            let part = states[$0].reshaped(rows: flags.rows, columns: states[$0].columns / parts)
            let kept = tape.resetRows(part, where: flags, from: firstForgetful(of: part.columns))
            return kept.reshaped(rows: lanes, columns: states[$0].columns)
        }
    }
}
