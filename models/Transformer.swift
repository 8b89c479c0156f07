import Autodiff
import Foundation
import Interface
import Kernels

/// A causal transformer (Vaswani et al. 2017) with layer norm before each sublayer and after the last layer; as a policy
/// a norm after each sublayer does not train (Parisotto et al. 2020). L layers of width D = `hidden`, over a trial:
///
///     x_t = W_in φ_t + b_in + w_count log(1 + t)   (+ the sinusoidal encoding of t + 1)
///     x  += W_o attention(norm₁ x) + b_o
///     x  += W₂ gelu(W₁ norm₂ x + b₁) + b₂
///     output = head(norm x)
///
/// **Counting.** Softmax averages: it sees how often a thing happened only as a share of the steps. So the number of
/// steps is an input through an embedding of its own, and there is a learned *first token* that all steps see and that
/// belongs to none: what else is seen outweighs it the more, the more of it there is. It runs through the layers as
/// a trial's element −1 would, sees only itself, and so is the same in all lanes: one row.
///
/// **Context.** A step attends to the first token and to the steps of its trial so far: to all, or with `attention-window` W to
/// itself and the W − 1 before it. What is older is then forgotten by this layer, but L layers together reach
/// L (W − 1) steps back.
///
/// **Positions** of steps are 1, 2, …, that of the first token 0, so it is neither turned nor, at any distance, lowered
/// by ALiBi. Sinusoidal codes are not added to it.
///
/// **Forgetting** (`MemoryReset`): in the heads that forget when an episode ends, a step attends to the first token and to
/// the steps of its own episode. The number of the step in its trial, and its position, are inputs and stay what they are.
///
/// Parameters: `embedding.weight` [D, I], `embedding.bias` [D], `step_embedding.weight` [D, 1], `first_token` [D], those
/// of `torch.nn.TransformerEncoder` by its names after `transformer.`, and the head's. Weights start Xavier uniform, those
/// of the sublayers' last maps times 1/√(2L) (Radford et al. 2019), biases zero.
///
/// **Arm-symmetric**, it runs over a stream x_a for each of the k actions, all with the same weights. They are shown and read as
/// the states of `ArmSymmetric` are, and before every layer but the first each is told of the others:
///
///     x_a += U (1/k) Σ_b x_b
///
/// with parameters `arms.coupling.l.weight` [D, D], U, of layer l, and those of `ArmHead`.
///
/// With gating there are `transformer.layers.l.gate1` and `gate2` (`GRUGate`, `ResetBeforeGate`). With the latter and a window
/// it is GTrXL (Parisotto et al. 2020, "Stabilizing transformers for reinforcement learning"): layer norm before each sublayer,
/// gates in the place of additions, positions relative to the step that looks, and a memory of the last steps' keys and
/// values in every layer. Positions are rotary there, where the paper has those of Transformer-XL, and the window moves
/// with the step, where the paper's moves by segments.
public struct Transformer: SequencePolicy {
    public let layout: ParameterLayout
    public var outputs: Int { head.outputs }
    public let isArmSymmetric: Bool
    public let memoryReset: MemoryReset
    private let width: Int
    private let options: TransformerOptions
    /// Streams of a trial: one, or one for each action.
    private let streams: Int
    private let encoder: any Encoder
    private let embedding: Affine
    private let stepEmbedding: Node
    private let firstToken: Node
    private let layers: [TransformerLayer]
    /// Between two layers, where there are several streams: U.
    private let couplings: [Node]
    private let norm: Affine
    private let head: any OutputLayer

