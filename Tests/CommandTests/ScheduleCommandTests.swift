import Foundation
import Kernels
import Testing

@testable import Training

/// A run keeps its whole schedule, wherever `--iterations` stops it.
@Suite struct ScheduleCommandTests {
    private func train(_ run: String, _ more: String..., in directory: String) throws -> Command.Result {
        try TwoStages.train(run, more, in: directory)
    }

    private func resume(_ run: String, _ iterations: Int, in directory: String) throws -> Command.Result {
        try Command.succeed(
            ["train", "--resume", run, "--threads", "1", "--iterations", "\(iterations)"], in: directory)
    }

    private func episodes(_ run: String) throws -> [Double] {
        let (columns, rows) = try MetricsTable.read(run + "/metrics.csv")
        let column = try #require(columns.firstIndex(of: "episodes_per_trial"))
        return rows.map { $0[column] }
    }

    /// Stopped in the first stage, where the second stage's iterations would begin anew if a cut were another schedule.
    @Test(arguments: [1, 2, 3]) func aRunThatStoppedEarlyGoesOnWithTheSameBits(_ stop: Int) throws {
        try withTemporaryDirectory { directory in
            _ = try train("straight", in: directory)
            let cut = try train("cut", "--iterations", "\(stop)", in: directory)
            #expect(loggedIterations(directory + "/cut") == stop)
            #expect(
                cut.errors.contains("it stops \(6 - stop) iterations before the end of its schedule"), "\(cut.errors)")
            #expect(cut.errors.contains("rl2x train --resume cut --iterations 6"), "\(cut.errors)")
            // In two steps, the second to the end.
            let further = try resume("cut", 4, in: directory)
            #expect(further.errors.contains("it stops 2 iterations before"), "\(further.errors)")
            let last = try resume("cut", 6, in: directory)
            #expect(!last.errors.contains("schedule"), "\(last.errors)")
            #expect(try checkpoint(directory + "/cut") == checkpoint(directory + "/straight"))
            #expect(try episodes(directory + "/cut") == [2, 2, 6, 6, 6, 6])
            #expect(
                try String(contentsOfFile: directory + "/cut/config.yaml", encoding: .utf8)
                    == String(contentsOfFile: directory + "/straight/config.yaml", encoding: .utf8))
        }
    }

    /// Beyond its schedule a run goes on as its last stage ended, whenever that was asked for, and says so.
    @Test func aRunGoesOnBeyondItsSchedule() throws {
        try withTemporaryDirectory { directory in
            let straight = try train("straight", "--iterations", "8", in: directory)
            _ = try train("cut", "--iterations", "1", in: directory)
            let extended = try resume("cut", 8, in: directory)
            for result in [straight, extended] {
                #expect(result.errors.contains("2 iterations beyond the schedule"), "\(result.errors)")
            }
            #expect(try checkpoint(directory + "/cut") == checkpoint(directory + "/straight"))
            #expect(try episodes(directory + "/cut") == [2, 2, 6, 6, 6, 6, 6, 6])
            // The last stage's end, not its start, nor a line drawn on.
            let configuration = try RunDirectory(directory + "/cut").configuration()
            let last = configuration.stages[1]
            for number in [4, 5, 9] {
                let iteration = Iteration(
                    number: number, within: number, count: last.iterations, options: last.learnerOptions,
                    root: .init(seed: 0))
                #expect(abs(iteration.geometric("maximum-kl") - 0.001) < 1e-9 && iteration.linear("entropy-bonus") == 0)
            }
        }
    }
}
