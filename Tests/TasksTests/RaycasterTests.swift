import Foundation
import Kernels
import Testing

@testable import Tasks

@Suite struct RaycasterTests {
    private struct View {
        let world: MazeWorld
        let pose: MazePose
    }

    /// Poses that a random walk meets.
    private func views(_ count: Int, headings: Int = 12, seed: UInt64 = 21) -> [View] {
        (0..<count).map { index in
            var random = RandomSource(seed: seed).split(index)
            let world = MazeWorld(
                MazeLayout(size: 5, loops: 0.2, random: &random), target: random.integer(below: 25))
            let motion = MazeMotion(step: 0.375, turn: 360 / headings)
            let room = world.centre(of: random.integer(below: 25))
            var pose = MazePose(x: room.x, y: room.y, heading: random.integer(below: headings))
            for _ in 0..<30 {
                pose = motion.apply(MazeAction(rawValue: random.integer(below: 3))!, to: pose, in: world).pose
            }
            return View(world: world, pose: pose)
        }
    }

    private func frame(_ raycaster: Raycaster, _ view: View) -> [UInt8] {
        var bytes = [UInt8](repeating: 77, count: raycaster.width * raycaster.height * 3)
        bytes.withUnsafeMutableBufferPointer {
            raycaster.render(view.world, from: view.pose, into: $0.baseAddress!)
        }
        return bytes
    }

    /// Distance along the view at which a ray enters a box, in Float64 and without a grid; infinity where it does not.
    private func entry(_ box: SolidBox, _ view: View, _ raycaster: Raycaster, column: Int) -> Double {
        let angle = 2 * Double.pi * Double(view.pose.heading) / Double(raycaster.headings)
        let side =
            (2 * Double(column) + 1 - Double(raycaster.width)) / Double(raycaster.width)
            * tan(raycaster.fieldOfView * .pi / 360)
        let (dx, dy) = (cos(angle) - sin(angle) * side, sin(angle) + cos(angle) * side)
        var (low, high) = (0.0, Double.infinity)
        for (from, first, last, direction) in [
            (Double(view.pose.x), Double(box.x0), Double(box.x1), dx),
            (Double(view.pose.y), Double(box.y0), Double(box.y1), dy),
        ] {
            if abs(direction) < 1e-12 {
                if from <= first || from >= last { return .infinity }
            } else {
                let (a, b) = ((first - from) / direction, (last - from) / direction)
                (low, high) = (max(low, min(a, b)), min(high, max(a, b)))
            }
        }
        return low < high ? low / Double(MazeScale.cell) : .infinity
    }

    private func solidBoxes(_ world: MazeWorld) -> [SolidBox] {
        (0..<world.blocks * world.blocks).compactMap { index in
            let (x, y) = (index % world.blocks, index / world.blocks)
            guard world.isSolid(x, y) else { return nil }
            return SolidBox(
                x0: MazeWorld.line(x), y0: MazeWorld.line(y), x1: MazeWorld.line(x + 1), y1: MazeWorld.line(y + 1))
        }
    }

    /// Every ray stops at the nearest of all walls: none passes one, none stops before. Float32 coordinates of a few cells
    /// are right to 1e-6, and slanted rays magnify that; a ray that grazes a corner may see what lies behind it.
    @Test(arguments: [(90.0, 12), (60.0, 8), (150.0, 24)]) func distancesAreThoseOfTheNearestWall(
        _ fieldOfView: Double, _ headings: Int
    ) {
        let raycaster = Raycaster(width: 41, height: 9, fieldOfView: fieldOfView, headings: headings)
        var (rays, wrong) = (0, 0)
        for view in views(60, headings: headings) {
            let boxes = solidBoxes(view.world)
            for (column, hit) in raycaster.hits(in: view.world, from: view.pose).enumerated() {
                let expected = boxes.map { entry($0, view, raycaster, column: column) }.min()!
                rays += 1
                if abs(Double(hit.distance) - expected) > 1e-4 * max(1, expected) { wrong += 1 }
            }
        }
        #expect(wrong * 1000 <= rays, "\(wrong) of \(rays)")
    }

