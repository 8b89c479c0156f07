import Autodiff
import Interface
import Kernels
import Models

/// A line of the kit that needs an architecture only.
public enum ModelLine: String, Sendable, CaseIterable {
    case layout
    case adjoint
    case derivative
    case record
    case unroll = "unroll = step"
    case causality
    case lanes
    case packing
    case carry = "state-carry"
    case restart
    case scale = "first scale"
    case symmetry = "arm symmetry"

    /// What holds where the line holds.
    public var statement: String {
        switch self {
        case .layout: "names, shapes, order and first values of the parameters are the same at every call"
        case .adjoint: "⟨u, J v⟩ = ⟨Jᵀ u, v⟩: the two readings of the tape are each other's transpose"
        case .derivative: "J v is the limit of differences"
        case .record: "a record can be read again, and nothing but the record decides what is read"
        case .unroll: "unroll ≡ step repeated, over ragged lanes and over 500 steps, to 1e-5"
        case .causality: "no step sees the future"
        case .lanes: "no lane sees another"
        case .packing: "where a trial lies in a batch, and beside how many, changes nothing"
        case .carry: "memory holds over an episode's end, unless it is asked to forget; without memory nothing does"
        case .restart: "a memory that was reset is a fresh one"
        case .scale: "the first policy is close to uniform, activations neither vanish nor explode over 200 steps"
        case .symmetry: "renaming the actions renames the logits, and leaves a value as it is, if the model says so"
        }
    }
}

/// Judges an architecture by itself, as a policy of a task that shows vectors, as a critic of one that shows nothing, and as
/// policy and critic of tasks that show images.
struct ModelCheck {
    private let candidate: Candidate

    init(_ candidate: Candidate) { self.candidate = candidate }

    /// Steps of trials over which widths and horizons are set.
    private static let lengths = [4, 2, 5, 4]
    private static let longSteps = 500
    private static let spreadSteps = 200

    private struct Role {
        let name: String
        let observation: ObservationSpace
        let actions: Int
        let outputs: Int
        /// It is given the step of the trial, as critics are.
        let knowsStep: Bool

        func stepScale(_ steps: Int) -> Float? { knowsStep ? Float(steps) : nil }

        /// Images are read through rectifiers.
        var hasKinks: Bool { if case .image = observation { true } else { false } }
    }

    private static let roles = [
        Role(name: "policy", observation: .vector(width: 3), actions: 4, outputs: 4, knowsStep: false),
        Role(name: "critic", observation: .vector(width: 0), actions: 5, outputs: 1, knowsStep: true),
        Role(
            name: "policy of images", observation: .image(height: 14, width: 13, channels: 2), actions: 4, outputs: 4,
            knowsStep: false),
        Role(
            name: "critic of images", observation: .image(height: 13, width: 15, channels: 1), actions: 3, outputs: 1,
            knowsStep: true),
    ]

    /// A finding for each `ModelLine`, in their order.
    func findings() -> [Finding] {
        let layout = judge(.layout)
        guard layout.verdict == .passed else {
            return [layout]
                + ModelLine.allCases.dropFirst().map {
                    Finding($0.rawValue, .notJudged, "there is no telling which parameter is which")
                }
        }
        return [layout] + ModelLine.allCases.dropFirst().map(judge)
    }

    private func judge(_ line: ModelLine) -> Finding {
        var judgement = Judgement()
        if line == .symmetry, !ModelCheck.roles.contains(where: { build($0, steps: 5).isArmSymmetric }) {
            return Finding(line.rawValue, .notJudged, "it does not say so")
        }
        for role in ModelCheck.roles {
            judgement.subject = role.name
            switch line {
            case .layout: layout(role, &judgement)
            case .adjoint: adjoint(role, &judgement)
            case .derivative: derivative(role, &judgement)
            case .record: record(role, &judgement)
            case .unroll: unroll(role, &judgement)
            case .causality: change(role, &judgement) { $0.pastIsUntouched ? nil : "an earlier output" }
            case .lanes: change(role, &judgement) { $0.othersAreUntouched ? nil : "an output of another lane" }
            case .packing: packing(role, &judgement)
            case .carry: carry(role, &judgement)
            case .restart: restart(role, &judgement)
            case .scale: scale(role, &judgement)
            case .symmetry: symmetry(role, &judgement)
            }
        }
        return judgement.finding(line.rawValue)
    }

