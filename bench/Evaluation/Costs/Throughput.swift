import Foundation
import Kernels
import Tasks
import Training

/// How fast this machine multiplies matrices: the yardstick of every speed that rl2x reports.
public struct PeakMeasurement: Sendable {
    /// GFLOP/s of sgemm on one core and, all at once, on `threads` cores.
    public let oneCore: Double
    public let allCores: Double

    /// Square products of 1024, the best of several short runs: what the kernel set can do, not what else the machine
    /// is doing. Takes about a second.
    public init(workers: Workers) {
        oneCore = PeakMeasurement.measure(jobs: 1, workers: workers)
        allCores =
            workers.pool.threadCount == 1
            ? oneCore
            : PeakMeasurement.measure(
                jobs: workers.pool.threadCount, workers: workers)
    }

    private static func measure(jobs: Int, workers: Workers) -> Double {
        let size = 1024
        let operands = (0..<jobs).map { _ in (0..<3).map { _ in Matrix(rows: size, columns: size) } }
        for job in operands { for matrix in job { matrix.fill(0.01) } }
        let operations = 2 * Double(size * size * size) * Double(jobs) * 4
        var best = 0.0
        for _ in 0..<12 {
            let start = ContinuousClock.now
            workers.pool.run(jobs) { job, _ in
                let (a, b, c) = (operands[job][0], operands[job][1], operands[job][2])
                for _ in 0..<4 {
                    BLAS.multiply(size, size, size, a.pointer, size, b.pointer, size, into: c.pointer, size)
                }
            }
            best = max(best, operations / (ContinuousClock.now - start).inSeconds / 1e9)
        }
        return best
    }
}

/// One whole TRPO iteration, measured by phase, against the peak measured in the same process.
public struct Throughput: Sendable {
    public let timesteps: Int
    /// Median over iterations.
    public let iterationSeconds: Double
    public let rolloutStepsPerSecond: Double
    /// Median seconds of each phase.
    public let phases: [(name: String, seconds: Double)]
    /// 10⁹ floating-point operations in matrix products of an iteration, as counted by the BLAS wrapper.
    public let gflop: Double
    public let peak: PeakMeasurement
    /// Largest resident set so far.
    public let peakMemoryBytes: Int
    /// Pages that were faulted in during the measured iterations.
    public let pageFaults: Int
    public let iterations: Int

    public var gflops: Double { gflop / iterationSeconds }
    public var shareOfPeak: Double { gflops / peak.allCores }

    /// - Parameters:
    ///   - warmUp: iterations that are not measured: they size the arenas.
    public init(
        _ configuration: Configuration, threads: Int, warmUp: Int = 1, iterations: Int = 3,
        teachers: @escaping (String, any TaskFamily) throws -> any Teacher = Trainer.noTeacher,
        progress: (String) -> Void = { _ in }
    ) throws {
        let trainer = try Trainer(configuration, threads: threads, teachers: teachers)
        progress("measuring the peak of sgemm")
        let before = PeakMeasurement(workers: trainer.actorCritic.workers)
        for index in 0..<warmUp {
            progress("warming up, iteration \(index + 1) of \(warmUp)")
            _ = try trainer.step()
        }
        var seconds: [Double] = []
        var clocks: [PhaseClock] = []
        let (operations, faults) = (BLAS.operations, Throughput.usage().faults)
        for index in 0..<iterations {
            progress("measuring, iteration \(index + 1) of \(iterations)")
            let start = ContinuousClock.now
            clocks.append(try trainer.step().clock)
            seconds.append((ContinuousClock.now - start).inSeconds)
        }
        gflop = Double(BLAS.operations - operations) / Double(iterations) / 1e9
        pageFaults = Throughput.usage().faults - faults
        // The machine may have sped up or slowed down meanwhile: the better of two measurements is its peak.
        let after = PeakMeasurement(workers: trainer.actorCritic.workers)
        peak = before.allCores >= after.allCores ? before : after
        self.iterations = iterations
        timesteps = trainer.batchRows
        iterationSeconds = Throughput.median(seconds)
        phases = PhaseClock.Phase.allCases.map { phase in
            (name: phase.rawValue, seconds: Throughput.median(clocks.map { $0[phase] }))
        }
        rolloutStepsPerSecond = Double(timesteps) / Throughput.median(clocks.map { $0[.rollout] })
        peakMemoryBytes = Throughput.usage().bytes
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private static func usage() -> (faults: Int, bytes: Int) {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return (usage.ru_minflt, usage.ru_maxrss * 1024)
    }
}
