import Foundation
import Testing

@testable import Training

/// A run says where it is, and stops where `--timesteps` says.
@Suite struct ProgressCommandTests {
    private func train(_ run: String, _ more: String..., in directory: String) throws -> Command.Result {
        try TwoStages.train(run, more, in: directory)
    }

    @Test func everyStageIsAnnouncedBeforeItsFirstIteration() throws {
        try withTemporaryDirectory { directory in
            let lines = try train("run", in: directory).errorLines
            let (first, second) = (
                "stage 1 of 2: episodes 2, trpo, 2 iterations of 200 steps",
                "stage 2 of 2: the task itself, trpo, 4 iterations of 300 steps"
            )
            let places = [first, second].map { line in lines.indices.filter { lines[$0] == line } }
            try #require(places.map(\.count) == [1, 1], "\(lines)")
            #expect(lines[places[0][0] + 1].hasPrefix("1/6") && lines[places[1][0] + 1].hasPrefix("3/6"))
            #expect(!lines.contains { $0.hasPrefix("warning") })
        }
    }

    @Test func aBudgetThatEndsBeforeTheLastStageIsWarnedOf() throws {
        try withTemporaryDirectory { directory in
            let early = try train("early", "--iterations", "1", in: directory)
            let warning =
                "warning: the run ends in stage 1 of 2: the task itself is not trained before iteration 3"
            #expect(early.errorLines.contains { $0 == warning }, "\(early.errors)")
            #expect(!early.errors.contains("stage 2 of 2"))
            let late = try Command.succeed(
                ["train", "--resume", "early", "--threads", "1", "--iterations", "3"], in: directory)
            #expect(!late.errors.contains("warning"), "\(late.errors)")
            #expect(late.errors.contains("stage 1 of 2: episodes 2, trpo, 2 iterations of 200 steps, 1 of them done"))
            let steps = try train("steps", "--timesteps", "400", in: directory)
            #expect(steps.errorLines.contains { $0 == warning }, "\(steps.errors)")
        }
    }

    /// Batches of 200, 200, 300, … steps: step 401 is reached in the third.
    @Test func timeStepsAreTheLimit() throws {
        try withTemporaryDirectory { directory in
            for (limit, iterations) in [(1, 1), (200, 1), (201, 2), (400, 2), (401, 3), (700, 3)] {
                let result = try train("to-\(limit)", "--timesteps", "\(limit)", in: directory)
                #expect(loggedIterations(directory + "/to-\(limit)") == iterations, "\(limit): \(result.errors)")
                #expect(result.errors.contains("from iteration 0 until time step \(limit), "))
                let configuration = try RunDirectory(directory + "/to-\(limit)").configuration()
                #expect(configuration.timestepLimit == limit && configuration.iterations == iterations)
            }
            let text = try String(contentsOfFile: directory + "/to-401/config.yaml", encoding: .utf8)
            let lines = text.split(separator: "\n")
            #expect(lines.contains("timesteps: 401") && !lines.contains { $0.hasPrefix("iterations") }, "\(text)")
        }
    }

    @Test func aRunGoesOnToMoreTimeSteps() throws {
        try withTemporaryDirectory { directory in
            _ = try train("straight", in: directory)
            _ = try train("cut", "--timesteps", "150", in: directory)
            func resume(_ more: String...) throws -> Command.Result {
                try Command.run(["train", "--resume", "cut", "--threads", "1"] + more, in: directory)
            }
            #expect(try resume("--timesteps", "600").code == 0)
            #expect(loggedIterations(directory + "/cut") == 3)
            // Without a limit of its own a resumed run keeps the one it has.
            #expect(try resume().code == 0)
            #expect(loggedIterations(directory + "/cut") == 3)
            let refused = try resume("--timesteps", "500")
            #expect(refused.code == 1 && refused.errors.contains("the run has done 700 already"), "\(refused.errors)")
            #expect(try resume("--iterations", "6").code == 0)
            #expect(try checkpoint(directory + "/cut") == checkpoint(directory + "/straight"))
        }
    }

    @Test func aFileSaysOneLimit() throws {
        try withTemporaryDirectory { directory in
            let text = TwoStages.schedule + "\niterations: 3\ntimesteps: 500\n"
            try Data(text.utf8).write(to: URL(fileURLWithPath: directory + "/both.yaml"))
            let result = try Command.run(["train", "--config", "both.yaml"], in: directory)
            #expect(result.code != 0 && result.errorLines.count == 1, "\(result.errors)")
            #expect(result.errors.contains("both 'iterations' and 'timesteps'"), "\(result.errors)")
        }
    }
}