    private func model(_ role: Role, lengths: [Int] = lengths, noise: Float = 1, seed: UInt64) -> ModelUnderTest {
        var random = RandomSource(seed: seed)
        let trials = TrialInputs(
            lengths: lengths, observation: role.observation, actions: role.actions, random: &random)
        return ModelUnderTest(
            build(role, steps: lengths.max() ?? 1), trials: trials, noise: noise * candidate.noise, random: &random)
    }

    private func build(_ role: Role, steps: Int) -> any SequencePolicy {
        candidate.model(
            role.observation, actions: role.actions, outputs: role.outputs, stepScale: role.stepScale(steps),
            steps: steps)
    }

    // MARK: Lines

    private func layout(_ role: Role, _ judgement: inout Judgement) {
        let policy = build(role, steps: 5)
        let layout = policy.layout
        if let change = ParameterLayout.difference(layout, policy.layout) {
            return judgement.require(false, "the layout changes between calls: \(change)")
        }
        if let change = ParameterLayout.difference(layout, build(role, steps: 5).layout) {
            return judgement.require(false, "two models of one specification differ: \(change)")
        }
        var offset = 0
        for entry in layout.entries {
            judgement.require(entry.offset == offset, "'\(entry.name)' does not begin where θ goes on")
            offset += entry.count
        }
        judgement.require(offset == layout.count, "entries fill \(offset) of \(layout.count) numbers")
        judgement.require(
            Set(layout.entries.map(\.name)).count == layout.entries.count, "two parameters share a name")
        let values = layout.initialValues(RandomSource(seed: 1))
        judgement.require(values.allSatisfy(\.isFinite), "a first value is not finite")
        judgement.require(
            sameBits(values, policy.layout.initialValues(RandomSource(seed: 1))),
            "first values differ between calls")
        // And after the model was run in both ways.
        let trained = model(role, seed: 50)
        if trained.policy.layout.count == trained.parameters.count {
            _ = (trained.unrolled(), trained.stepped())
        }
        if let change = ParameterLayout.difference(layout, trained.policy.layout) {
            judgement.require(false, "the layout changes as the model runs: \(change)")
        }
        judgement.note("\(layout.entries.count) parameters")
    }

    /// Numbers that a number of an unroll sums, at most: all parameters, once a step.
    private func tolerance(_ model: ModelUnderTest) -> Double {
        roundingTolerance(depth: model.parameters.count * (ModelCheck.lengths.max() ?? 1))
    }

    private func adjoint(_ role: Role, _ judgement: inout Judgement) {
        let model = model(role, seed: 51)
        var random = RandomSource(seed: 52)
        let error = (0..<3).map { _ in adjointError(model.function, at: model.parameters, random: &random) }.max()!
        judgement.require(
            error < tolerance(model), "\(Display.scientific(error)) of at most \(Display.scientific(tolerance(model)))")
        judgement.note("relative error \(Display.scientific(error))")
    }

