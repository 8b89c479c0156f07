import Kernels

extension FirstPersonMaze {
    /// What can be chosen by name. The smallest frame is the smallest that two convolutions of 5 × 5 with stride 2 can read.
    static let catalogueOptions = [
        CatalogueOption("maze-size", 3...31, standard: 5, help: "Rooms along a side of a maze; odd"),
        CatalogueOption("episodes", 1...10_000, standard: 2, help: "Episodes of a trial"),
        CatalogueOption(
            "training-mazes", 0...1_000_000, standard: 1000,
            help: "Mazes of the training set, of which test mazes are none; 0: unlimited"),
        CatalogueOption("loops", 0...1, standard: 0.0, help: "Chance that a wall inside a maze is taken away"),
        CatalogueOption("step-length", 0.05...0.5, standard: 0.25, help: "Step forward in a maze, rooms"),
        CatalogueOption("turn-degrees", 1...180, standard: 90, help: "Turn in a maze, degrees; it divides 360"),
        CatalogueOption("frame-width", 13...640, standard: 40, help: "Width of a maze's frames, pixels"),
        CatalogueOption("frame-height", 13...480, standard: 30, help: "Height of a maze's frames, pixels"),
        CatalogueOption("field-of-view", 10...170, standard: 90.0, help: "Horizontal field of view in a maze, degrees"),
    ]
}

extension FirstPersonMaze.Options {
    /// One value for each of `FirstPersonMaze.catalogueOptions`.
    init(_ values: OptionValues) {
        self.init()
        size = values.integer("maze-size")
        episodes = values.integer("episodes")
        trainingMazes = values.integer("training-mazes")
        loops = values.real("loops")
        step = values.real("step-length")
        turn = values.integer("turn-degrees")
        frameWidth = values.integer("frame-width")
        frameHeight = values.integer("frame-height")
        fieldOfView = values.real("field-of-view")
    }
}