    /// - Parameter isArmSymmetric: a stream for each action, instead of one for all.
    public init(_ specification: ModelSpecification, isArmSymmetric: Bool = false) {
        self.isArmSymmetric = isArmSymmetric
        streams = isArmSymmetric ? specification.actions : 1
        width = specification.hidden
        options = TransformerOptions(specification.options)
        memoryReset = specification.memoryReset
        var layout = ParameterLayout()
        encoder =
            isArmSymmetric
            ? ArmEncoder(specification, layout: &layout) : specification.makeEncoder(&layout)
        embedding = Affine(
            "embedding", [width, encoder.features / streams], gain: specification.inputGain, layout: &layout)
        stepEmbedding = layout.add("step_embedding.weight", [width, 1], .xavierUniform(gain: 0.25))
        firstToken = layout.add("first_token", [width], .xavierUniform())
        layers = (0..<options.layers).map { [width, options] in
            TransformerLayer("transformer.layers.\($0)", width: width, options: options, layout: &layout)
        }
        couplings = (1..<(isArmSymmetric ? options.layers : 1)).map { [width, options] in
            layout.add(
                "arms.coupling.\($0).weight", [width, width],
                .xavierUniform(gain: 1 / Float(2 * options.layers).squareRoot()))
        }
        norm = Affine(norm: "transformer.norm", width: width, layout: &layout)
        let score = Head(
            width: width, outputs: isArmSymmetric ? 1 : specification.outputs, gain: specification.headGain,
            layout: &layout)
        head =
            isArmSymmetric
            ? ArmHead(arms: streams, width: width, outputs: specification.outputs, score: score, layout: &layout)
            : score
        self.layout = layout
    }

    public func makeMemory(lanes: Int, steps: Int) -> StreamCache {
        StreamCache(
            KeyValueCache(
                layers: options.layers, lanes: streams * lanes, steps: steps, window: options.window,
                heads: options.heads, width: width, slopes: options.slopes,
                firstForgetful: memoryReset.firstForgetful(of: options.heads)), streams: streams)
    }

    public func unroll(_ inputs: StepInputs, shape: PackedShape, tape: Tape) -> Node {
        precondition(inputs.rows == shape.rows, "\(inputs.rows) inputs for a packed batch of \(shape.rows) rows")
        let shape = streams == 1 ? shape : PackedShape(shape, times: streams)
        let number = tape.register(shape)
        let slopes: Node? =
            options.position == .alibi ? tape.constant(options.slopes, rows: 1, columns: options.heads) : nil
        let starts = memoryReset == .none ? nil : inputs.episodeStarts(shape, streams: streams, tape: tape)
        return run(inputs, withFirstToken: true, tape: tape) { _, qkv in
            tape.causalAttention(
                qkv, shape: number, heads: options.heads, window: options.window, firstToken: true, slopes: slopes,
                starts: starts, firstForgetful: memoryReset.firstForgetful(of: options.heads))
        }
    }

    public func step(_ inputs: StepInputs, memory: StreamCache, tape: Tape) -> Node {
        precondition(inputs.rows == memory.lanes, "\(inputs.rows) inputs for a memory of \(memory.lanes) lanes")
        let memory = memory.cache
        let begins = memory.wantsFirstToken
        memory.beginEpisodes(tape.value(episodeEnds(inputs, tape: tape)))
        let output = run(inputs, withFirstToken: begins, tape: tape) { layer, qkv in
            let attended = tape.variable(rows: qkv.rows, columns: width)
            let scratch = tape.scratch(memory.scratchCount)
            var (rows, place) = (tape.value(qkv), tape.mutableValue(attended))
            if begins {
                memory.setFirstToken(layer: layer, rows)
                // It sees only itself.
                place.update(from: rows + 2 * width, count: width)
                rows += 3 * width
                place += width
            }
            memory.attend(layer: layer, rows, scratch: scratch, into: place)
            return attended
        }
        memory.advance()
        return output
    }

    /// The row of the inputs that a row of the streams belongs to.
    @inline(__always)
    private func inputRow(_ row: Int) -> Int { streams == 1 ? row : row / streams }

    /// d_{t−1} of each row of the streams: a constant [R, 1].
    private func episodeEnds(_ inputs: StepInputs, tape: Tape) -> Node {
        let node = tape.constant(rows: streams * inputs.rows, columns: 1)
        let place = tape.mutableValue(node)
        for row in 0..<node.rows { place[row] = inputs.episodeEnds[inputRow(row)] }
        return node
    }

