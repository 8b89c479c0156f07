import Interface
import Kernels

/// A record of one forward pass, which is its linearisation: `jvp` and `vjp` read it as often as wanted at the same θ.
///
/// Numbers lie in arenas that are refilled on the next pass, so a tape in its steady state allocates nothing. A tape
/// belongs to one thread at a time.
///
/// - `begin(parameters:recording:)` empties it and sets θ.
/// - The model's forward pass appends primitives. Without recording only values are computed: for acting and for
///   trying a step, at less than half the memory traffic.
/// - `jvp` and `vjp` read the record.
public final class Tape {
    private let constants = Arena()
    private let variables = Arena()
    private let savedArena = Arena()
    private let scratchArena = Arena()
    private var records: [Record] = []
    private var shapes: [PackedShape] = []
    private var parameters: UnsafePointer<Float>?
    let imageTable = ImageTable()

    /// Whether primitives are recorded for `jvp` and `vjp`.
    public private(set) var isRecording = false

    /// Whether what is made of an image in one pass serves the passes after it.
    private(set) var keepsEncodings = false

    /// The node that the readings start or end at, kept for a caller who comes back to the record.
    public var output: Node?
    /// What the model's last linear map read [rows, width], kept for who asks what a model knows; models that end in a
    /// `Head` leave it here.
    public var features: Node?

    public init() {}

    /// Empties the tape. `parameters`, θ [P], must stay alive and unchanged as long as the record is read.
    ///
    /// - Parameter keepingEncodings: what is made of images (`rows(of:count:width:encode:)`) is kept for later passes at
    ///   the same θ, until `forgetEncodings`; for acting, since a kept row has no derivative.
    public func begin(parameters: UnsafePointer<Float>, recording: Bool, keepingEncodings: Bool = false) {
        precondition(!(recording && keepingEncodings), "a kept row has no derivative")
        self.parameters = parameters
        isRecording = recording
        keepsEncodings = keepingEncodings
        output = nil
        features = nil
        constants.reset()
        variables.reset()
        savedArena.reset()
        records.removeAll(keepingCapacity: true)
        shapes.removeAll(keepingCapacity: true)
    }

    /// Forgets what was kept of images: θ is another.
    public func forgetEncodings() { imageTable.forget() }

    /// Bytes of memory that the tape holds.
    public var bytes: Int {
        (constants.capacity + variables.capacity + savedArena.capacity + scratchArena.capacity)
            * MemoryLayout<Float>.size + imageTable.bytes
    }

    /// Bytes that are in use: what the forward pass so far wrote and keeps.
    public var usedBytes: Int { (constants.used + variables.used + savedArena.used) * MemoryLayout<Float>.size }

    // MARK: Nodes

    /// An input [rows, columns] without a derivative; the caller fills it through `mutableValue`.
    public func constant(rows: Int, columns: Int) -> Node {
        Node(space: .constant, offset: constants.allocate(rows * columns), rows: rows, columns: columns)
    }

    /// An input of zeros.
    public func zeros(rows: Int, columns: Int) -> Node {
        let node = constant(rows: rows, columns: columns)
        mutableValue(node).update(repeating: 0, count: node.count)
        return node
    }

    /// An input of one row with the same number in all columns.
    public func constant(_ value: Float, columns: Int) -> Node {
        let node = constant(rows: 1, columns: columns)
        mutableValue(node).update(repeating: value, count: columns)
        return node
    }

    /// An input that is copied from memory.
    public func constant(_ source: UnsafePointer<Float>, rows: Int, columns: Int) -> Node {
        let node = constant(rows: rows, columns: columns)
        mutableValue(node).update(from: source, count: node.count)
        return node
    }

    /// Room for a result whose rows are written by several primitives, such as the steps of a recurrence.
    public func variable(rows: Int, columns: Int) -> Node {
        Node(space: .variable, offset: variables.allocate(rows * columns), rows: rows, columns: columns)
    }

    /// The numbers of a node. Valid until the next node is made.
    public func value(_ node: Node) -> UnsafePointer<Float> {
        switch node.space {
        case .constant: UnsafePointer(constants.base + node.offset)
        case .parameter: parameters! + node.offset
        case .variable: UnsafePointer(variables.base + node.offset)
        }
    }

