import ArgumentParser
import Bench
import Foundation
import Kernels
import Models
import Tasks
import Training

struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Version, processor, kernel set, measured sgemm peak, catalogue of models and tasks.")

    @OptionGroup var threads: ThreadOptions

    @Flag(help: "Print one JSON object on standard output and nothing else.")
    var json = false

    func run() throws {
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

    private func printOptions(_ options: [CatalogueOption]) {
        for option in options {
            print("    --\(option.name)  \(option.help) (\(option.range); default \(option.standard))")
        }
    }
}
