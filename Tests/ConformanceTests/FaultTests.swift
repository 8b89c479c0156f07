import Conformance
import Interface
import Kernels
import Models
import Tasks
import Testing
import Training

/// The kit fails loudly: each deliberate fault is found, by the line that is about it and by no other.
@Suite struct FaultTests {
    private func failedLines(_ findings: [Finding]) -> [String] {
        findings.filter { $0.verdict == .failed }.map(\.line)
    }

    private func names(_ lines: [ModelLine]) -> [String] { lines.map(\.rawValue) }
    private func names(_ lines: [ContractLine]) -> [String] { lines.map(\.name) }

    /// A model that looks ahead cannot do so while it acts, so its unroll differs from its steps. What a model does with
    /// memory shows in the contract's line on memory, what passes between rows in the one on isolation.
    static let models: [(FaultyModel.Fault, [ModelLine], [ContractLine])] = [
        (.none, [], []),
        (.resetsMemoryAtEpisodeEnds, [.carry], [.memory]),
        (.forgets, [.carry], [.memory]),
        (.deniesMemory, [.carry], [.memory]),
        (.dropsLastReward, [], [.episodeEnd]),
        (.peeksAhead, [.unroll, .causality], [.isolation]),
        (.leaksBetweenLanes, [.lanes], [.isolation]),
        (.countsLanes, [.packing], [.isolation]),
        (.stepsOtherwise, [.unroll], []),
        (.wrongPullback, [.adjoint], []),
        (.wrongDerivative, [.derivative], []),
        (.keepsOldMemory, [.restart], [.memory]),
        (.beginsCertain, [.scale], []),
        (.claimsSymmetry, [.symmetry], []),
    ]

    @Test(arguments: models)
    func aFaultyModelIsFound(_ fault: FaultyModel.Fault, _ lines: [ModelLine], _ contract: [ContractLine]) {
        let report = ConformanceReport(name: "\(fault)", hidden: 8, tasks: [ScriptedFamily()]) {
            FaultyModel($0, fault)
        }
        #expect(failedLines(report.model) == names(lines), "\(report)")
        #expect(failedLines(report.contracts[0].findings) == names(contract), "\(report)")
        #expect(report.passed == (lines.isEmpty && contract.isEmpty))
        #expect(report.passed || report.description.contains("✗"))
    }

    /// To whom all actions are one the law of symmetry says nothing, and the kit says so.
    @Test func aSymmetryOfNothingIsFound() throws {
        let report = ConformanceReport(hidden: 8, tasks: []) { FaultyModel($0, .tellsNoActionsApart) }
        #expect(failedLines(report.model) == names([.symmetry]), "\(report)")
        #expect(report.description.contains("do not tell actions apart"), "\(report)")
    }

    /// With kinks the derivative is judged by a median, which a wrong factor moves too.
    @Test func aWrongDerivativeIsFoundBesideKinks() {
        let report = ConformanceReport(hidden: 8, hasKinks: true, tasks: []) { FaultyModel($0, .wrongDerivative) }
        #expect(failedLines(report.model) == names([.derivative]), "\(report)")
        #expect(ConformanceReport(hidden: 8, hasKinks: true, tasks: []) { FaultyModel($0, .none) }.passed)
    }

    /// Then nothing else can be said.
    @Test func aLayoutThatChangesBetweenCallsIsFound() {
        let report = ConformanceReport(hidden: 8) { FaultyModel($0, .renamesParameters) }
        #expect(failedLines(report.model) == names([.layout]), "\(report)")
        #expect(report.description.contains("changes between calls"))
        #expect(report.findings.dropFirst().allSatisfy { $0.finding.verdict == .notJudged })
        #expect(!report.passed)
    }

