import Kernels

extension FirstPersonMaze {
    /// What can be chosen by name. The smallest frame is the smallest that two convolutions of 5 × 5 with stride 2 can read.
    static let catalogueOptions = [
        CatalogueOption("maze-size", 1...31, standard: 5, help: "rooms along a side of a maze; odd, at least 3"),
        CatalogueOption("episodes", 1...10_000, standard: 2, help: "episodes of a trial"),
        CatalogueOption(
            "training-mazes", 0...1_000_000, standard: 1000, help: "mazes of the training set; 0: unlimited"),
        CatalogueOption("loops", 0...1, standard: 0.0, help: "chance that a wall inside a maze is taken away"),
        CatalogueOption("step-length", 0.05...0.5, standard: 0.25, help: "rooms of a step forward"),
        CatalogueOption("turn-degrees", 1...180, standard: 90, help: "degrees of a turn; they divide 360"),
        CatalogueOption("frame-width", 13...640, standard: 40, help: "pixels"),
        CatalogueOption("frame-height", 13...480, standard: 30, help: "pixels"),
        CatalogueOption("field-of-view", 10...170, standard: 90.0, help: "horizontal, degrees"),
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