    /// All layers over rows of steps, with the first token as row 0 before them or without it.
    ///
    /// - Parameter attend: attention of a layer, [R, 3D] to [R, D].
    /// - Returns: [inputs.rows, outputs]
    private func run(
        _ inputs: StepInputs, withFirstToken: Bool, tape: Tape, attend: (_ layer: Int, _ qkv: Node) -> Node
    ) -> Node {
        let first = withFirstToken ? 1 : 0
        let rows = streams * inputs.rows
        var x = tape.variable(rows: first + rows, columns: width)
        let steps = first..<first + rows
        if withFirstToken { tape.copy(firstToken, into: x.rows(0..<1)) }
        embed(inputs, into: x.rows(steps), tape: tape)
        let angles = options.position == .rotary ? angles(inputs, first: first, tape: tape) : nil
        for (number, layer) in layers.enumerated() {
            if number > 0, isArmSymmetric { x = couple(x, steps, by: couplings[number - 1], tape: tape) }
            x = layer.run(x, angles: angles, tape: tape) { attend(number, $0) }
        }
        let normalized = tape.layerNorm(x.rows(steps), weight: norm.weight, bias: norm.bias)
        return head.read(normalized.reshaped(rows: inputs.rows, columns: streams * width), tape: tape)
    }

    /// Each stream with the mean of its trial's streams; what lies before them stays what it is.
    private func couple(_ x: Node, _ steps: Range<Int>, by weight: Node, tape: Tape) -> Node {
        let coupled = tape.variable(rows: x.rows, columns: width)
        if steps.lowerBound > 0 { tape.copy(x.rows(0..<steps.lowerBound), into: coupled.rows(0..<steps.lowerBound)) }
        let mean = tape.linear(tape.groupMean(x.rows(steps), size: streams), weight: weight)  // [rows, D]
        tape.copy(tape.add(x.rows(steps), tape.repeatRows(mean, count: streams)), into: coupled.rows(steps))
        return coupled
    }

    /// The stream before the first layer.
    private func embed(_ inputs: StepInputs, into x: Node, tape: Tape) {
        let features = encoder.encode(inputs, tape: tape).reshaped(
            rows: x.rows, columns: encoder.features / streams)
        let counts = tape.constant(rows: x.rows, columns: 1)
        let place = tape.mutableValue(counts)
        for row in 0..<x.rows { place[row] = log1p(Float(inputs.stepIndices[inputRow(row)])) }
        var counted = tape.linear(counts, weight: stepEmbedding)
        if options.position == .sinusoidal {
            counted = tape.add(counted, sinusoids(inputs, tape: tape))
        }
        tape.linear(features, weight: embedding.weight, bias: embedding.bias, addend: counted, into: x)
    }

    /// Sines in the first half of the columns and cosines in the second, of position · 10000^(−2i/D) [rows, D].
    private func sinusoids(_ inputs: StepInputs, tape: Tape) -> Node {
        let node = tape.constant(rows: streams * inputs.rows, columns: width)
        let place = tape.mutableValue(node)
        for row in 0..<node.rows {
            let code = place + row * width
            let step = inputs.stepIndices[inputRow(row)]
            // Rows of one step are neighbours and have one code.
            if row > 0, step == inputs.stepIndices[inputRow(row - 1)] {
                code.update(from: code - width, count: width)
                continue
            }
            let half = (width + 1) / 2
            for column in 0..<width {
                let rate = pow(10_000, -Double(column % half) / Double(half))
                let angle = Double(step + 1) * rate
                code[column] = Float(column < half ? sin(angle) : cos(angle))
            }
        }
        return node
    }

    private func angles(_ inputs: StepInputs, first: Int, tape: Tape) -> Node {
        tape.rotaryAngles(rows: first + streams * inputs.rows, width: width / options.heads) { row in
            row < first ? 0 : Int(inputs.stepIndices[inputRow(row - first)]) + 1
        }
    }
}

/// A transformer's memory: its cache of keys and values, in which one or more neighbouring streams are a lane.
public final class StreamCache: SequenceMemory {
    let cache: KeyValueCache
    private let streams: Int

    init(_ cache: KeyValueCache, streams: Int) { (self.cache, self.streams) = (cache, streams) }

    public var lanes: Int { cache.lanes / streams }
    public var bytesPerLane: Int { streams * cache.bytesPerLane }
    public func reset(lane: Int) { for stream in 0..<streams { cache.reset(lane: streams * lane + stream) } }
    public func keep(lanes kept: [Int]) {
        cache.keep(
            lanes: streams == 1 ? kept : kept.flatMap { lane in (0..<streams).map { streams * lane + $0 } })
    }
    public func restart(lanes: Int) { cache.restart(lanes: streams * lanes) }
}
