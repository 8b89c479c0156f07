import Foundation
import Tasks

/// A maze from above: walls, target, and the ways of some episodes, each in its colour.
public struct MazeMap: Sendable {
    let recording: MazeRecording
    /// Pixels a room.
    let scale: Int

    private static let floor = Picture.Colour(244, 241, 234)
    private static let wall = Picture.Colour(62, 68, 84)
    private static let target = Picture.Colour(226, 32, 40)
    private static let start = Picture.Colour(40, 40, 46)
    /// Colours of episodes, again from the first after the last.
    private static let palette = [
        Picture.Colour(36, 114, 200), Picture.Colour(240, 138, 28), Picture.Colour(30, 150, 96),
        Picture.Colour(150, 80, 190), Picture.Colour(120, 90, 60),
    ]

    public init(_ recording: MazeRecording, scale: Int) { (self.recording, self.scale) = (recording, scale) }

    static func colour(of episode: Int) -> Picture.Colour { palette[episode % palette.count] }

    /// Pixels a side.
    public var side: Int { recording.world.layout.size * scale + 2 * margin }

    private var margin: Int { max(2, scale / 4) }

    /// The whole trial.
    public func picture() -> Picture {
        var picture = ground()
        for episode in recording.episodes.indices {
            draw(episode, to: recording.episodes[episode].steps, on: &picture, strength: 0.9)
        }
        return picture
    }

    /// The moment before an episode's step `step`: its way so far, earlier episodes' ways paler, and the agent.
    public func picture(episode: Int, step: Int, on ground: Picture? = nil) -> Picture {
        var picture = ground ?? self.ground()
        for earlier in 0..<episode {
            draw(earlier, to: recording.episodes[earlier].steps, on: &picture, strength: 0.3)
        }
        draw(episode, to: step, on: &picture, strength: 0.9)
        let pose = recording.episodes[episode].poses[step]
        let angle = Double(pose.heading * recording.family.motion.turn) * .pi / 180
        let (x, y) = place(pose)
        let radius = bodyRadius
        // What it looks at: a small fan of light.
        let half = recording.family.options.fieldOfView * .pi / 360
        for ray in stride(from: -half, through: half, by: half / 12) {
            picture.line(
                from: (x, y), to: (x + cos(angle + ray) * 2.6 * radius, y + sin(angle + ray) * 2.6 * radius),
                width: radius / 3, MazeMap.colour(of: episode), strength: 0.25)
        }
        picture.disc(x, y, radius: radius, Picture.Colour(255, 255, 255))
        picture.disc(x, y, radius: radius * 0.8, MazeMap.colour(of: episode))
        picture.line(
            from: (x, y), to: (x + cos(angle) * radius, y + sin(angle) * radius), width: radius / 2.5,
            Picture.Colour(255, 255, 255))
        return picture
    }

    /// Walls, target and start.
    public func ground() -> Picture {
        let world = recording.world
        var picture = Picture(width: side, height: side, MazeMap.floor)
        func pixel(_ units: Int) -> Int {
            margin + Int((Double(units) * Double(scale) / Double(MazeScale.room)).rounded())
        }
        for y in 0..<world.blocks {
            for x in 0..<world.blocks where world.isSolid(x, y) {
                picture.fill(
                    pixel(MazeWorld.line(x))..<pixel(MazeWorld.line(x + 1)),
                    pixel(MazeWorld.line(y))..<pixel(MazeWorld.line(y + 1)), MazeMap.wall)
            }
        }
        let (x, y) = world.centre(of: world.target)
        let half = MazeScale.target
        picture.fill(pixel(x - half)..<pixel(x + half), pixel(y - half)..<pixel(y + half), MazeMap.target)
        let start = place(recording.episodes[0].poses[0])
        picture.disc(start.x, start.y, radius: Double(scale) * 0.16, MazeMap.start)
        picture.disc(start.x, start.y, radius: Double(scale) * 0.11, MazeMap.floor)
        return picture
    }

    /// Pixels of the agent's body.
    var bodyRadius: Double { Double(MazeScale.body) / Double(MazeScale.room) * Double(scale) }

    /// Where a pose is, in pixels.
    func place(_ pose: MazePose) -> (x: Double, y: Double) {
        let unit = Double(scale) / Double(MazeScale.room)
        return (Double(margin) + Double(pose.x) * unit, Double(margin) + Double(pose.y) * unit)
    }

    /// An episode's way up to a step, beside those of others: each a little to one side, so that two that are the same can
    /// both be seen.
    private func draw(_ episode: Int, to step: Int, on picture: inout Picture, strength: Double) {
        let shift = (Double(episode) - Double(recording.episodes.count - 1) / 2) * Double(scale) / 22
        let poses = recording.episodes[episode].poses
        for index in 0..<step {
            let (from, to) = (place(poses[index]), place(poses[index + 1]))
            guard from != to else { continue }
            picture.line(
                from: (from.x + shift, from.y + shift), to: (to.x + shift, to.y + shift), width: Double(scale) / 16,
                MazeMap.colour(of: episode), strength: strength)
        }
    }
}
