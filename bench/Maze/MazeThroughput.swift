import Kernels
import Tasks

/// Frames that a maze gives a second on one core: steps by random actions, rendering, and writing to the batch's memory,
/// as a rollout does them, and nothing else.
public struct MazeThroughput: Sendable {
    public let framesPerSecond: Double

    private static let lanes = 64

    /// - Parameters:
    ///   - family: options decide all but the size of the frame.
    ///   - seconds: that measuring takes at least.
    public init(_ family: FirstPersonMaze, width: Int, height: Int, seconds: Double = 0.5) {
        var options = family.options
        (options.frameWidth, options.frameHeight) = (width, height)
        let family = FirstPersonMaze(options)
        let lanes = family.makeLanes(MazeThroughput.lanes)
        let inputs = LaneInputs(lanes: MazeThroughput.lanes, family.observation)
        let root = RandomSource(seed: 1)
        var random = root.split(0)
        var rewards = [Float](repeating: 0, count: MazeThroughput.lanes)
        var actions = [Int32](repeating: 0, count: MazeThroughput.lanes)
        func play(for seconds: Double) -> Double {
            let start = ContinuousClock.now
            var (frames, elapsed, trial) = (0, 0.0, 1)
            while elapsed < seconds {
                lanes.begin(
                    (0..<MazeThroughput.lanes).map { TrialStreams(root.split(trial, $0)) }, inputs: inputs.writer)
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
