import Autodiff
import Interface

/// A gated recurrent unit (Cho et al. 2014) in the reset-after form of PyTorch and cuDNN, one layer as in Duan et al. 2016, or
/// several. Parameters of the first: `gru.weight_ih_l0` [3H, I], `gru.weight_hh_l0` [3H, H], `gru.bias_ih_l0` [3H],
/// `gru.bias_hh_l0` [3H], gates in the order r, z, n: `torch.nn.GRU` takes them as they are. The next layers read the states
/// of the one below, so that their I is H.
///
/// Hidden-to-hidden blocks start orthogonal, input weights Xavier uniform a block, biases zero but for the update gate's
/// of the first layer, which spread the units' time scales over the length of a trial: a second slow layer would see next to
/// nothing at first.
public struct GRU: RecurrentPolicy {
    public let layout: ParameterLayout
    public let encoder: any Encoder
    public let head: Head
    /// From the highest layer down to the first.
    public let stateWidths: [Int]
    public let memoryReset: MemoryReset
    private let layers: [RecurrentLayer]

    public init(_ specification: ModelSpecification) {
        let width = specification.hidden
        var layout = ParameterLayout()
        let encoder = specification.makeEncoder(&layout)
        layers = (0..<specification.layers).map {
            RecurrentLayer(
                "gru", $0, specification, features: encoder.features, gates: 3,
                bias: $0 == 0
                    ? .chrono(
                        horizon: specification.chronoSteps, share: specification.chronoShare, block: 1, blocks: 3)
                    : .constant(0),
                layout: &layout)
        }
        head = Head(
            width: width, outputs: specification.outputs, gain: specification.headGain, layout: &layout)
        stateWidths = [Int](repeating: width, count: layers.count)
        memoryReset = specification.memoryReset
        self.encoder = encoder
        self.layout = layout
    }

    public func cell(_ features: Node, state: NodeList, next: NodeList, tape: Tape) {
        var x = features
        for (index, layer) in layers.enumerated() {
            let place = layers.count - 1 - index
            tape.gruCell(
                x, hidden: state[place], weightX: layer.weightX, weightH: layer.weightH, biasX: layer.biasX,
                biasH: layer.biasH, into: next[place])
            x = next[place]
        }
    }

    public func states(
        _ features: Node, episodeEnds: UnsafePointer<Float>, shape: PackedShape, tape: Tape
    ) -> NodeList {
        guard memoryReset == .none else {
            return statesByCell(features, episodeEnds: episodeEnds, shape: shape, tape: tape)
        }
        // The states of lower layers are read by the next one alone.
        let highest = layers.reduce(features) { x, layer in
            tape.gruSequence(
                x, shape: shape, weightX: layer.weightX, weightH: layer.weightH, biasX: layer.biasX, biasH: layer.biasH)
        }
        return NodeList(count: 1) { _ in highest }
    }
}
