import Autodiff
import Interface
import Kernels
import Models
import Tasks

/// The streams from which lanes draw their actions.
private struct ActionStreams {
    private var streams: [RandomSource] = []

    mutating func begin(_ trials: [TrialStreams]) { streams = trials.map(\.actions) }
    mutating func restart(lane: Int, _ trial: TrialStreams) { streams[lane] = trial.actions }
    mutating func uniform(_ lane: Int) -> Float { streams[lane].uniform() }

    mutating func keep(lanes kept: [Int]) {
        for (place, lane) in kept.enumerated() where place != lane { streams[place] = streams[lane] }
        streams.removeLast(streams.count - kept.count)
    }
}

/// A policy with given weights.
final class PolicyPlayer<Policy: SequencePolicy>: LanePlayer {
    private let policy: Policy
    private let parameters: UnsafePointer<Float>
    private let memory: Policy.Memory
    private let choice: ActionChoice
    private let tape: Tape
    /// Log-probabilities of the step at hand [lanes, A].
    private let distributions: Buffer<Float>
    private var streams = ActionStreams()

    /// - Parameters:
    ///   - parameters: θ [P], for as long as it plays.
    ///   - memory: lanes for the first trials; restarted here, because trials begin here.
    ///   - tape: any tape of this thread; it does not record.
    init(
        _ policy: Policy, parameters: UnsafePointer<Float>, memory: Policy.Memory, distributions: Buffer<Float>,
        choice: ActionChoice, tape: Tape
    ) {
        self.policy = policy
        self.parameters = parameters
        self.memory = memory
        self.choice = choice
        self.tape = tape
        self.distributions = distributions
    }

    func begin(_ trials: [TrialStreams]) {
        streams.begin(trials)
        memory.restart(lanes: trials.count)
        // Each group of lanes starts with none, so that its bits do not depend on which thread plays it.
        tape.forgetEncodings()
    }

    func restart(lane: Int, _ trial: TrialStreams) {
        streams.restart(lane: lane, trial)
        memory.reset(lane: lane)
    }

    func act(_ inputs: StepInputs, into actions: UnsafeMutablePointer<Int32>) {
        let outcomes = policy.outputs
        tape.begin(parameters: parameters, recording: false, keepingEncodings: true)
        let logits = policy.step(inputs, memory: memory, tape: tape)
        Categorical.logProbabilities(
            rows: inputs.rows, outcomes: outcomes, logits: tape.value(logits), into: distributions.pointer)
        for lane in 0..<inputs.rows {
            let distribution = UnsafePointer(distributions.pointer + lane * outcomes)
            switch choice {
            case .sampled:
                actions[lane] = Int32(
                    Categorical.sample(distribution, outcomes: outcomes, uniform: streams.uniform(lane)))
            case .greedy:
                actions[lane] = Int32(Categorical.mode(distribution, outcomes: outcomes))
            }
        }
    }

    func keep(lanes kept: [Int]) {
        streams.keep(lanes: kept)
        memory.keep(lanes: kept)
    }
}

/// A random preference for each trial: action a with probability ∝ exp(spread · u_a), u_a ~ U(0, 1) drawn once a trial. Some
/// actions are then taken often and some rarely, which uniform play would never show.
final class PreferencePlayer: LanePlayer {
    private let spread: Float
    private let outcomes: Int
    /// Log-probabilities of each lane's actions [lanes, A].
    private var preferences: [Float] = []
    private var streams = ActionStreams()

    init(spread: Float, actions: Int) { (self.spread, outcomes) = (spread, actions) }

    func begin(_ trials: [TrialStreams]) {
        streams.begin(trials)
        preferences = [Float](repeating: 0, count: trials.count * outcomes)
        for lane in trials.indices { draw(lane) }
    }

    func restart(lane: Int, _ trial: TrialStreams) {
        streams.restart(lane: lane, trial)
        draw(lane)
    }

    private func draw(_ lane: Int) {
        let row = lane * outcomes
        for action in 0..<outcomes { preferences[row + action] = spread * streams.uniform(lane) }
        preferences.withUnsafeMutableBufferPointer {
            let place = $0.baseAddress! + row
            Categorical.logProbabilities(rows: 1, outcomes: outcomes, logits: place, into: place)
        }
    }

    func act(_ inputs: StepInputs, into actions: UnsafeMutablePointer<Int32>) {
        preferences.withUnsafeBufferPointer { preferences in
            for lane in 0..<inputs.rows {
                let row = preferences.baseAddress! + lane * outcomes
                actions[lane] = Int32(Categorical.sample(row, outcomes: outcomes, uniform: streams.uniform(lane)))
            }
        }
    }

    func keep(lanes kept: [Int]) {
        streams.keep(lanes: kept)
        for (place, lane) in kept.enumerated() where place != lane {
            for action in 0..<outcomes {
                preferences[place * outcomes + action] = preferences[lane * outcomes + action]
            }
        }
    }
}

/// A `Player` for each lane.
public final class PlayerLanes<Each: Player>: LanePlayer {
    private let make: (TrialStreams) -> Each
    private var players: [Each] = []
    private var sources: [RandomSource] = []

    /// - Parameter make: a player that has seen nothing yet, for a trial.
    public init(_ make: @escaping (TrialStreams) -> Each) { self.make = make }

    public func begin(_ trials: [TrialStreams]) {
        players = trials.map(make)
        sources = trials.map(\.actions)
    }

    public func restart(lane: Int, _ trial: TrialStreams) {
        players[lane] = make(trial)
        sources[lane] = trial.actions
    }

    public func act(_ inputs: StepInputs, into actions: UnsafeMutablePointer<Int32>) {
        for lane in 0..<inputs.rows {
            actions[lane] = Int32(players[lane].act(inputs[lane], random: &sources[lane]))
        }
    }

    public func keep(lanes kept: [Int]) {
        for (place, lane) in kept.enumerated() where place != lane {
            players.swapAt(place, lane)
            sources[place] = sources[lane]
        }
        players.removeLast(players.count - kept.count)
        sources.removeLast(sources.count - kept.count)
    }
}
