import Interface
import Models
import Tasks
import Testing

@testable import Training

/// Whose weights a run can begin with, and what it trains then.
@Suite struct ParentFitTests {
    private func configuration(_ task: String, _ model: String = "gru", _ settings: Values = [:]) throws
        -> Configuration
    {
        var request = RunRequest(task: task, model: model)
        request.set(settings)
        return try request.resolve()
    }

    private func refusedLine(_ parent: Configuration, _ settings: Values, task: String? = nil, model: String? = nil)
        -> String
    {
        refusal {
            var request = RunRequest(continuing: parent, named: "runs/a")
            if let task { request.task = task }
            if let model { request.model = model }
            request.set(settings)
            try request.resolve().requireWeights(of: parent, named: "runs/a")
        }
    }

    /// What changes a weight's shape names the option and the tensor.
    @Test func whatChangesAShapeIsRefused() throws {
        for (task, model, option, value, words) in [
            ("bandit", "gru", "arms", 6, ["'policy.gru.weight_ih_l0' is [768, 7] there and [768, 8] here"]),
            ("bandit", "gru", "hidden", 128, ["is [768, 7] there and [384, 7] here", "runs/a has 256"]),
            ("bandit", "lstm", "critic-hidden", 8, ["'critic.lstm.weight_ih_l0'", "runs/a has 0"]),
            ("bandit", "transformer", "layers", 3, ["'policy.transformer.layers.2", "is not there and ["]),
            ("bandit", "transformer", "feed-forward", 2, ["linear1.weight"]),
            ("mdp", "gru", "states", 3, ["runs/a has 10", "[768, 17] there and [768, 10] here"]),
            ("mdp", "elman", "actions", 3, ["runs/a has 5"]),
            ("maze", "gru", "frame-width", 60, ["runs/a has 40", "'policy."]),
        ] as [(String, String, String, Int, [String])] {
            let parent = try configuration(task, model)
            let text = refusedLine(parent, [option: .integer(value)])
            #expect(text.hasPrefix("--\(option) is \(value), and runs/a has "), "\(text)")
            #expect(text.contains("cannot be carried over") && !text.contains("\n"), "\(text)")
            for word in words { #expect(text.contains(word), "\(text)") }
        }
    }

    /// Options that keep every shape and change what the weights mean, and those that act on the first weights alone.
    @Test func anotherModelIsRefused() throws {
        for (model, option, value) in [
            ("transformer", "heads", 2), ("transformer", "position", "rotary"), ("transformer", "attention-window", 5),
            ("gru", "chrono-t-max", 7), ("gru", "input-gain", 6.0), ("gru", "reset-memory", "episode"),
        ] as [(String, String, OptionValue)] {
            let parent = try configuration("bandit", model)
            let text = refusedLine(parent, [option: value])
            #expect(
                text.hasPrefix("--\(option) is \(value), and runs/a has ") && text.contains("keeps the model"),
                "\(text)")
        }
        let parent = try configuration("bandit")
        #expect(refusedLine(parent, [:], model: "lstm").hasPrefix("--model is lstm, and runs/a is of model gru"))
        #expect(refusedLine(parent, [:], task: "mdp").hasPrefix("--task is mdp, and runs/a was trained on bandit"))
    }

    /// All else of the task may differ; the model's options are the parent's, whatever the task's defaults for that length.
    @Test func otherMembersAreWelcome() throws {
        for (task, settings) in [
            ("bandit", ["episodes": 100]), ("bandit", ["prior": "beta22"]), ("mdp", ["episodes": 25, "horizon": 5]),
            ("mdp", ["reachable-states": 4]), ("maze", ["maze-size": 9, "episodes": 5]), ("bandit", [:]),
        ] as [(String, Values)] {
            for model in modelCatalogue.names {
                let parent = try configuration(task, model, ["input-gain": 3.0])
                var request = RunRequest(continuing: parent, named: "runs/a")
                request.set(settings)
                let child = try request.resolve()
                try child.requireWeights(of: parent, named: "runs/a")
                try child.validate()
                #expect(child.modelOptions == parent.modelOptions)
                #expect(child.taskOptions == parent.taskOptions.merging(settings))
            }
        }
    }

    // MARK: The schedule

    private func stages(_ task: String, from parent: Values, to settings: Values, learner: String? = nil) throws
        -> [Stage]
    {
        var request = RunRequest(continuing: try configuration(task, "gru", parent), named: "runs/a")
        request.set(settings)
        request.learner = learner
        return try request.resolve().stages
    }

    private func lengths(_ from: Int, _ to: Int) throws -> [Int] {
        try stages("bandit", from: ["episodes": .integer(from)], to: ["episodes": .integer(to)]).map {
            $0.taskOptions.isEmpty ? to : $0.taskOptions.integer("episodes")
        }
    }

    /// Lengths that the parent has behind it are not trained again; those between its own and the task's are.
    @Test func theCurriculumIsNotGoneThroughAgain() throws {
        #expect(try lengths(10, 100) == [30, 60, 100, 100])
        #expect(try lengths(60, 100) == [100, 100])
        #expect(try lengths(100, 500) == [120, 240, 480, 500, 500])
        #expect(try lengths(100, 100) == [100, 100])
        #expect(try lengths(100, 10) == [10, 10])
        #expect(try lengths(10, 10) == [10, 10])
    }

    /// What comes before the outer loop would undo it.
    @Test func nothingComesBeforeTheOuterLoop() throws {
        for (parent, settings) in [([:], ["episodes": 25]), (["episodes": 25], [:]), ([:], [:])] as [(Values, Values)] {
            let left = try stages("mdp", from: parent, to: settings)
            #expect(left.map(\.learner) == ["trpo"] && left[0].taskOptions.isEmpty)
        }
        let mazes = try stages("maze", from: [:], to: ["maze-size": 9])
        #expect(mazes.count == 2 && mazes.allSatisfy { $0.taskOptions.isEmpty })
        #expect(try stages("mdp", from: [:], to: [:], learner: "ppo").map(\.learner) == ["ppo"])
    }

    /// A schedule that is asked for stands as it is.
    @Test func stagesThatAreAskedForStand() throws {
        let text = """
            {task_options: {episodes: 30}, stages: [
              {learner: trpo, iterations: 3, batch_steps: 200, task_options: {episodes: 5}},
              {learner: ppo, iterations: 2, batch_steps: 100}]}
            """
        let parent = try configuration("mdp", "elman", ["states": 4, "hidden": 9])
        let request = try RunRequest(
            yaml: text, path: "c.yaml", over: RunRequest(continuing: parent, named: "runs/a"))
        let child = try request.resolve()
        #expect(child.task == "mdp" && child.model == "elman" && child.hidden == 9)
        #expect(child.taskOptions == parent.taskOptions.merging(["episodes": 30]))
        #expect(child.stages.map(\.iterations) == [3, 2] && child.stages.map(\.learner) == ["trpo", "ppo"])
        // A file of another task is refused as the option is.
        let other = try RunRequest(
            yaml: "{task: bandit}", path: "c.yaml", over: RunRequest(continuing: parent, named: "runs/a"))
        #expect(refusal { _ = try other.resolve() }.hasPrefix("--task is bandit, and runs/a was trained on mdp"))
    }
}
