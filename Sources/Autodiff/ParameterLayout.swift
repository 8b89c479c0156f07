import Foundation
import Kernels

/// The order, names, shapes and first values of the parameters: θ is one flat array, and this is its table of contents.
///
/// Names and shapes are PyTorch's (`weight_ih_l0` of shape [3H, I], `nn.Linear` weights [out, in], `Conv2d` weights
/// [out, in, height, width]), so that a checkpoint loads into `torch.nn` in a few lines.
public struct ParameterLayout: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        public let name: String
        public let shape: [Int]
        /// First float in θ.
        public let offset: Int
        public let initializer: Initializer
        public var count: Int { shape.reduce(1, *) }
    }

    public private(set) var entries: [Entry] = []

    /// P: floats in θ.
    public private(set) var count = 0

    public init() {}

    /// Appends a parameter and returns its node: [shape[0], product of the rest], or [1, n] for a vector.
    public mutating func add(_ name: String, _ shape: [Int], _ initializer: Initializer) -> Node {
        precondition(shape.allSatisfy { $0 > 0 }, "\(name) of shape \(shape) holds nothing")
        precondition(!entries.contains { $0.name == name }, "two parameters are called \(name)")
        let entry = Entry(name: name, shape: shape, offset: count, initializer: initializer)
        entries.append(entry)
        count += entry.count
        let rows = shape.count == 1 ? 1 : shape[0]
        return Node(space: .parameter, offset: entry.offset, rows: rows, columns: entry.count / rows)
    }

    /// The first thing in which two layouts differ, in words; nil if they are the same.
    public static func difference(_ one: ParameterLayout, _ two: ParameterLayout) -> String? {
        for (a, b) in zip(one.entries, two.entries) where a != b {
            if a.name != b.name { return "'\(a.name)', then '\(b.name)' in its place" }
            if a.shape != b.shape { return "'\(a.name)' of shape \(a.shape), then \(b.shape)" }
            return "'\(a.name)' with other first values"
        }
        guard one.entries.count == two.entries.count else {
            return "\(one.entries.count) parameters, then \(two.entries.count)"
        }
        return nil
    }

    /// θ as it is before training. Each parameter has its own random stream, so adding one leaves the others' values.
    public func initialValues(_ random: RandomSource) -> [Float] {
        var values = [Float](repeating: 0, count: count)
        for (index, entry) in entries.enumerated() {
            var stream = random.split(index)
            let slice = entry.initializer.values(shape: entry.shape, random: &stream)
            values.replaceSubrange(entry.offset..<entry.offset + entry.count, with: slice)
        }
        return values
    }
}

/// How a parameter starts.
public enum Initializer: Sendable, Equatable {
    case constant(Float)
    /// Uniform on ±√(6 / (fan in + fan out)) · gain (Glorot and Bengio 2010), fans per block of `blocks` stacked
    /// matrices (a GRU stacks three).
    case xavierUniform(gain: Float = 1, blocks: Int = 1)
    /// A random orthogonal matrix (Saxe, McClelland, Ganguli 2014) in each of `blocks` stacked square-ish blocks.
    case orthogonal(gain: Float = 1, blocks: Int = 1)
    /// Normal with mean 0.
    case normal(deviation: Float)
    /// Each block of a stacked vector has its own constant.
    case blocks([Float])
    case uniform(bound: Float)
    /// Logarithms of uniform numbers.
    case logarithms(above: Float, upTo: Float)
    /// Evenly spaced numbers, the last of them `upTo`.
    case even(from: Float, upTo: Float)
    /// log 1, log 2, … along each row.
    case logarithmsOfColumns
    /// Of n complex factors, uniform on a ring around 0: three rows [3, n], ν and θ with exp(−exp(ν) + i exp(θ)) the factor
    /// λ, sizes in `from` … `upTo` and angles below `angle`, and log √(1 − |λ|²) (Orvieto et al. 2023, lemma 3.2).
    case ring(from: Float, upTo: Float, angle: Float)
    /// What softplus makes steps of time of, whose logarithms are uniform (Gu and Dao 2023, section 3.6).
    case timeSteps(from: Float, upTo: Float)
    /// Zero but for one block of a stacked vector, the biases of a gate that keeps: log U(1, horizon), so that the
    /// units forget at time scales of 2 to `horizon` + 1 steps (chrono initialisation, Tallec and Ollivier 2018,
    /// section 2). A network that is to count over a trial of hundreds of steps has counters from the start.
    /// `share`: of the units; the others have 0, and forget within two steps.
    /// `opposite`: a block that has minus the same numbers, the biases of a gate that takes in.
    case chrono(horizon: Float, share: Float = 1, block: Int? = nil, opposite: Int? = nil, blocks: Int)

