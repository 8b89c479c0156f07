import Autodiff
import Conformance
import Foundation
import Interface
import Kernels
import Models
import Testing

/// One cell for all arms. That the models of the catalogue are symmetric is in `ModelLawTests`; here is what must not pass for
/// symmetric, and what is computed.
@Suite struct ArmSymmetricTests {
    static let arms = 4
    static let hidden = 8

    static func model(
        outputs: Int = arms, observed: Int = 2, stepScale: Float? = nil, options: Values = [:],
        _ make: (ModelSpecification) -> any SequencePolicy
    ) -> ModelUnderTest {
        var random = RandomSource(seed: 81)
        let observation = ObservationSpace.vector(width: observed)
        let trials = TrialInputs(lengths: [9, 4, 12], observation: observation, actions: arms, random: &random)
        let specification = ModelSpecification(
            observation: observation, actions: arms, outputs: outputs, hidden: hidden, options: options, headGain: 1,
            stepScale: stepScale, trialSteps: 12)
        return ModelUnderTest(make(specification), trials: trials, noise: 0.2, random: &random)
    }

    static func symmetricGRU(_ specification: ModelSpecification) -> ArmSymmetric<GRU> {
        ArmSymmetric(specification) { GRU($0) }
    }

    private func report(_ model: ModelUnderTest) -> RelabellingReport {
        var random = RandomSource(seed: 82)
        return relabellingReport(model, random: &random)
    }

    // MARK: The law

    @Test(arguments: [1, arms]) func renamingActionsRenamesOutputs(_ outputs: Int) {
        let report = report(Self.model(outputs: outputs, Self.symmetricGRU))
        #expect(report.error < 1e-5 && report.contrast > 0.03, "\(report)")
    }

    /// The wrapper makes any recurrent model symmetric.
    @Test func anyCellCanBeShared() {
        let report = report(Self.model { specification in ArmSymmetric(specification) { Elman($0) } })
        #expect(report.error < 1e-5 && report.contrast > 0.03, "\(report)")
    }

    /// A model without weights for all arms in common is far from it, as a policy and as a critic.
    @Test(arguments: ["gru", "lstm", "elman", "feedforward", "transformer"], [1, arms])
    func otherModelsAreNotSymmetric(_ name: String, _ outputs: Int) throws {
        let entry = try #require(modelCatalogue.entry(named: name))
        let model = Self.model(outputs: outputs, options: Values(defaults: entry.options)) { entry.make($0) }
        #expect(!model.policy.isArmSymmetric)
        #expect(report(model).error > 0.05, "\(report(model))")
    }

    /// A symmetric model with something that tells one arm from the others.
    struct Biased: RecurrentPolicy {
        enum Fault: CaseIterable {
            /// The first arm's logit is a little larger than it should be.
            case prefersAnArm
            /// Half of the arms forget all, where half of each arm's state should be forgotten.
            case forgetsHalfOfTheArms
        }

        let model: ArmSymmetric<GRU>
        let fault: Fault
        var layout: ParameterLayout { model.layout }
        var encoder: any Encoder { model.encoder }
        var head: BiasedHead { BiasedHead(head: model.head, bias: fault == .prefersAnArm ? 1e-3 : 0) }
        var stateWidths: [Int] { model.stateWidths }
        var statesPerVector: Int { fault == .forgetsHalfOfTheArms ? 1 : model.statesPerVector }
        var memoryReset: MemoryReset { model.memoryReset }
        func cell(_ features: Node, state: NodeList, next: NodeList, tape: Tape) {
            model.cell(features, state: state, next: next, tape: tape)
        }
    }

    struct BiasedHead: OutputLayer {
        let head: ArmHead
        let bias: Float
        var outputs: Int { head.outputs }
        func read(_ hidden: Node, tape: Tape) -> Node {
            let shift = tape.zeros(rows: hidden.rows, columns: outputs)
            for row in 0..<hidden.rows { tape.mutableValue(shift)[row * outputs] = bias }
            return tape.add(head.read(hidden, tape: tape), shift)
        }
    }

    @Test(arguments: Biased.Fault.allCases) func aSmallFaultIsFound(_ fault: Biased.Fault) {
        let biased = Self.model(options: ["reset-memory": "half"]) {
            Biased(model: Self.symmetricGRU($0), fault: fault)
        }
        #expect(report(biased).error > 1e-4, "\(report(biased))")
        #expect(report(Self.model(options: ["reset-memory": "half"], Self.symmetricGRU)).error < 1e-5)
    }

