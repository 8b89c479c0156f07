import Foundation
import Kernels
import Tasks
import Testing
import Training

@testable import Bench

@Suite struct PictureTests {
    private func noise(_ width: Int, _ height: Int, seed: UInt64 = 1) -> Picture {
        var random = RandomSource(seed: seed)
        return Picture(
            width: width, height: height,
            bytes: (0..<3 * width * height).map { _ in UInt8(random.integer(below: 256)) })
    }

    @Test(arguments: [(1, 1), (7, 3), (40, 30), (161, 90)]) func aFileHoldsThePicture(_ width: Int, _ height: Int) {
        let picture = noise(width, height)
        let file = PNG.encode(picture)
        #expect(file.prefix(8) == Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
        #expect(PNG.decode(file) == picture)
        #expect(PNG.decode(file.prefix(20)) == nil && PNG.decode(Data("not a picture".utf8)) == nil)
    }

    /// Chunks in the order of the format, numbered through, with right checksums (libpng refuses others in the first frame,
    /// and each later frame, given the header of a file, is a picture of its own).
    @Test func animations() throws {
        let pictures = (0..<3).map { noise(9, 5, seed: UInt64($0)) }
        let file = PNG.animate(pictures, milliseconds: [100, 200, 300])
        #expect(PNG.decode(file) == pictures[0])
        var (names, place) = ([String](), 8)
        var numbers: [Int] = []
        while place < file.count {
            let length = file[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
            let name = String(decoding: file[place + 4..<place + 8], as: UTF8.self)
            names.append(name)
            if ["fcTL", "fdAT"].contains(name) {
                numbers.append(file[place + 8..<place + 12].reduce(0) { $0 << 8 | Int($1) })
            }
            place += 12 + length
        }
        #expect(place == file.count)
        #expect(names == ["IHDR", "acTL", "fcTL", "IDAT", "fcTL", "fdAT", "fcTL", "fdAT", "IEND"])
        #expect(numbers == [0, 1, 2, 3, 4])
    }

    @Test func scaledPixelsAreSquares() {
        let picture = noise(3, 2)
        let scaled = picture.scaled(by: 4)
        #expect(scaled.width == 12 && scaled.height == 8)
        for y in 0..<8 { for x in 0..<12 { #expect(scaled[x, y] == picture[x / 4, y / 4]) } }
    }
}

@Suite struct TrialRecordingTests {
    /// What the oracle sees on three ways; Tests/BenchTests/golden/make_goldens.sh made the files, and a person looked at
    /// them. Logarithms and tangents of another library may differ in their last bits: a byte by one, a wall's edge by a
    /// row.
    @Test(arguments: [1, 2, 3]) func framesAreThoseOfTheGoldens(_ seed: Int) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("golden")
        var options = FirstPersonMaze.Options()
        (options.step, options.turn) = (0.375, 30)
        if seed == 3 { (options.frameWidth, options.frameHeight, options.fieldOfView) = (64, 48, 75) }
        let recording = TrialRecording(FirstPersonMaze(options), .oracle, seed: seed)
        let episode = recording.episodes[0]
        for step in stride(from: 0, to: episode.frames.count, by: 4) {
            let name = "maze-\(seed)-step-\(String(format: "%04d", step)).png"
            let data = try Data(contentsOf: folder.appendingPathComponent(name))
            let golden = try #require(PNG.decode(data))
            let frame = episode.frames[step]
            #expect(golden.width == frame.width && golden.height == frame.height)
            let different = zip(golden.bytes, frame.bytes).count { abs(Int($0) - Int($1)) > 1 }
            #expect(different * 100 <= frame.bytes.count, "\(name): \(different) bytes differ")
        }
    }

    @Test func theOracleTakesTheShortestWayInEveryEpisode() {
        for seed in 0..<5 {
            var options = FirstPersonMaze.Options()
            options.episodes = 3
            let family = FirstPersonMaze(options)
            let recording = TrialRecording(family, .oracle, seed: seed)
            let member = family.heldOut().member(of: Trainer.heldOutMembers(seed: seed).split(0))
            #expect(member.world.layout.isHeldOut && recording.floorPlan == family.floorPlan(of: member))
            #expect(recording.episodes.count == 3)
            for episode in recording.episodes {
                #expect(episode.succeeded && episode.steps == recording.shortest)
                #expect(episode.frames.count == episode.steps + 1 && episode.places.count == episode.steps + 1)
                #expect(episode.places[0] == recording.episodes[0].places[0])
            }
        }
    }

    @Test func randomPlayFollowsFromTheSeed() {
        let family = FirstPersonMaze()
        func actions(_ seed: Int) -> [[Int]] {
            TrialRecording(family, .random, seed: seed).episodes.map(\.actions)
        }
        #expect(actions(4) == actions(4))
        #expect(actions(4) != actions(5))
    }
}

@Suite struct GoalEvaluationTests {
    /// Three trials of two episodes of up to 10 steps: by hand.
    @Test func countsByHand() throws {
        let evaluation = GoalEvaluation(
            successes: [true, true, true, false, false, true], steps: [5, 4, 10, 10, 10, 10], shortest: [4, 5, 8],
            episodes: 2)
        #expect(evaluation.episodes.map(\.successRate) == [2 / 3.0, 2 / 3.0])
        #expect(evaluation.episodes.map(\.length) == [7.5, 7])
        #expect(evaluation.lengthOverFirst(1) == 7 / 7.5)
        #expect(evaluation.episodes[0].lengthOverShortest == (5 / 4.0 + 10 / 5.0) / 2)
        #expect(evaluation.episodes[1].lengthOverShortest == (4 / 4.0 + 10 / 8.0) / 2)
        #expect(evaluation.improved == 1)
        #expect(evaluation.successThenFailure == 1 / 3.0)
        #expect(evaluation.shortest == 17 / 3.0)
    }
}
