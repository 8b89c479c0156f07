import Autodiff
import Interface
import Kernels

/// φ: turns what a step shows, (s_t, a_{t−1}, r_{t−1}, d_{t−1}), into the features of a sequence model. Any encoder goes
/// with any sequence model.
public protocol Encoder: Sendable {
    /// I: features of a row.
    var features: Int { get }
    /// [rows, I]
    func encode(_ inputs: StepInputs, tape: Tape) -> Node
}

/// φ for vectors: the observation, the one-hot previous action, the previous reward and the flag, side by side
/// (Duan et al. 2016, section 2.2), and on request the step index. It has no parameters.
///
/// Columns: observation [0 ..< O], action [O ..< O + A], reward, flag, and with `stepScale` t / stepScale.
public struct ConcatenationEncoder: Encoder {
    public let observationWidth: Int
    public let actions: Int
    /// Steps that count as 1 in the feature that tells how long the trial has run; nil: no such feature.
    public let stepScale: Float?

    public init(observationWidth: Int, actions: Int, stepScale: Float? = nil) {
        precondition(observationWidth >= 0 && actions > 0, "an encoder needs at least one action")
        self.observationWidth = observationWidth
        self.actions = actions
        self.stepScale = stepScale
    }

    public var features: Int { observationWidth + actions + 2 + (stepScale == nil ? 0 : 1) }

    public func encode(_ inputs: StepInputs, tape: Tape) -> Node {
        let node = tape.constant(rows: inputs.rows, columns: features)
        var row = tape.mutableValue(node)
        for index in 0..<inputs.rows {
            row.update(from: inputs.vectors + index * observationWidth, count: observationWidth)
            let actionColumns = row + observationWidth
            actionColumns.update(repeating: 0, count: actions)
            let action = Int(inputs.previousActions[index])
            if action >= 0 {
                precondition(action < actions, "action \(action) of \(actions)")
                actionColumns[action] = 1
            }
            actionColumns[actions] = inputs.previousRewards[index]
            actionColumns[actions + 1] = inputs.episodeEnds[index]
            if let stepScale { actionColumns[actions + 2] = Float(inputs.stepIndices[index]) / stepScale }
            row += features
        }
        return node
    }
}
