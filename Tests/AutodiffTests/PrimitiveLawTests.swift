import Autodiff
import Conformance
import Kernels
import TestSupport
import Testing

/// The laws of DESIGN.md, section 7, over every primitive.
@Suite struct PrimitiveLawTests {
    @Test(arguments: PrimitiveCatalogue.cases, PrimitiveCase.OperandForm.allCases)
    func readingsAreAdjoint(_ primitive: PrimitiveCase, _ form: PrimitiveCase.OperandForm) {
        var random = RandomSource(seed: 11)
        let function = primitive.function(form)
        for _ in 0..<5 {
            let theta = primitive.randomParameters(&random)
            let outputs = function.value(at: theta).count
            let error = adjointError(function, at: theta, random: &random)
            #expect(error < roundingTolerance(depth: primitive.parameterCount + outputs))
        }
    }

    @Test(arguments: PrimitiveCatalogue.cases, PrimitiveCase.OperandForm.allCases)
    func tangentsAreDerivatives(_ primitive: PrimitiveCase, _ form: PrimitiveCase.OperandForm) {
        var random = RandomSource(seed: 12)
        for _ in 0..<3 {
            let theta = primitive.randomParameters(&random)
            // Bounded, so that no operand crosses a kink.
            let direction = random.uniforms(theta.count, bound: primitive.reach)
            guard !primitive.hasKinks else {
                let error = medianDerivativeError(
                    primitive.function(form), at: theta, direction: direction, step: 0.01)
                #expect(error < 1e-3)
                continue
            }
            let report = derivativeReport(primitive.function(form), at: theta, direction: direction)
            if primitive.isQuadratic {
                #expect(report.errors.allSatisfy { $0 < report.roundingLevel }, "\(report)")
            } else {
                #expect(abs(report.slope - 2) < 0.2, "\(report)")
                #expect(report.extrapolatedError < report.errors[2] / 5, "\(report)")
            }
        }
    }

    @Test(arguments: PrimitiveCatalogue.cases, PrimitiveCase.OperandForm.allCases)
    func recordsCanBeReadAgain(_ primitive: PrimitiveCase, _ form: PrimitiveCase.OperandForm) {
        var random = RandomSource(seed: 13)
        let theta = primitive.randomParameters(&random)
        let report = recordReport(primitive.function(form), at: theta, random: &random)
        let tolerance = roundingTolerance(depth: primitive.parameterCount)
        #expect(report.valueNeedsNoRecord)
        #expect(report.readingsRepeat)
        #expect(report.memoryIsOverwritten)
        #expect(report.sharingError < tolerance)
        #expect(report.accumulationError < tolerance)
    }

    /// A rectified convolution is a ReLU of one, in its value and both readings.
    @Test func rectifiedConvolutions() {
        let shape = ConvolutionShape(
            height: 7, width: 6, channels: 3, kernelHeight: 3, kernelWidth: 2, stride: 2, padding: 1)
        func function(rectified: Bool) -> DifferentiableFunction {
            PrimitiveCase("", [.init(5, shape.inputCount), .init(4, shape.patchCount), .init(1, 4)]) { tape, nodes in
                let y = tape.convolution(nodes[0], shape, weight: nodes[1], bias: nodes[2], rectified: rectified)
                return rectified ? y : tape.relu(y)
            }.function(.variables)
        }
        var random = RandomSource(seed: 15)
        let (fused, apart) = (function(rectified: true), function(rectified: false))
        let theta = random.normals(fused.parameterCount)
        let (one, other) = (fused.linearised(at: theta), apart.linearised(at: theta))
        let (v, u) = (random.normals(theta.count), random.normals(one.output.count))
        #expect(one.value.contains(0) && one.value.contains { $0 > 0 })
        #expect(relativeDistance(one.value, from: other.value) < 1e-6)
        #expect(relativeDistance(one.jvp(v), from: other.jvp(v)) < 1e-6)
        #expect(relativeDistance(one.vjp(u), from: other.vjp(u)) < 1e-6)
    }

    /// An operand that is a constant is one whose tangent is zero and whose cotangent nobody reads.
    @Test(arguments: PrimitiveCatalogue.cases.filter { !$0.mayBeConstant.isEmpty })
    func constantsHaveNoTangent(_ primitive: PrimitiveCase) {
        var random = RandomSource(seed: 14)
        let theta = primitive.randomParameters(&random)
        let whole = primitive.function(.variables).linearised(at: theta)
        let u = random.normals(whole.output.count)
        let tolerance = roundingTolerance(depth: primitive.parameterCount)
        for chosen in primitive.mayBeConstant.map({ [$0] }) + [primitive.mayBeConstant] {
            let function = primitive.function(.variables, constants: Set(chosen), values: theta)
            #expect(recordReport(function, at: theta, random: &random).memoryIsOverwritten)
            let partial = function.linearised(at: theta)
            var v = random.normals(theta.count)
            let tangent = partial.jvp(v)
            for index in chosen { for place in primitive.range(index) { v[place] = 0 } }
            #expect(sameBits(partial.value, whole.value))
            #expect(relativeDistance(tangent, from: whole.jvp(v)) < tolerance)
            var expected = whole.vjp(u)
            for index in chosen { for place in primitive.range(index) { expected[place] = 0 } }
            #expect(relativeDistance(partial.vjp(u), from: expected) < tolerance)
        }
    }
}