    private func derivative(_ role: Role, _ judgement: inout Judgement) {
        let model = model(role, seed: 51)
        var random = RandomSource(seed: 53)
        let direction = random.uniforms(model.parameters.count, bound: 1.5 * candidate.noise)
        if candidate.hasKinks || role.hasKinks {
            // Behind rectified images every output has many kinks: fewer of them lie within a shorter step.
            let error = medianDerivativeError(
                model.function, at: model.parameters, direction: direction, step: role.hasKinks ? 0.001 : 0.01)
            let bound = role.hasKinks ? 5e-3 : 2e-3
            judgement.require(error < bound, "median error \(Display.scientific(error)) of at most \(bound)")
            judgement.note("median error \(Display.scientific(error))")
            return
        }
        func report(_ step: Float) -> DerivativeReport {
            derivativeReport(model.function, at: model.parameters, direction: direction, largestStep: step)
        }
        // A sharply curved model shows the power law at shorter steps; a wrong derivative shows it at none.
        let first = report(0.2)
        let good =
            [first, report(0.05)].first { $0.isDerivative }
            ?? [Float(0.1), 0.025, 0.0125, 0.006, 0.003].lazy.map(report).first { $0.fallsWithTheSquare }
        judgement.require(good != nil, "\(first)")
        judgement.note("\(good ?? first)")
    }

    private func record(_ role: Role, _ judgement: inout Judgement) {
        let model = model(role, seed: 51)
        var random = RandomSource(seed: 54)
        let report = recordReport(model.function, at: model.parameters, random: &random)
        judgement.require(report.valueNeedsNoRecord, "outputs differ on a tape that does not record")
        judgement.require(report.readingsRepeat, "a second reading differs from the first")
        judgement.require(report.memoryIsOverwritten, "what lay in the tape's memory before shows in the results")
        judgement.require(report.sharingError < tolerance(model), "a pullback overwrites instead of adding")
        judgement.require(report.accumulationError < tolerance(model), "a gradient is overwritten instead of added to")
        judgement.note("all readings repeat")
    }

    private func unroll(_ role: Role, _ judgement: inout Judgement) {
        var worst = 0.0
        for lengths in [ModelCheck.lengths, [1], [1, 7, 1, 3, 7]] {
            let error = unrollStepError(model(role, lengths: lengths, seed: 55))
            judgement.require(error < 1e-5, "\(Display.scientific(error)) apart over lengths \(lengths)")
            worst = max(worst, error)
        }
        // Far from its first values a recurrence may be chaotic, and then rounding alone parts the two.
        let long = unrollStepError(
            model(role, lengths: [ModelCheck.longSteps, 317, ModelCheck.longSteps, 1], noise: 0.1, seed: 56))
        judgement.require(long < 1e-5, "\(Display.scientific(long)) apart over \(ModelCheck.longSteps) steps")
        judgement.note(
            "apart by \(Display.scientific(worst)), over \(ModelCheck.longSteps) steps by \(Display.scientific(long))")
    }

    /// Changes what is shown at each step of each trial.
    private func change(_ role: Role, _ judgement: inout Judgement, fault: (ChangeReport) -> String?) {
        let model = model(role, seed: 57)
        let before = model.unrolled()
        var random = RandomSource(seed: 58)
        var changes = 0
        for (trial, length) in ModelCheck.lengths.enumerated() {
            // The first step of a trial without observations shows nothing that could be changed.
            for step in (role.observation.count == 0 ? 1 : 0)..<length {
                let report = changeReport(model, before: before, trial: trial, step: step, random: &random)
                if let fault = fault(report) {
                    judgement.require(false, "what trial \(trial) shows at step \(step) changes \(fault)")
                }
                judgement.require(report.presentChanges, "outputs do not depend on what is shown")
                changes += 1
            }
        }
        judgement.note("\(changes) changes, the same outputs elsewhere")
    }

    private func packing(_ role: Role, _ judgement: inout Judgement) {
        let error = packingError(model(role, seed: 59))
        judgement.require(error < 1e-5, "\(Display.scientific(error)) apart")
        judgement.note("apart by \(Display.scientific(error))")
    }

