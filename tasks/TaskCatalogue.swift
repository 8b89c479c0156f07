/// The families that can be asked for by name. A new one is a file and a line here.
public enum TaskCatalogue {
    /// An option of a family: its name on the command line and in a configuration, its range and what it means.
    public struct Option: Sendable {
        public let name: String
        public let range: ClosedRange<Int>
        public let standard: Int
        public let help: String
    }

    public struct Entry: Sendable {
        public let name: String
        public let summary: String
        public let options: [Option]
        /// Builds the family from one value for each option.
        public let make: @Sendable ([String: Int]) -> any TaskFamily
    }

    public static let entries: [Entry] = [
        Entry(
            name: "bandit", summary: "Bernoulli bandits, success probabilities uniform on (0, 1)",
            options: [
                Option(name: "arms", range: 2...1000, standard: 5, help: "arms of the bandit"),
                Option(name: "episodes", range: 1...10_000, standard: 10, help: "episodes of a trial; pulls"),
            ]
        ) { BernoulliBandit(arms: $0["arms"]!, episodes: $0["episodes"]!) }
    ]

    public static var names: [String] { entries.map(\.name) }

    public static func entry(named name: String) -> Entry? { entries.first { $0.name == name } }
}
