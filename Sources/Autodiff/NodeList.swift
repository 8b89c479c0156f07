/// Up to eight nodes, held in place: the state vectors of a recurrent cell, without an allocation a step.
public struct NodeList: Sendable {
    public static let capacity = 8
    public private(set) var count = 0
    private var nodes = InlineArray<8, Node>(repeating: .none)

    public init() {}

    /// `make(0), make(1), …, make(count − 1)`
    public init(count: Int, _ make: (Int) -> Node) {
        for index in 0..<count { append(make(index)) }
    }

    public mutating func append(_ node: Node) {
        precondition(count < NodeList.capacity, "a node list holds at most \(NodeList.capacity)")
        nodes[count] = node
        count += 1
    }

    public subscript(index: Int) -> Node {
        precondition(index >= 0 && index < count, "node \(index) of \(count)")
        return nodes[index]
    }

    /// Some rows of every node.
    public func rows(_ range: Range<Int>) -> NodeList { NodeList(count: count) { self[$0].rows(range) } }
}
