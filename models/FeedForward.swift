import Autodiff
import Interface
import Kernels

/// A policy without a memory: two tanh layers of width H and the head. It knows the last action and reward and nothing
/// before them, so it shows what a task gives to those who cannot learn within a trial: a control.
///
/// Parameters: `layers.0.weight` [H, I], `layers.0.bias` [H], `layers.2.weight` [H, H], `layers.2.bias` [H], as in
/// `torch.nn.Sequential(Linear, Tanh, Linear, Tanh)`. Weights start Xavier uniform, biases zero.
public struct FeedForward: SequencePolicy {
    public let layout: ParameterLayout
    public var outputs: Int { head.outputs }
    /// Any: there is nothing to forget.
    public let memoryReset: MemoryReset
    private let encoder: any Encoder
    private let head: Head
    private let layers: [(weight: Node, bias: Node)]

    public init(_ specification: ModelSpecification) {
        let width = specification.hidden
        var layout = ParameterLayout()
        let encoder = specification.makeEncoder(&layout)
        layers = [
            (place: 0, inputs: encoder.features, gain: specification.inputGain), (place: 2, inputs: width, gain: 1),
        ].map { layer in
            (
                weight: layout.add(
                    "layers.\(layer.place).weight", [width, layer.inputs], .xavierUniform(gain: layer.gain)),
                bias: layout.add("layers.\(layer.place).bias", [width], .constant(0))
            )
        }
        head = Head(width: width, outputs: specification.outputs, gain: specification.headGain, layout: &layout)
        memoryReset = specification.memoryReset
        self.encoder = encoder
        self.layout = layout
    }

    public func makeMemory(lanes: Int, steps: Int) -> NoMemory { NoMemory(lanes: lanes) }

    public func step(_ inputs: StepInputs, memory: NoMemory, tape: Tape) -> Node {
        precondition(inputs.rows == memory.lanes, "\(inputs.rows) inputs for a memory of \(memory.lanes) lanes")
        return respond(inputs, tape: tape)
    }

    public func unroll(_ inputs: StepInputs, shape: PackedShape, tape: Tape) -> Node {
        precondition(inputs.rows == shape.rows, "\(inputs.rows) inputs for a packed batch of \(shape.rows) rows")
        return respond(inputs, tape: tape)
    }

    /// Every row by itself.
    private func respond(_ inputs: StepInputs, tape: Tape) -> Node {
        var hidden = encoder.encode(inputs, tape: tape)  // [rows, I], then [rows, H]
        for layer in layers { hidden = tape.tanh(tape.linear(hidden, weight: layer.weight, bias: layer.bias)) }
        return head.read(hidden, tape: tape)
    }
}

/// A memory that holds nothing but the number of its lanes.
public final class NoMemory: SequenceMemory {
    public private(set) var lanes: Int
    public var bytesPerLane: Int { 0 }

    public init(lanes: Int) { self.lanes = lanes }

    public func reset(lane: Int) {}
    public func keep(lanes kept: [Int]) { lanes = kept.count }
    public func restart(lanes: Int) { self.lanes = lanes }
}
