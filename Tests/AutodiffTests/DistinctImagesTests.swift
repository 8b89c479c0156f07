import Conformance
import Kernels
import TestSupport
import Testing

@testable import Autodiff

/// Distinct images, each encoded once, beside all images, each by itself.
@Suite struct DistinctImagesTests {
    /// Which images are equal: numbers of those that are drawn.
    private enum Pattern: String, CaseIterable, CustomTestStringConvertible {
        case one, equal, distinct, mixed
        var testDescription: String { rawValue }

        func choose(_ random: inout RandomSource) -> [Int] {
            switch self {
            case .one: [0]
            case .equal: [Int](repeating: 0, count: 23)
            case .distinct: Array(0..<23)
            case .mixed: (0..<40).map { _ in random.integer(below: 9) }
            }
        }
    }

    /// Images of 25, 63, 64, 90 and 4·13·2 = 104 bytes: widths that are and are not divisible by 4, by 8 and by 32.
    private static let shapes: [ConvolutionShape] = [
        .init(height: 5, width: 5, channels: 1, kernelHeight: 3, kernelWidth: 3),
        .init(height: 7, width: 3, channels: 3, kernelHeight: 3, kernelWidth: 2, stride: 2),
        .init(height: 8, width: 8, channels: 1, kernelHeight: 5, kernelWidth: 5),
        .init(height: 6, width: 5, channels: 3, kernelHeight: 3, kernelWidth: 2),
        .init(height: 4, width: 13, channels: 2, kernelHeight: 2, kernelWidth: 4, stride: 2),
    ]

    private func randomBytes(_ count: Int, _ random: inout RandomSource) -> [UInt8] {
        (0..<count).map { _ in UInt8(random.integer(below: 256)) }
    }

