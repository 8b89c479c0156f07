/// The measures of a maze, in lattice units: whole numbers, so that poses are exact, can be counted, and are the same on
/// every machine. 64 units are the side of a cell.
public enum MazeScale {
    /// Side of a cell.
    public static let cell = 64
    /// Radius of the agent's body, a disc.
    public static let body = 10
    /// Half the side of the target, a block that stands in the middle of a cell.
    public static let target = 12
}

/// A maze as a body finds it (Duan et al. 2016, as in the authors' environment): a grid of N × N cells inside a border of
/// wall, each cell solid or open. Immutable, shared by all who play it or draw it.
///
/// Rooms lie at every second cell in both directions, (N + 1) / 2 a side; the cell between two neighbouring rooms is a passage
/// or wall, the cells between four rooms are wall. Cells are numbered with the border: block (x, y) for x and y in
/// 0 ..< N + 2, of which block (2i + 1, 2j + 1) is room (i, j). x grows to the east, y to the south; coordinates are 0 at the
/// inner corner of the border, so the first room's centre lies at (32, 32).
public final class MazeWorld: Sendable {
    public let layout: MazeLayout
    /// Room of the target.
    public let target: Int
    /// N + 2
    public let blocks: Int
    /// 1 where a block is solid [(N + 2)²], rows of y.
    let solid: [UInt8]

    /// - Parameter target: a room's number.
    public init(_ layout: MazeLayout, target: Int) {
        precondition(target >= 0 && target < layout.rooms, "room \(target) of \(layout.rooms)")
        self.layout = layout
        self.target = target
        let size = layout.size
        blocks = 2 * size + 1
        var solid = [UInt8](repeating: 1, count: blocks * blocks)
        for room in 0..<layout.rooms {
            let (x, y) = (2 * (room % size) + 1, 2 * (room / size) + 1)
            solid[y * blocks + x] = 0
            if room % size < size - 1, layout.joins(room, room + 1) { solid[y * blocks + x + 1] = 0 }
            if room / size < size - 1, layout.joins(room, room + size) { solid[(y + 1) * blocks + x] = 0 }
        }
        self.solid = solid
    }

    /// N
    public var size: Int { blocks - 2 }

    /// First coordinate of a block, in units.
    @inline(__always)
    public static func line(_ block: Int) -> Int { (block - 1) * MazeScale.cell }

    /// The block that holds a coordinate, for coordinates from −64 on.
    @inline(__always)
    static func block(_ coordinate: Int) -> Int { (coordinate + MazeScale.cell) / MazeScale.cell }

    /// The blocks between two coordinates, the border taken for all that lies beyond it.
    @inline(__always)
    private func blocks(from low: Int, to high: Int) -> ClosedRange<Int> {
        MazeWorld.block(max(low, -MazeScale.cell))...min(MazeWorld.block(high), blocks - 1)
    }

    public func isSolid(_ x: Int, _ y: Int) -> Bool { solid[y * blocks + x] == 1 }

    /// The centre of a room, in units.
    public func centre(of room: Int) -> (x: Int, y: Int) {
        let half = MazeScale.cell / 2
        return (2 * (room % layout.size) * MazeScale.cell + half, 2 * (room / layout.size) * MazeScale.cell + half)
    }

    /// The maze from above, with its border.
    var floorPlan: FloorPlan {
        func line(_ block: Int) -> Range<Int> { block * MazeScale.cell..<(block + 1) * MazeScale.cell }
        let walls = (0..<blocks * blocks).filter { solid[$0] == 1 }.map {
            FloorPlan.Box(x: line($0 % blocks), y: line($0 / blocks))
        }
        let (centre, half) = (place(centre(of: target)), MazeScale.target)
        return FloorPlan(
            side: blocks * MazeScale.cell, cell: MazeScale.cell, walls: walls,
            targets: [
                FloorPlan.Box(x: centre.x - half..<centre.x + half, y: centre.y - half..<centre.y + half)
            ], bodyRadius: MazeScale.body)
    }

    /// Where a point lies on the floor plan.
    func place(_ point: (x: Int, y: Int)) -> (x: Int, y: Int) { (point.x + MazeScale.cell, point.y + MazeScale.cell) }

