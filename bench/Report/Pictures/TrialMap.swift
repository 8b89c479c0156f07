import Foundation
import Tasks

/// A member from above: walls, target, and the ways of some episodes, each in its colour.
public struct TrialMap: Sendable {
    private let recording: TrialRecording
    private let plan: FloorPlan
    /// Pixels a cell.
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

    /// Nil for a recording without a floor plan.
    public init?(_ recording: TrialRecording, scale: Int) {
        guard let plan = recording.floorPlan else { return nil }
        (self.recording, self.plan, self.scale) = (recording, plan, scale)
    }

    static func colour(of episode: Int) -> Picture.Colour { palette[episode % palette.count] }

    /// Pixels a side.
    public var side: Int { Int((Double(plan.side) * unit).rounded()) + 2 * margin }

    /// Pixels of a unit.
    private var unit: Double { Double(scale) / Double(plan.cell) }

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
        let place = recording.episodes[episode].places[step]
        let angle = Double(place.degrees) * .pi / 180
        let (x, y) = pixels(place)
        let radius = bodyRadius
        // What it looks at: a small fan of light.
        let half = Double.pi / 4
        for ray in stride(from: -half, through: half, by: half / 12) {
            picture.line(
                from: (x, y), to: (x + cos(angle + ray) * 2.6 * radius, y + sin(angle + ray) * 2.6 * radius),
                width: radius / 3, TrialMap.colour(of: episode), strength: 0.25)
        }
        picture.disc(x, y, radius: radius, Picture.Colour(255, 255, 255))
        picture.disc(x, y, radius: radius * 0.8, TrialMap.colour(of: episode))
        picture.line(
            from: (x, y), to: (x + cos(angle) * radius, y + sin(angle) * radius), width: radius / 2.5,
            Picture.Colour(255, 255, 255))
        return picture
    }

    /// Walls, target and start.
    public func ground() -> Picture {
        var picture = Picture(width: side, height: side, TrialMap.floor)
        func pixels(_ units: Range<Int>) -> Range<Int> {
            func pixel(_ place: Int) -> Int { margin + Int((Double(place) * unit).rounded()) }
            return pixel(units.lowerBound)..<pixel(units.upperBound)
        }
        for wall in plan.walls { picture.fill(pixels(wall.x), pixels(wall.y), TrialMap.wall) }
        for target in plan.targets { picture.fill(pixels(target.x), pixels(target.y), TrialMap.target) }
        let start = self.pixels(recording.episodes[0].places[0])
        picture.disc(start.x, start.y, radius: Double(scale) * 0.16, TrialMap.start)
        picture.disc(start.x, start.y, radius: Double(scale) * 0.11, TrialMap.floor)
        return picture
    }

    /// Pixels of the agent's body.
    var bodyRadius: Double { Double(plan.bodyRadius) * unit }

    /// Where a place is, in pixels.
    func pixels(_ place: FloorPlan.Place) -> (x: Double, y: Double) {
        (Double(margin) + Double(place.x) * unit, Double(margin) + Double(place.y) * unit)
    }

    /// An episode's way up to a step, beside those of others: each a little to one side, so that two that are the same can
    /// both be seen.
    private func draw(_ episode: Int, to step: Int, on picture: inout Picture, strength: Double) {
        let shift = (Double(episode) - Double(recording.episodes.count - 1) / 2) * Double(scale) / 22
        let places = recording.episodes[episode].places
        for index in 0..<step {
            let (from, to) = (pixels(places[index]), pixels(places[index + 1]))
            guard from != to else { continue }
            picture.line(
                from: (from.x + shift, from.y + shift), to: (to.x + shift, to.y + shift), width: Double(scale) / 16,
                TrialMap.colour(of: episode), strength: strength)
        }
    }
}