    @Test(arguments: shapes.indices, Pattern.allCases)
    private func valuesAndDerivativesAreThoseOfAllImages(_ index: Int, _ pattern: Pattern) {
        let shape = Self.shapes[index]
        var random = RandomSource(seed: 41).split(index)
        let choice = pattern.choose(&random)
        let drawn = (0...choice.max()!).map { _ in randomBytes(shape.inputCount, &random) }
        let bytes = choice.flatMap { drawn[$0] }
        for (outputs, isCentred) in [(4, true), (16, false)] {
            func function(once: Bool) -> DifferentiableFunction {
                PrimitiveCase("", [.init(outputs, shape.patchCount), .init(1, outputs)]) { tape, nodes in
                    guard once else {
                        return tape.convolution(
                            bytes: bytes, count: choice.count, centred: isCentred, shape, weight: nodes[0],
                            bias: nodes[1], rectified: true)
                    }
                    let images = tape.distinctImages(bytes, count: choice.count, width: shape.inputCount)
                    return tape.spread(
                        tape.convolution(
                            images, centred: isCentred, shape, weight: nodes[0], bias: nodes[1], rectified: true),
                        over: images)
                }.function(.parameters)
            }
            let (once, all) = (function(once: true), function(once: false))
            let theta = random.normals(once.parameterCount)
            let (one, other) = (once.linearised(at: theta), all.linearised(at: theta))
            let (v, u) = (random.normals(theta.count), random.normals(one.output.count))
            let tolerance = roundingTolerance(depth: shape.patchCount)
            #expect(relativeDistance(one.value, from: other.value) < tolerance)
            #expect(relativeDistance(one.jvp(v), from: other.jvp(v)) < tolerance)
            #expect(
                relativeDistance(one.vjp(u), from: other.vjp(u))
                    < roundingTolerance(depth: choice.count * shape.positions))
        }
    }

    /// As many images lie on the tape as there are distinct ones, in the order in which they come first; each image knows
    /// its own.
    private func requirePlaces(_ images: [[UInt8]], sourceLocation: SourceLocation = #_sourceLocation) {
        let tape = Tape()
        tape.begin(parameters: [0], recording: false)
        let width = images[0].count
        let result = tape.distinctImages(images.flatMap { $0 }, count: images.count, width: width)
        var numbers: [[UInt8]: Int32] = [:]
        var firsts: [[UInt8]] = []
        let places = images.map { image -> Int32 in
            if let number = numbers[image] { return number }
            numbers[image] = Int32(firsts.count)
            firsts.append(image)
            return Int32(firsts.count) - 1
        }
        let told = tape.value(result.places)
        #expect(
            (0..<images.count).map { Int32(bitPattern: told[$0].bitPattern) } == places, sourceLocation: sourceLocation)
        #expect(
            result.images.rows == firsts.count && result.images.columns == (width + 3) / 4,
            sourceLocation: sourceLocation)
        let kept = UnsafeRawPointer(tape.value(result.images))
        for (number, image) in firsts.enumerated() {
            let start = kept + number * result.images.columns * 4
            #expect(
                (0..<width).allSatisfy { start.load(fromByteOffset: $0, as: UInt8.self) == image[$0] },
                sourceLocation: sourceLocation)
        }
    }

    /// Images that differ in one byte differ, wherever it stands: in each of the hash's streams and in the rest.
    @Test(arguments: [1, 3, 4, 31, 32, 33, 64, 77]) func oneByteIsEnough(_ width: Int) {
        var random = RandomSource(seed: 42)
        let image = randomBytes(width, &random)
        let others = (0..<width).flatMap { place -> [[UInt8]] in
            [UInt8(1), 128, 255].map { change in
                var other = image
                other[place] ^= change
                return other
            }
        }
        requirePlaces([image] + others + [image] + others.reversed())
    }

    /// Some thousand distinct images in a table of 2¹⁴ slots: by birthdays about 5000² / 2¹⁵ = 760 pairs of them fall on one
    /// slot, whatever the hash, and only their bytes tell them apart.
    @Test func imagesOfOneSlotAreToldApart() {
        var random = RandomSource(seed: 43)
        let drawn = (0..<5000).map { _ in randomBytes(5, &random) }
        requirePlaces(drawn + (0..<3000).map { _ in drawn[random.integer(below: 5000)] })
    }

    /// All images of two bytes, of which every slot's neighbours are taken.
    @Test func allShortImages() {
        requirePlaces((0..<65_536).map { [UInt8($0 & 255), UInt8($0 >> 8)] } + [[7, 7], [0, 0], [255, 255]])
    }

    /// In its steady state a tape asks for no memory: what it holds after some passes it holds after more.
    @Test func aTapeInItsSteadyStateGrowsNoMore() {
        var random = RandomSource(seed: 44)
        let images = (0..<200).map { _ in randomBytes(300, &random) }
        let tape = Tape()
        func pass() -> Int {
            let choice = (0..<2000).map { _ in images[random.integer(below: 200)] }
            tape.begin(parameters: [0], recording: true)
            _ = tape.distinctImages(choice.flatMap { $0 }, count: 2000, width: 300)
            return tape.bytes
        }
        let first = pass()
        #expect(first > 0 && (0..<3).allSatisfy { _ in pass() == first })
    }

    /// A tape that keeps encodings encodes each image once, to the same rows, until θ is another.
    @Test func keptEncodingsServeLaterPasses() {
        var random = RandomSource(seed: 45)
        let (width, outputs) = (300, 4)
        let drawn = (0..<30).map { _ in randomBytes(width, &random) }
        let shape = ConvolutionShape(
            height: 10, width: 10, channels: 3, kernelHeight: 10, kernelWidth: 10)
        let tape = Tape()
        var encoded = 0
        func rows(of images: [[UInt8]], at theta: [Float], kept: Bool) -> [Float] {
            tape.begin(parameters: theta, recording: false, keepingEncodings: kept)
            let weight = Node(space: .parameter, offset: 0, rows: outputs, columns: shape.patchCount)
            let bias = Node(space: .parameter, offset: outputs * shape.patchCount, rows: 1, columns: outputs)
            let rows = tape.rows(of: images.flatMap { $0 }, count: images.count, width: width) { images in
                encoded += images.images.rows
                return tape.convolution(images, shape, weight: weight, bias: bias)
            }
            #expect(rows.rows == images.count && rows.columns == outputs)
            return [Float](UnsafeBufferPointer(start: tape.value(rows), count: rows.count))
        }
        for _ in 0..<2 {
            let theta = random.normals(outputs * (shape.patchCount + 1))
            tape.forgetEncodings()
            encoded = 0
            let passes = (0..<20).map { _ in (0..<8).map { _ in drawn[random.integer(below: drawn.count)] } }
            let kept = passes.map { rows(of: $0, at: theta, kept: true) }
            #expect(encoded == Set(passes.joined()).count)
            for (images, kept) in zip(passes, kept) {
                let alone = rows(of: images, at: theta, kept: false)
                #expect(relativeDistance(kept, from: alone) < roundingTolerance(depth: shape.patchCount))
                tape.forgetEncodings()
            }
        }
    }
}
