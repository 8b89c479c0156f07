import Interface
import Kernels
import Tasks

/// Frames that a task gives a second on one core: steps by random actions, rendering, and writing to the batch's memory, as
/// a rollout does them, and nothing else.
public struct RenderThroughput: Sendable {
    public let framesPerSecond: Double

    private static let lanes = 64

    /// - Parameter seconds: that measuring takes at least.
    public init(_ family: any TaskFamily, seconds: Double = 0.5) {
        let lanes = family.makeLanes(RenderThroughput.lanes)
        let inputs = StepColumns(space: family.observation, rows: RenderThroughput.lanes)
        let root = RandomSource(seed: 1)
        var random = root.split(0)
        var rewards = [Float](repeating: 0, count: RenderThroughput.lanes)
        var actions = [Int32](repeating: 0, count: RenderThroughput.lanes)
        func play(for seconds: Double) -> Double {
            let start = ContinuousClock.now
            var (frames, elapsed, trial) = (0, 0.0, 1)
            while elapsed < seconds {
                lanes.begin(
                    (0..<RenderThroughput.lanes).map { TrialStreams(root.split(trial, $0)) }, inputs: inputs.writer)
                trial += 1
                while lanes.count > 0 && elapsed < seconds {
                    for lane in 0..<lanes.count { actions[lane] = Int32(random.integer(below: family.actions)) }
                    frames += lanes.count
                    lanes.step(actions, rewards: &rewards, inputs: inputs.writer)
                    let kept = (0..<lanes.count).filter { !lanes.isFinished($0) }
                    if kept.count < lanes.count { lanes.keep(lanes: kept, inputs: inputs.writer) }
                    elapsed = (ContinuousClock.now - start).inSeconds
                }
            }
            return Double(frames) / elapsed
        }
        framesPerSecond = withExtendedLifetime(inputs) {
            _ = play(for: seconds / 10)
            return play(for: seconds)
        }
    }
}
