import ArgumentParser
import Bench
import Foundation
import Interface
import Kernels
import Models
import Tasks
import Training

struct Info: TakesSettings {
    static let scope = SettingScope.run
    static let configuration = CommandConfiguration(
        abstract: "Version, processor, kernel set, measured sgemm peak; models, tasks and learners.",
        discussion: """
            rl2x info                                    the machine and the catalogues
            rl2x info --task maze                        the task's options and its default training
            rl2x info --model gru --task bandit --hidden 128
                                                         what that model costs on the task
            """)

    @OptionGroup var options: RunOptions
    @OptionGroup var threads: ThreadOptions

    @Flag(help: "Print one JSON object on standard output and nothing else.")
    var json = false

    func run() throws {
        if options.model != nil { return try printCosts() }
        if options.task != nil || options.learner != nil { return try printTraining() }
        if let other = options.given.first {
            throw ValidationError("\(other) goes with --model or --task: name what you want to know about")
        }
        let (processor, kernels) = (Processor.current, BLAS.kernelSet)
        let peak = PeakMeasurement(workers: Workers(threads: threads.count))
        if json {
            try printJSON([
                "version": Version.number, "commit": Version.commit, "processor": processor.name,
                "cores": processor.coreCount, "threads": threads.count, "blas_kernels": kernels.name,
                "blas_kernels_detected": kernels.detected, "blas_kernels_source": kernels.source,
                "sgemm_peak_gflops": peak.allCores, "sgemm_peak_gflops_one_core": peak.oneCore,
                "models": modelCatalogue.names, "tasks": taskCatalogue.names,
                "learners": learnerCatalogue.names,
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
        print(
            "sgemm peak  \(Display.fixed(peak.oneCore, 1)) GFLOP/s on one core, \(Display.fixed(peak.allCores, 1)) on all"
        )
        printCatalogue(modelCatalogue)
        printCatalogue(taskCatalogue)
        printCatalogue(learnerCatalogue)
        print("`rl2x train --help` lists their options, `rl2x info --task NAME` a task's default training.")
    }

    private func printCatalogue<Entry>(_ catalogue: Catalogue<Entry>) {
        let names = modelCatalogue.names + taskCatalogue.names + learnerCatalogue.names
        let width = 2 + names.reduce(0) { max($0, $1.count) }
        print("\(Entry.kind)s")
        for entry in catalogue.entries {
            print("  \(entry.name.padding(toLength: width, withPad: " ", startingAt: 0))\(entry.summary)")
        }
    }

    /// The options of the task or learner that is named, and the training that comes of them.
    private func printTraining() throws {
        let configuration = try options.resolve(options.request())
        if json { throw ValidationError("--json goes with --model or alone: leave it out") }
        if let task = options.task { print("\(task)  \(try taskCatalogue.require(task).summary)\n") }
        if let learner = options.learner { print("\(learner)  \(try learnerCatalogue.require(learner).summary)\n") }
        print(
            OptionGroups(
                options.task == nil ? .learner : options.learner == nil ? .task : [.task, .learner],
                task: options.task, learner: options.learner
            ).text, terminator: "")
        print("DEFAULT TRAINING of \(configuration.modelName), as config.yaml has it:\n")
        print(configuration.yaml(), terminator: "")
    }

    private func printCosts() throws {
        let configuration = try options.resolve(options.request())
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
            "\(configuration.modelName) on \(configuration.task) (\(options.joined(separator: "; ")))"
        )
        print("parameters      \(costs.policyParameters) in the policy, \(costs.criticParameters) in the critic")
        print("acting          \(Display.fixed(costs.actingOperations / 1e6, 3)) MFLOP a step, in matrix products")
        print(
            "learning        \(Display.fixed(costs.learningOperations / 1e6, 3)) MFLOP a step: one unroll, one jvp, one vjp "
                + "(trials of \(costs.countedSteps) steps)")
        print("state           \(costs.stateBytes) bytes a lane")
        print(
            "rollout memory  \(Display.fixed(Double(costs.rolloutBytes) / 1048576, 1)) MiB: a batch of \(batchSteps) steps and the "
                + "lanes of \(threads.count) threads")
    }
}