    /// And no training begins with it.
    @Test(arguments: [1, 3]) func aTrainerRefusesALayoutThatChangesBetweenCalls(_ faultyOutputs: Int) throws {
        let configuration = try Configuration.defaults(task: taskCatalogue.names[0], model: modelCatalogue.names[0])
        func model(_ outputs: Int) -> FaultyModel {
            let specification = ModelSpecification(
                observation: .vector(width: 4), actions: 3, outputs: outputs, hidden: 8, headGain: 1)
            return FaultyModel(specification, outputs == faultyOutputs ? .renamesParameters : .none)
        }
        let error = #expect(throws: UserError.self) {
            try Trainer(configuration, policy: model(3), critic: model(1), threads: 1) { _ in ScriptedFamily() }
        }
        let text = error?.description ?? ""
        #expect(text.contains(faultyOutputs == 1 ? "critic" : "policy") && text.contains("changes between calls"))
        #expect(text.contains("'bias_"), "\(text)")
    }

    static let loops: [(FaultyLoop.Fault, [ContractLine])] = [
        (.none, []),
        (.beginsWithAnAction, [.firstInput]),
        (.dropsLastReward, [.episodeEnd]),
        (.dropsFlag, [.episodeEnd]),
        (.showsLastObservation, [.episodeEnd]),
        (.resetsMemoryAtEpisodeEnds, [.memory]),
        (.keepsMemoryBetweenTrials, [.memory]),
        (.cutsAdvantagesAtEpisodeEnds, [.returns]),
        (.cutsReturnsAtEpisodeEnds, [.returns]),
        (.bootstrapsBeyondTheTrial, [.returns]),
        (.valuesEpisodesAlone, [.critic]),
        (.mixesTrials, [.isolation]),
        (.countsPadding, [.rows]),
        (.stopsBeforeTheLastEpisode, [.rows]),
    ]

    @Test(arguments: loops) func aFaultyLoopIsFound(_ fault: FaultyLoop.Fault, _ lines: [ContractLine]) {
        let report = ConformanceReport(name: "\(fault)", hidden: 8, loop: FaultyLoop(fault: fault)) {
            FaultyModel($0, .none)
        }
        #expect(failedLines(report.contracts[0].findings) == names(lines), "\(report)")
    }

    @Test(arguments: FaultyFamily.Fault.allCases) func aFaultyTaskIsFound(_ fault: FaultyFamily.Fault) {
        let report = ConformanceReport(task: FaultyFamily(fault: fault))
        #expect(
            failedLines(report.contracts[0].findings) == names(fault == .none ? [] : [.memory]), "\(fault): \(report)")
    }

    /// A memory that forgets when an episode ends breaks the contract in the line on memory, and that alone, whether the
    /// kit sees it or is told.
    @Test(arguments: ["gru", "transformer"], [MemoryReset.episode, .half])
    func aMemoryThatForgetsIsFound(_ name: String, _ reset: MemoryReset) throws {
        let entry = try #require(modelCatalogue.entry(named: name))
        let report = ConformanceReport(
            name: name, hidden: 8, options: Values(defaults: entry.options), tasks: [ScriptedFamily()]
        ) {
            var specification = $0
            specification.options["reset-memory"] = .word(reset.rawValue)
            return entry.make(specification)
        }
        #expect(failedLines(report.model) == names([.carry]), "\(report)")
        #expect(failedLines(report.contracts[0].findings) == names([.memory]), "\(report)")
    }

    /// Who was asked to forget and does not is found too.
    @Test func aMemoryThatDoesNotForgetIsFound() {
        let report = ConformanceReport(hidden: 8, memoryReset: .episode, tasks: []) { FaultyModel($0, .none) }
        #expect(failedLines(report.model) == names([.carry]), "\(report)")
    }

    /// A critic that sees less than its policy: here one that forgets, beside a policy that remembers.
    @Test func aCriticThatSeesLessIsFound() {
        let report = ConformanceReport(hidden: 8) { FaultyModel($0, $0.outputs == 1 ? .forgets : .none) }
        #expect(failedLines(report.contracts[0].findings) == names([.critic]), "\(report)")
    }
}
