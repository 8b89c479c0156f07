import Autodiff
import Interface

/// A gated recurrent unit (Cho et al. 2014) in the reset-after form of PyTorch and cuDNN, one layer, as in Duan et al.
/// 2016. Parameters: `gru.weight_ih_l0` [3H, I], `gru.weight_hh_l0` [3H, H], `gru.bias_ih_l0` [3H],
/// `gru.bias_hh_l0` [3H], gates in the order r, z, n: `torch.nn.GRU` takes them as they are.
///
/// Hidden-to-hidden blocks start orthogonal, input weights Xavier uniform a block, biases zero but for the update gate's,
/// which spread the units' time scales over the length of a trial.
public struct GRU: RecurrentPolicy {
    public let layout: ParameterLayout
    public let encoder: any Encoder
    public let head: Head
    public let stateWidths: [Int]
    public let memoryReset: MemoryReset
    private let weightX: Node
    private let weightH: Node
    private let biasX: Node
    private let biasH: Node

    public init(_ specification: ModelSpecification) {
        let width = specification.hidden
        var layout = ParameterLayout()
        encoder = specification.makeEncoder(&layout)
        weightX = layout.add(
            "gru.weight_ih_l0", [3 * width, encoder.features], .xavierUniform(gain: specification.inputGain, blocks: 3))
        weightH = layout.add("gru.weight_hh_l0", [3 * width, width], .orthogonal(blocks: 3))
        biasX = layout.add("gru.bias_ih_l0", [3 * width], .constant(0))
        biasH = layout.add(
            "gru.bias_hh_l0", [3 * width],
            .chrono(horizon: specification.chronoSteps, share: specification.chronoShare, block: 1, blocks: 3))
        head = Head(
            width: width, outputs: specification.outputs, gain: specification.headGain, layout: &layout)
        stateWidths = [width]
        memoryReset = specification.memoryReset
        self.layout = layout
    }

    public func cell(_ features: Node, state: NodeList, next: NodeList, tape: Tape) {
        tape.gruCell(
            features, hidden: state[0], weightX: weightX, weightH: weightH, biasX: biasX, biasH: biasH, into: next[0])
    }

    public func states(
        _ features: Node, episodeEnds: UnsafePointer<Float>, shape: PackedShape, tape: Tape
    ) -> NodeList {
        guard memoryReset == .none else {
            return statesByCell(features, episodeEnds: episodeEnds, shape: shape, tape: tape)
        }
        let hidden = tape.gruSequence(
            features, shape: shape, weightX: weightX, weightH: weightH, biasX: biasX, biasH: biasH)
        return NodeList(count: 1) { _ in hidden }
    }
}
