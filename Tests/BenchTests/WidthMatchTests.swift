import Bench
import Models
import Training
import Testing

/// By budgets that are counted without a run; operations are counted in a process of their own, in CommandTests.
@Suite struct WidthMatchTests {
    private func configuration(_ model: String, hidden: Int = 256) throws -> Configuration {
        var configuration = try Configuration.standard(task: "bandit", model: model, taskOptions: ["episodes": 100])
        configuration.hidden = hidden
        return configuration
    }

    private func cost(_ configuration: Configuration, _ budget: Budget, _ width: Int) throws -> Double {
        var configuration = configuration
        configuration.hidden = width
        let policy = try configuration.makePolicy()
        return Double(budget == .params ? policy.layout.count : policy.memoryBytes(steps: 100))
    }

    /// No other width that the architecture can have is nearer.
    @Test(arguments: ModelCatalogue.entries, [64, 250])
    func theWidthIsTheNearest(_ entry: ModelCatalogue.Entry, _ width: Int) throws {
        let (mine, reference) = (try configuration(entry.name), try configuration("gru", hidden: width))
        let match = try WidthMatch(mine, to: reference, by: .params)
        let wanted = try cost(reference, .params, width)
        #expect(match.wanted == wanted)
        #expect(try match.achieved == cost(mine, .params, match.width))
        #expect(match.width % 8 == 0 && entry.objection(match.width, mine.modelOptions) == nil)
        for other in stride(from: 8, through: 1024, by: 8) where entry.objection(other, mine.modelOptions) == nil {
            #expect(try abs(match.achieved - wanted) <= abs(cost(mine, .params, other) - wanted), "\(other)")
        }
    }

    @Test func aModelMatchesItself() throws {
        for budget in [Budget.params, .state] {
            #expect(
                try WidthMatch(configuration("gru"), to: configuration("gru", hidden: 200), by: budget).width == 200)
        }
    }

    /// One line that says what cannot be, and what to do.
    @Test func aMatchThatCannotBeIsRefused() throws {
        let error = #expect(throws: UserError.self) {
            try WidthMatch(configuration("gru"), to: configuration("gru", hidden: 1), by: .state)
        }
        let text = error?.description ?? ""
        #expect(text.contains("--match state") && text.contains("gru-1") && text.contains("params or flops"), "\(text)")
        #expect(!text.contains("\n"))
    }
}
