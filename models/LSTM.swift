import Autodiff
import Interface

/// A long short-term memory (Hochreiter and Schmidhuber 1997) with forget gates (Gers et al. 2000), one layer or several.
/// Parameters of the first: `lstm.weight_ih_l0` [4H, I], `lstm.weight_hh_l0` [4H, H], `lstm.bias_ih_l0` [4H],
/// `lstm.bias_hh_l0` [4H], gates in the order i, f, g, o: `torch.nn.LSTM` takes them as they are. The next layers read the
/// hidden states of the one below, so that their I is H.
///
/// Hidden-to-hidden blocks start orthogonal, input weights Xavier uniform a block, biases zero but for the forget
/// gate's and the input gate's, which spread the units' time scales over the length of a trial (Tallec and Ollivier
/// 2018); where that is not known, and above the first layer, the forget gate's are 1 (Jozefowicz et al. 2015).
public struct LSTM: RecurrentPolicy {
    public let layout: ParameterLayout
    public let encoder: any Encoder
    public let head: Head
    /// Hidden and cell states, from the highest layer down to the first.
    public let stateWidths: [Int]
    public let memoryReset: MemoryReset
    private let layers: [RecurrentLayer]

    public init(_ specification: ModelSpecification) {
        let width = specification.hidden
        let horizon = specification.chronoSteps
        var layout = ParameterLayout()
        let encoder = specification.makeEncoder(&layout)
        layers = (0..<specification.layers).map {
            RecurrentLayer(
                "lstm", $0, specification, features: encoder.features, gates: 4,
                bias: horizon > 1 && $0 == 0
                    ? .chrono(horizon: horizon, share: specification.chronoShare, block: 1, opposite: 0, blocks: 4)
                    : .blocks([0, 1, 0, 0]), layout: &layout)
        }
        head = Head(width: width, outputs: specification.outputs, gain: specification.headGain, layout: &layout)
        stateWidths = [Int](repeating: width, count: 2 * layers.count)
        memoryReset = specification.memoryReset
        self.encoder = encoder
        self.layout = layout
    }

    public func cell(_ features: Node, state: NodeList, next: NodeList, tape: Tape) {
        var x = features
        for (index, layer) in layers.enumerated() {
            let place = 2 * (layers.count - 1 - index)
            tape.lstmCell(
                x, hidden: state[place], cell: state[place + 1], weightX: layer.weightX, weightH: layer.weightH,
                biasX: layer.biasX, biasH: layer.biasH, into: next[place], next[place + 1])
            x = next[place]
        }
    }

    public func states(
        _ features: Node, episodeEnds: UnsafePointer<Float>, shape: PackedShape, tape: Tape
    ) -> NodeList {
        guard memoryReset == .none else {
            return statesByCell(features, episodeEnds: episodeEnds, shape: shape, tape: tape)
        }
        // The states of lower layers are read by the next one alone, and cell states by none.
        let highest = layers.reduce(features) { x, layer in
            tape.lstmSequence(
                x, shape: shape, weightX: layer.weightX, weightH: layer.weightH, biasX: layer.biasX, biasH: layer.biasH
            ).hidden
        }
        return NodeList(count: 1) { _ in highest }
    }
}
