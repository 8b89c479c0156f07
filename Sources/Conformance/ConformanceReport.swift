import Interface
import Kernels
import Models
import Tasks

/// What the conformance kit says of an architecture: whether it is a right sequence model, and whether a training of it
/// is RL². For the tests of whoever adds a model or a task:
///
///     let report = ConformanceReport(model: { MyModel($0) })
///     #expect(report.passed, "\(report)")
public struct ConformanceReport: Sendable, CustomStringConvertible {
    /// Findings of the contract on one task.
    public struct Contract: Sendable {
        public let task: String
        /// A finding for each `ContractLine`, in their order.
        public let findings: [Finding]
    }

    public let name: String
    /// A finding for each `ModelLine`, in their order.
    public let model: [Finding]
    /// The contract, task by task.
    public let contracts: [Contract]
    /// P of a policy of width `hidden` on the scripted task.
    public let parameters: Int
    public let hidden: Int
    /// Bytes of its memory a lane, for trials of the length of the scripted task's.
    public let bytesPerLane: Int

    /// Judges an architecture.
    ///
    /// - Parameters:
    ///   - hidden: H of the models that are built; small, so that it is quick.
    ///   - options: a value for each of the architecture's own options, if it has any.
    ///   - hasKinks: the outputs have kinks in θ, as those of a ReLU; the derivative is then judged by a median.
    ///   - memoryReset: what its memory is asked to forget when an episode ends, against line 3 of the contract, which is
    ///     then not judged.
    ///   - tasks: on which the contract is judged.
    ///   - model: builds the architecture.
    public init(
        name: String = "model", hidden: Int = 16, options: Values = [:], hasKinks: Bool = false,
        memoryReset: MemoryReset = .none, tasks: [any TaskFamily] = [ScriptedFamily()],
        loop: any OuterLoop = TrainingLoop(),
        model: @escaping @Sendable (ModelSpecification) -> any SequencePolicy
    ) {
        self.init(
            Candidate(
                name: name, hidden: hidden, options: options, hasKinks: hasKinks, memoryReset: memoryReset, build: model
            ),
            tasks: tasks, loop: loop)
    }

    /// Judges a task, with the first architecture of the catalogue.
    public init(task: any TaskFamily) { self.init(Candidate(modelCatalogue.entries[0]), tasks: [task]) }

    public init(_ candidate: Candidate, tasks: [any TaskFamily], loop: any OuterLoop = TrainingLoop()) {
        name = candidate.name
        hidden = candidate.hidden
        model = ModelCheck(candidate).findings()
        let scripted = ScriptedFamily()
        let policy = candidate.policy(for: scripted)
        parameters = policy.layout.count
        bytesPerLane = policy.memoryBytes(steps: scripted.maximumTrialSteps)
        // Without a steady layout nothing can be run.
        let isSteady = model[0].verdict == .passed
        contracts = tasks.map { family in
            guard isSteady else {
                let findings = ContractLine.allCases.map {
                    Finding($0.name, .notJudged, "there is no telling which parameter is which")
                }
                return Contract(task: family.name, findings: findings)
            }
            let setting = TrialSetting(
                family: family, policy: candidate.policy(for: family), critic: candidate.critic(for: family),
                noise: candidate.noise)
            let contract = TrialContract(setting: setting, memoryReset: candidate.memoryReset, loop: loop)
            return Contract(task: family.name, findings: contract.findings())
        }
    }

    /// All findings, with the task to which they belong.
    public var findings: [(task: String?, finding: Finding)] {
        model.map { (nil, $0) } + contracts.flatMap { contract in contract.findings.map { (contract.task, $0) } }
    }

    public var failures: [(task: String?, finding: Finding)] { findings.filter { $0.finding.verdict == .failed } }

    public var passed: Bool { failures.isEmpty }

    /// What failed, a line each; or that nothing did.
    public var description: String {
        if passed { return "\(name): all \(findings.count) lines hold" }
        return failures.map { task, finding in "\(name)\(task.map { " on \($0)" } ?? ""): \(finding)" }
            .joined(separator: "\n")
    }
}

extension Candidate {
    /// A policy as a training would make it, but for a head whose outputs are not small.
    func policy(for family: any TaskFamily) -> any SequencePolicy {
        model(
            family.observation, actions: family.actions, outputs: family.actions, steps: family.maximumTrialSteps)
    }

    func critic(for family: any TaskFamily) -> any SequencePolicy {
        model(
            family.observation, actions: family.actions, outputs: 1,
            stepScale: Float(max(family.maximumTrialSteps, 1)), steps: family.maximumTrialSteps)
    }
}

extension TrialSetting {
    /// About a thousand steps of a policy and a critic that are far from their first values.
    init(
        family: any TaskFamily, policy: any SequencePolicy, critic: any SequencePolicy, noise: Float, seed: UInt64 = 91
    ) {
        var random = RandomSource(seed: seed)
        func parameters(_ model: any SequencePolicy, _ stream: Int) -> [Float] {
            zip(
                model.layout.initialValues(random.split(stream)), random.normals(model.layout.count, deviation: noise)
            ).map(+)
        }
        self.init(
            family: family, policy: policy, policyParameters: parameters(policy, 0), critic: critic,
            criticParameters: parameters(critic, 1),
            trials: min(24, max(4, 1000 / family.maximumTrialSteps)), root: random.split(2), discount: 0.9, lambda: 0.7,
            targetLambda: 0.4)
    }
}