    /// A change of what was shown at the last step of an episode.
    private func carry(_ role: Role, _ judgement: inout Judgement) {
        var model = model(role, lengths: [9, 9], seed: 60)
        var trials = model.trials
        let (last, length) = (4, 9)
        for step in 1..<length { trials.steps[0][step].episodeEnd = step == last + 1 ? 1 : 0 }
        model = model.with(trials)
        var random = RandomSource(seed: 61)
        let report = changeReport(model, trial: 0, step: last, random: &random)
        let bytes = model.policy.memoryBytes(steps: length)
        judgement.require(
            model.policy.memoryReset == candidate.memoryReset,
            "it was asked to forget '\(candidate.memoryReset)' of its memory when an episode ends, and says that it forgets "
                + "'\(model.policy.memoryReset)'")
        if bytes == 0 {
            judgement.require(
                report.laterSteps.isEmpty,
                "it says that it has no memory, and an input changes later outputs")
            judgement.note("no memory")
        } else if candidate.memoryReset == .episode {
            judgement.require(
                report.laterSteps.isEmpty,
                "what was shown before an episode's end changes outputs after it, and all should be forgotten")
            judgement.note("no later output changes")
        } else {
            judgement.require(
                !report.laterSteps.isEmpty,
                "what was shown before an episode's end changes nothing after it")
            judgement.note("\(report.laterSteps.count) of \(length - last - 1) later outputs change")
        }
    }

    private func restart(_ role: Role, _ judgement: inout Judgement) {
        let report = restartReport(model(role, seed: 62))
        judgement.require(report.reset, "after reset(lane:) something is left of an earlier trial")
        judgement.require(report.restart, "after restart(lanes:) something is left of earlier trials")
        judgement.note("the same bits")
    }

    /// At the first values, in a model that is wider than the others, with a policy's head and then a head of gain 1.
    private func scale(_ role: Role, _ judgement: inout Judgement) {
        var random = RandomSource(seed: 63)
        let trials = TrialInputs(
            lengths: [Int](repeating: ModelCheck.spreadSteps, count: 6), observation: role.observation,
            actions: role.actions, random: &random)
        let width = candidate.hidden * ((64 + candidate.hidden - 1) / candidate.hidden)
        func first(headGain: Float) -> ModelUnderTest {
            let policy = candidate.model(
                role.observation, actions: role.actions, outputs: role.actions, width: width,
                headGain: headGain, stepScale: role.stepScale(ModelCheck.spreadSteps), steps: ModelCheck.spreadSteps)
            return ModelUnderTest(policy, parameters: policy.layout.initialValues(random.split(2)), trials: trials)
        }
        let logit =
            first(headGain: 0.01).unrolled().joined().map { logits -> Float in
                let mean = logits.reduce(0, +) / Float(logits.count)
                return logits.map { abs($0 - mean) }.max() ?? 0
            }.max() ?? 0
        judgement.require(
            logit < 0.2,
            "a logit of the first policy lies \(Display.scientific(Double(logit))) from their mean, over 0.2")
        let spread = spreadReport(first(headGain: 1))
        judgement.require(
            (1e-3...1e3).contains(spread.first),
            "outputs are \(Display.scientific(spread.first)) apart at the first steps")
        let ratio = spread.last / spread.first
        judgement.require(
            (0.1...10).contains(ratio),
            "outputs are \(Display.scientific(spread.first)) apart at the first steps, \(Display.scientific(spread.last)) at the last"
        )
        judgement.note(
            "largest logit \(Display.scientific(Double(logit))), spread \(Display.scientific(spread.first)), later \(Display.scientific(spread.last))"
        )
    }

    private func symmetry(_ role: Role, _ judgement: inout Judgement) {
        let model = model(role, seed: 64)
        guard model.policy.isArmSymmetric else { return judgement.note("not said to be symmetric") }
        var random = RandomSource(seed: 65)
        let report = relabellingReport(model, random: &random)
        judgement.require(report.error < 1e-5, "renamed actions part outputs by \(Display.scientific(report.error))")
        judgement.require(report.contrast > 1e-3, "outputs do not tell actions apart")
        judgement.note("apart by \(Display.scientific(report.error))")
    }
}