    /// The numbers of a constant or variable, to be written. Valid until the next node is made.
    public func mutableValue(_ node: Node) -> UnsafeMutablePointer<Float> {
        switch node.space {
        case .constant: constants.base + node.offset
        case .parameter: preconditionFailure("a forward pass cannot write parameters")
        case .variable: variables.base + node.offset
        }
    }

    /// What a record kept of its forward pass.
    public func saved(_ record: borrowing Record) -> UnsafeMutablePointer<Float> { savedArena.base + record.saved }

    /// Memory for the time of one primitive; all of it in one call, because a second may move the first.
    public func scratch(_ count: Int) -> UnsafeMutablePointer<Float> {
        scratchArena.reset()
        let offset = scratchArena.allocate(count)
        return scratchArena.base + offset
    }

    /// Keeps a packed shape for the primitives that need one; returns its number.
    public func register(_ shape: PackedShape) -> Int {
        shapes.append(shape)
        return shapes.count - 1
    }

    public func shape(_ number: Int) -> PackedShape { shapes[number] }

    // MARK: Primitives

    /// Runs a primitive and, on a recording tape, appends it to the record.
    ///
    /// - Parameters:
    ///   - output: a variable made before, or some rows of one.
    ///   - saved: floats to keep for the two readings.
    public func apply(
        _ primitive: any Primitive.Type, _ operands: InlineArray<8, Node>, output: Node, saved: Int = 0,
        integers: InlineArray<8, Int> = .init(repeating: 0), scalar: Float = 0
    ) {
        let record = Record(
            primitive: primitive, operands: operands, output: output,
            saved: isRecording ? savedArena.allocate(saved) : -1, integers: integers, scalar: scalar)
        primitive.forward(record, self)
        if isRecording { records.append(record) }
    }

    // MARK: The two readings

    /// J v: pushes a direction v [P] through the record; read results with `workspace.tangent`.
    public func jvp(direction: UnsafePointer<Float>, workspace: Workspace) {
        precondition(isRecording, "a tape that did not record has no derivative")
        workspace.tangents.reserve(variables.used)
        let tangents = Tangents(tape: self, direction: direction, arena: workspace.tangents)
        for index in records.indices { records[index].primitive.pushforward(records[index], tangents) }
    }

    /// Makes all cotangents of variables zero; the caller then seeds outputs through `workspace.cotangent`.
    public func beginVJP(workspace: Workspace) {
        precondition(isRecording, "a tape that did not record has no derivative")
        workspace.cotangents.reserve(variables.used)
        workspace.cotangents.base.update(repeating: 0, count: variables.used)
    }

    /// Jᵀ u: pulls the seeded cotangents back through the record and *adds* to `gradient` [P].
    public func vjp(gradient: UnsafeMutablePointer<Float>, workspace: Workspace) {
        let cotangents = Cotangents(tape: self, gradient: gradient, arena: workspace.cotangents)
        for index in records.indices.reversed() { records[index].primitive.pullback(records[index], cotangents) }
    }
}

/// Tangents and cotangents of one tape at a time; one a worker thread, reused for every tape that it reads.
public final class Workspace {
    let tangents = Arena()
    let cotangents = Arena()

    public init() {}

    /// Tangent of a variable after a `jvp`.
    public func tangent(_ node: Node) -> UnsafeMutablePointer<Float> {
        precondition(node.space == .variable, "only variables have a tangent here")
        return tangents.base + node.offset
    }

    /// Cotangent of a variable, to be seeded after `beginVJP` and before `vjp`, or read after it.
    public func cotangent(_ node: Node) -> UnsafeMutablePointer<Float> {
        precondition(node.space == .variable, "only variables have a cotangent here")
        return cotangents.base + node.offset
    }
}

/// Fills the eight places of a record from fewer values.
public func operands(
    _ a: Node, _ b: Node? = nil, _ c: Node? = nil, _ d: Node? = nil, _ e: Node? = nil, _ f: Node? = nil,
    _ g: Node? = nil, _ h: Node? = nil
) -> InlineArray<8, Node> {
    let none = Node.none
    return [a, b ?? none, c ?? none, d ?? none, e ?? none, f ?? none, g ?? none, h ?? none]
}

/// Fills the eight whole-number attributes of a record from fewer values.
public func attributes(
    _ a: Int, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, _ e: Int = 0, _ f: Int = 0, _ g: Int = 0, _ h: Int = 0
) -> InlineArray<8, Int> { [a, b, c, d, e, f, g, h] }
