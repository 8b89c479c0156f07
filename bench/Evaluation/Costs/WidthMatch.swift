import Interface
import Kernels
import Models
import Training

/// What two architectures can have in common, so that a comparison of them is fair.
public enum Budget: String, Sendable, CaseIterable {
    /// Parameters of the policy.
    case params
    /// Floating-point operations of the policy, a step of acting.
    case flops
    /// Bytes of the policy's memory, a lane.
    case state

    /// What is counted, in words.
    public var unit: String {
        switch self {
        case .params: "parameters"
        case .flops: "floating-point operations a step"
        case .state: "bytes of state a lane"
        }
    }

    func measure(_ configuration: Configuration) throws -> Double {
        switch self {
        case .params: return Double(try configuration.makePolicy().layout.count)
        case .flops: return try OperationCount(configuration).acting
        case .state:
            return Double(
                try configuration.makePolicy().memoryBytes(steps: configuration.makeFamily().maximumTrialSteps))
        }
    }
}

/// The hidden width with which an architecture comes nearest to another's budget.
public struct WidthMatch: Sendable {
    public let budget: Budget
    /// H
    public let width: Int
    /// What the architecture has at that width, in the budget's unit.
    public let achieved: Double
    /// What the other has.
    public let wanted: Double

    /// A match that is off by more than this factor is none.
    private static let tolerance = 1.5

    /// - Parameters:
    ///   - configuration: of the architecture to be sized; its own width does not matter.
    ///   - reference: the same task with the other architecture.
    public init(_ configuration: Configuration, to reference: Configuration, by budget: Budget) throws {
        self.budget = budget
        wanted = try budget.measure(reference)
        let name = reference.modelName
        let widths = try WidthMatch.widths(of: configuration)
        func cost(_ width: Int) throws -> Double {
            var candidate = configuration
            candidate.hidden = width
            return try budget.measure(candidate)
        }
        // Costs grow with the width. Widths far above the wanted one would be expensive to try.
        var (low, high) = (0, 0)
        while high < widths.count - 1, try cost(widths[high]) < wanted {
            (low, high) = (high, min(2 * high + 1, widths.count - 1))
        }
        while high - low > 1 {
            let middle = (low + high) / 2
            if try cost(widths[middle]) < wanted { low = middle } else { high = middle }
        }
        let (below, above) = (try cost(widths[low]), try cost(widths[high]))
        (width, achieved) = abs(below - wanted) <= abs(above - wanted) ? (widths[low], below) : (widths[high], above)

        let ratio = achieved / wanted
        guard ratio.isFinite, ratio <= WidthMatch.tolerance, ratio >= 1 / WidthMatch.tolerance else {
            let found = achieved == 0 ? "at any width it has none" : "the nearest width, \(width), has \(Int(achieved))"
            throw UserError(
                "--match \(budget.rawValue): '\(configuration.model)' cannot have about the \(Int(wanted)) \(budget.unit) of "
                    + "\(name) (\(found)); match by "
                    + Budget.allCases.filter { $0 != budget }.map(\.rawValue).joined(separator: " or "))
        }
    }

    /// Multiples of 8 that the architecture can have, because vector units like them; any width where none can be.
    private static func widths(of configuration: Configuration) throws -> [Int] {
        let entry = try modelCatalogue.require(configuration.model)
        func possible(_ step: Int) -> [Int] {
            stride(from: step, through: 8192, by: step).filter {
                entry.objection($0, configuration.modelOptions) == nil
            }
        }
        let widths = [8, 1].lazy.map(possible).first { !$0.isEmpty }
        guard let widths else {
            throw UserError(entry.objection(8, configuration.modelOptions) ?? "'\(entry.name)' can have no width")
        }
        return widths
    }
}

extension Catalogue where Entry == ModelEntry {
    /// Reads an architecture and its width, such as "gru-256"; nil if it is not that.
    public func modelAndWidth(_ text: String) -> (model: ModelEntry, hidden: Int)? {
        let parts = text.split(separator: "-")
        guard parts.count > 1, let width = Int(parts.last!) else { return nil }
        return entry(named: parts.dropLast().joined(separator: "-")).map { ($0, width) }
    }
}

extension Configuration {
    /// The same with another architecture, of default options and of one width for policy and critic: what a match is to.
    public func with(_ model: ModelEntry, hidden: Int) throws -> Configuration {
        var reference = self
        reference.model = model.name
        reference.modelOptions = Values(defaults: model.options, given: ["hidden": .integer(hidden)])
        try reference.validate()
        return reference
    }
}