    // MARK: What is computed

    /// Their weights are as many and of the same shapes for any number of arms.
    @Test(arguments: ["symmetric-gru", "symmetric-lstm", "symmetric-transformer"])
    func parametersDoNotDependOnTheNumberOfArms(_ name: String) throws {
        let entry = try #require(modelCatalogue.entry(named: name))
        func layout(_ arms: Int, _ observation: ObservationSpace) -> ParameterLayout {
            entry.make(
                ModelSpecification(
                    observation: observation, actions: arms, outputs: arms, hidden: 8,
                    options: Values(defaults: entry.options), headGain: 1)
            ).layout
        }
        for space in [ObservationSpace.vector(width: 3), .image(height: 14, width: 13, channels: 2)] {
            #expect(ParameterLayout.difference(layout(2, space), layout(50, space)) == nil)
        }
    }

    /// The outputs are those of the formulas, arm by arm in double precision.
    @Test(arguments: [(arms, nil as Float?), (1, 12)]) func valuesAreThoseOfTheFormulas(_ outputs: Int, _ scale: Float?)
    {
        let model = Self.model(outputs: outputs, stepScale: scale, Self.symmetricGRU)
        let expected = model.trials.steps.map { Reference(model, stepScale: scale).play($0) }
        let error = relativeDistance(model.unrolled().joinedNumbers, from: expected.joinedNumbers)
        #expect(error < 1e-5, "\(error)")
    }

    /// An arm-symmetric GRU, written out.
    struct Reference {
        private let model: ModelUnderTest
        private let stepScale: Float?
        private let width = ArmSymmetricTests.hidden

        init(_ model: ModelUnderTest, stepScale: Float?) { (self.model, self.stepScale) = (model, stepScale) }

        /// W x, for a parameter W [rows, x.count].
        private func product(_ name: String, _ x: [Double]) -> [Double] {
            let weights = vector(name)
            return (0..<weights.count / x.count).map { row in
                x.indices.reduce(0) { $0 + weights[row * x.count + $1] * x[$1] }
            }
        }

        private func vector(_ name: String) -> [Double] {
            let entry = model.policy.layout.entries.first { $0.name == name }!
            return model.parameters[entry.offset..<entry.offset + entry.count].map { Double($0) }
        }

        private func cell(_ x: [Double], _ h: [Double]) -> [Double] {
            let fromInput = zip(product("gru.weight_ih_l0", x), vector("gru.bias_ih_l0")).map(+)
            let fromState = zip(product("gru.weight_hh_l0", h), vector("gru.bias_hh_l0")).map(+)
            func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
            return (0..<width).map { unit in
                let (reset, update, new) = (unit, width + unit, 2 * width + unit)
                let r = sigmoid(fromInput[reset] + fromState[reset])
                let z = sigmoid(fromInput[update] + fromState[update])
                let n = tanh(fromInput[new] + r * fromState[new])
                return (1 - z) * n + z * h[unit]
            }
        }

        private func mean(_ states: [[Double]]) -> [Double] {
            (0..<width).map { unit in states.reduce(0) { $0 + $1[unit] } / Double(states.count) }
        }

        func play(_ trial: [StepInput]) -> [[Float]] {
            let arms = ArmSymmetricTests.arms
            var states = [[Double]](repeating: [Double](repeating: 0, count: width), count: arms)
            return trial.map { input in
                let pooled = mean(states)
                states = (0..<arms).map { arm in
                    let isTaken = input.previousAction == arm
                    let reward = Double(input.previousReward)
                    var x = input.vector.map { Double($0) }
                    x += [reward, input.previousAction < 0 ? 0 : 1, isTaken ? 1 : 0, isTaken ? reward : 0]
                    x.append(Double(input.episodeEnd))
                    if let stepScale { x.append(Double(input.stepIndex) / Double(stepScale)) }
                    return cell(x + pooled, states[arm])
                }
                let shared = product("arms.weight_mean", mean(states))
                let scores = states.map { state -> Double in
                    let sum = zip(zip(product("arms.weight", state), shared).map(+), vector("arms.bias")).map(+)
                    return product("head.weight", sum.map { tanh($0) })[0] + vector("head.bias")[0]
                }
                return model.policy.outputs == 1
                    ? [Float(scores.reduce(0, +) / Double(arms))] : scores.map { Float($0) }
            }
        }
    }
}
