import Kernels

/// The columns of some steps: what the policy was given, what it did, and what it got. The one owner of that memory;
/// `inputs` reads it, `writer` writes it. How the rows are ordered is the holder's affair.
public final class StepColumns {
    // Threads write different rows, and no row is read before its writer is done.
    private let vectors: Buffer<Float>  // [N, O]
    private let images: Buffer<UInt8>  // [N, height · width · channels]
    private let previousActions, stepIndices: Buffer<Int32>  // [N]
    private let previousRewards, episodeEnds: Buffer<Float>  // [N]
    /// All rows, to be written.
    public let writer: StepInputsWriter
    /// a_t [N]
    public let actions: Buffer<Int32>
    /// r_t [N], the reward of a_t
    public let rewards: Buffer<Float>
    /// 1 where a_t ended an episode [N]
    public let endsEpisode: Buffer<UInt8>
    /// 1 where a_t reached a terminal state, as opposed to a time limit [N]
    public let isTerminal: Buffer<UInt8>

    /// - Parameter rows: most rows that it will hold.
    public init(space: ObservationSpace, rows: Int) {
        vectors = Buffer(capacity: rows * space.vectorWidth)
        images = Buffer(capacity: rows * space.imageBytes)
        previousActions = Buffer(capacity: rows)
        previousRewards = Buffer(capacity: rows)
        episodeEnds = Buffer(capacity: rows)
        stepIndices = Buffer(capacity: rows)
        actions = Buffer(capacity: rows)
        rewards = Buffer(capacity: rows)
        endsEpisode = Buffer(capacity: rows)
        isTerminal = Buffer(capacity: rows)
        writer = StepInputsWriter(
            vectorWidth: space.vectorWidth, imageBytes: space.imageBytes, vectors: vectors.pointer,
            images: images.pointer, previousActions: previousActions.pointer,
            previousRewards: previousRewards.pointer, episodeEnds: episodeEnds.pointer,
            stepIndices: stepIndices.pointer)
    }

    /// Bytes of a row.
    public static func bytesPerRow(_ space: ObservationSpace) -> Int {
        let observation = space.vectorWidth * MemoryLayout<Float>.size + space.imageBytes
        return observation + 3 * MemoryLayout<Float>.size + 3 * MemoryLayout<Int32>.size + 2
    }

    /// Some rows, as a policy reads them.
    @inline(__always)
    public func inputs(from row: Int, rows: Int) -> StepInputs { writer.from(row).inputs(rows: rows) }

    /// Copies all columns of `count` neighbouring rows.
    public func copyRows(_ from: Int, of source: StepColumns, to row: Int, count: Int = 1) {
        func copy<Element>(_ old: Buffer<Element>, _ new: Buffer<Element>, width: Int = 1) {
            guard width > 0 else { return }
            (new.pointer + row * width).update(from: old.pointer + from * width, count: count * width)
        }
        copy(source.vectors, vectors, width: writer.vectorWidth)
        copy(source.images, images, width: writer.imageBytes)
        copy(source.previousActions, previousActions)
        copy(source.previousRewards, previousRewards)
        copy(source.episodeEnds, episodeEnds)
        copy(source.stepIndices, stepIndices)
        copy(source.actions, actions)
        copy(source.rewards, rewards)
        copy(source.endsEpisode, endsEpisode)
        copy(source.isTerminal, isTerminal)
    }
}
