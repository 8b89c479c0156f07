import ArgumentParser
import Kernels

/// Options of the task `maze` alone, as its catalogue entry has them.
struct MazeOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: .catalogued("maze-size"))
    var mazeSize: Int?

    @Option(parsing: .unconditional, help: .catalogued("training-mazes"))
    var trainingMazes: Int?

    @Option(parsing: .unconditional, help: .catalogued("loops"))
    var loops: Double?

    @Option(parsing: .unconditional, help: .catalogued("step-length"))
    var stepLength: Double?

    @Option(parsing: .unconditional, help: .catalogued("turn-degrees"))
    var turnDegrees: Int?

    @Option(parsing: .unconditional, help: .catalogued("frame-width"))
    var frameWidth: Int?

    @Option(parsing: .unconditional, help: .catalogued("frame-height"))
    var frameHeight: Int?

    @Option(parsing: .unconditional, help: .catalogued("field-of-view"))
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
    @Option(parsing: .unconditional, help: .catalogued("arms"))
    var arms: Int?

    @Option(help: .catalogued("prior"))
    var prior: String?

    @Option(parsing: .unconditional, help: .catalogued("episodes"))
    var episodes: Int?

    @Option(parsing: .unconditional, help: .catalogued("states"))
    var states: Int?

    @Option(parsing: .unconditional, help: .catalogued("horizon"))
    var horizon: Int?

    @Option(parsing: .unconditional, help: .catalogued("reachable-states"))
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