    /// Straight ahead of the middle of a room the wall is half a cell away.
    @Test func theWallOfARoom() {
        let world = MazeWorld(MazeLayout(size: 3) { _, _ in false }, target: 0)
        let raycaster = Raycaster(width: 5, height: 5, fieldOfView: 40, headings: 4)
        for heading in 0..<4 {
            let hits = raycaster.hits(in: world, from: MazePose(x: 160, y: 160, heading: heading))
            for hit in hits {
                #expect(abs(hit.distance - 0.5) < 1e-6)
                #expect(hit.facesX == (heading % 2 == 0))
            }
        }
    }

    /// A maze and a pose in a mirror show the same distances in the other order.
    @Test func mirrored() {
        let raycaster = Raycaster(width: 40, height: 30, fieldOfView: 90, headings: 12)
        var (rays, wrong) = (0, 0)
        for view in views(40) {
            func mirror(_ room: Int) -> Int { room / 5 * 5 + 4 - room % 5 }
            let layout = view.world.layout
            let world = MazeWorld(
                MazeLayout(size: 5) { layout.joins(mirror($0), mirror($1)) }, target: mirror(view.world.target))
            let pose = MazePose(
                x: view.world.size * MazeScale.cell - view.pose.x, y: view.pose.y,
                heading: (18 - view.pose.heading) % 12)
            let (one, other) = (raycaster.hits(in: view.world, from: view.pose), raycaster.hits(in: world, from: pose))
            for (hit, mirrored) in zip(one, other.reversed()) {
                rays += 1
                if abs(hit.distance - mirrored.distance) > 1e-4 || hit.facesX != mirrored.facesX { wrong += 1 }
            }
        }
        #expect(wrong * 500 <= rays, "\(wrong) of \(rays)")
    }

    /// Red stands in the columns whose rays meet the target before a wall, and in no other.
    @Test(arguments: [(40, 30), (33, 47), (160, 120)]) func theTargetIsSeenWhereNoWallHidesIt(
        _ width: Int, _ height: Int
    ) {
        let raycaster = Raycaster(width: width, height: height, fieldOfView: 90, headings: 12)
        var (seen, wrong, columns) = (0, 0, 0)
        for view in views(600, seed: 22) {
            let bytes = frame(raycaster, view)
            let hits = raycaster.hits(in: view.world, from: view.pose)
            for column in 0..<width {
                let target = entry(view.world.targetBox, view, raycaster, column: column)
                // So far away it may be lower than a pixel.
                guard target > 0.1, target < 0.25 * Double(height) || target == .infinity else { continue }
                let isVisible = target < Double(hits[column].distance)
                let isRed = (0..<height).contains { row in
                    let pixel = 3 * (row * width + column)
                    return Int(bytes[pixel]) > 2 * Int(bytes[pixel + 1]) && bytes[pixel] > 60
                }
                columns += 1
                if isVisible { seen += 1 }
                if isVisible != isRed { wrong += 1 }
            }
        }
        #expect(seen > width)
        #expect(wrong * 500 <= columns, "\(wrong) of \(columns)")
    }

    /// All of a frame is drawn, nothing beyond it, and the same whatever was there before.
    @Test(arguments: [(1, 1), (13, 13), (40, 30), (7, 90)]) func writesItsFrameAndNothingElse(
        _ width: Int, _ height: Int
    ) {
        let raycaster = Raycaster(width: width, height: height, fieldOfView: 75, headings: 12)
        let count = width * height * 3
        for view in views(10) {
            func drawn(over byte: UInt8) -> [UInt8] {
                var bytes = [UInt8](repeating: byte, count: count + 32)
                bytes.withUnsafeMutableBufferPointer {
                    raycaster.render(view.world, from: view.pose, into: $0.baseAddress! + 16)
                }
                #expect(bytes.prefix(16).allSatisfy { $0 == byte } && bytes.suffix(16).allSatisfy { $0 == byte })
                return Array(bytes[16..<16 + count])
            }
            #expect(drawn(over: 0) == drawn(over: 255))
        }
    }
}
