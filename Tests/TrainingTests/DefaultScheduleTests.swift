import Interface
import Models
import Tasks
import Testing

@testable import Training

/// The default training of every task, whatever its size: it must end with nothing left of the entropy bonus, which costs
/// reward, and with a small trust region, in which the noise of the last gradients does little.
@Suite struct DefaultScheduleTests {
    private func requireClosing(_ task: String, _ options: Values, model: String = "gru") throws {
        let configuration = try Configuration.defaults(task: task, model: model, taskOptions: options)
        try configuration.validate()
        let last = try #require(configuration.stages.last)
        let learner = last.learnerOptions
        #expect(learner.real("final-entropy-bonus") == 0, "\(task) \(options.summary)")
        #expect(learner.real("final-maximum-kl") <= 0.003, "\(task) \(options.summary)")
        #expect(configuration.isProper(last), "the last stage trains the task itself: \(task) \(options.summary)")
        // Lengths do not fall, and the bonus of a stage begins where the one before it ended or below.
        let lengths = try configuration.stages.map { try configuration.makeFamily(stage: $0).maximumTrialSteps }
        // Nor do they jump.
        if task == "bandit" {
            #expect(
                zip(lengths, lengths.dropFirst()).allSatisfy { $0 <= $1 && $1 <= 3 * $0 },
                "\(options.summary): \(lengths)")
        }
        let bonuses = configuration.stages.filter { $0.learner == last.learner }.map(\.learnerOptions)
        for (one, next) in zip(bonuses, bonuses.dropFirst()) {
            #expect(next.real("entropy-bonus") <= one.real("final-entropy-bonus"), "\(task) \(options.summary)")
        }
    }

    @Test func banditsOfEveryLengthEndCalmly() throws {
        for pulls in Array(2...130) + [150, 200, 300, 500, 1000] {
            try requireClosing("bandit", ["episodes": .integer(pulls)])
        }
        for arms in [2, 10, 50] {
            for pulls in [10, 25, 100] {
                try requireClosing(
                    "bandit", ["arms": .integer(arms), "episodes": .integer(pulls)], model: "transformer")
            }
        }
    }

    @Test func smallAndLargeMDPsEndCalmly() throws {
        for states in [2, 3, 5, 10] {
            for horizon in [1, 5, 10] {
                for episodes in [1, 2, 3, 4, 5, 6, 10, 25, 100] {
                    try requireClosing(
                        "mdp",
                        ["states": .integer(states), "horizon": .integer(horizon), "episodes": .integer(episodes)])
                }
            }
        }
    }

    @Test func mazesEndCalmly() throws {
        for size in [5, 7, 9] { try requireClosing("maze", ["maze-size": .integer(size)]) }
        try requireClosing("maze", ["maze-size": 3, "training-mazes": 48, "hold-out": "draws"])
    }

    /// Stages in smaller mazes have no more of them to train on than there are.
    @Test func manyMazesCanBeTrainedOn() throws {
        for (holdOut, counts) in [("draws", 13_824...13_824), ("layouts", 10_000...12_000)] {
            let configuration = try Configuration.defaults(
                task: "maze", model: "gru",
                taskOptions: ["maze-size": 9, "training-mazes": 50_000, "hold-out": .word(holdOut)])
            try configuration.validate()
            let first = try #require(configuration.stages.first).taskOptions
            #expect(first["maze-size"] == 5 && counts.contains(first.integer("training-mazes")))
            #expect(try #require(configuration.stages.last).taskOptions.isEmpty)
        }
    }
}
