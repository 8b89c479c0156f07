import Foundation
import Interface
import Tasks
import Training

/// The files that show a trial to a person: every frame, the map, a sheet of all frames, and the trial as an animation.
public struct TrialPictures {
    let recording: TrialRecording
    let scale: Int

    private static let background = Picture.Colour(24, 26, 34)

    /// - Parameter scale: pixels in a file for a pixel of a frame.
    public init(_ recording: TrialRecording, scale: Int) { (self.recording, self.scale) = (recording, scale) }

    /// Writes them to a directory, which is made if it is not there.
    ///
    /// - Parameter option: that named the directory.
    /// - Throws: one line if it cannot be written, or holds pictures already; then it is left as it was.
    /// - Returns: names of the files, frames first.
    @discardableResult
    public func write(to directory: String, option: String = "--out") throws -> [String] {
        try TrialPictures.prepare(directory, option: option)
        var names: [String] = []
        func save(_ name: String, _ data: Data) throws {
            do {
                let file = URL(fileURLWithPath: directory).appendingPathComponent(name)
                try data.write(to: file, options: .withoutOverwriting)
            } catch {
                throw UserError("\(directory)/\(name): cannot be written; check the disk and the permissions")
            }
            names.append(name)
        }
        for (number, episode) in recording.episodes.enumerated() {
            for (step, frame) in episode.frames.enumerated() {
                let name = TrialPictures.name(episode: number, step: step, of: recording)
                try save(name, PNG.encode(frame.scaled(by: scale)))
            }
        }
        if let map = TrialMap(recording, scale: 72) { try save("map.png", PNG.encode(map.picture())) }
        try save("sheet.png", PNG.encode(sheet()))
        let (pictures, times) = animation()
        try save("trial.png", PNG.animate(pictures, milliseconds: times))
        return names
    }

    /// Episodes are counted from 1, steps from 0: frame t is what the agent saw before its action t, the last frame where it
    /// ended.
    /// Numbers have as many digits as the largest, so that names sort as they should.
    static func name(episode: Int, step: Int, of recording: TrialRecording) -> String {
        func padded(_ number: Int, _ most: Int, least: Int) -> String {
            let (digits, width) = ("\(number)", max(least, "\(most)".count))
            return String(repeating: "0", count: width - digits.count) + digits
        }
        let most = recording.episodes.map(\.steps).max() ?? 0
        return "episode-\(padded(episode + 1, recording.episodes.count, least: 2))"
            + "-step-\(padded(step, most, least: 4)).png"
    }

    /// Makes a directory that is not there.
    /// - Throws: one line if it cannot be written, or holds pictures already.
    static func prepare(_ directory: String, option: String) throws {
        let files = FileManager.default
        var isDirectory: ObjCBool = false
        if files.fileExists(atPath: directory, isDirectory: &isDirectory) {
            guard isDirectory.boolValue else {
                throw UserError("\(directory): is a file; \(option) wants a directory")
            }
            guard let names = try? files.contentsOfDirectory(atPath: directory) else {
                throw UserError("\(directory): cannot be read; choose another directory for \(option)")
            }
            if let other = names.sorted().first(where: { $0.hasSuffix(".png") }) {
                throw UserError(
                    "\(directory): holds pictures already ('\(other)'); choose another directory for \(option)")
            }
        } else {
            do {
                try files.createDirectory(atPath: directory, withIntermediateDirectories: true)
            } catch {
                throw UserError("\(directory): cannot be made; choose another directory for \(option)")
            }
        }
        guard files.isWritableFile(atPath: directory) else {
            throw UserError("\(directory): cannot be written; choose another directory for \(option)")
        }
    }

    private var frame: Picture? { recording.episodes.first?.frames.first }

    /// All frames in rows, each episode in a block of its own with a bar in its colour, at most twelve a row.
    func sheet() -> Picture {
        let factor = max(1, (scale + 1) / 2)
        let (frameWidth, frameHeight) = (
            (frame?.width ?? 1) * factor, (frame?.height ?? 1) * factor
        )
        let (gap, bar) = (6, 8)
        let most = recording.episodes.map(\.frames.count).max() ?? 1
        let columns = min(12, max(1, most))
        func rows(_ episode: TrialRecording.Episode) -> Int { (episode.frames.count + columns - 1) / columns }
        let height = recording.episodes.reduce(gap) { $0 + bar + gap + rows($1) * (frameHeight + gap) }
        var sheet = Picture(width: columns * (frameWidth + gap) + gap, height: height, TrialPictures.background)
        var top = gap
        for (number, episode) in recording.episodes.enumerated() {
            sheet.fill(gap..<sheet.width - gap, top..<top + bar, TrialMap.colour(of: number))
            top += bar + gap
            for (index, frame) in episode.frames.enumerated() {
                sheet.place(
                    frame.scaled(by: factor), x: gap + index % columns * (frameWidth + gap),
                    y: top + index / columns * (frameHeight + gap))
            }
            top += rows(episode) * (frameHeight + gap)
        }
        return sheet
    }

    /// What the agent sees beside where it is, ten steps a second; a second's rest at the end of an episode.
    func animation() -> (pictures: [Picture], milliseconds: [Int]) {
        let (width, height) = (
            (frame?.width ?? 1) * scale, (frame?.height ?? 1) * scale
        )
        let (gap, bar) = (12, 6)
        let cells = recording.floorPlan.map { max(1, $0.side / $0.cell) } ?? 1
        let map = TrialMap(recording, scale: max(12, height * 2 / (2 * cells + 1)))
        let (ground, side) = (map?.ground(), map?.side ?? 0)
        var (pictures, times) = ([Picture](), [Int]())
        for (number, episode) in recording.episodes.enumerated() {
            for (step, frame) in episode.frames.enumerated() {
                var picture = Picture(
                    width: width + side + 3 * gap, height: max(height, side) + 3 * gap + bar,
                    TrialPictures.background)
                picture.place(frame.scaled(by: scale), x: gap, y: gap + (max(height, side) - height) / 2)
                if let map {
                    picture.place(map.picture(episode: number, step: step, on: ground), x: width + 2 * gap, y: gap)
                }
                // How much of the episode's time has passed.
                let (left, right) = (gap, picture.width - gap)
                let top = picture.height - gap - bar
                let pale = TrialMap.colour(of: number).mixed(0.75, TrialPictures.background)
                picture.fill(left..<right, top..<top + bar, pale)
                let passed = (right - left) * step / max(1, recording.family.maximumEpisodeSteps)
                picture.fill(left..<left + passed, top..<top + bar, TrialMap.colour(of: number))
                pictures.append(picture)
                times.append(step == episode.steps ? 1000 : 100)
            }
        }
        return (pictures, times)
    }
}
