import Kernels
import Tasks

/// What a rollout knows of each step, in columns of rows: what the policy was given, what it did, and what it got. How
/// the rows are ordered is the owner's affair.
struct StepColumns: @unchecked Sendable {
    let vectorWidth: Int
    let imageBytes: Int
    let vectors: Buffer<Float>  // [N, O]
    let images: Buffer<UInt8>  // [N, height · width · channels]
    let previousActions: Buffer<Int32>  // [N]
    let previousRewards: Buffer<Float>  // [N]
    let episodeEnds: Buffer<Float>  // [N]
    let stepIndices: Buffer<Int32>  // [N]
    /// a_t [N]
    let actions: Buffer<Int32>
    /// r_t [N], the reward of a_t
    let rewards: Buffer<Float>
    /// 1 where a_t ended an episode [N]
    let endsEpisode: Buffer<UInt8>

    /// - Parameter rows: most rows that it will hold.
    init(space: ObservationSpace, rows: Int) {
        (vectorWidth, imageBytes) = (space.vectorWidth, space.imageBytes)
        vectors = Buffer(capacity: rows * vectorWidth)
        images = Buffer(capacity: rows * imageBytes)
        previousActions = Buffer(capacity: rows)
        previousRewards = Buffer(capacity: rows)
        episodeEnds = Buffer(capacity: rows)
        stepIndices = Buffer(capacity: rows)
        actions = Buffer(capacity: rows)
        rewards = Buffer(capacity: rows)
        endsEpisode = Buffer(capacity: rows)
    }

    /// Bytes of a row.
    static func bytesPerRow(_ space: ObservationSpace) -> Int {
        let observation = space.vectorWidth * MemoryLayout<Float>.size + space.imageBytes
        return observation + 3 * MemoryLayout<Float>.size + 3 * MemoryLayout<Int32>.size + MemoryLayout<UInt8>.size
    }

    /// Some rows, as a policy reads them.
    func inputs(from row: Int, rows: Int) -> StepInputs {
        StepInputs(
            rows: rows, vectors: vectors.pointer + row * vectorWidth, images: images.pointer + row * imageBytes,
            previousActions: previousActions.pointer + row, previousRewards: previousRewards.pointer + row,
            episodeEnds: episodeEnds.pointer + row, stepIndices: stepIndices.pointer + row)
    }

    /// The rows from one on, as lanes write them.
    func inputsWriter(from row: Int) -> StepInputsWriter {
        StepInputsWriter(
            vectorWidth: vectorWidth, imageBytes: imageBytes, vectors: vectors.pointer + row * vectorWidth,
            images: images.pointer + row * imageBytes, previousActions: previousActions.pointer + row,
            previousRewards: previousRewards.pointer + row, episodeEnds: episodeEnds.pointer + row,
            stepIndices: stepIndices.pointer + row)
    }

    /// Copies all columns of `count` neighbouring rows.
    func copyRows(_ from: Int, of source: StepColumns, to row: Int, count: Int = 1) {
        func copy<Element>(_ old: Buffer<Element>, _ new: Buffer<Element>, width: Int = 1) {
            guard width > 0 else { return }
            (new.pointer + row * width).update(from: old.pointer + from * width, count: count * width)
        }
        copy(source.vectors, vectors, width: vectorWidth)
        copy(source.images, images, width: imageBytes)
        copy(source.previousActions, previousActions)
        copy(source.previousRewards, previousRewards)
        copy(source.episodeEnds, episodeEnds)
        copy(source.stepIndices, stepIndices)
        copy(source.actions, actions)
        copy(source.rewards, rewards)
        copy(source.endsEpisode, endsEpisode)
    }
}
