import Foundation

/// Draws what an agent in a maze sees: from world and pose to a frame, with nothing kept from frame to frame.
///
/// One ray a column walks the block grid to the first solid block (Amanatides and Woo 1987, "A fast voxel traversal
/// algorithm"). Its distance along the view direction, not along the ray, gives the wall's height in the column, so walls
/// are straight. The target is a box in space: it hides what is behind it, and walls hide it.
///
/// The frame is RGB, row-major, channels last. Columns are drawn from left to right with stores of four bytes, of which the
/// last falls on the next column and is drawn over; only the last column is copied byte by byte.
public final class Raycaster: @unchecked Sendable {
    // Unchecked because pointers are not Sendable: the tables are written by `init` alone and only read afterwards.

    public let width: Int
    public let height: Int
    /// Horizontal, degrees.
    public let fieldOfView: Double
    public let headings: Int

    /// Pixels to the picture plane.
    private let focal: Float
    /// Half the width of the picture plane at distance 1.
    private let slope: Float
    /// The view direction of each heading: (x, y).
    private let views: [SIMD2<Float>]
    /// Direction of each column's ray for a distance of 1 along the view, and its reciprocals: (x, y, 1/x, 1/y)
    /// [headings, width].
    private let rays: UnsafeMutablePointer<SIMD4<Float>>
    private let walls: UnsafeMutablePointer<UInt32>
    private let faces: UnsafeMutablePointer<UInt32>
    private let rows: UnsafeMutablePointer<UInt32>

    /// - Parameters:
    ///   - width: pixels, at least 1.
    ///   - height: pixels, at least 1.
    ///   - fieldOfView: horizontal, degrees, more than 0 and less than 180.
    ///   - headings: directions in which an agent may look, the first to the east, the others clockwise in equal steps.
    public init(width: Int, height: Int, fieldOfView: Double, headings: Int) {
        precondition(width > 0 && height > 0 && headings > 0, "a frame of no size")
        precondition(fieldOfView > 0 && fieldOfView < 180, "a field of view of \(fieldOfView)° shows nothing")
        (self.width, self.height, self.fieldOfView, self.headings) = (width, height, fieldOfView, headings)
        let slope = Float(tan(fieldOfView * Double.pi / 360))
        self.slope = slope
        focal = Float(width) / 2 / slope
        views = (0..<headings).map { Raycaster.direction($0, of: headings) }
        rays = .allocate(capacity: headings * width)
        for (heading, view) in views.enumerated() {
            for column in 0..<width {
                let side = Float(2 * column + 1 - width) / Float(width) * slope
                let (x, y) = (view.x - view.y * side, view.y + view.x * side)
                (rays + heading * width + column).initialize(
                    to: SIMD4(x, y, Raycaster.reciprocal(x), Raycaster.reciprocal(y)))
            }
        }
        let paint = MazePaint(height: height, focal: focal)
        func table(_ values: [UInt32]) -> UnsafeMutablePointer<UInt32> {
            // A column of texels is two cache lines.
            let raw = UnsafeMutableRawPointer.allocate(byteCount: 4 * values.count, alignment: 64)
            let typed = raw.bindMemory(to: UInt32.self, capacity: values.count)
            typed.initialize(from: values, count: values.count)
            return typed
        }
        (walls, faces, rows) = (table(paint.walls), table(paint.faces), table(paint.rows))
    }

    deinit {
        rays.deallocate()
        walls.deallocate()
        faces.deallocate()
        rows.deallocate()
    }

    /// Cosine and sine of a heading, with the quarter turns exact and opposite headings opposite.
    private static func direction(_ heading: Int, of headings: Int) -> SIMD2<Float> {
        let angle = 2 * Double.pi * Double(heading) / Double(headings)
        func clean(_ value: Double) -> Float { abs(value) < 1e-12 ? 0 : Float(value) }
        return SIMD2(clean(cos(angle)), clean(sin(angle)))
    }

    /// 1 / x, or a number so large that no ray gets that far.
    private static func reciprocal(_ x: Float) -> Float { abs(x) < 1e-9 ? 1e9 : 1 / x }

    // MARK: Rays

    /// What a column's ray meets first.
    public struct WallHit: Sendable, Equatable {
        /// Cells along the view direction.
        public var distance: Float
        /// The wall faces west or east.
        public var facesX: Bool
        /// Place along the wall, in cells from the border's inner corner.
        public var along: Float
    }

    /// What every column's ray meets [width].
    public func hits(in world: MazeWorld, from pose: MazePose) -> [WallHit] {
        let walk = Walk(world, pose)
        return world.solid.withUnsafeBufferPointer { solid in
            (0..<width).map { walk.first(rays[pose.heading * width + $0], solid.baseAddress!) }
        }
    }

