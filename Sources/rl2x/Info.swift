import ArgumentParser
import Bench
import Foundation
import Kernels
import Models
import Tasks
import Training

struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Version, processor, kernel set, measured sgemm peak, catalogue of models and tasks.",
        discussion: """
            With --model: what that architecture costs on a task, with all options as in a training.
            rl2x info --model gru --task bandit --episodes 100 --hidden 128
            """)

    @OptionGroup var options: ModelAndTaskOptions
    @OptionGroup var threads: ThreadOptions

    @Flag(help: "Print one JSON object on standard output and nothing else.")
    var json = false

    func run() throws {
        if options.model != nil { return try printCosts() }
        if let other = options.given.first {
            throw ValidationError("\(other) goes with --model: name the architecture whose costs you want")
        }
        let (processor, kernels) = (Processor.current, BLAS.kernelSet)
        let peak = PeakMeasurement(workers: Workers(threads: threads.count))
        if json {
            try printJSON([
                "version": Version.number, "commit": Version.commit, "processor": processor.name,
                "cores": processor.coreCount, "threads": threads.count, "blas_kernels": kernels.name,
                "blas_kernels_detected": kernels.detected, "blas_kernels_source": kernels.source,
                "sgemm_peak_gflops": peak.allCores, "sgemm_peak_gflops_one_core": peak.oneCore,
                "models": ModelCatalogue.names, "tasks": TaskCatalogue.names,
            ])
            return
        }
        print("rl2x \(Version.number) (\(Version.commit.prefix(12)))")
        print("processor   \(processor.name), \(processor.coreCount) cores")
        let choice =
            switch kernels.source {
            case "cpuid": "chosen for this processor; the library would take \(kernels.detected)"
            case "user": "as OPENBLAS_CORETYPE says"
            default: "the library's choice"
            }
        print("BLAS        OpenBLAS, kernels \(kernels.name) (\(choice))")
        print("threads     \(threads.count)")
        print("sgemm peak  \(format(peak.oneCore, 1)) GFLOP/s on one core, \(format(peak.allCores, 1)) on all")
        print("models")
        for entry in ModelCatalogue.entries {
            print("  \(entry.name)  \(entry.summary)")
            printOptions(entry.options)
        }
        print("tasks")
        for entry in TaskCatalogue.entries {
            print("  \(entry.name)  \(entry.summary)")
            printOptions(entry.options)
        }
    }

    private func printCosts() throws {
        let configuration = try options.resolve(base: nil)
        let costs = try ModelCosts(configuration, threads: threads.count)
        let batchSteps = configuration.stages.map(\.batchSteps).max() ?? 0
        if json {
            return try printJSON([
                "model": configuration.model, "task": configuration.task, "hidden": configuration.hidden,
                "policy_parameters": costs.policyParameters, "critic_parameters": costs.criticParameters,
                "flop_per_step_acting": costs.actingOperations, "flop_per_step_learning": costs.learningOperations,
                "flop_counted_steps": costs.countedSteps, "state_bytes_per_lane": costs.stateBytes,
                "rollout_memory_bytes": costs.rolloutBytes, "batch_steps": batchSteps, "threads": threads.count,
            ])
        }
        let options = [configuration.modelOptions, configuration.taskOptions].filter { !$0.isEmpty }.map(\.summary)
        print(
            "\(configuration.model)-\(configuration.hidden) on \(configuration.task) (\(options.joined(separator: "; ")))"
        )
        print("parameters      \(costs.policyParameters) in the policy, \(costs.criticParameters) in the critic")
        print("acting          \(format(costs.actingOperations / 1e6, 3)) MFLOP a step, in matrix products")
        print(
            "learning        \(format(costs.learningOperations / 1e6, 3)) MFLOP a step: one unroll, one jvp, one vjp "
                + "(trials of \(costs.countedSteps) steps)")
        print("state           \(costs.stateBytes) bytes a lane")
        print(
            "rollout memory  \(format(Double(costs.rolloutBytes) / 1048576, 1)) MiB: a batch of \(batchSteps) steps and the "
                + "lanes of \(threads.count) threads")
    }

    private func printOptions(_ options: [CatalogueOption]) {
        for option in options {
            print("    --\(option.name)  \(option.help) (\(option.range); default \(option.standard))")
        }
    }
}
