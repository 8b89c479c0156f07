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

    /// The options that were given or not, by their names in the catalogue.
    var values: [(String, OptionValue?)] {
        [
            ("maze-size", mazeSize.map { .integer($0) }), ("training-mazes", trainingMazes.map { .integer($0) }),
            ("loops", loops.map { .real($0) }), ("step-length", stepLength.map { .real($0) }),
            ("turn-degrees", turnDegrees.map { .integer($0) }), ("frame-width", frameWidth.map { .integer($0) }),
            ("frame-height", frameHeight.map { .integer($0) }), ("field-of-view", fieldOfView.map { .real($0) }),
        ]
    }
}