    /// Values for a parameter of `shape`, row-major.
    public func values(shape: [Int], random: inout RandomSource) -> [Float] {
        let count = shape.reduce(1, *)
        switch self {
        case .constant(let value):
            return [Float](repeating: value, count: count)
        case .blocks(let constants):
            return (0..<count).map { constants[$0 * constants.count / count] }
        case .uniform(let bound):
            return (0..<count).map { _ in (2 * random.uniform() - 1) * bound }
        case .logarithms(let least, let most):
            return (0..<count).map { _ in log(most - (most - least) * random.uniform()) }
        case .even(let first, let last):
            return (0..<count).map { first + (last - first) * Float($0) / Float(max(1, count - 1)) }
        case .logarithmsOfColumns:
            let columns = count / shape[0]
            return (0..<count).map { log(Float(1 + $0 % columns)) }
        case .ring(let least, let most, let angle):
            let squares = (0..<count / 3).map { _ in
                least * least + (most * most - least * least) * random.uniform()
            }
            let angles = squares.map { _ in log(angle * (1 - random.uniform())) }
            return squares.map { log(-0.5 * log($0)) } + angles + squares.map { 0.5 * log1p(-$0) }
        case .timeSteps(let least, let most):
            return (0..<count).map { _ in
                let step = exp(log(least) + (log(most) - log(least)) * random.uniform())
                return step + log(-expm1(-step))
            }
        case .chrono(let horizon, let share, let block, let opposite, let blocks):
            let width = count / blocks
            let slow = Int((share * Float(width)).rounded())
            let biases = (0..<width).map { $0 < slow ? log(1 + max(0, horizon - 1) * random.uniform()) : 0 }
            return (0..<count).map { index in
                switch index / width {
                case block: biases[index % width]
                case opposite: -biases[index % width]
                default: 0
                }
            }
        case .normal(let deviation):
            return (0..<count).map { _ in Float(random.normal()) * deviation }
        case .xavierUniform(let gain, let blocks):
            let receptive = shape.dropFirst(2).reduce(1, *)
            let fanOut = shape[0] / blocks * receptive
            let fanIn = (shape.count > 1 ? shape[1] : 1) * receptive
            let bound = gain * (6 / Float(fanIn + fanOut)).squareRoot()
            return (0..<count).map { _ in (2 * random.uniform() - 1) * bound }
        case .orthogonal(let gain, let blocks):
            let rows = shape[0] / blocks
            let columns = count / shape[0]
            return (0..<blocks).flatMap { _ in
                Initializer.orthogonalMatrix(rows: rows, columns: columns, random: &random).map { Float($0) * gain }
            }
        }
    }

    /// A [rows, columns] matrix with orthonormal rows (or columns, if there are fewer): Gram–Schmidt on a normal
    /// matrix, each vector orthogonalised twice, which keeps the error at rounding level.
    static func orthogonalMatrix(rows: Int, columns: Int, random: inout RandomSource) -> [Double] {
        let (vectors, length) = (min(rows, columns), max(rows, columns))
        var basis: [[Double]] = []
        while basis.count < vectors {
            var vector = (0..<length).map { _ in random.normal() }
            for _ in 0..<2 {
                for other in basis {
                    let projection = zip(vector, other).reduce(0) { $0 + $1.0 * $1.1 }
                    for i in 0..<length { vector[i] -= projection * other[i] }
                }
            }
            let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            basis.append(vector.map { $0 / norm })
        }
        var matrix = [Double](repeating: 0, count: rows * columns)
        for (v, vector) in basis.enumerated() {
            for (i, value) in vector.enumerated() {
                if rows <= columns { matrix[v * columns + i] = value } else { matrix[i * columns + v] = value }
            }
        }
        return matrix
    }
}
