import Autodiff
import Interface

/// A long short-term memory (Hochreiter and Schmidhuber 1997) with forget gates (Gers et al. 2000), one layer.
/// Parameters: `lstm.weight_ih_l0` [4H, I], `lstm.weight_hh_l0` [4H, H], `lstm.bias_ih_l0` [4H], `lstm.bias_hh_l0`
/// [4H], gates in the order i, f, g, o: `torch.nn.LSTM` takes them as they are.
///
/// Hidden-to-hidden blocks start orthogonal, input weights Xavier uniform a block, biases zero but for the forget
/// gate's and the input gate's, which spread the units' time scales over the length of a trial (Tallec and Ollivier
/// 2018); where that is not known, the forget gate's are 1 (Jozefowicz et al. 2015).
public struct LSTM: RecurrentPolicy {
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
            "lstm.weight_ih_l0", [4 * width, encoder.features],
            .xavierUniform(gain: specification.inputGain, blocks: 4))
        weightH = layout.add("lstm.weight_hh_l0", [4 * width, width], .orthogonal(blocks: 4))
        biasX = layout.add("lstm.bias_ih_l0", [4 * width], .constant(0))
        let horizon = specification.chronoSteps
        biasH = layout.add(
            "lstm.bias_hh_l0", [4 * width],
            horizon > 1
                ? .chrono(horizon: horizon, share: specification.chronoShare, block: 1, opposite: 0, blocks: 4)
                : .blocks([0, 1, 0, 0]))
        head = Head(width: width, outputs: specification.outputs, gain: specification.headGain, layout: &layout)
        stateWidths = [width, width]
        memoryReset = specification.memoryReset
        self.layout = layout
    }

    public func cell(_ features: Node, state: NodeList, next: NodeList, tape: Tape) {
        tape.lstmCell(
            features, hidden: state[0], cell: state[1], weightX: weightX, weightH: weightH, biasX: biasX, biasH: biasH,
            into: next[0], next[1])
    }

    public func states(
        _ features: Node, episodeEnds: UnsafePointer<Float>, shape: PackedShape, tape: Tape
    ) -> NodeList {
        guard memoryReset == .none else {
            return statesByCell(features, episodeEnds: episodeEnds, shape: shape, tape: tape)
        }
        let (hidden, cell) = tape.lstmSequence(
            features, shape: shape, weightX: weightX, weightH: weightH, biasX: biasX, biasH: biasH)
        return NodeList(count: 2) { $0 == 0 ? hidden : cell }
    }
}
