import Kernels

/// Rows of what a policy is given at a step, to be written: (s_t, a_{t−1}, r_{t−1}, d_{t−1}) of Duan et al. 2016,
/// section 2.2. A view of columns that somebody else owns (`StepColumns`); `StepInputs` is its read-only twin.
public struct StepInputsWriter {
    // The pointers are only ever used by the thread that owns the rows.
    public let vectorWidth: Int
    public let imageBytes: Int
    /// [rows, width] for vectors.
    public let vectors: UnsafeMutablePointer<Float>
    /// [rows, height × width × channels] for images.
    public let images: UnsafeMutablePointer<UInt8>
    /// [rows], in −1 ..< A; −1: there is none yet.
    public let previousActions: UnsafeMutablePointer<Int32>
    /// [rows]
    public let previousRewards: UnsafeMutablePointer<Float>
    /// [rows], 1 if the previous action ended an episode, else 0.
    public let episodeEnds: UnsafeMutablePointer<Float>
    /// [rows], steps since the trial began: 0, 1, …
    public let stepIndices: UnsafeMutablePointer<Int32>

    /// The rows from one on.
    @inline(__always)
    public func from(_ row: Int) -> StepInputsWriter {
        StepInputsWriter(
            vectorWidth: vectorWidth, imageBytes: imageBytes, vectors: vectors + row * vectorWidth,
            images: images + row * imageBytes, previousActions: previousActions + row,
            previousRewards: previousRewards + row, episodeEnds: episodeEnds + row, stepIndices: stepIndices + row)
    }

    /// The first rows, as a policy reads them.
    @inline(__always)
    public func inputs(rows: Int) -> StepInputs { StepInputs(rows: rows, self) }

    @inline(__always)
    public func set(_ row: Int, action: Int32, reward: Float, episodeEnd: Float, stepIndex: Int32) {
        previousActions[row] = action
        previousRewards[row] = reward
        episodeEnds[row] = episodeEnd
        stepIndices[row] = stepIndex
    }

    /// Writes a row from a value of the same space.
    public func write(_ input: StepInput, to row: Int) {
        precondition(input.vector.count == vectorWidth && input.image.count == imageBytes, "an input of another space")
        (vectors + row * vectorWidth).update(from: input.vector, count: vectorWidth)
        (images + row * imageBytes).update(from: input.image, count: imageBytes)
        set(
            row, action: input.previousAction, reward: input.previousReward, episodeEnd: input.episodeEnd,
            stepIndex: input.stepIndex)
    }

    /// Copies a row over another.
    public func move(_ source: Int, to destination: Int) {
        guard source != destination else { return }
        (vectors + destination * vectorWidth).update(from: vectors + source * vectorWidth, count: vectorWidth)
        (images + destination * imageBytes).update(from: images + source * imageBytes, count: imageBytes)
        set(
            destination, action: previousActions[source], reward: previousRewards[source],
            episodeEnd: episodeEnds[source], stepIndex: stepIndices[source])
    }
}

/// Rows of what a policy is given at a step, to be read. At the first step of a trial the previous action is −1, reward
/// and flag are 0.
public struct StepInputs {
    public let rows: Int
    private let columns: StepInputsWriter

    @inline(__always)
    init(rows: Int, _ columns: StepInputsWriter) { (self.rows, self.columns) = (rows, columns) }

    @inline(__always) public var vectorWidth: Int { columns.vectorWidth }
    @inline(__always) public var imageBytes: Int { columns.imageBytes }
    @inline(__always) public var vectors: UnsafePointer<Float> { UnsafePointer(columns.vectors) }
    @inline(__always) public var images: UnsafePointer<UInt8> { UnsafePointer(columns.images) }
    @inline(__always) public var previousActions: UnsafePointer<Int32> { UnsafePointer(columns.previousActions) }
    @inline(__always) public var previousRewards: UnsafePointer<Float> { UnsafePointer(columns.previousRewards) }
    @inline(__always) public var episodeEnds: UnsafePointer<Float> { UnsafePointer(columns.episodeEnds) }
    @inline(__always) public var stepIndices: UnsafePointer<Int32> { UnsafePointer(columns.stepIndices) }

    /// A row, as a player reads it.
    @inline(__always)
    public subscript(row: Int) -> StepView { StepView(columns, row) }

    /// A row as a value that owns its numbers.
    public func value(_ row: Int) -> StepInput {
        StepInput(
            vector: Array(UnsafeBufferPointer(start: vectors + row * vectorWidth, count: vectorWidth)),
            image: Array(UnsafeBufferPointer(start: images + row * imageBytes, count: imageBytes)),
            previousAction: previousActions[row], previousReward: previousRewards[row], episodeEnd: episodeEnds[row],
            stepIndex: stepIndices[row])
    }
}

/// What one trial is given at a step: a row of `StepInputs`. The memory behind it is another's; it holds for the call.
public struct StepView {
    private let columns: StepInputsWriter
    private let row: Int

    @inline(__always)
    init(_ columns: StepInputsWriter, _ row: Int) { (self.columns, self.row) = (columns, row) }

    /// s_t [width], for observations that are vectors.
    @inline(__always) public var vector: UnsafePointer<Float> {
        UnsafePointer(columns.vectors + row * columns.vectorWidth)
    }
    /// s_t [height × width × channels], for images.
    @inline(__always) public var image: UnsafePointer<UInt8> {
        UnsafePointer(columns.images + row * columns.imageBytes)
    }
    /// a_{t−1}; −1 at the first step of a trial.
    @inline(__always) public var previousAction: Int { Int(columns.previousActions[row]) }
    /// r_{t−1}; 0 at the first step of a trial.
    @inline(__always) public var previousReward: Float { columns.previousRewards[row] }
    /// d_{t−1}: the previous action ended an episode, and `vector` or `image` is the first observation of the next.
    @inline(__always) public var endsEpisode: Bool { columns.episodeEnds[row] == 1 }
    /// Steps since the trial began: 0, 1, …
    @inline(__always) public var stepIndex: Int { Int(columns.stepIndices[row]) }
}

/// What a policy is given at one step of one trial, as a value that owns its numbers: a row of `StepInputs` for tests and
/// analysis.
public struct StepInput: Sendable, Equatable {
    public var vector: [Float]
    public var image: [UInt8]
    public var previousAction: Int32
    public var previousReward: Float
    public var episodeEnd: Float
    public var stepIndex: Int32

    public init(
        vector: [Float], image: [UInt8], previousAction: Int32, previousReward: Float, episodeEnd: Float,
        stepIndex: Int32
    ) {
        self.vector = vector
        self.image = image
        self.previousAction = previousAction
        self.previousReward = previousReward
        self.episodeEnd = episodeEnd
        self.stepIndex = stepIndex
    }
}
