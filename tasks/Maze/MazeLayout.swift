import Kernels

/// Which neighbouring rooms of a maze of R × R rooms are joined: columns run east, rows run south, room (column, row) has
/// the number row · R + column.
///
/// Layouts are spanning trees of the grid. On request some of the walls that are left are then taken away, each with the
/// same chance.
public struct MazeLayout: Sendable, Hashable {
    /// How a spanning tree is drawn.
    public enum Generator: String, Sendable, CaseIterable {
        /// Wilson (1996, "Generating random spanning trees more quickly than the cover time"): loop-erased random walks from
        /// each room to the tree so far. Every spanning tree is equally likely.
        case wilson
        /// Prim's random growth, as in the authors' environment: from a random room, one of the walls between the tree and
        /// the rooms outside is opened, each with the same chance. Trees with many short branches are likelier.
        ///
        /// Its mean shortest ways between two different rooms, 5.55 cells of 3 × 3 rooms and 10.2 of 5 × 5, are those of
        /// the published mazes, 5.6 and 10.3; uniform trees have 5.76 and 11.5.
        case prim
    }

    /// R: rooms a side.
    public let size: Int
    /// Whether room i is joined to its eastern neighbour [R²].
    private var opensEast: [Bool]
    /// Whether room i is joined to its southern neighbour [R²].
    private var opensSouth: [Bool]

    /// A layout without a passage.
    private init(size: Int) {
        self.size = size
        opensEast = [Bool](repeating: false, count: size * size)
        opensSouth = opensEast
    }

    /// A random layout.
    ///
    /// - Parameters:
    ///   - size: R, at least 2.
    ///   - loops: chance that a wall which the spanning tree leaves between two rooms is taken away; 0: a tree.
    public init(
        size: Int, generator: Generator = .wilson, loops: Double = 0, random: inout RandomSource
    ) {
        precondition(size >= 2, "a maze needs more than one room")
        self.init(size: size)
        switch generator {
        case .wilson: joinByWilson(&random)
        case .prim: joinByPrim(&random)
        }
        guard loops > 0 else { return }
        for room in 0..<rooms {
            if room % size < size - 1, !opensEast[room], random.uniformDouble() < loops { opensEast[room] = true }
            if room / size < size - 1, !opensSouth[room], random.uniformDouble() < loops { opensSouth[room] = true }
        }
    }

    /// A layout that joins those neighbouring rooms of which `joins` says so.
    public init(size: Int, joins: (_ room: Int, _ other: Int) -> Bool) {
        self.init(size: size)
        for room in 0..<rooms {
            opensEast[room] = room % size < size - 1 && joins(room, room + 1)
            opensSouth[room] = room / size < size - 1 && joins(room, room + size)
        }
    }

    /// All spanning trees; there are 4 of 2 × 2 rooms, 192 of 3 × 3 and 100 352 of 4 × 4.
    static func trees(size: Int) -> [MazeLayout] {
        precondition(size <= 3, "too many subsets of the walls of \(size) × \(size) rooms")
        let (rooms, walls) = (size * size, 2 * size * (size - 1))
        return (0..<1 << walls).filter { $0.nonzeroBitCount == rooms - 1 }.compactMap { passages in
            // `joins` is asked of each wall once, in order.
            var wall = -1
            let layout = MazeLayout(size: size) { _, _ in
                wall += 1
                return passages >> wall & 1 == 1
            }
            return layout.distances(from: 0).contains(-1) ? nil : layout
        }
    }

    /// R²
    public var rooms: Int { size * size }

    /// Passages between rooms; R² − 1 in a tree.
    public var passages: Int { opensEast.count { $0 } + opensSouth.count { $0 } }

    /// Whether two neighbouring rooms are joined; false for rooms that are no neighbours.
    public func joins(_ room: Int, _ other: Int) -> Bool {
        let (first, second) = (min(room, other), max(room, other))
        if second - first == 1 && first % size < size - 1 { return opensEast[first] }
        return second - first == size && opensSouth[first]
    }

    /// Rooms beside a room, joined to it or not.
    public func neighbours(of room: Int) -> [Int] {
        var result: [Int] = []
        if room % size > 0 { result.append(room - 1) }
        if room % size < size - 1 { result.append(room + 1) }
        if room >= size { result.append(room - size) }
        if room + size < rooms { result.append(room + size) }
        return result
    }

    /// Passages on the shortest way from a room to each other [R²].
    public func distances(from start: Int) -> [Int] {
        var distances = [Int](repeating: -1, count: rooms)
        distances[start] = 0
        var reached = [start]
        var next = 0
        while next < reached.count {
            let room = reached[next]
            next += 1
            for other in neighbours(of: room) where distances[other] < 0 && joins(room, other) {
                distances[other] = distances[room] + 1
                reached.append(other)
            }
        }
        return distances
    }

    /// Whether this layout is kept for testing: one in five, by a hash of its walls (FNV-1a, 64 bits, a byte a room), so
    /// that no training meets it, whatever its seed or the number of its mazes.
    public var isHeldOut: Bool {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for room in 0..<rooms {
            hash ^= (opensEast[room] ? 1 : 0) | (opensSouth[room] ? 2 : 0)
            hash &*= 0x0000_0100_0000_01B3
        }
        // The low bits of this hash depend on few of the bytes' bits; the high ones on all.
        return (hash >> 32) % 5 == 0
    }

    private mutating func joinByWilson(_ random: inout RandomSource) {
        var isInTree = [Bool](repeating: false, count: rooms)
        // The way on from each room of the walk at hand; a room that is met again forgets its loop.
        var exit = [Int](repeating: 0, count: rooms)
        isInTree[random.integer(below: rooms)] = true
        for start in 0..<rooms where !isInTree[start] {
            var room = start
            while !isInTree[room] {
                let choices = neighbours(of: room)
                exit[room] = choices[random.integer(below: choices.count)]
                room = exit[room]
            }
            room = start
            while !isInTree[room] {
                isInTree[room] = true
                join(room, exit[room])
                room = exit[room]
            }
        }
    }

    private mutating func joinByPrim(_ random: inout RandomSource) {
        var isInTree = [Bool](repeating: false, count: rooms)
        // Walls between the tree and a room that was outside when they were listed.
        var walls: [(room: Int, other: Int)] = []
        func list(_ room: Int, _ walls: inout [(room: Int, other: Int)]) {
            for other in neighbours(of: room) where !isInTree[other] { walls.append((room, other)) }
        }
        let first = random.integer(below: rooms)
        isInTree[first] = true
        list(first, &walls)
        while !walls.isEmpty {
            let chosen = random.integer(below: walls.count)
            let (room, other) = walls[chosen]
            walls.swapAt(chosen, walls.count - 1)
            walls.removeLast()
            guard !isInTree[other] else { continue }
            isInTree[other] = true
            join(room, other)
            list(other, &walls)
        }
    }

    private mutating func join(_ room: Int, _ other: Int) {
        let first = min(room, other)
        if abs(room - other) == 1 { opensEast[first] = true } else { opensSouth[first] = true }
    }
}
