import Kernels
import Tasks

/// Memory for the inputs of one step of some lanes.
final class LaneInputs {
    let writer: StepInputsWriter

    init(lanes: Int, _ space: ObservationSpace) {
        let (vectorWidth, imageBytes) = (space.vectorWidth, space.imageBytes)
        func block<Element: BitwiseCopyable>(_ count: Int, _ zero: Element) -> UnsafeMutablePointer<Element> {
            let pointer = UnsafeMutablePointer<Element>.allocate(capacity: max(count, 1))
            pointer.initialize(repeating: zero, count: max(count, 1))
            return pointer
        }
        writer = StepInputsWriter(
            vectorWidth: vectorWidth, imageBytes: imageBytes, vectors: block(lanes * vectorWidth, 0),
            images: block(lanes * imageBytes, 0), previousActions: block(lanes, 0), previousRewards: block(lanes, 0),
            episodeEnds: block(lanes, 0), stepIndices: block(lanes, 0))
    }

    /// The first `rows` rows, as a policy reads them.
    func inputs(rows: Int) -> StepInputs {
        StepInputs(
            rows: rows, vectors: UnsafePointer(writer.vectors), images: UnsafePointer(writer.images),
            previousActions: UnsafePointer(writer.previousActions),
            previousRewards: UnsafePointer(writer.previousRewards), episodeEnds: UnsafePointer(writer.episodeEnds),
            stepIndices: UnsafePointer(writer.stepIndices))
    }

    deinit {
        writer.vectors.deallocate()
        writer.images.deallocate()
        writer.previousActions.deallocate()
        writer.previousRewards.deallocate()
        writer.episodeEnds.deallocate()
        writer.stepIndices.deallocate()
    }
}
