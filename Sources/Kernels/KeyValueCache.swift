import CKernels

/// Keys and values of the steps that lanes have seen: what a transformer carries from step to step. A value of fixed
/// capacity, made once and reused between rollouts.
///
/// [layers][lanes][slots][D] for keys and as much for values. Slot 0 of a lane holds a first token, which belongs to no
/// step; slot 1 + t mod `capacity` holds step t. With a window the other slots are a ring of that many steps, and the
/// oldest is overwritten; without one a trial that is longer than the capacity is a mistake of the caller's.
///
/// Some of the heads may be *forgetful*: in them a step sees the first token and the steps since `beginEpisodes` last
/// told that an episode began.
///
/// Keys lie in blocks of sixteen slots, [D][16], so that sixteen scores are one vector's work. Lanes that end are given
/// up without moving the others: a lane keeps its place. The memory is mapped at the first step.
public final class KeyValueCache {
    public let layers: Int
    public let heads: Int
    /// The heads from this one on are forgetful.
    public let firstForgetful: Int
    /// D
    public let width: Int
    /// Steps that it holds.
    public let capacity: Int
    /// Steps that a step sees, itself among them; nil: all.
    public let window: Int?
    /// Bytes a lane.
    public let bytesPerLane: Int
    public private(set) var lanes: Int
    /// Most lanes that it holds.
    public let laneCapacity: Int

    /// What a step of distance takes from a score of each head [heads]; empty: nothing.
    private let slopes: [Float]
    /// Slots of a lane, a multiple of 16.
    private let slots: Int
    private lazy var keys = Arena(capacity: layers * laneCapacity * slots * width)
    private lazy var values = Arena(capacity: layers * laneCapacity * slots * width)
    /// Where each lane lies [lanes].
    public private(set) var places: [Int]
    /// Steps that each lane has taken [lanes].
    public private(set) var steps: [Int]
    /// Steps that each lane had taken when its episode began [lanes].
    public private(set) var starts: [Int]

    /// - Parameters:
    ///   - lanes: most lanes.
    ///   - steps: most steps of a trial. With a window no more than it is kept.
    ///   - width: D = heads · width of a head.
    ///   - slopes: as in `Tape.causalAttention`; empty: none.
    ///   - firstForgetful: the first head that is forgetful; nil: none is.
    public init(
        layers: Int, lanes: Int, steps: Int, window: Int? = nil, heads: Int, width: Int, slopes: [Float] = [],
        firstForgetful: Int? = nil
    ) {
        precondition(layers > 0 && lanes >= 0 && steps > 0 && (window ?? 1) > 0, "a cache of nothing")
        precondition(heads > 0 && width % heads == 0, "\(width) columns cannot be cut into \(heads) heads")
        precondition(slopes.isEmpty || slopes.count == heads, "\(slopes.count) slopes for \(heads) heads")
        self.layers = layers
        self.lanes = lanes
        self.heads = heads
        self.width = width
        self.window = window
        self.slopes = slopes
        self.firstForgetful = firstForgetful ?? heads
        laneCapacity = lanes
        capacity = min(steps, window ?? steps)
        slots = (1 + capacity + 15) / 16 * 16
        bytesPerLane = 2 * layers * slots * width * MemoryLayout<Float>.size
        places = Array(0..<lanes)
        self.steps = [Int](repeating: 0, count: lanes)
        starts = self.steps
    }

    // MARK: Lanes

    /// Makes a lane that of a trial which has not begun.
    public func reset(lane: Int) { (steps[lane], starts[lane]) = (0, 0) }

    /// Keeps only some lanes, in their order: `kept` is increasing.
    public func keep(lanes kept: [Int]) {
        for (lane, old) in kept.enumerated() {
            places[lane] = places[old]
            steps[lane] = steps[old]
            starts[lane] = starts[old]
        }
        places.removeLast(lanes - kept.count)
        steps.removeLast(lanes - kept.count)
        starts.removeLast(lanes - kept.count)
        lanes = kept.count
    }

    /// Makes it `lanes` lanes that have not begun.
    public func restart(lanes: Int) {
        precondition(lanes <= laneCapacity, "a cache of \(laneCapacity) lanes cannot hold \(lanes)")
        self.lanes = lanes
        places.removeAll(keepingCapacity: true)
        steps.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
        for lane in 0..<lanes {
            places.append(lane)
            steps.append(0)
            starts.append(0)
        }
    }

    /// Whether a lane is at its first step, so that the cache wants the first token.
    public var wantsFirstToken: Bool { steps.contains(0) }

    // MARK: A step: `beginEpisodes`, `attend` in every layer, then `advance`

    /// Tells in which lanes the coming step is the first of an episode, or of a trial.
    /// - Parameter flags: 1 where it is [lanes].
    public func beginEpisodes(_ flags: UnsafePointer<Float>) {
        for lane in 0..<lanes where flags[lane] == 1 { starts[lane] = steps[lane] }
    }

    /// Writes the first token's key and value, [q | k | v] [3D], to the lanes that are at their first step.
    public func setFirstToken(layer: Int, _ row: UnsafePointer<Float>) {
        for lane in 0..<lanes where steps[lane] == 0 { write(layer, lane, slot: 0, row) }
    }

    /// Floats of scratch that `attend` needs.
    public var scratchCount: Int { heads * slots }

    /// Appends a step to every lane and attends to what the lane sees.
    ///
    /// - Parameters:
    ///   - rows: [q | k | v] of each lane [lanes, 3D].
    ///   - scratch: [scratchCount]
    ///   - output: [lanes, D]
    public func attend(
        layer: Int, _ rows: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>,
        into output: UnsafeMutablePointer<Float>
    ) {
        let scale = 1 / Float(width / heads).squareRoot()
        var operations = 0
        slopes.withUnsafeBufferPointer { slopes in
            for lane in 0..<lanes {
                let (step, row) = (steps[lane], rows + lane * 3 * width)
                precondition(
                    step < capacity || capacity == window,
                    "step \(step + 1) of a trial in a memory that was made for \(capacity) steps")
                let newest = 1 + step % capacity
                let seen = 1 + min(step + 1, capacity)
                write(layer, lane, slot: newest, row)
                let place = offset(layer, lane)
                rl2x_cached_attention(
                    heads, width / heads, seen, newest, capacity, firstForgetful, step - starts[lane], scale, row,
                    keys.base + place, values.base + place, slopes.isEmpty ? nil : slopes.baseAddress, scratch,
                    output + lane * width)
                operations += 4 * seen * width
            }
        }
        BLAS.count(operations: operations)
    }

    /// Ends a step of all lanes.
    public func advance() { for lane in 0..<lanes { steps[lane] += 1 } }

    private func write(_ layer: Int, _ lane: Int, slot: Int, _ row: UnsafePointer<Float>) {
        let place = offset(layer, lane)
        rl2x_cache_key(width, slot, row + width, keys.base + place)
        (values.base + place + slot * width).update(from: row + 2 * width, count: width)
    }

    private func offset(_ layer: Int, _ lane: Int) -> Int { (layer * laneCapacity + places[lane]) * slots * width }
}
