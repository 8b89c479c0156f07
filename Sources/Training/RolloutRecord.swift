import Kernels

/// The steps of the trials that one thread plays together, in the order in which they were played. Packed batches take
/// them from here, so that acting may step as many lanes at once as suits it, whatever suits learning.
public final class RolloutRecord {
    let columns: StepColumns
    /// Log-probabilities of the step at hand [lanes, A].
    let logProbabilities: Buffer<Float>
    /// Steps of each trial.
    private(set) var lengths: [Int] = []
    /// Trial in each lane that still plays.
    private(set) var playing: [Int] = []
    /// Row of each step of each trial [trials, steps].
    private var places: [Int32]
    private let steps: Int

    /// - Parameters:
    ///   - trials: most trials that it will hold.
    ///   - steps: most steps of a trial.
    init(space: ObservationSpace, actions: Int, trials: Int, steps: Int) {
        self.steps = steps
        // One more step: lanes write the inputs of a step after the last, which nobody reads.
        columns = StepColumns(space: space, rows: trials * (steps + 1))
        logProbabilities = Buffer(capacity: trials * actions)
        places = [Int32](repeating: 0, count: trials * steps)
    }

    func begin(trials: Int) {
        lengths = [Int](repeating: 0, count: trials)
        playing = Array(0..<trials)
    }

    /// Notes that the trials that play take a step, lane b in row `row + b`.
    func place(from row: Int) {
        for (lane, trial) in playing.enumerated() {
            places[trial * steps + lengths[trial]] = Int32(row + lane)
            lengths[trial] += 1
        }
    }

    /// Notes that only some lanes play on.
    func keep(lanes kept: [Int]) { playing = kept.map { playing[$0] } }

    func row(of trial: Int, at step: Int) -> Int { Int(places[trial * steps + step]) }
}
