import Interface

extension FirstPersonMaze {
    static let entry = TaskEntry(
        name: "maze",
        summary: "mazes seen through the agent's eyes: find the red block, remember it, go straight to it",
        options: options, objection: { Options($0).objection }, training: { training($0, $1) },
        refusalOfVersion1: { refusalOfVersion1($0) },
        make: { FirstPersonMaze(Options($0)) })

    /// A maze of N × N rooms has 2N − 1 cells a side.
    private static func refusalOfVersion1(_ given: [String: String]) -> String {
        let rooms = given["maze-size"].flatMap { Int($0) } ?? 5
        return
            "rl2x 0.1.0 counted a maze's rooms, \(rooms) a side, where cells are counted now, and its walls were thin, so its "
            + "policy cannot be judged here; train a new one with --task maze --maze-size \(2 * rooms - 1)"
    }

    /// A policy that seldom reaches its goal learns to wander; one that has learned in a smaller maze what the goal looks
    /// like, and that it stays where it is, looks for it in a larger one too.
    ///
    /// How far a policy comes in the beginning depends on how often it is updated, hence small batches and a short λ; to
    /// look for what is far away and to remember where it was takes a long one, and batches that bear its noise. What is
    /// seen acts at once if units are fast, and is kept if others are slow; a policy that keeps some entropy goes on
    /// learning (docs/experiments.md).
    private static func training(_ values: Values, _ model: ModelTraits) -> TrainingDefaults {
        func stage(
            _ iterations: Int, _ batchSteps: Int, lambda: Double = 0.97, kl: ClosedRange<Double> = 0.02...0.02,
            entropy: ClosedRange<Double>, _ taskOptions: Values = [:]
        ) -> Stage {
            Stage(
                taskOptions: taskOptions, learner: "trpo",
                learnerOptions: [
                    "discount": 0.99, "gae-lambda": .real(lambda), "maximum-kl": .real(kl.upperBound),
                    "final-maximum-kl": .real(kl.lowerBound), "entropy-bonus": .real(entropy.upperBound),
                    "final-entropy-bonus": .real(entropy.lowerBound), "critic-epochs": 1,
                    "critic-learning-rate": 0.002,
                ], iterations: iterations, batchSteps: batchSteps)
        }
        return TrainingDefaults(
            modelOptions: ["hidden": .integer(max(1, model.hidden / 2)), "chrono-share": 0.5],
            stages: [
                stage(100, 20_000, lambda: 0.95, entropy: 0.01...0.01, smaller(values)),
                stage(400, 30_000, entropy: 0.005...0.01),
                stage(500, 40_000, kl: 0.002...0.02, entropy: 0...0.005),
            ])
    }

    /// What makes the mazes small, with as many to train on as there are then.
    private static func smaller(_ values: Values) -> Values {
        var smaller = Options(values)
        guard smaller.size > 5 else { return [:] }
        smaller.size = 5
        guard let most = smaller.mazes, smaller.trainingMazes > most else { return ["maze-size": 5] }
        return ["maze-size": 5, "training-mazes": .integer(most)]
    }

    /// The smallest frame is the smallest that two convolutions of 5 × 5 with stride 2 can read.
    private static let options = [
        Option("maze-size", 3...63, default: 5, help: "Cells along a side of a maze, inside the border; odd"),
        Option("episodes", 1...10_000, default: 2, help: "Episodes of a trial"),
        Option(
            "training-mazes", 0...1_000_000, default: 1000,
            help: "Mazes of the training set, each a layout with start and target; 0: no limit"),
        Option(
            "hold-out", HoldOut.self, default: .layouts,
            help:
                "Which mazes are held out: a fifth of the layouts, or, as published, other draws of layout, start and target"
        ),
        Option(
            "generator", MazeLayout.Generator.self, default: .wilson,
            help: "Layouts by Wilson's algorithm (uniform spanning trees) or by Prim's random growth (as published)"),
        Option("loops", 0...1, default: 0.0, help: "Chance that a wall between two rooms is taken away"),
        Option("step-length", 0.05...0.5, default: 0.25, help: "Step forward, cells"),
        Option("turn-degrees", 1...180, default: 90, help: "Turn, degrees; it must divide 360"),
        Option("frame-width", 13...640, default: 40, help: "Width of a frame, pixels"),
        Option("frame-height", 13...480, default: 30, help: "Height of a frame, pixels"),
        Option("field-of-view", 10...170, default: 90.0, help: "Horizontal field of view, degrees"),
    ]
}

extension FirstPersonMaze.Options {
    /// One value for each option of the catalogue's entry.
    init(_ values: Values) {
        self.init()
        size = values.integer("maze-size")
        episodes = values.integer("episodes")
        trainingMazes = values.integer("training-mazes")
        holdOut = values.choice("hold-out")
        generator = values.choice("generator")
        loops = values.real("loops")
        step = values.real("step-length")
        turn = values.integer("turn-degrees")
        frameWidth = values.integer("frame-width")
        frameHeight = values.integer("frame-height")
        fieldOfView = values.real("field-of-view")
    }
}
