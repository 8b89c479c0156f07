import Foundation

/// Colours of a maze: bricks, floor, ceiling and target, darkened by distance. Everything that depends on the size of a
/// frame and not on the maze is computed here, once.
struct MazePaint {
    /// Texels a cell, along a wall, and of its height.
    static let texels = 32
    /// Distances at which walls are painted: eight a cell.
    static let levels = 64
    static let levelsPerCell: Float = 8

    /// Heights in cells.
    static let wallHeight: Float = 0.8
    static let eyeHeight: Float = 0.4
    static let targetHeight: Float = 0.3

    /// A colour with parts in 0 … 1.
    struct Colour {
        var parts: SIMD3<Float>

        init(_ red: Float, _ green: Float, _ blue: Float) { parts = SIMD3(red, green, blue) / 255 }

        init(_ parts: SIMD3<Float>) { self.parts = parts }

        /// As it looks from a distance in cells: with every 4 cells all but 1 / e of it is lost in the dark.
        func seen(from distance: Float) -> Colour {
            let share = exp(-distance / 4)
            return Colour(MazePaint.dark.parts + (parts - MazePaint.dark.parts) * share)
        }

        func times(_ factor: Float) -> Colour { Colour(parts * factor) }

        /// Red in the lowest byte, then green, blue and zero: a pixel and one byte more, as they lie in memory.
        var packed: UInt32 {
            func byte(_ part: Float) -> UInt32 { UInt32((min(max(part, 0), 1) * 255).rounded()) }
            return (byte(parts.x) | byte(parts.y) << 8 | byte(parts.z) << 16).littleEndian
        }
    }

    static let dark = Colour(22, 24, 33)
    /// Walls that face west or east, and those that face north or south: a maze looks different after a quarter turn.
    static let bricks = [Colour(214, 186, 142), Colour(122, 146, 168)]
    static let ceiling = Colour(70, 82, 116)
    static let floor = Colour(112, 100, 88)
    static let target = Colour(236, 28, 36)

    /// Wall colours [2 sides, levels, texels along, texels down].
    let walls: [UInt32]
    /// The target's colours [3 faces: west or east, north or south, top; levels; inside or edge].
    let faces: [UInt32]
    /// Ceiling and floor [height].
    let rows: [UInt32]

    /// - Parameter focal: distance of the picture plane, pixels.
    init(height: Int, focal: Float) {
        let distances = (0..<MazePaint.levels).map { (Float($0) + 0.5) / MazePaint.levelsPerCell }
        let chain = BrickTexture.chain
        walls = MazePaint.bricks.flatMap { brick in
            distances.flatMap { distance -> [UInt32] in
                // Texels under a pixel; a wall is finer along than down when it is seen at a slant.
                let footprint = Float(MazePaint.texels) * distance / (focal * MazePaint.wallHeight)
                let lit = brick.seen(from: distance).parts - MazePaint.dark.seen(from: distance).parts
                let base = MazePaint.dark.seen(from: distance).parts
                return (0..<MazePaint.texels).flatMap { along in
                    (0..<MazePaint.texels).map { down in
                        Colour(base + lit * chain.brightness(along, down, footprint: footprint)).packed
                    }
                }
            }
        }
        faces = [1, 0.82, 1.12].flatMap { light in
            distances.flatMap { distance in
                [Float(1), 0.62].map {
                    MazePaint.target.times(Float(light) * $0).seen(from: 0.6 * distance).packed
                }
            }
        }
        rows = (0..<height).map { row in
            let offset = Float(row) + 0.5 - Float(height) / 2
            let isFloor = offset > 0
            let rise = isFloor ? MazePaint.eyeHeight : MazePaint.wallHeight - MazePaint.eyeHeight
            let distance = focal * rise / max(abs(offset), 0.25)
            return (isFloor ? MazePaint.floor : MazePaint.ceiling).seen(from: distance).packed
        }
    }

    static func level(of distance: Float) -> Int { min(levels - 1, Int(distance * levelsPerCell)) }
}

/// A brick wall of 32 × 32 texels and its smaller pictures, each half as large as the one before: far away a pixel shows
/// the mean of many texels, not one of them.
struct BrickTexture {
    /// Brightness about 1, `pictures[k]` [32 / 2ᵏ, 32 / 2ᵏ], columns along the wall.
    private let pictures: [[Float]]

    static let chain = BrickTexture()

    private init() {
        let side = MazePaint.texels
        var picture = [Float](repeating: 0, count: side * side)
        for along in 0..<side {
            for down in 0..<side { picture[along * side + down] = BrickTexture.brightness(along, down) }
        }
        var pictures = [picture]
        var width = side
        while width > 1 {
            let (last, half) = (pictures.last!, width / 2)
            pictures.append(
                (0..<half * half).map { index in
                    let (along, down) = (2 * (index / half), 2 * (index % half))
                    return
                        (last[along * width + down] + last[along * width + down + 1] + last[(along + 1) * width + down]
                        + last[(along + 1) * width + down + 1]) / 4
                })
            width = half
        }
        self.pictures = pictures
    }

    /// Four courses of bricks, two to a cell, each course shifted by half a brick; joints are dark, bricks differ a little
    /// and are rough.
    private static func brightness(_ along: Int, _ down: Int) -> Float {
        let (courseHeight, brickLength) = (8, 16)
        let course = down / courseHeight
        let shifted = (along + (course % 2) * brickLength / 2) % MazePaint.texels
        if down % courseHeight == courseHeight - 1 || shifted % brickLength == brickLength - 1 { return 0.58 }
        let brick = noise(course, shifted / brickLength)
        let grain = noise(along + 101, down + 57)
        // Lighter at its upper edge.
        let edge: Float = down % courseHeight == 0 ? 0.08 : 0
        return 0.86 + 0.16 * brick + 0.07 * grain + edge
    }

    /// A fixed number in 0 … 1 for each place.
    private static func noise(_ a: Int, _ b: Int) -> Float {
        var bits = UInt32(truncatingIfNeeded: a &* 73_856_093 ^ b &* 19_349_663)
        bits ^= bits >> 13
        bits &*= 0x5BD1_E995
        bits ^= bits >> 15
        return Float(bits & 0xFFFF) / 65_535
    }

    /// Brightness at a texel when so many texels lie under a pixel: between the two pictures next to that size.
    func brightness(_ along: Int, _ down: Int, footprint: Float) -> Float {
        let detail = min(max(log2(footprint), 0), Float(pictures.count - 1))
        let fine = min(Int(detail), pictures.count - 2)
        func texel(_ picture: Int) -> Float {
            let width = MazePaint.texels >> picture
            return pictures[picture][(along >> picture) * width + (down >> picture)]
        }
        return texel(fine) + (texel(fine + 1) - texel(fine)) * (detail - Float(fine))
    }
}
