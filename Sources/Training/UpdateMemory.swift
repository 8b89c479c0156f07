import Autodiff
import Interface
import Kernels
import Models
import Tasks

/// Memory that learning from a batch takes beside the batch itself: the record of a model's pass over some of its steps.
///
/// How much a model records of a step is measured on a few steps, not estimated. Attention records more of later steps of
/// a trial; the result is what is needed at least.
struct UpdateMemory {
    let bytesPerStep: Double
    private let policy: any SequencePolicy
    private let family: any TaskFamily
    /// The share of a batch's steps whose record is kept at a time.
    private let share: Double

    init(_ policy: any SequencePolicy, _ family: any TaskFamily, recording share: Double) {
        (self.policy, self.family, self.share) = (policy, family, share)
        let (lanes, steps) = (8, min(8, family.maximumTrialSteps))
        let parameters = Buffer<Float>(capacity: policy.layout.count)
        let columns = StepColumns(space: family.observation, rows: 2 * lanes * steps)
        let tape = Tape()
        func bytes(lanes: Int) -> Int {
            tape.begin(parameters: UnsafePointer(parameters.pointer), recording: true)
            _ = policy.unroll(
                columns.inputs(from: 0, rows: lanes * steps),
                shape: PackedShape(lengths: [Int](repeating: steps, count: lanes)), tape: tape)
            return tape.usedBytes
        }
        // The difference leaves out what does not grow with the steps.
        bytesPerStep = Double(bytes(lanes: 2 * lanes) - bytes(lanes: lanes)) / Double(lanes * steps)
    }

    /// Bytes of an iteration of so many trials: the batch, and the records that are kept at a time.
    func bytes(trials: Int, threads: Int) -> (batch: Double, records: Double) {
        let steps = family.maximumTrialSteps
        let shards = Sharding(trials: trials, steps: steps).lanes
        // The gradient is recorded shard by shard, one for each thread.
        let gradient = min(threads, shards.count) * (shards.max() ?? 1) * steps
        let rows = max(Double(trials * steps) * share, Double(gradient))
        return (
            Double(TrialBatch.bytes(trials: trials, of: family, played: policy, threads: threads)), rows * bytesPerStep
        )
    }

    /// Throws if an iteration could not fit in memory: before any work is done.
    func require(trials: Int, threads: Int, available: Int = Processor.current.memoryBytes) throws {
        let (batch, records) = bytes(trials: trials, threads: threads)
        guard batch + records > Double(available) else { return }
        throw UserError(
            "an iteration of \(trials) trials of up to \(family.maximumTrialSteps) steps can take "
                + "\(Display.memory(bytes: batch + records)), \(Display.memory(bytes: records)) of it for the record of the steps "
                + "that are learned from at a time; there are \(Display.memory(bytes: Double(available))): lower "
                + "--batch-steps, --hidden or --threads"
                + (share > 0 ? ", or --fisher-share" : ""))
    }
}
