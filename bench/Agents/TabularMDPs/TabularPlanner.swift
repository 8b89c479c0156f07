import Interface
import Kernels
import Tasks

/// How an agent plans an episode from what it believes: the one part in which the tabular agents differ.
public protocol TabularPlanner: Sendable {
    /// Writes the action values that the next episode is played by.
    ///
    /// - Parameters:
    ///   - step: steps of the trial so far.
    ///   - tables: room to plan in.
    ///   - actionValues: Q [T, A, S]
    func plan(
        _ belief: TabularBelief, step: Int, tables: inout PlanningTables,
        into actionValues: UnsafeMutablePointer<Double>,
        random: inout RandomSource)
}

/// A model of an MDP and values of its states, to be overwritten.
public struct PlanningTables: Sendable {
    /// [A, S]
    public var rewards: [Double]
    /// [S′, A, S]
    public var transitions: [Double]
    /// [S]
    public var values: [Double]

    public init(_ belief: TabularBelief) {
        rewards = [Double](repeating: 0, count: belief.pairs)
        transitions = [Double](repeating: 0, count: belief.pairs * belief.states)
        values = [Double](repeating: 0, count: belief.states)
    }
}

/// When a tabular agent plans.
public enum Replanning: String, Sendable, CaseIterable {
    /// Before each episode, as in the published tables: what an episode shows is used from the next one on.
    case episode
    /// Before each step, for the rest of the episode: a policy with a memory can use what it saw at once, and so is judged
    /// beside an agent that does.
    case step
}

/// An agent for tabular MDPs: believes, plans, and takes the actions of highest value at the step of the episode and the
/// state where it is, ties broken at random.
public struct TabularMDPAgent<Planner: TabularPlanner>: ClassicAgent {
    public let name: String
    public let prior: TabularPrior
    public let planner: Planner
    public let replanning: Replanning
    /// ε: probability of a uniformly random action at a step.
    public let exploration: Double
    private let settings: [String]

    /// - Parameter settings: what tables say of the planner, such as "δ = 0.05".
    public init(
        name: String, prior: TabularPrior = TabularPrior(), planner: Planner,
        replanning: Replanning = .episode, exploration: Double = 0, settings: [String] = []
    ) {
        self.name = name
        self.prior = prior
        self.planner = planner
        self.replanning = replanning
        self.exploration = exploration
        self.settings = settings
    }

    public var parameters: String {
        let weights = [("τ₀", prior.rewardPrecision), ("α₀", prior.concentration)].filter { $0.1 != 1 }
        return
            (["μ₀ = \(decimal(prior.rewardMean))"] + weights.map { "\($0.0) = \(decimal($0.1))" } + settings
            + (replanning == .step ? ["plans each step"] : [])).joined(separator: ", ")
    }

    public func makePlayer(for family: any TaskFamily) -> TrialPlayer {
        guard case .vector(let states) = family.observation, states > 0 else {
            preconditionFailure("\(name) plays tasks whose observation is a state, one-hot")
        }
        return TrialPlayer(
            belief: TabularBelief(
                states: states, actions: family.actions, horizon: family.maximumEpisodeSteps, prior: prior),
            planner: planner, replanning: replanning, exploration: exploration)
    }

    public struct TrialPlayer: AdvisingPlayer {
        private var belief: TabularBelief
        private let planner: Planner
        private let replanning: Replanning
        private let exploration: Double
        private var tables: PlanningTables
        /// Q [T, A, S]
        private var actionValues: [Double]
        private var state = 0
        /// Steps of the episode so far.
        private var time = 0

        init(belief: TabularBelief, planner: Planner, replanning: Replanning, exploration: Double) {
            self.belief = belief
            self.planner = planner
            self.replanning = replanning
            self.exploration = exploration
            tables = PlanningTables(belief)
            actionValues = [Double](repeating: 0, count: belief.horizon * belief.pairs)
        }

        public mutating func act(_ input: StepView, random: inout RandomSource) -> Int {
            take(input, random: &random)
            defer { time += 1 }
            if exploration > 0 && random.uniformDouble() < exploration {
                return random.integer(below: belief.actions)
            }
            return best(random: &random)
        }

        public mutating func bestActions(_ input: StepView, random: inout RandomSource) -> [Int] {
            take(input, random: &random)
            defer { time += 1 }
            let first = time * belief.pairs + state
            let values = (0..<belief.actions).map { actionValues[first + $0 * belief.states] }
            let highest = values.max() ?? 0
            return values.indices.filter { values[$0] == highest }
        }

        /// A backup is S passes over A S numbers.
        public var planningOperations: Double { 2 * Double(belief.horizon * belief.pairs * belief.states) }

        /// Takes note of what it is shown, and plans if it is time to.
        private mutating func take(_ input: StepView, random: inout RandomSource) {
            let now = (0..<belief.states).first { input.vector[$0] != 0 }!
            if input.previousAction >= 0 {
                belief.observe(
                    state: state, action: input.previousAction, reward: Double(input.previousReward),
                    next: input.endsEpisode ? nil : now)
            }
            if input.previousAction < 0 || input.endsEpisode { time = 0 }
            if time == 0 || replanning == .step {
                planner.plan(
                    belief, step: input.stepIndex, tables: &tables, into: &actionValues, random: &random)
            }
            state = now
        }

        /// An action of the highest value; one of equals at random.
        private func best(random: inout RandomSource) -> Int {
            let first = time * belief.pairs + state
            var (chosen, highest, equals) = (0, -Double.infinity, 0)
            for action in 0..<belief.actions {
                let value = actionValues[first + action * belief.states]
                if value > highest {
                    (chosen, highest, equals) = (action, value, 1)
                } else if value == highest {
                    equals += 1
                    // The k-th of equals takes the place with probability 1/k: in the end each has it as often.
                    if random.integer(below: equals) == 0 { chosen = action }
                }
            }
            return chosen
        }
    }
}
