import CKernels
import Kernels

/// y = f(x) elementwise, for an f whose derivative the forward pass keeps: dy = f′(x) dx, x̄ += f′(x) ȳ.
protocol Activation: Primitive {
    /// y = f(x), slope = f′(x).
    static func evaluate(
        _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, slope: UnsafeMutablePointer<Float>)
}

extension Activation {
    static func forward(_ record: borrowing Record, _ tape: Tape) {
        let count = record.output.count
        let slope = record.keepsSaved ? tape.saved(record) : tape.scratch(count)
        evaluate(count, tape.value(record.operands[0]), tape.mutableValue(record.output), slope: slope)
    }

    static func pushforward(_ record: borrowing Record, _ tangents: Tangents) {
        let dy = tangents.output(record.output)
        guard let dx = tangents.of(record.operands[0]) else {
            return dy.update(repeating: 0, count: record.output.count)
        }
        Elementwise.product(record.output.count, tangents.tape.saved(record), dx, dy)
    }

    static func pullback(_ record: borrowing Record, _ cotangents: Cotangents) {
        guard let dx = cotangents.accumulator(record.operands[0]) else { return }
        Elementwise.addProduct(
            record.output.count, cotangents.tape.saved(record), cotangents.of(record.output), to: dx)
    }
}

/// y = tanh x
enum Tanh: Activation {
    static func evaluate(
        _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, slope: UnsafeMutablePointer<Float>
    ) { rl2x_tanh_slope(count, x, y, slope) }
}

/// y = 1 / (1 + e⁻ˣ)
enum Sigmoid: Activation {
    static func evaluate(
        _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, slope: UnsafeMutablePointer<Float>
    ) { rl2x_sigmoid_slope(count, x, y, slope) }
}

/// y = max(x, 0), with slope 0 at 0 as in PyTorch.
enum ReLU: Activation {
    static func evaluate(
        _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, slope: UnsafeMutablePointer<Float>
    ) { rl2x_relu_slope(count, x, y, slope) }
}

/// y = x σ(x)
enum SiLU: Activation {
    static func evaluate(
        _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, slope: UnsafeMutablePointer<Float>
    ) { rl2x_silu_slope(count, x, y, slope) }
}

/// y = log(1 + eˣ)
enum Softplus: Activation {
    static func evaluate(
        _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, slope: UnsafeMutablePointer<Float>
    ) { rl2x_softplus_slope(count, x, y, slope) }
}

/// y = eˣ, cut off where floats end.
enum Exponential: Activation {
    static func evaluate(
        _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, slope: UnsafeMutablePointer<Float>
    ) { rl2x_exp_slope(count, 1, x, y, slope) }
}

/// y = e⁻ˣ: what is left after a time x.
enum Decay: Activation {
    static func evaluate(
        _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, slope: UnsafeMutablePointer<Float>
    ) { rl2x_exp_slope(count, -1, x, y, slope) }
}

/// y = 1 + x where x > 0, else eˣ: 1 + ELU, which is positive.
enum ELUPlusOne: Activation {
    static func evaluate(
        _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, slope: UnsafeMutablePointer<Float>
    ) { rl2x_elu_plus_one_slope(count, x, y, slope) }
}

extension Tape {
    public func tanh(_ x: Node) -> Node { activation(Tanh.self, x) }
    public func sigmoid(_ x: Node) -> Node { activation(Sigmoid.self, x) }
    public func relu(_ x: Node) -> Node { activation(ReLU.self, x) }

    public func silu(_ x: Node) -> Node { activation(SiLU.self, x) }
    public func softplus(_ x: Node) -> Node { activation(Softplus.self, x) }
    /// eˣ
    public func exp(_ x: Node) -> Node { activation(Exponential.self, x) }
    /// e⁻ˣ
    public func decay(_ x: Node) -> Node { activation(Decay.self, x) }
    /// 1 + ELU(x)
    public func eluPlusOne(_ x: Node) -> Node { activation(ELUPlusOne.self, x) }

    func activation(_ primitive: any Activation.Type, _ x: Node) -> Node {
        let output = variable(rows: x.rows, columns: x.columns)
        apply(primitive, operands(x), output: output, saved: x.count)
        return output
    }
}
