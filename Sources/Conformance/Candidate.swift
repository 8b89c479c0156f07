import Foundation
import Interface
import Kernels
import Models

/// An architecture that is to be judged: how to build it, and how large.
public struct Candidate: Sendable {
    public let name: String
    /// H of the models that are built: small, because laws do not depend on it.
    public let hidden: Int
    public let options: Values
    /// Its outputs have kinks in θ, such as those of a ReLU, where no derivative is the limit of differences.
    public let hasKinks: Bool
    /// What its memory is asked to forget when an episode ends. With anything but `none` the lines that say that memory
    /// holds over an episode's end are not judged as such.
    public let memoryReset: MemoryReset
    private let build: @Sendable (ModelSpecification) -> any SequencePolicy

    public init(
        name: String, hidden: Int = 16, options: Values = [:], hasKinks: Bool = false,
        memoryReset: MemoryReset = .none, build: @escaping @Sendable (ModelSpecification) -> any SequencePolicy
    ) {
        self.name = name
        self.hidden = hidden
        self.options = options.merging(["reset-memory": .word(memoryReset.rawValue)])
        self.hasKinks = hasKinks
        self.memoryReset = memoryReset
        self.build = build
    }

    /// An architecture of the catalogue, in the smallest of the widths 8, 16, 24, … that it can have.
    ///
    /// - Parameter options: those that are given; the others have their defaults.
    public init(
        _ entry: ModelEntry, hidden: Int? = nil, options: Values = [:], memoryReset: MemoryReset = .none
    ) {
        let values = Values(defaults: entry.options, given: options)
        let widths = stride(from: 8, through: 8192, by: 8)
        self.init(
            name: entry.name, hidden: hidden ?? widths.first { entry.objection($0, values) == nil } ?? 8,
            options: values, hasKinks: entry.hasKinks, memoryReset: memoryReset, build: entry.make)
    }

    /// Deviation of the noise that is added to first values: 0.2 at width 8, and less in wider models, so that it moves
    /// the sums of a layer by as much.
    var noise: Float { 0.2 * (8 / Float(max(8, hidden))).squareRoot() }

    /// - Parameters:
    ///   - width: H, if another than `hidden`.
    ///   - steps: most steps of the trials that the model will see.
    func model(
        _ observation: ObservationSpace, actions: Int, outputs: Int, width: Int? = nil, headGain: Float = 1,
        stepScale: Float? = nil, steps: Int
    ) -> any SequencePolicy {
        build(
            ModelSpecification(
                observation: observation, actions: actions, outputs: outputs, hidden: width ?? hidden,
                options: options, headGain: headGain, stepScale: stepScale, trialSteps: steps))
    }
}
