import Interface
import Kernels

/// Tabular MDPs side by side, their tables in one block: the same draws as `TabularMDP.Member` takes, without an array
/// or a copy a lane.
final class TabularMDPLanes: EnvironmentLanes {
    private let horizon: Int
    private let tables: TabularMDP.Tables
    private let capacity: Int
    /// [capacity, S, A, stride] and [capacity, S, A], by slot.
    private let cumulative: UnsafeMutablePointer<Float>
    private let means: UnsafeMutablePointer<Float>
    private var lanes: [Lane] = []

    private struct Lane {
        /// Where its member's tables are: they stay, and lanes move.
        let slot: Int
        var state = 0
        var steps = 0
    }

    init(family: TabularMDP, lanes: Int) {
        horizon = family.horizon
        tables = family.tables
        capacity = lanes
        cumulative = .allocate(capacity: lanes * tables.cumulativeCount)
        means = .allocate(capacity: lanes * tables.meanCount)
        cumulative.initialize(repeating: 0, count: lanes * tables.cumulativeCount)
        means.initialize(repeating: 0, count: lanes * tables.meanCount)
        self.lanes.reserveCapacity(lanes)
    }

    deinit {
        cumulative.deallocate()
        means.deallocate()
    }

    func begin(_ streams: inout [TrialStreams], inputs: StepInputsWriter) {
        precondition(streams.count <= capacity, "\(streams.count) trials in \(capacity) lanes")
        lanes.removeAll(keepingCapacity: true)
        for lane in streams.indices {
            lanes.append(Lane(slot: lane))
            restart(lane, &streams[lane], inputs: inputs)
        }
    }

    func restart(_ lane: Int, _ stream: inout TrialStreams, inputs: StepInputsWriter) {
        let slot = lanes[lane].slot
        lanes[lane] = Lane(slot: slot)
        tables.draw(
            &stream.member, cumulative: cumulative + slot * tables.cumulativeCount,
            means: means + slot * tables.meanCount)
        inputs.observation(lane).write(oneHot: 0, of: tables.states)
    }

    func step(
        _ actions: UnsafePointer<Int32>, streams: inout [TrialStreams], episodesLeft: [Int],
        transitions: inout [Transition], inputs: StepInputsWriter
    ) {
        let (tables, horizon) = (tables, horizon)
        let (cumulative, means) = (UnsafePointer(cumulative), UnsafePointer(means))
        lanes.withUnsafeMutableBufferPointer { lanes in
            streams.withUnsafeMutableBufferPointer { streams in
                for lane in lanes.indices {
                    let slot = lanes[lane].slot
                    let taken = tables.step(
                        state: lanes[lane].state, action: Int(actions[lane]),
                        cumulative: cumulative + slot * tables.cumulativeCount, means: means + slot * tables.meanCount,
                        random: &streams[lane].environment)
                    lanes[lane].steps += 1
                    let isOver = lanes[lane].steps == horizon
                    if isOver && episodesLeft[lane] > 1 {
                        (lanes[lane].state, lanes[lane].steps) = (0, 0)
                    } else {
                        lanes[lane].state = taken.next
                    }
                    inputs.observation(lane).write(oneHot: lanes[lane].state, of: tables.states)
                    transitions[lane] = Transition(reward: taken.reward, truncated: isOver)
                }
            }
        }
    }

    func keep(lanes kept: [Int]) {
        for (place, lane) in kept.enumerated() where place != lane { lanes[place] = lanes[lane] }
        lanes.removeLast(lanes.count - kept.count)
    }
}