    /// Where the target stands, in units.
    var targetBox: SolidBox {
        let (x, y) = centre(of: target)
        let half = MazeScale.target
        return SolidBox(x0: x - half, y0: y - half, x1: x + half, y1: y + half)
    }

    /// Whether a body that moves straight from (x, y) by (dx, dy) stays clear of all walls, on its whole way.
    func isClear(_ x: Int, _ y: Int, _ dx: Int, _ dy: Int) -> Bool {
        let reach = MazeScale.body
        let columns = blocks(from: min(x, x + dx) - reach, to: max(x, x + dx) + reach)
        let rows = blocks(from: min(y, y + dy) - reach, to: max(y, y + dy) + reach)
        for row in rows {
            for column in columns where solid[row * blocks + column] == 1 {
                let box = SolidBox(
                    x0: MazeWorld.line(column), y0: MazeWorld.line(row), x1: MazeWorld.line(column + 1),
                    y1: MazeWorld.line(row + 1))
                if box.meetsDisc(reach, from: x, y, by: dx, dy) { return false }
            }
        }
        return true
    }
}

/// A rectangle with sides along the axes, in units.
struct SolidBox {
    var x0, y0, x1, y1: Int

    /// Whether a disc of a radius that moves straight from (x, y) by (dx, dy) comes nearer than its radius to the box
    /// anywhere on its way: to touch it is not to meet it. Exact: whole numbers throughout.
    ///
    /// The centre's way must miss the box grown by the radius, with round corners: two rectangles and four discs.
    func meetsDisc(_ radius: Int, from x: Int, _ y: Int, by dx: Int, _ dy: Int) -> Bool {
        guard max(x, x + dx) > x0 - radius, min(x, x + dx) < x1 + radius, max(y, y + dy) > y0 - radius,
            min(y, y + dy) < y1 + radius
        else { return false }
        func crosses(_ box: SolidBox) -> Bool { box.isCrossed(from: x, y, by: dx, dy) }
        func passes(_ cornerX: Int, _ cornerY: Int) -> Bool {
            SolidBox.isNear(cornerX - x, cornerY - y, dx, dy, radius)
        }
        return crosses(SolidBox(x0: x0 - radius, y0: y0, x1: x1 + radius, y1: y1))
            || crosses(SolidBox(x0: x0, y0: y0 - radius, x1: x1, y1: y1 + radius))
            || passes(x0, y0) || passes(x1, y0) || passes(x0, y1) || passes(x1, y1)
    }

    /// Whether the way, ends included, has a point inside, the border excluded.
    ///
    /// On each axis the inside holds for t in an open interval; with its ends multiplied by |dx| |dy| they are whole.
    private func isCrossed(from x: Int, _ y: Int, by dx: Int, _ dy: Int) -> Bool {
        if dx == 0 && (x <= x0 || x >= x1) || dy == 0 && (y <= y0 || y >= y1) { return false }
        let (spanX, spanY) = (max(1, abs(dx)), max(1, abs(dy)))
        let whole = spanX * spanY
        // t may lie anywhere in [0, 1]: an open interval that is a little larger has the same multiples.
        var (low, high) = (-1, whole + 1)
        if dx != 0 {
            low = max(low, (dx > 0 ? x0 - x : x - x1) * spanY)
            high = min(high, (dx > 0 ? x1 - x : x - x0) * spanY)
        }
        if dy != 0 {
            low = max(low, (dy > 0 ? y0 - y : y - y1) * spanX)
            high = min(high, (dy > 0 ? y1 - y : y - y0) * spanX)
        }
        return low < high && low < whole && high > 0
    }

    /// Whether the way by (dx, dy) comes nearer than `radius` to the point (x, y), both seen from where it begins.
    private static func isNear(_ x: Int, _ y: Int, _ dx: Int, _ dy: Int, _ radius: Int) -> Bool {
        let (along, length) = (x * dx + y * dy, dx * dx + dy * dy)
        if along <= 0 { return x * x + y * y < radius * radius }
        if along >= length { return (x - dx) * (x - dx) + (y - dy) * (y - dy) < radius * radius }
        let across = x * dy - y * dx
        return across * across < radius * radius * length
    }
}
