import ArgumentParser
import Kernels

/// Options of the task `maze` alone, as its catalogue entry has them.
struct MazeOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Rooms along a side of a maze; odd (3 … 31; default 5).")
    var mazeSize: Int?

    @Option(
        parsing: .unconditional,
        help: "Mazes of the training set; 0: unlimited. Test mazes are none of them (0 … 1000000; default 1000).")
    var trainingMazes: Int?

    @Option(parsing: .unconditional, help: "Chance that a wall inside a maze is taken away (0 … 1; default 0).")
    var loops: Double?

    @Option(parsing: .unconditional, help: "Step forward in a maze, rooms (0.05 … 0.5; default 0.375).")
    var stepLength: Double?

    @Option(parsing: .unconditional, help: "Turn in a maze, degrees; divides 360 (1 … 180; default 30).")
    var turnDegrees: Int?

    @Option(parsing: .unconditional, help: "Width of a maze's frames, pixels (13 … 640; default 40).")
    var frameWidth: Int?

    @Option(parsing: .unconditional, help: "Height of a maze's frames, pixels (13 … 480; default 30).")
    var frameHeight: Int?

    @Option(parsing: .unconditional, help: "Horizontal field of view in a maze, degrees (10 … 170; default 90).")
    var fieldOfView: Double?

    /// By their names in the catalogue; nil: not given.
    var values: [(String, OptionValue?)] {
        [
            ("maze-size", mazeSize.map { .integer($0) }), ("training-mazes", trainingMazes.map { .integer($0) }),
            ("loops", loops.map { .real($0) }), ("step-length", stepLength.map { .real($0) }),
            ("turn-degrees", turnDegrees.map { .integer($0) }), ("frame-width", frameWidth.map { .integer($0) }),
            ("frame-height", frameHeight.map { .integer($0) }), ("field-of-view", fieldOfView.map { .real($0) }),
        ]
    }
}

/// What members of a task are to be like: the options by which evaluation may leave what was trained.
struct MemberOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Arms of a bandit (2 … 1000; default 5).")
    var arms: Int?

    @Option(
        help: """
            How a bandit's success probabilities are drawn: uniform, beta22 (Beta(2, 2)), dependent (two arms, p and 1 − p) \
            (default uniform).
            """)
    var prior: String?

    @Option(parsing: .unconditional, help: "Episodes of a trial; for bandits, pulls (1 … 10000; default per task).")
    var episodes: Int?

    @Option(parsing: .unconditional, help: "States of an MDP (2 … 64; default 10).")
    var states: Int?

    @Option(parsing: .unconditional, help: "Steps of an MDP's episode (1 … 1000; default 10).")
    var horizon: Int?

    @Option(
        parsing: .unconditional,
        help: "States of an MDP that transitions lead to, the first so many; 0: all (0 … 64; default 0).")
    var reachableStates: Int?

    @OptionGroup var maze: MazeOptions

    /// By their names in the catalogue; nil: not given.
    var values: [(String, OptionValue?)] {
        [
            ("arms", arms.map { .integer($0) }), ("prior", prior.map { .word($0) }),
            ("episodes", episodes.map { .integer($0) }), ("states", states.map { .integer($0) }),
            ("horizon", horizon.map { .integer($0) }), ("reachable-states", reachableStates.map { .integer($0) }),
        ] + maze.values
    }
}
