import Interface

/// A task that can be asked for by name: its options, its default training, and how to make its family.
public struct TaskEntry: CatalogueEntry {
    public static let kind = "task"
    public let name: String
    public let summary: String
    public let options: [Option]
    /// Why a family of these options cannot be, in words that name the option; nil if it can. Values are in range.
    public let objection: @Sendable (Values) -> String?
    /// How it is trained by default.
    public let training: @Sendable (Values, ModelTraits) -> TrainingDefaults
    /// Why a policy that rl2x 0.1.0 trained on this task cannot be judged any more, and what to do, of its options as they
    /// were written; nil if the task has not changed.
    public let refusalOfVersion1: (@Sendable ([String: String]) -> String)?
    /// Builds the family from one value for each option.
    public let make: @Sendable (Values) -> any TaskFamily

    /// - Parameter training: nil: `TrainingDefaults.byTrialLength`, in trials of the whole length throughout where there is
    ///   no option `episodes` to shorten them by.
    public init(
        name: String, summary: String, options: [Option],
        objection: @escaping @Sendable (Values) -> String? = { _ in nil },
        training: (@Sendable (Values, ModelTraits) -> TrainingDefaults)? = nil,
        refusalOfVersion1: (@Sendable ([String: String]) -> String)? = nil,
        make: @escaping @Sendable (Values) -> any TaskFamily
    ) {
        self.name = name
        self.summary = summary
        self.options = options
        self.objection = objection
        self.refusalOfVersion1 = refusalOfVersion1
        self.training =
            training ?? { values, traits in
                let family = make(values)
                var defaults = TrainingDefaults.byTrialLength(
                    episodes: family.episodes, stepsPerEpisode: family.maximumEpisodeSteps, model: traits)
                for index in defaults.stages.indices {
                    defaults.stages[index].taskOptions = defaults.stages[index].taskOptions.only(options)
                }
                return defaults
            }
        self.make = make
    }
}

/// The task families that can be asked for by name. A new one is a file and a line here.
public let taskCatalogue = Catalogue<TaskEntry>([
    BernoulliBandit.entry,
    TabularMDP.entry,
    FirstPersonMaze.entry,
])
