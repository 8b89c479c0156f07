import Autodiff

/// The last linear map of a model: to the logits of a policy or the value of a critic.
public struct Head: Sendable {
    public let outputs: Int
    private let weight: Node
    private let bias: Node

    /// Adds `head.weight` [outputs, width] and `head.bias` [outputs] to a layout.
    ///
    /// A policy's head starts small (`gain` 0.01), so that the first policy is close to uniform and its entropy is
    /// spent on evidence, not on the accident of the first weights.
    public init(width: Int, outputs: Int, gain: Float, layout: inout ParameterLayout) {
        self.outputs = outputs
        weight = layout.add("head.weight", [outputs, width], .xavierUniform(gain: gain))
        bias = layout.add("head.bias", [outputs], .constant(0))
    }

    /// [rows, width] to [rows, outputs]. What it reads stays on the tape, as `features`, for analyses.
    public func read(_ hidden: Node, tape: Tape) -> Node {
        tape.features = hidden
        return tape.linear(hidden, weight: weight, bias: bias)
    }
}
