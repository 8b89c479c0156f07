import Interface
import Models
import Tasks
import Testing

@testable import Training

/// What somebody asks for becomes a configuration: each setting goes to the one who has it.
@Suite struct RunRequestTests {
    private func request(
        _ task: String = "bandit", _ model: String = "gru", learner: String? = nil, _ settings: [(String, String)] = []
    ) -> RunRequest {
        var request = RunRequest(task: task, model: model, learner: learner, seed: 7)
        request.settings = settings.map { RunRequest.Setting($0, $1) }
        return request
    }

    /// Of the default task and model.
    private func request(_ settings: [(String, String)]) -> RunRequest { request("bandit", "gru", settings) }

    // MARK: Who is set

    @Test func settingsReachTheirOwners() throws {
        let configuration = try request(
            "bandit", "transformer",
            [
                ("arms", "12"), ("heads", "2"), ("hidden", "24"), ("gae-lambda", "0.25"), ("fisher-share", "1"),
                ("advantage-scale", "step"), ("batch-steps", "1234"),
            ]
        ).resolve()
        #expect(configuration.task == "bandit" && configuration.taskOptions.integer("arms") == 12)
        #expect(configuration.modelOptions.integer("heads") == 2 && configuration.hidden == 24)
        #expect(configuration.seed == 7)
        for stage in configuration.stages {
            #expect(stage.batchSteps == 1234 && stage.taskOptions.isEmpty)
            #expect(stage.learnerOptions["gae-lambda"] == 0.25 && stage.learnerOptions["fisher-share"] == .real(1))
            #expect(stage.learnerOptions["advantage-scale"] == "step")
        }
        // All else is as it is by default.
        var expected = try Configuration.defaults(task: "bandit", model: "transformer", seed: 7)
        expected.taskOptions["arms"] = 12
        expected.modelOptions["heads"] = 2
        expected.modelOptions["hidden"] = 24
        for index in expected.stages.indices {
            expected.stages[index].batchSteps = 1234
            expected.stages[index].learnerOptions["gae-lambda"] = 0.25
            expected.stages[index].learnerOptions["fisher-share"] = 1.0
            expected.stages[index].learnerOptions["advantage-scale"] = "step"
        }
        #expect(configuration == expected)
    }

    /// The options that a task gives a model by default are the task's to give and the user's to take.
    @Test func aTasksDefaultForTheModelGivesWay() throws {
        #expect(try request("maze").resolve().modelOptions["chrono-share"] == 0.5)
        #expect(try request("maze", "gru", [("chrono-share", "1")]).resolve().modelOptions["chrono-share"] == .real(1))
        #expect(try request("maze", "elman").resolve().modelOptions["chrono-share"] == nil, "it has no gates")
    }

    /// The schedule depends on the task that is asked for.
    @Test func theScheduleFollowsTheTasksOptions() throws {
        let (short, long) = (try request().resolve(), try request([("episodes", "100")]).resolve())
        #expect(short.stages.count == 2 && long.stages.count == 5)
        #expect(long.stages[0].taskOptions["episodes"] == 10)
    }

    @Test func laterSettingsTakeThePlaceOfEarlierOnes() throws {
        let configuration = try request([("arms", "3"), ("damping", "0.1"), ("arms", "4"), ("damping", "0.2")])
            .resolve()
        #expect(configuration.taskOptions["arms"] == 4)
        #expect(configuration.stages.allSatisfy { $0.learnerOptions["damping"] == 0.2 })
    }

    /// A value that is asked for holds from a stage's first iteration to its last, unless its end is asked for too.
    @Test func theEndOfAScheduleFollowsItsStart() throws {
        func region(_ settings: [(String, String)]) throws -> [OptionValue?] {
            let last = try #require(request(settings).resolve().stages.last)
            return [last.learnerOptions["maximum-kl"], last.learnerOptions["final-maximum-kl"]]
        }
        #expect(try region([]) == [0.008, 0.0005])
        #expect(try region([("maximum-kl", "0.05")]) == [0.05, 0.05])
        #expect(try region([("maximum-kl", "0.05"), ("final-maximum-kl", "0.01")]) == [0.05, 0.01])
        #expect(try region([("final-maximum-kl", "0.01"), ("maximum-kl", "0.05")]) == [0.05, 0.01])
        #expect(try region([("final-maximum-kl", "0.001")]) == [0.008, 0.001])
    }

