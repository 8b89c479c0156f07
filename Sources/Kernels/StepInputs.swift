/// The form of a task's observations: what a policy's encoder is built for.
public enum ObservationSpace: Sendable, Equatable {
    /// `width` real numbers (0: the task shows nothing, as a bandit).
    case vector(width: Int)
    /// An image of height × width × channels bytes, row-major, channels last.
    case image(height: Int, width: Int, channels: Int)

    /// Numbers in one observation.
    public var count: Int {
        switch self {
        case .vector(let width): width
        case .image(let height, let width, let channels): height * width * channels
        }
    }

    /// Real numbers in one observation; 0 for images.
    public var vectorWidth: Int { if case .vector(let width) = self { width } else { 0 } }

    /// Bytes in one observation; 0 for vectors.
    public var imageBytes: Int { if case .image = self { count } else { 0 } }
}

/// What a policy is given at a step, as rows: (s_t, a_{t−1}, r_{t−1}, d_{t−1}) of Duan et al. 2016, section 2.2.
///
/// Views of memory that a batch owns. At the first step of a trial the previous action is −1, reward and flag are 0.
public struct StepInputs {
    public let rows: Int
    /// [rows, width] for vectors.
    public var vectors: UnsafePointer<Float>
    /// [rows, height × width × channels] for images.
    public var images: UnsafePointer<UInt8>
    /// [rows], in −1 ..< A; −1: there is none yet.
    public var previousActions: UnsafePointer<Int32>
    /// [rows]
    public var previousRewards: UnsafePointer<Float>
    /// [rows], 1 if the previous action ended an episode, else 0.
    public var episodeEnds: UnsafePointer<Float>
    /// [rows], steps since the trial began: 0, 1, …
    public var stepIndices: UnsafePointer<Int32>

    public init(
        rows: Int, vectors: UnsafePointer<Float>, images: UnsafePointer<UInt8>,
        previousActions: UnsafePointer<Int32>, previousRewards: UnsafePointer<Float>,
        episodeEnds: UnsafePointer<Float>, stepIndices: UnsafePointer<Int32>
    ) {
        self.rows = rows
        self.vectors = vectors
        self.images = images
        self.previousActions = previousActions
        self.previousRewards = previousRewards
        self.episodeEnds = episodeEnds
        self.stepIndices = stepIndices
    }
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

/// How trials of different lengths lie in a packed batch: sorted by length, longest first, time-major. The rows of
/// step t are `offsets[t] ..< offsets[t] + lanesAtStep[t]`, lane b at `offsets[t] + b`.
public struct PackedShape: Sendable, Equatable {
    /// B_t: lanes still alive at step t; never increases.
    public private(set) var lanesAtStep: [Int] = []
    /// First row of step t.
    public private(set) var offsets: [Int] = []
    /// N: rows in all.
    public private(set) var rows = 0

    public var steps: Int { lanesAtStep.count }
    public var lanes: Int { lanesAtStep.first ?? 0 }

    /// A shape without trials.
    public init() {}

    /// - Parameter lengths: steps of each trial, at least 1, longest first.
    public init(lengths: [Int]) { set(lengths: lengths) }

    /// Takes the shape of other trials, in the memory at hand.
    public mutating func set(lengths: [Int]) {
        precondition(zip(lengths, lengths.dropFirst()).allSatisfy { $0 >= $1 }, "trials must be sorted, longest first")
        precondition((lengths.last ?? 1) >= 1, "a trial has at least one step")
        lanesAtStep.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        rows = 0
        var alive = lengths.count
        for step in 0..<(lengths.first ?? 0) {
            while lengths[alive - 1] <= step { alive -= 1 }
            offsets.append(rows)
            lanesAtStep.append(alive)
            rows += alive
        }
    }

    /// Row of step `step` in lane `lane`.
    public func row(step: Int, lane: Int) -> Int { offsets[step] + lane }

    /// Steps of the trial in lane `lane`.
    public func length(lane: Int) -> Int {
        var (low, high) = (0, steps)
        while low < high {
            let middle = (low + high) / 2
            if lanesAtStep[middle] > lane { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
