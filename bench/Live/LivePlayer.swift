import Autodiff
import Interface
import Kernels
import Models
import Tasks
import Training

/// Chooses the actions of one live trial: a trained policy by its own `step`, or a classic agent, an oracle, random play. It
/// is given what `Rollout` gives, and draws from the trial's own stream for choices, so it does what an evaluation of the
/// same member does.
public final class LivePlayer {
    /// As tables call it.
    public let name: String
    private let choose: (StepInputs) -> Int
    private let stepper: PolicyStepper?

    /// A trained policy.
    /// - Parameter steps: most steps of the trial.
    public init(_ agent: LearnedAgent, streams: TrialStreams, steps: Int) {
        let stepper = PolicyStepper(agent, steps: steps)
        var random = streams.actions
        name = agent.name
        self.stepper = stepper
        choose = { inputs in
            stepper.step(inputs)
            switch agent.choice {
            case .sampled:
                return Categorical.sample(
                    stepper.logProbabilities, outcomes: stepper.outputs, uniform: random.uniform())
            case .greedy: return Categorical.mode(stepper.logProbabilities, outcomes: stepper.outputs)
            }
        }
    }

    /// An agent that is no trained policy.
    public init(_ agent: any Agent & Teacher, family: any TaskFamily, streams: TrialStreams) {
        let lanes = agent.makeLanePlayer(for: family)
        lanes.begin([streams])
        name = agent.name
        stepper = nil
        choose = { inputs in
            var action: Int32 = 0
            lanes.act(inputs, into: &action)
            return Int(action)
        }
    }

    /// Chooses the action of a step. To be called once a step, from the first on: it remembers.
    public func act(_ inputs: StepInputs) -> Int { choose(inputs) }

    /// Of a trained policy: logits of the last step [A].
    public var logits: [Float]? { stepper?.logits }
    /// Of a trained policy: log π(· | history) of the last step [A].
    public var logProbabilities: [Float]? { stepper?.logProbabilities }
}

/// A policy in one lane, one step after another.
final class PolicyStepper {
    let outputs: Int
    /// Of the last step [A].
    private(set) var logits: [Float]
    /// log softmax of them [A]
    private(set) var logProbabilities: [Float]
    private let weights: Matrix
    private let tape = Tape()
    private let advance: (StepInputs, Tape) -> Node

    init(_ agent: LearnedAgent, steps: Int) {
        func opened<Policy: SequencePolicy>(_ policy: Policy) -> (StepInputs, Tape) -> Node {
            let memory = policy.makeMemory(lanes: 1, steps: steps)
            memory.restart(lanes: 1)
            return { policy.step($0, memory: memory, tape: $1) }
        }
        outputs = agent.policy.outputs
        logits = [Float](repeating: 0, count: outputs)
        logProbabilities = logits
        weights = agent.weights
        advance = opened(agent.policy)
    }

    func step(_ inputs: StepInputs) {
        tape.begin(parameters: UnsafePointer(weights.pointer), recording: false, keepingEncodings: true)
        let values = tape.value(advance(inputs, tape))
        for index in 0..<outputs { logits[index] = values[index] }
        Categorical.logProbabilities(rows: 1, outcomes: outputs, logits: logits, into: &logProbabilities)
    }
}
