import Interface
import Kernels
import Models
import Testing
import Training

@testable import Bench

@Suite struct WidthMatchTests {
    private func configuration(_ model: String, hidden: Int = 256) throws -> Configuration {
        var configuration = try Configuration.defaults(task: "bandit", model: model, taskOptions: ["episodes": 100])
        configuration.hidden = hidden
        return configuration
    }

    private func cost(_ configuration: Configuration, _ budget: Budget, _ width: Int) throws -> Double {
        var configuration = configuration
        configuration.hidden = width
        let policy = try configuration.makePolicy()
        return Double(budget == .params ? policy.layout.count : policy.memoryBytes(steps: 100))
    }

    /// No other width that the architecture can have is nearer. SNAIL's parameters are four times as many at width 16 as at 8,
    /// and neither is near those of a small GRU.
    @Test(arguments: modelCatalogue.entries.filter { $0.name != "snail" }, [64, 250])
    func theWidthIsTheNearest(_ entry: ModelEntry, _ width: Int) throws {
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

    /// Operations are those of the thread that counts, whatever others multiply.
    @Test func othersMayMultiplyMeanwhile() throws {
        let configuration = try configuration("gru", hidden: 8)
        let alone = try OperationCount(configuration)
        let pool = WorkerPool(threads: 2)
        defer { pool.stop() }
        var counted: [Double] = []
        let matrix = Matrix(rows: 64, columns: 64)
        let before = BLAS.operations
        pool.run(2) { index, _ in
            guard index == 0 else {
                let result = Matrix(rows: 64, columns: 64)
                for _ in 0..<3000 {
                    BLAS.multiply(64, 64, 64, matrix.pointer, 64, matrix.pointer, 64, into: result.pointer, 64)
                }
                return
            }
            for _ in 0..<20 {
                if let count = try? OperationCount(configuration) { counted += [count.acting, count.learning] }
            }
        }
        #expect(counted == (0..<20).flatMap { _ in [alone.acting, alone.learning] })
        #expect(BLAS.operations - before >= 3000 * 2 * 64 * 64 * 64)
    }

    @Test func aModelMatchesItself() throws {
        for budget in [Budget.params, .state, .flops] {
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
