import Autodiff

/// A recurrent network without gates (Elman 1990), as `torch.nn.RNN`: h′ = tanh(W_ih x + b_ih + W_hh h + b_hh). It has a
/// memory and nothing that protects it: a control, and the worked example of how to add a model.
public struct Elman: RecurrentPolicy {
    public let layout: ParameterLayout
    public let encoder: any Encoder
    public let head: Head
    public let stateWidths: [Int]
    public let memoryReset: MemoryReset
    private let weightX, weightH, biasX, biasH: Node

    public init(_ specification: ModelSpecification) {
        let width = specification.hidden
        var layout = ParameterLayout()
        encoder = specification.makeEncoder(&layout)
        weightX = layout.add(
            "rnn.weight_ih_l0", [width, encoder.features], .xavierUniform(gain: specification.inputGain))
        weightH = layout.add("rnn.weight_hh_l0", [width, width], .orthogonal())
        biasX = layout.add("rnn.bias_ih_l0", [width], .constant(0))
        biasH = layout.add("rnn.bias_hh_l0", [width], .constant(0))
        head = Head(width: width, outputs: specification.outputs, gain: specification.headGain, layout: &layout)
        stateWidths = [width]
        memoryReset = specification.memoryReset
        self.layout = layout
    }

    public func cell(_ features: Node, state: NodeList, next: NodeList, tape: Tape) {
        let fromInput = tape.linear(features, weight: weightX, bias: biasX)  // [B, H]
        let fromState = tape.linear(state[0], weight: weightH, bias: biasH)  // [B, H]
        tape.copy(tape.tanh(tape.add(fromInput, fromState)), into: next[0])
    }
}
