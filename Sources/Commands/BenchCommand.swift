import ArgumentParser
import Bench
import Foundation
import Interface
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

struct ThroughputCommand: TakesSettings {
    static let scope = SettingScope.run
    static let configuration = CommandConfiguration(
        commandName: "throughput",
        abstract: "Time one whole iteration by phase, against the sgemm peak of the same process.",
        discussion: """
            Defaults: 50000 steps, Fisher products on the full batch, 10 of them, 5 critic epochs; --episodes 100 for \
            bandits. The task's training defaults play no part.
            """)

    @OptionGroup var options: RunOptions
    @OptionGroup var threads: ThreadOptions

    @Option(parsing: .unconditional, help: "Iterations to measure after a warm-up (1 … 1000; default 3).")
    var repeats = 3

    @Flag(help: "Print one JSON object on standard output and nothing else.")
    var json = false

    func validate() throws {
        try check("repeats", repeats, 1...1000)
    }

    func run() throws {
        // A measure that stays comparable: policy and critic of one width, whatever the task's defaults.
        var request = try options.request(
            defaults: options.task ?? taskCatalogue.names[0] == "bandit"
                ? ["episodes": 100, "critic-hidden": 0] : ["critic-hidden": 0])
        request.settings.insert(
            contentsOf: [
                ("batch-steps", "50000"), ("fisher-share", "1"), ("critic-epochs", "5"), ("critic-minibatches", "2"),
                ("critic-warmup", "0"),
            ]
            .map { RunRequest.Setting($0, $1, isOptional: true) }, at: 0)
        var configuration = try options.resolve(request)
        // The task proper, from the first iteration on.
        configuration.stages = [configuration.stages.last!]
        let result = try Throughput(
            configuration, threads: threads.count, iterations: repeats, teachers: makeTeacher(named:for:),
            progress: printError)
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

    /// Of a task that renders frames: how many on one core, for two sizes of a frame.
    private func framesPerSecond(
        _ configuration: Configuration
    ) throws -> [(key: String, text: String, value: Double)] {
        let entry = try taskCatalogue.require(configuration.task)
        guard entry.options.named("frame-width") != nil, entry.options.named("frame-height") != nil else { return [] }
        printError("measuring the renderer")
        return [
            ("frames_per_second_one_core", "40×30             ", 40, 30),
            ("frames_per_second_one_core_160x120", "160×120           ", 160, 120),
        ].map { key, text, width, height in
            let values = configuration.taskOptions.merging([
                "frame-width": .integer(width), "frame-height": .integer(height),
            ])
            return (key, text, RenderThroughput(entry.make(values)).framesPerSecond)
        }
    }

    private func printTable(_ result: Throughput, _ configuration: Configuration) {
        print(
            "\(configuration.modelName) on \(configuration.task): \(result.timesteps) time steps an "
                + "iteration, \(threads.count) threads, median of \(result.iterations)")
        var table = TextTable(columns: [.init("phase", alignment: .left), .init("seconds"), .init("share")])
        for phase in result.phases {
            table.append([
                phase.name, Display.fixed(phase.seconds, 4),
                Display.fixed(100 * phase.seconds / result.iterationSeconds, 1) + " %",
            ])
        }
        table.append(["iteration", Display.fixed(result.iterationSeconds, 4), "100 %"])
        print(table.plainText())
        print("rollout           \(Int(result.rolloutStepsPerSecond)) steps/s")
        print("matrix products   \(Display.fixed(result.gflop, 1)) GFLOP, \(Display.fixed(result.gflops, 1)) GFLOP/s")
        print(
            "sgemm peak        \(Display.fixed(result.peak.allCores, 1)) GFLOP/s on \(threads.count) threads, "
                + "\(Display.fixed(result.peak.oneCore, 1)) on one (\(BLAS.kernelSet.name))")
        print("share of the peak \(Display.percent(result.shareOfPeak))")
        print("peak memory       \(result.peakMemoryBytes >> 20) MiB")
        print("page faults       \(result.pageFaults) in \(result.iterations) iterations")
    }
}
