import ArgumentParser
import Bench
import Foundation
import Kernels
import Tasks
import Training

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure and compare.",
        subcommands: [
            ThroughputCommand.self, BenchRunCommand.self, BenchReportCommand.self, BenchCompareCommand.self,
            BenchAnalyseCommand.self,
        ])
}

struct ThroughputCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "throughput",
        abstract: "Time one whole TRPO iteration by phase, against the sgemm peak of the same process.",
        discussion: """
            Defaults: 50000 steps, Fisher products on the full batch, 10 of them, 5 critic epochs; --episodes 100 for \
            bandits. The task's training defaults play no part.
            """)

    @OptionGroup var options: ModelAndTaskOptions
    @OptionGroup var threads: ThreadOptions

    @Option(parsing: .unconditional, help: "Iterations to measure after a warm-up (1 … 1000; default 3).")
    var repeats = 3

    @Flag(help: "Print one JSON object on standard output and nothing else.")
    var json = false

    func validate() throws {
        guard (1...1000).contains(repeats) else {
            throw ValidationError("--repeats is \(repeats): it must lie in 1 … 1000")
        }
    }

    func run() throws {
        var chosen = options
        if chosen.members.episodes == nil, (chosen.task ?? "bandit") == "bandit" { chosen.members.episodes = 100 }
        chosen.outerLoop.batchSteps = chosen.outerLoop.batchSteps ?? 50_000
        chosen.outerLoop.fisherShare = chosen.outerLoop.fisherShare ?? 1
        chosen.outerLoop.criticEpochs = chosen.outerLoop.criticEpochs ?? 5
        chosen.outerLoop.criticMinibatches = chosen.outerLoop.criticMinibatches ?? 2
        var configuration = try chosen.resolve(base: nil)
        // Policy and critic of one width, whatever the task's defaults: a measure that stays comparable.
        configuration.criticHidden = chosen.architecture.criticHidden
        // The task proper, from the first iteration on.
        var stage = configuration.stages.last!
        stage.criticWarmup = 0
        configuration.stages = [stage]
        let result = try Throughput(configuration, threads: threads.count, iterations: repeats) { printError($0) }
        let frames = try framesPerSecond(configuration)
        if json {
            let object: [String: Any] = [
                "model": configuration.model, "task": configuration.task, "timesteps": result.timesteps,
                "threads": threads.count, "rollout_steps_per_second": result.rolloutStepsPerSecond,
                "iteration_seconds": result.iterationSeconds,
                "phases": Dictionary(uniqueKeysWithValues: result.phases.map { ($0.name, $0.seconds) }),
                "gflop": result.gflop, "gflops": result.gflops, "sgemm_peak_gflops": result.peak.allCores,
                "sgemm_peak_gflops_one_core": result.peak.oneCore, "share_of_peak": result.shareOfPeak,
                "peak_memory_bytes": result.peakMemoryBytes, "page_faults": result.pageFaults,
            ]
            try printJSON(object.merging(frames.map { ($0.key, $0.value) }) { first, _ in first })
        } else {
            printTable(result, configuration)
            for (_, text, value) in frames { print("\(text)\(Int(value)) frames/s on one core") }
        }
    }

    /// Of a maze: what its renderer gives on one core, for two sizes of a frame.
    private func framesPerSecond(
        _ configuration: Configuration
    ) throws -> [(key: String, text: String, value: Double)] {
        guard let family = try configuration.makeFamily() as? FirstPersonMaze else { return [] }
        printError("measuring the renderer")
        return [
            ("frames_per_second_one_core", "40×30             ", 40, 30),
            ("frames_per_second_one_core_160x120", "160×120           ", 160, 120),
        ].map { key, text, width, height in
            (key, text, MazeThroughput(family, width: width, height: height).framesPerSecond)
        }
    }

    private func printTable(_ result: Throughput, _ configuration: Configuration) {
        print(
            "\(configuration.model)-\(configuration.hidden) on \(configuration.task): \(result.timesteps) time steps an "
                + "iteration, \(threads.count) threads, median of \(result.iterations)")
        var table = TextTable(columns: [.init("phase", alignment: .left), .init("seconds"), .init("share")])
        for phase in result.phases {
            table.append([
                phase.name, format(phase.seconds, 4), format(100 * phase.seconds / result.iterationSeconds, 1) + " %",
            ])
        }
        table.append(["iteration", format(result.iterationSeconds, 4), "100 %"])
        print(table.plainText())
        print("rollout           \(Int(result.rolloutStepsPerSecond)) steps/s")
        print("matrix products   \(format(result.gflop, 1)) GFLOP, \(format(result.gflops, 1)) GFLOP/s")
        print(
            "sgemm peak        \(format(result.peak.allCores, 1)) GFLOP/s on \(threads.count) threads, "
                + "\(format(result.peak.oneCore, 1)) on one (\(BLAS.kernelSet.name))")
        print("share of the peak \(format(100 * result.shareOfPeak, 1)) %")
        print("peak memory       \(result.peakMemoryBytes >> 20) MiB")
        print("page faults       \(result.pageFaults) in \(result.iterations) iterations")
    }
}
