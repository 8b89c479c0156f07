import Autodiff

/// Turns what a model holds into the logits of a policy or the value of a critic.
public protocol OutputLayer: Sendable {
    /// Width of a row of output.
    var outputs: Int { get }
    /// [rows, width] to [rows, outputs]. What it reads stays on the tape, as `features`, for analyses.
    func read(_ hidden: Node, tape: Tape) -> Node
}

/// The last linear map of a model: to the logits of a policy or the value of a critic.
public struct Head: OutputLayer {
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

    public func read(_ hidden: Node, tape: Tape) -> Node {
        tape.features = hidden
        return tape.linear(hidden, weight: weight, bias: bias)
    }
}
