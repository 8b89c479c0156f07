import Autodiff
import Interface
import Kernels

/// How the layers of a `ResidualStack` read the past: a recurrence over a stream of rows, with a state of its own.
protocol SequenceMixer: Sendable {
    /// Adds its parameters to a layout, under `name`.
    init(_ name: String, _ specification: ModelSpecification, layout: inout ParameterLayout)

    /// Floats a lane of each part of its state, at most eight.
    static func stateWidths(_ specification: ModelSpecification) -> [Int]

    /// Mixes the rows of packed trials.
    /// - Parameters:
    ///   - x: the stream [R, D].
    ///   - norm: of the stream, to be applied to what it reads.
    ///   - state: in acting, constants [lanes, width] for each of `stateWidths`: the state before the step, in whose place
    ///     that after it is written. nil: trials begin, from zeros.
    /// - Returns: x with what it read added [R, D].
    func run(_ x: Node, norm: Affine, state: NodeList?, over trials: MixedTrials, tape: Tape) -> Node
}

/// The trials whose rows a mixer is given.
struct MixedTrials {
    /// The number of their packed shape on the tape; nil: one step, of which every row is a lane.
    let shape: Int?
    /// Where a state is forgotten, a constant [R, 1]; nil: nowhere.
    let flags: Node?
    let reset: MemoryReset
}

/// A stack of residual layers, each a sequence mixer and a feed-forward layer with a norm before each, as in a transformer:
///
///     x_t = W_in φ_t + b_in,  L times: x += mixer(norm₁ x), x += W₂ gelu(W₁ norm₂ x + b₁) + b₂,  output = head(norm x)
///
/// A model without an option `feed-forward` has none of those layers.
///
/// Parameters: `embedding.weight` [D, I], `embedding.bias` [D]; of each layer `layers.l.norm1`, `layers.l.mixer`,
/// `layers.l.norm2`, `layers.l.linear1` [F, D], `layers.l.linear2` [D, F]; `norm`, and the head's. Weights start Xavier
/// uniform, those of the sublayers' last maps times 1/√(number of sublayers) (Radford et al. 2019), biases zero unless the mixer says
/// otherwise.
struct ResidualStack<Mixer: SequenceMixer>: SequencePolicy {
    let layout: ParameterLayout
    let outputs: Int
    let memoryReset: MemoryReset
    /// Of one layer.
    private let stateWidths: [Int]
    private let encoder: any Encoder
    private let embedding: Affine
    private let layers: [Layer]
    private let norm: Affine
    private let head: Head

    private struct Layer {
        let norm1: Affine
        let mixer: Mixer
        let feedForward: FeedForwardLayer?
    }

    /// A norm and two linear maps.
    private struct FeedForwardLayer {
        let norm: Affine
        let linear1: Affine
        let linear2: Affine

        /// Adds `norm2`, `linear1` and `linear2` to a layout.
        /// - Parameter inner: F.
        init(_ prefix: String, _ specification: ModelSpecification, inner: Int, layout: inout ParameterLayout) {
            let width = specification.hidden
            norm = Affine(norm: prefix + "norm2", width: width, layout: &layout)
            linear1 = Affine(prefix + "linear1", [inner, width], layout: &layout)
            linear2 = Affine(prefix + "linear2", [width, inner], gain: specification.depthGain, layout: &layout)
        }

        func run(_ x: Node, tape: Tape) -> Node {
            tape.feedForward(
                x, scale: norm.weight, shift: norm.bias, weight1: linear1.weight, bias1: linear1.bias,
                weight2: linear2.weight, bias2: linear2.bias, residual: true)
        }
    }

    init(_ specification: ModelSpecification) {
        let (width, count) = (specification.hidden, specification.layers)
        let inner = specification.hasFeedForward ? specification.options.integer("feed-forward") * width : nil
        outputs = specification.outputs
        memoryReset = specification.memoryReset
        var layout = ParameterLayout()
        encoder = specification.makeEncoder(&layout)
        embedding = Affine("embedding", [width, encoder.features], gain: specification.inputGain, layout: &layout)
        layers = (0..<count).map { index in
            let name = "layers.\(index)."
            return Layer(
                norm1: Affine(norm: name + "norm1", width: width, layout: &layout),
                mixer: Mixer(name + "mixer", specification, layout: &layout),
                feedForward: inner.map { FeedForwardLayer(name, specification, inner: $0, layout: &layout) })
        }
        norm = Affine(norm: "norm", width: width, layout: &layout)
        head = Head(width: width, outputs: outputs, gain: specification.headGain, layout: &layout)
        stateWidths = Mixer.stateWidths(specification)
        self.layout = layout
    }

    func makeMemory(lanes: Int, steps: Int) -> RecurrentMemory {
        RecurrentMemory(lanes: lanes, widths: layers.flatMap { _ in stateWidths })
    }

    func unroll(_ inputs: StepInputs, shape: PackedShape, tape: Tape) -> Node {
        precondition(inputs.rows == shape.rows, "\(inputs.rows) inputs for a packed batch of \(shape.rows) rows")
        return run(inputs, shape: tape.register(shape), tape: tape) { layer, x, trials in
            layers[layer].mixer.run(x, norm: layers[layer].norm1, state: nil, over: trials, tape: tape)
        }
    }

    func step(_ inputs: StepInputs, memory: RecurrentMemory, tape: Tape) -> Node {
        let lanes = inputs.rows
        precondition(lanes == memory.lanes, "\(lanes) inputs for a memory of \(memory.lanes) lanes")
        return run(inputs, shape: nil, tape: tape) { layer, x, trials in
            let first = layer * stateWidths.count
            let state = NodeList(count: stateWidths.count) {
                tape.constant(
                    UnsafePointer(memory.states[first + $0].pointer), rows: lanes, columns: stateWidths[$0])
            }
            let mixed = layers[layer].mixer.run(
                x, norm: layers[layer].norm1, state: state, over: trials, tape: tape)
            for index in stateWidths.indices { memory.states[first + index].copy(from: tape.value(state[index])) }
            return mixed
        }
    }

    private func run(
        _ inputs: StepInputs, shape: Int?, tape: Tape,
        mix: (_ layer: Int, _ x: Node, _ trials: MixedTrials) -> Node
    ) -> Node {
        let trials = MixedTrials(
            shape: shape,
            flags: memoryReset == .none ? nil : tape.constant(inputs.episodeEnds, rows: inputs.rows, columns: 1),
            reset: memoryReset)
        var x = tape.linear(encoder.encode(inputs, tape: tape), weight: embedding.weight, bias: embedding.bias)
        for (index, layer) in layers.enumerated() {
            let mixed = mix(index, x, trials)
            x = layer.feedForward?.run(mixed, tape: tape) ?? mixed
        }
        return head.read(tape.layerNorm(x, weight: norm.weight, bias: norm.bias), tape: tape)
    }
}

extension ModelSpecification {
    /// L
    var layers: Int { options["layers"] == nil ? 1 : options.integer("layers") }

    /// Of a memory that is divided into heads.
    var heads: Int { options.integer("heads") }

    /// K: steps of a causal convolution; 0: there is none.
    var convolution: Int { options.integer("convolution") }

    /// Numbers in a state.
    var stateSize: Int { options.integer("state-size") }

    /// Whether its layers have a feed-forward layer.
    var hasFeedForward: Bool { options["feed-forward"] != nil }

    /// Factor on the first weights of a sublayer's last map.
    var depthGain: Float { 1 / Float(hasFeedForward ? 2 * layers : layers).squareRoot() }
}