    /// Calls `visit` with the number y (N + 2) + x of every block that a frame shows: those that its rays enter, with the
    /// solid ones at their ends, and the one where they begin. Blocks come more than once. The target hides none.
    public func visitBlocks(in world: MazeWorld, from pose: MazePose, _ visit: (_ block: Int) -> Void) {
        let walk = Walk(world, pose)
        visit(walk.row * walk.blocks + walk.column)
        world.solid.withUnsafeBufferPointer { solid in
            for column in 0..<width {
                _ = walk.first(rays[pose.heading * width + column], solid.baseAddress!, visit: visit)
            }
        }
    }

    /// Where all rays of a frame begin.
    private struct Walk {
        let x, y: Float
        let column, row: Int
        let blocks: Int

        @inline(__always)
        init(_ world: MazeWorld, _ pose: MazePose) {
            (x, y) = (Float(pose.x) / Float(MazeScale.cell), Float(pose.y) / Float(MazeScale.cell))
            (column, row) = (MazeWorld.block(pose.x), MazeWorld.block(pose.y))
            blocks = world.blocks
        }

        /// Walks from block to block; the border ends every walk.
        ///
        /// - Parameter visit: is told the number of each block that the ray enters, the solid one at its end too.
        @inline(__always)
        func first(
            _ ray: SIMD4<Float>, _ solid: UnsafePointer<UInt8>, visit: (_ block: Int) -> Void = { _ in }
        ) -> WallHit {
            // Block b reaches from b − 1 to b, in cells. The next line to cross is the block's far one.
            let stepX = ray.x < 0 ? -1 : 1
            let (wayX, wayY): (Float, Float) = (ray.x < 0 ? -1 : 1, ray.y < 0 ? -1 : 1)
            let strideY = ray.y < 0 ? -blocks : blocks
            var lineX = Float(ray.x < 0 ? column &- 1 : column)
            var lineY = Float(ray.y < 0 ? row &- 1 : row)
            var block = solid + (row &* blocks &+ column)
            var tX = (lineX - x) * ray.z
            var tY = (lineY - y) * ray.w
            while true {
                if tX < tY {
                    block += stepX
                    visit(block - solid)
                    if block.pointee != 0 { return WallHit(distance: tX, facesX: true, along: y + tX * ray.y) }
                    lineX += wayX
                    tX = (lineX - x) * ray.z
                } else {
                    block += strideY
                    visit(block - solid)
                    if block.pointee != 0 { return WallHit(distance: tY, facesX: false, along: x + tY * ray.x) }
                    lineY += wayY
                    tY = (lineY - y) * ray.w
                }
            }
        }
    }

    // MARK: Frames

    /// Draws a frame of height × width × 3 bytes.
    public func render(_ world: MazeWorld, from pose: MazePose, into frame: UnsafeMutablePointer<UInt8>) {
        let walk = Walk(world, pose)
        let target = Target(world, walk, view: views[pose.heading], slope: slope, width: width)
        let rays = rays + pose.heading * width
        world.solid.withUnsafeBufferPointer { solid in
            let solid = solid.baseAddress!
            for column in 0..<width - 1 {
                let hit = walk.first(rays[column], solid)
                let place = UnsafeMutableRawPointer(frame + 3 &* column)
                paintWall(hit, place, stride: 3 &* width)
                if target.columns.contains(column) {
                    paint(target, rays[column], before: hit.distance, place, stride: 3 &* width)
                }
            }
            withUnsafeTemporaryAllocation(byteCount: 4 * height, alignment: 4) { last in
                let column = width - 1
                let hit = walk.first(rays[column], solid)
                paintWall(hit, last.baseAddress!, stride: 4)
                if target.columns.contains(column) {
                    paint(target, rays[column], before: hit.distance, last.baseAddress!, stride: 4)
                }
                for row in 0..<height {
                    let pixel = UnsafeMutableRawPointer(frame + 3 * (row * width + column))
                    pixel.copyMemory(from: last.baseAddress! + 4 * row, byteCount: 3)
                }
            }
        }
    }

    /// The first row whose middle is not above a line of the picture.
    @inline(__always)
    private func row(at line: Float) -> Int {
        // Rounded up by a conversion that cuts off: what is cut must be positive.
        let bound = Float(height)
        return height &- Int(bound - min(max(line - 0.5, 0), bound))
    }