    /// What the outer loop has is set there; a stage before it that has an option of the same name keeps its own. What only
    /// the stage before has is set there.
    @Test func settingsOfTheOuterLoopLeaveWhatComesBefore() throws {
        let plain = try request("mdp", learner: "ppo").resolve()
        let set = try request("mdp", "gru", learner: "ppo", [("learning-rate", "0.123"), ("epochs", "9")]).resolve()
        for (before, after) in zip(plain.stages, set.stages) {
            if after.learner == "ppo" {
                #expect(after.learnerOptions["learning-rate"] == 0.123 && after.learnerOptions["epochs"] == 9)
            } else {
                #expect(after == before)
            }
        }
        let taught = try request("mdp", "gru", [("epochs", "2")]).resolve()
        #expect(
            taught.stages.filter { $0.learner == "reward_prediction" }.allSatisfy { $0.learnerOptions["epochs"] == 2 })
        let untaught = try request("mdp").resolve()
        #expect(taught.stages.last == untaught.stages.last)
    }

    // MARK: Who is refused

    private func refusedLine(_ request: RunRequest) -> String { refusal { _ = try request.resolve() } }

    /// An option that nobody has.
    @Test func anOptionOfNobodyIsRefused() {
        let text = refusedLine(request([("arm", "3")]))
        #expect(text.hasPrefix("--arm: there is no such option"), "\(text)")
        // What 0.1.0 had.
        for name in ["ppo-epochs", "policy-optimizer", "memory-horizon", "slow-units", "context"] {
            #expect(refusedLine(request([(name, "1")])).hasPrefix("--\(name): there is no such option"))
        }
    }

    /// An option of another task, model or learner is refused in one line that says who has it.
    @Test func anOptionOfAnotherIsRefusedByItsOwner() {
        for (asked, name, owners, kind) in [
            (request("bandit"), "maze-size", "maze has it", "no option of task 'bandit'"),
            (request("maze"), "arms", "bandit has it", "no option of task 'maze'"),
            (
                request("bandit", "gru"), "heads",
                "transformer, gtrxl, symmetric-transformer, linear-attention, delta-net, xlstm have it",
                "no option of model 'gru'"
            ),
            (
                request("bandit", "elman"), "chrono-t-max",
                "gru, lstm, symmetric-gru, symmetric-lstm, min-gru, min-lstm have it",
                "no option of model 'elman'"
            ),
            (request("bandit"), "clip-range", "ppo has it", "no option of learner 'trpo'"),
            (request("bandit", learner: "ppo"), "damping", "trpo has it", "no option of learner 'ppo'"),
            (request("bandit", learner: "a2c"), "maximum-kl", "trpo, ppo have it", "no option of learner 'a2c'"),
            (request("mdp"), "clip-range", "ppo has it", "no option of learner 'reward_prediction' or 'trpo'"),
        ] {
            var wrong = asked
            wrong.settings = [RunRequest.Setting(name, "1")]
            let text = refusedLine(wrong)
            #expect(text.hasPrefix("--\(name) is ") && text.contains(owners) && text.contains(kind), "\(text)")
        }
    }

    @Test func valuesOutOfRangeAreRefusedByTheirLabel() {
        for (name, value) in [("arms", "1"), ("hidden", "wide"), ("discount", "1.5"), ("batch-steps", "0")] {
            #expect(refusedLine(request([(name, value)])).hasPrefix("--\(name) is \(value): choose a"))
        }
        var labelled = request()
        labelled.settings = [RunRequest.Setting("arms", "010", label: "plan.yaml:3: arms")]
        #expect(refusedLine(labelled).hasPrefix("plan.yaml:3: arms is 010: choose a whole number"))
    }

    @Test func unknownNamesAreRefused() {
        #expect(refusedLine(request("chess")).hasPrefix("unknown task 'chess': choose one of bandit"))
        #expect(refusedLine(request("bandit", "cnn")).hasPrefix("unknown model 'cnn': choose one of gru"))
        #expect(refusedLine(request(learner: "dqn")).hasPrefix("unknown learner 'dqn': choose one of trpo"))
    }

    @Test func anObjectionOfTheTaskIsHeard() {
        let text = refusedLine(request("mdp", "gru", [("states", "4"), ("reachable-states", "5")]))
        #expect(text.hasPrefix("--reachable-states is 5"))
    }

    // MARK: Another learner

    /// `--learner ppo` takes the place of TRPO, and leaves what teaches the memory before.
    @Test func anotherLearnerTakesThePlaceOfTheOuterLoopAlone() throws {
        let (trpo, ppo) = (try request("mdp").resolve(), try request("mdp", learner: "ppo").resolve())
        #expect(trpo.stages.map(\.learner) == [String](repeating: "reward_prediction", count: 9) + ["trpo"])
        #expect(ppo.stages.map(\.learner) == [String](repeating: "reward_prediction", count: 9) + ["ppo"])
        #expect(Array(ppo.stages.dropLast()) == Array(trpo.stages.dropLast()))
        let (old, new) = (try #require(trpo.stages.last), try #require(ppo.stages.last))
        #expect(
            new.iterations == old.iterations && new.batchSteps == old.batchSteps && new.taskOptions == old.taskOptions)
        // What both have is as the task says; what TRPO lacks has PPO's defaults; what PPO lacks is gone.
        for option in PPO.options {
            let expected = old.learnerOptions[option.name] ?? option.defaultValue
            #expect(new.learnerOptions[option.name] == expected, "\(option.name)")
        }
        try new.learnerOptions.check(PPO.options, of: "learner 'ppo'")
        try ppo.validate()
    }

    @Test func theDefaultLearnerByNameChangesNothing() throws {
        #expect(try request("mdp", learner: "trpo").resolve() == request("mdp").resolve())
        #expect(try request("maze", learner: "trpo").resolve() == request("maze").resolve())
        #expect(try request("maze", learner: "ppo").resolve().stages.allSatisfy { $0.learner == "ppo" })
    }

    // MARK: Iterations

    @Test func iterationsLeaveTheScheduleAsItIs() throws {
        var request = request()
        let schedule = try request.resolve().stages
        for wanted in [5, 20, 45, 100] {
            request.iterations = wanted
            let configuration = try request.resolve()
            #expect(configuration.iterations == wanted && configuration.stages == schedule)
        }
    }

    // MARK: Files

    private let staged = """
        task: bandit
        model: gru
        model_options: {hidden: 20, chrono_share: 0.5, input_gain: 2}
        stages:
        - {learner: reward_prediction, iterations: 2, batch_steps: 500, learner_options: {epochs: 3}}
        - learner: trpo
          iterations: 3
          batch_steps: 600
          learner_options: {damping: 0.25, discount: 0.9}
        """

    /// What the command line says comes after the file.
    @Test func settingsAfterAFileTakeItsPlace() throws {
        var request = try RunRequest(yaml: staged, path: "run.yaml")
        request.settings += [RunRequest.Setting("hidden", "30"), RunRequest.Setting("discount", "0.8")]
        let configuration = try request.resolve()
        #expect(configuration.hidden == 30 && configuration.modelOptions["chrono-share"] == 0.5)
        #expect(
            configuration.stages == [
                .complete("reward_prediction", ["epochs": 3], iterations: 2, batchSteps: 500),
                .complete("trpo", ["damping": 0.25, "discount": 0.8], iterations: 3, batchSteps: 600),
            ])
    }

    /// Of the file's options for one model, those that another lacks are left out; a typing error is none of those.
    @Test func anotherModelTakesWhatItHasOfAFile() throws {
        let elman = try RunRequest(yaml: staged, path: "run.yaml", model: "elman").resolve()
        #expect(elman.model == "elman" && elman.hidden == 20 && elman.modelOptions["input-gain"] == .real(2))
        #expect(elman.modelOptions["chrono-share"] == nil)
        try elman.validate()
        #expect(
            refusal {
                _ = try RunRequest(yaml: staged.replacing("hidden:", with: "hiden:"), path: "run.yaml", model: "elman")
            }
            .contains("'hiden'"))
    }

    @Test func anotherLearnerTakesWhatItHasOfAFilesStages() throws {
        let ppo = try RunRequest(yaml: staged, path: "run.yaml", learner: "ppo").resolve()
        #expect(
            ppo.stages == [
                .complete("reward_prediction", ["epochs": 3], iterations: 2, batchSteps: 500),
                .complete("ppo", ["discount": 0.9], iterations: 3, batchSteps: 600),
            ])
    }

    @Test func stagesOfAnotherTaskAreRefused() throws {
        let text = refusal { _ = try RunRequest(yaml: staged, path: "run.yaml", task: "mdp") }
        #expect(text.hasPrefix("run.yaml: its stages belong to another task") && text.contains("'mdp'"))
        let partial = "{task: bandit, task_options: {arms: 9, episodes: 20}, model_options: {hidden: 20}}"
        let mdp = try RunRequest(yaml: partial, path: "run.yaml", task: "mdp").resolve()
        // Both tasks have episodes; arms are the bandit's.
        #expect(mdp.taskOptions["episodes"] == 20 && mdp.taskOptions["arms"] == nil && mdp.hidden == 20)
        try mdp.validate()
    }
}
