import Autodiff
import Kernels
import Models
import TestSupport
import Testing

/// The laws of DESIGN.md, section 7, over every architecture of the catalogue, on trials of unequal length.
@Suite struct ModelLawTests {
    struct Case: Sendable, CustomStringConvertible {
        var entry: ModelCatalogue.Entry
        var specification: ModelSpecification
        var description: String { "\(entry.name), \(specification.observation), \(specification.outputs) outputs" }
    }

    /// Policies and critics, with and without observations and the step's index.
    static let cases: [Case] = ModelCatalogue.entries.flatMap { entry in
        [
            Case(
                entry: entry,
                specification: ModelSpecification(
                    observation: .vector(width: 3), actions: 4, outputs: 4, hidden: 8, headGain: 1, stepScale: 10)),
            Case(
                entry: entry,
                specification: ModelSpecification(
                    observation: .vector(width: 0), actions: 5, outputs: 1, hidden: 12, headGain: 1, memoryHorizon: 9)),
        ]
    }

    static let lengths = [4, 2, 5, 4]

    static func model(_ law: Case, lengths: [Int] = lengths, seed: UInt64 = 51) -> ModelUnderTest {
        var random = RandomSource(seed: seed)
        let trials = RandomTrials(
            lengths: lengths, observation: law.specification.observation, actions: law.specification.actions,
            random: &random)
        return ModelUnderTest(law.entry.make(law.specification), trials: trials, random: &random)
    }

    /// Numbers that a number of the unroll sums, at most: all parameters, once a step.
    static func tolerance(_ model: ModelUnderTest) -> Double {
        roundingTolerance(depth: model.parameters.count * 5)
    }

    @Test(arguments: cases)
    func unrollEqualsSteps(_ law: Case) {
        #expect(unrollStepError(Self.model(law)) < 1e-5)
        #expect(unrollStepError(Self.model(law, lengths: [1])) < 1e-5)
        #expect(unrollStepError(Self.model(law, lengths: [1, 7, 1, 3, 7])) < 1e-5)
    }

    @Test(arguments: cases)
    func readingsAreAdjoint(_ law: Case) {
        let model = Self.model(law)
        var random = RandomSource(seed: 52)
        for _ in 0..<3 {
            let error = adjointError(model.function, at: model.parameters, random: &random)
            #expect(error < Self.tolerance(model))
        }
    }

    @Test(arguments: cases)
    func tangentsAreDerivatives(_ law: Case) {
        let model = Self.model(law)
        var random = RandomSource(seed: 53)
        let direction = random.uniforms(model.parameters.count, bound: 0.3)
        let report = derivativeReport(model.function, at: model.parameters, direction: direction)
        #expect(abs(report.slope - 2) < 0.3, "\(report)")
        #expect(report.extrapolatedError < report.errors[2] / 5, "\(report)")
    }

    @Test(arguments: cases)
    func recordsCanBeReadAgain(_ law: Case) {
        let model = Self.model(law)
        var random = RandomSource(seed: 54)
        let report = recordReport(model.function, at: model.parameters, random: &random)
        #expect(report.valueNeedsNoRecord)
        #expect(report.readingsRepeat)
        #expect(report.memoryIsOverwritten)
        #expect(report.sharingError < Self.tolerance(model))
        #expect(report.accumulationError < Self.tolerance(model))
    }

    @Test(arguments: cases)
    func noStepSeesTheFutureAndNoLaneAnother(_ law: Case) {
        let model = Self.model(law)
        var random = RandomSource(seed: 55)
        for (trial, length) in Self.lengths.enumerated() {
            for step in 0..<length {
                // The first step of a trial without observations shows nothing that could be changed.
                if step == 0, law.specification.observation.count == 0 { continue }
                let report = changeReport(model, trial: trial, step: step, random: &random)
                #expect(report.pastIsUntouched)
                #expect(report.othersAreUntouched)
                #expect(report.presentChanges)
                #expect(report.futureChanges == (model.remembers && step + 1 < length))
            }
        }
    }

    @Test(arguments: cases)
    func packingIsIrrelevant(_ law: Case) {
        #expect(packingError(Self.model(law)) < 1e-5)
    }

    @Test(arguments: cases)
    func memoryBeginsAnew(_ law: Case) {
        let model = Self.model(law)
        let fresh = model.stepped().joinedNumbers
        #expect(sameBits(model.steppedWithUsedMemory(resettingLanes: true).joinedNumbers, fresh))
        #expect(sameBits(model.steppedWithUsedMemory(resettingLanes: false).joinedNumbers, fresh))
    }

    /// The layout is the same at every call, its names are distinct, its entries fill θ without gaps.
    @Test(arguments: cases)
    func layoutIsATableOfContents(_ law: Case) {
        let layout = law.entry.make(law.specification).layout
        #expect(layout == law.entry.make(law.specification).layout)
        var offset = 0
        for entry in layout.entries {
            #expect(entry.offset == offset)
            offset += entry.count
        }
        #expect(offset == layout.count)
        #expect(Set(layout.entries.map(\.name)).count == layout.entries.count)
        let values = layout.initialValues(RandomSource(seed: 1))
        #expect(values.count == layout.count && values.allSatisfy { $0.isFinite })
        #expect(values == layout.initialValues(RandomSource(seed: 1)))
    }
}