    /// Ceiling, wall and floor of a column.
    @inline(__always)
    private func paintWall(_ hit: WallHit, _ place: UnsafeMutableRawPointer, stride: Int) {
        let middle = Float(height) / 2
        let scale = focal / hit.distance
        let upper = middle - scale * (MazePaint.wallHeight - MazePaint.eyeHeight)
        let (top, bottom) = (row(at: upper), row(at: middle + scale * MazePaint.eyeHeight))
        let level = MazePaint.level(of: hit.distance)
        let texel = Int(hit.along * Float(MazePaint.texels)) & (MazePaint.texels - 1)
        let side = hit.facesX ? 0 : 1
        let strip = walls + ((side &* MazePaint.levels &+ level) &* MazePaint.texels &+ texel) &* MazePaint.texels
        // 16 bits behind the point.
        let step = Float(MazePaint.texels) * 65_536 / (scale * MazePaint.wallHeight)
        // Rounding can put the first row slightly above the wall's top, and this below 0.
        var down = UInt32(max(0, (Float(top) + 0.5 - upper) * step))
        let downStep = UInt32(step)

        var pixel = place
        for row in 0..<top {
            pixel.storeBytes(of: rows[row], as: UInt32.self)
            pixel += stride
        }
        for _ in top..<bottom {
            pixel.storeBytes(of: strip[Int(down >> 16) & (MazePaint.texels - 1)], as: UInt32.self)
            down &+= downStep
            pixel += stride
        }
        for row in bottom..<height {
            pixel.storeBytes(of: rows[row], as: UInt32.self)
            pixel += stride
        }
    }

    // MARK: The target

    /// The target's box as it lies before the viewer.
    private struct Target {
        let x0, y0, x1, y1: Float
        let x, y: Float
        /// Columns where it may be seen.
        let columns: Range<Int>

        @inline(__always)
        init(_ world: MazeWorld, _ walk: Walk, view: SIMD2<Float>, slope: Float, width: Int) {
            let box = world.targetBox
            let cell = Float(MazeScale.cell)
            (x0, y0) = (Float(box.x0) / cell, Float(box.y0) / cell)
            (x1, y1) = (Float(box.x1) / cell, Float(box.y1) / cell)
            (x, y) = (walk.x, walk.y)
            var (least, most): (Float, Float) = (1, -1)
            var (isNear, isFar) = (false, false)
            for corner in 0..<4 {
                let (dx, dy) = ((corner & 1 == 0 ? x0 : x1) - x, (corner & 2 == 0 ? y0 : y1) - y)
                let ahead = dx * view.x + dy * view.y
                guard ahead > 0.05 else {
                    isNear = true
                    continue
                }
                let side = (dy * view.x - dx * view.y) / (ahead * slope)
                least = isFar ? min(least, side) : side
                most = isFar ? max(most, side) : side
                isFar = true
            }
            if !isFar || !isNear && (most < -1 || least > 1) {
                columns = 0..<0
            } else if isNear {
                columns = 0..<width
            } else {
                let half = Float(width) / 2
                columns =
                    max(0, Int((max(least, -1) + 1) * half) - 1)..<min(width, Int((min(most, 1) + 1) * half) + 2)
            }
        }
    }

    /// The target's part of a column, if its ray meets it before the wall.
    @inline(__always)
    private func paint(
        _ target: Target, _ ray: SIMD4<Float>, before wall: Float, _ place: UnsafeMutableRawPointer, stride: Int
    ) {
        let (ax, bx) = ((target.x0 - target.x) * ray.z, (target.x1 - target.x) * ray.z)
        let (ay, by) = ((target.y0 - target.y) * ray.w, (target.y1 - target.y) * ray.w)
        let (entryX, entryY) = (min(ax, bx), min(ay, by))
        let (entry, exit) = (max(entryX, entryY, 0.05), min(max(ax, bx), max(ay, by)))
        guard entry < exit, entry < wall else { return }
        let facesX = entryX > entryY
        // Near an upright edge of the face the colour is darker.
        let along = facesX ? target.y + entry * ray.y - target.y0 : target.x + entry * ray.x - target.x0
        let side = target.x1 - target.x0
        let isEdge = min(along, side - along) < 0.07 * side
        let level = MazePaint.level(of: entry)
        let colour = faces[2 &* ((facesX ? 0 : 1) &* MazePaint.levels &+ level) &+ (isEdge ? 1 : 0)]
        let topColour = faces[2 &* (2 &* MazePaint.levels &+ level) &+ (isEdge ? 1 : 0)]
        let middle = Float(height) / 2
        let drop = focal * (MazePaint.eyeHeight - MazePaint.targetHeight)
        let (back, front) = (row(at: middle + drop / exit), row(at: middle + drop / entry))
        let bottom = row(at: middle + focal * MazePaint.eyeHeight / entry)
        var pixel = place + back &* stride
        for _ in back..<front {
            pixel.storeBytes(of: topColour, as: UInt32.self)
            pixel += stride
        }
        for _ in front..<max(front, bottom) {
            pixel.storeBytes(of: colour, as: UInt32.self)
            pixel += stride
        }
    }
}
