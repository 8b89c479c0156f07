import Autodiff
import Interface
import Kernels

/// A simple neural attentive learner (Mishra et al. 2018, "A simple neural attentive meta-learner", section 3): temporal
/// convolutions, which gather the past, and causal attention, which finds things in it. Every layer adds columns to a stream
/// that begins with F = `hidden`. Two blocks of convolutions come first, then attention:
///
///     x = W φ + b
///     2 times, for d = 2, 4, … up to `reach`:  f, g = convolution of x_t and x_{t−d},  x = [x, tanh f ⊙ σ(g)]
///     x = [x, attention(x)],  output = head(x)
///
/// Attention has one head of width F and reads besides, as in `Transformer`, a learned first key and value, which the paper does
/// not have: the first step of a trial has no other.
///
/// Parameters: `embedding.weight` [F, I] and `.bias`; of layer l of block b, of C columns, `blocks.b.l.past.weight` [2F, C] and
/// `present.weight` [2F, C] (the two taps of a `torch.nn.Conv1d`; f, then g) and `present.bias` [2F]; `attention.weight` [3F, C]
/// (q, k, v) and `.bias` [3F], `attention.first` [3F]; the head's. Weights start Xavier uniform, those of the taps times 1/√2.
///
/// **Forgetting** (`MemoryReset`): with `half`, convolutions see half of the columns of what lies before the episode, and
/// attention all of it.
struct SNAIL: SequencePolicy {
    let layout: ParameterLayout
    let outputs: Int
    let memoryReset: MemoryReset
    /// F
    private let filters: Int
    private let encoder: any Encoder
    private let embedding: Affine
    private let blocks: [[DenseLayer]]
    private let attention: Affine
    private let first: Node
    private let head: Head

    /// A convolution of two taps and its gate.
    private struct DenseLayer {
        let past: Node
        let present: Affine
        /// d
        let lag: Int
    }

    static let options = [
        Option(
            "reach", 2...65_536, default: 128,
            help: "Steps that a block of convolutions reaches back: lags are 2, 4, … up to here")
    ]

    init(_ specification: ModelSpecification) {
        let (filters, reach) = (specification.hidden, specification.options.integer("reach"))
        var layout = ParameterLayout()
        encoder = specification.makeEncoder(&layout)
        embedding = Affine("embedding", [filters, encoder.features], gain: specification.inputGain, layout: &layout)
        let lags = Array(sequence(first: 2) { 2 * $0 }.prefix { $0 <= reach })
        var columns = filters
        blocks = (0..<2).map { block in
            lags.enumerated().map { index, lag in
                let name = "blocks.\(block).\(index)"
                let tap = Initializer.xavierUniform(gain: Float(0.5).squareRoot(), blocks: 2)
                defer { columns += filters }
                return DenseLayer(
                    past: layout.add(name + ".past.weight", [2 * filters, columns], tap),
                    present: Affine(
                        weight: layout.add(name + ".present.weight", [2 * filters, columns], tap),
                        bias: layout.add(name + ".present.bias", [2 * filters], .constant(0))), lag: lag)
            }
        }
        attention = Affine(
            weight: layout.add("attention.weight", [3 * filters, columns], .xavierUniform(blocks: 3)),
            bias: layout.add("attention.bias", [3 * filters], .constant(0)))
        first = layout.add("attention.first", [3 * filters], .xavierUniform())
        head = Head(
            width: columns + filters, outputs: specification.outputs, gain: specification.headGain, layout: &layout)
        (self.filters, outputs, memoryReset) = (filters, specification.outputs, specification.memoryReset)
        self.layout = layout
    }

    /// Heads from this one on, of one, are forgetful.
    private var firstForgetfulHead: Int { memoryReset == .episode ? 0 : 1 }

    func makeMemory(lanes: Int, steps: Int) -> SNAILMemory {
        SNAILMemory(
            lanes: lanes, steps: steps, width: filters, firstForgetful: firstForgetfulHead,
            columns: blocks.indices.map { filters * (1 + ($0 + 1) * blocks[$0].count) },
            reach: blocks[0].map(\.lag).max() ?? 0)
    }

    func unroll(_ inputs: StepInputs, shape: PackedShape, tape: Tape) -> Node {
        precondition(inputs.rows == shape.rows, "\(inputs.rows) inputs for a packed batch of \(shape.rows) rows")
        let number = tape.register(shape)
        let starts = memoryReset == .none ? nil : inputs.episodeStarts(shape, tape: tape)
        return run(inputs, tape: tape) { _, x, lag in
            tape.lag(
                x, steps: lag, shape: number, starts: starts,
                firstForgetful: memoryReset.firstForgetful(of: x.columns))
        } remember: { _, _ in
        } attend: { x in
            let qkv = tape.variable(rows: 1 + x.rows, columns: 3 * filters)
            tape.copy(first, into: qkv.rows(0..<1))
            tape.linear(x, weight: attention.weight, bias: attention.bias, into: qkv.rows(1..<qkv.rows))
            let attended = tape.causalAttention(
                qkv, shape: number, heads: 1, firstToken: true, starts: starts, firstForgetful: firstForgetfulHead)
            return attended.rows(1..<attended.rows)
        }
    }

