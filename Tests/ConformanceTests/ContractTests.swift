import Conformance
import Interface
import Kernels
import Models
import Tasks
import Testing

/// The RL² contract for every model on every task of the catalogues, and on the scripted task, whose episodes end by time
/// limits too.
@Suite struct ContractTests {
    static let tasks: [any TaskFamily] =
        [ScriptedFamily()] + taskCatalogue.entries.map { $0.make(Values(defaults: $0.options)) }

    @Test(arguments: modelCatalogue.entries) func everyLineHolds(_ entry: ModelEntry) {
        let report = ConformanceReport(Candidate(entry), tasks: ContractTests.tasks)
        #expect(report.passed, "\(report)")
        #expect(report.contracts.count == ContractTests.tasks.count)
        for contract in report.contracts {
            #expect(contract.findings.map(\.line) == ContractLine.allCases.map(\.name))
            #expect(contract.findings.allSatisfy { $0.verdict == .passed })
        }
    }

    /// With a memory that is asked to forget, the line on memory is not judged, and all others hold.
    @Test(arguments: modelCatalogue.entries, [MemoryReset.episode, .half])
    func everyOtherLineHoldsWithAMemoryThatForgets(_ entry: ModelEntry, _ reset: MemoryReset) {
        let report = ConformanceReport(Candidate(entry, memoryReset: reset), tasks: [ScriptedFamily()])
        #expect(report.passed, "\(report)")
        for (line, finding) in zip(ContractLine.allCases, report.contracts[0].findings) {
            #expect(finding.verdict == (line == .memory ? .notJudged : .passed), "\(finding)")
        }
    }

    /// The evidence counts both ways in which an episode can end.
    @Test func theScriptedTaskEndsInBothWays() throws {
        let report = ConformanceReport(task: ScriptedFamily())
        let ends = report.contracts[0].findings[1].measured
        let counts = ends.split(separator: " ").compactMap { Int($0) }
        #expect(counts.count == 2 && counts.allSatisfy { $0 > 10 }, "\(ends)")
    }
}
