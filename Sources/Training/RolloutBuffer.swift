import Interface
import Kernels

/// The steps of the trials that one thread plays together, in the order in which they were played. Packed batches take
/// them from here, so that acting may step as many lanes at once as suits it, whatever suits learning.
public final class RolloutBuffer {
    let columns: StepColumns
    /// Steps of each trial, in the order in which they began [trials].
    private(set) var lengths: [Int] = []
    /// What each trial is called in its batch [trials].
    private(set) var numbers: [Int] = []
    /// Trial in each lane that still plays.
    private(set) var playing: [Int] = []
    /// Rows of the first and of the latest step of each trial [trials].
    private var firstRows: [Int32] = []
    private var latestRows: [Int32] = []
    /// Row of the trial's next step [rows]
    private let nextRows: Buffer<Int32>

    /// - Parameters:
    ///   - lanes: most trials that play at a time.
    ///   - steps: most steps of all trials together.
    init(space: ObservationSpace, lanes: Int, steps: Int) {
        // Lanes write the inputs of a step after the last, which nobody reads.
        columns = StepColumns(space: space, rows: steps + lanes)
        nextRows = Buffer(capacity: steps + lanes)
    }

    /// Forgets all trials and begins these, one a lane.
    func begin(_ numbers: [Int]) {
        lengths.removeAll(keepingCapacity: true)
        self.numbers.removeAll(keepingCapacity: true)
        playing.removeAll(keepingCapacity: true)
        firstRows.removeAll(keepingCapacity: true)
        latestRows.removeAll(keepingCapacity: true)
        for number in numbers { playing.append(add(number)) }
    }

    /// Begins another trial in a lane whose trial is over.
    func restart(_ lane: Int, _ number: Int) { playing[lane] = add(number) }

    private func add(_ number: Int) -> Int {
        lengths.append(0)
        numbers.append(number)
        firstRows.append(0)
        latestRows.append(0)
        return numbers.count - 1
    }

    /// Notes that the trials that play take a step, lane b in row `row + b`.
    func place(from row: Int) {
        for (lane, trial) in playing.enumerated() {
            let own = Int32(row + lane)
            if lengths[trial] == 0 { firstRows[trial] = own } else { nextRows.pointer[Int(latestRows[trial])] = own }
            latestRows[trial] = own
            lengths[trial] += 1
        }
    }

    /// Notes that only some lanes play on.
    func keep(lanes kept: [Int]) { playing = kept.map { playing[$0] } }

    func firstRow(of trial: Int) -> Int { Int(firstRows[trial]) }
    /// The row of the step after the one in `row`, of the same trial, which has one.
    func nextRow(after row: Int) -> Int { Int(nextRows.pointer[row]) }
}