    func step(_ inputs: StepInputs, memory: SNAILMemory, tape: Tape) -> Node {
        precondition(inputs.rows == memory.lanes, "\(inputs.rows) inputs for a memory of \(memory.lanes) lanes")
        memory.beginEpisodes(inputs.episodeEnds)
        let output = run(inputs, tape: tape) { block, x, lag in
            let node = tape.constant(rows: x.rows, columns: x.columns)
            memory.read(
                block: block, back: lag, columns: x.columns,
                firstForgetful: memoryReset.firstForgetful(of: x.columns), into: tape.mutableValue(node))
            return node
        } remember: { block, x in
            memory.write(block: block, tape.value(x))
        } attend: { x in
            let qkv = tape.linear(x, weight: attention.weight, bias: attention.bias)
            let attended = tape.variable(rows: x.rows, columns: filters)
            let scratch = tape.scratch(memory.cache.scratchCount)
            if memory.cache.wantsFirstToken { memory.cache.setFirstToken(layer: 0, tape.value(first)) }
            memory.cache.attend(layer: 0, tape.value(qkv), scratch: scratch, into: tape.mutableValue(attended))
            return attended
        }
        memory.advance()
        return output
    }

    /// All layers over rows of steps.
    ///
    /// - Parameters:
    ///   - lag: the first columns of a block's stream some steps before [R, C].
    ///   - remember: is given the whole stream of a block.
    ///   - attend: what attention reads [R, F].
    private func run(
        _ inputs: StepInputs, tape: Tape, lag: (_ block: Int, _ x: Node, _ steps: Int) -> Node,
        remember: (_ block: Int, _ x: Node) -> Void, attend: (_ x: Node) -> Node
    ) -> Node {
        var x = tape.linear(encoder.encode(inputs, tape: tape), weight: embedding.weight, bias: embedding.bias)
        for (index, block) in blocks.enumerated() {
            for layer in block {
                let past = tape.linear(lag(index, x, layer.lag), weight: layer.past)
                let both = tape.linear(x, weight: layer.present.weight, bias: layer.present.bias, addend: past)
                let value = tape.tanh(tape.columns(0..<filters, of: both))
                let gate = tape.sigmoid(tape.columns(filters..<2 * filters, of: both))
                x = tape.concatenate(x, tape.multiply(value, gate))
            }
            remember(index, x)
        }
        return head.read(tape.concatenate(x, attend(x)), tape: tape)
    }
}

/// What SNAIL carries from step to step: keys and values of all steps, and of each block of convolutions the streams of the last
/// steps, a ring. Where lanes lie and how many steps they have taken is the cache's to know.
final class SNAILMemory: SequenceMemory {
    let cache: KeyValueCache
    /// Of each block [lanes, ring · columns].
    private let streams: [Matrix]
    private let columns: [Int]
    private let ring: Int

    /// - Parameters:
    ///   - columns: of each block's stream.
    ///   - reach: the longest lag.
    init(lanes: Int, steps: Int, width: Int, firstForgetful: Int, columns: [Int], reach: Int) {
        cache = KeyValueCache(
            layers: 1, lanes: lanes, steps: steps, heads: 1, width: width, firstForgetful: firstForgetful)
        let ring = max(1, min(reach, steps))
        streams = columns.map { Matrix(rows: lanes, columns: ring * $0) }
        (self.columns, self.ring) = (columns, ring)
    }

    var lanes: Int { cache.lanes }
    var bytesPerLane: Int {
        cache.bytesPerLane + streams.reduce(0) { $0 + $1.columns } * MemoryLayout<Float>.size
    }

    func reset(lane: Int) { cache.reset(lane: lane) }
    func keep(lanes kept: [Int]) { cache.keep(lanes: kept) }
    func restart(lanes: Int) { cache.restart(lanes: lanes) }

    // MARK: A step: `beginEpisodes`, in each block `read` and then `write`, then `advance`

    /// Tells in which lanes the coming step is the first of an episode.
    /// - Parameter flags: 1 where it is [lanes].
    func beginEpisodes(_ flags: UnsafePointer<Float>) { cache.beginEpisodes(flags) }

    /// The first columns of a block's stream `back` steps before, zero where there was none.
    /// - Parameters:
    ///   - firstForgetful: columns from here on are zero where the step was of an earlier episode.
    ///   - target: [lanes, columns]
    func read(
        block: Int, back: Int, columns count: Int, firstForgetful: Int, into target: UnsafeMutablePointer<Float>
    ) {
        for lane in 0..<lanes {
            let (step, row) = (cache.steps[lane] - back, target + lane * count)
            let kept = step < 0 ? 0 : step < cache.starts[lane] ? firstForgetful : count
            if kept > 0 { row.update(from: place(block, lane, step), count: kept) }
            (row + kept).update(repeating: 0, count: count - kept)
        }
    }

    /// Keeps a block's stream of the present step.
    /// - Parameter x: [lanes, columns of the block]
    func write(block: Int, _ x: UnsafePointer<Float>) {
        let count = columns[block]
        for lane in 0..<lanes { place(block, lane, cache.steps[lane]).update(from: x + lane * count, count: count) }
    }

    /// Ends a step of all lanes.
    func advance() { cache.advance() }

    private func place(_ block: Int, _ lane: Int, _ step: Int) -> UnsafeMutablePointer<Float> {
        streams[block].pointer + cache.places[lane] * streams[block].columns + step % ring * columns[block]
    }
}
