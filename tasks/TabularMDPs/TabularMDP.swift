import Interface
import Kernels

/// Random tabular MDPs: S states, A actions, n episodes of T steps that all begin in state 0 (Duan et al. 2016,
/// section 3.2; the family of Osband, Russo and Van Roy 2013).
///
/// Drawn once a member: transition probabilities p(· | s, a) from the flat Dirichlet distribution, mean rewards
/// μ(s, a) ~ N(1, 1). A step pays N(μ(s, a), 1). The observation is the state, one-hot. An episode is cut by its time
/// limit, never terminated; the flag d tells of it all the same.
///
/// With m reachable states less than S, no transition leads to others than the first m: an MDP of m states in the spaces of
/// one of S. The same states are met again sooner, so there is more to be remembered in a trial and less to be told apart.
/// Not in the paper; for a training to begin with.
public struct TabularMDP: TaskFamily {
    /// S
    public let states: Int
    public let actions: Int
    /// T: steps of every episode.
    public let horizon: Int
    public let episodes: Int
    /// m: states that transitions lead to.
    public let reachableStates: Int

    /// - Parameters:
    ///   - reachableStates: 1 … `states`; all unless given.
    ///   - others: at least 1.
    public init(
        states: Int = 10, actions: Int = 5, horizon: Int = 10, episodes: Int = 10, reachableStates: Int? = nil
    ) {
        precondition(states >= 1 && actions >= 1 && horizon >= 1 && episodes >= 1, "an MDP of no size")
        self.reachableStates = reachableStates ?? states
        precondition((1...states).contains(self.reachableStates), "an MDP of which none or too many states are reached")
        self.states = states
        self.actions = actions
        self.horizon = horizon
        self.episodes = episodes
    }

    public var name: String { "mdp" }
    public var observation: ObservationSpace { .vector(width: states) }
    public var maximumEpisodeSteps: Int { horizon }

    public func sample(_ random: inout RandomSource) -> Member { Member(self, &random) }

    public func makeEnvironments(_ count: Int) -> any EnvironmentLanes { TabularMDPLanes(family: self, lanes: count) }

    /// n T, since rewards have mean 1 wherever play goes.
    public var randomReturn: Double? { Double(episodes * horizon) }

    /// n V_0(0) by backward induction.
    public func oracleReturn(of member: Member) -> Double? {
        Double(episodes) * member.optimalEpisodeReward
    }

    public func makeOracle(for member: Member) -> (any Player)? {
        PlanPlayer(bestActions: bestActions(of: member), states: states)
    }

    public func optimalActions(in environment: Member) -> [Int]? {
        [bestActions(of: environment)[min(environment.steps, horizon - 1)][environment.state]]
    }

    public func makeProbes() -> (any TrialProbes<Member>)? { TabularMDPProbes(self) }

    /// What optimal play of a known member does [T][S]; the first of equals.
    private func bestActions(of member: Member) -> [[Int]] {
        let values = member.optimalActionValues
        return (0..<horizon).map { time in
            (0..<states).map { state in
                let row = (0..<actions).map { values[(time * actions + $0) * states + state] }
                return row.indices.max { (row[$0], -$0) < (row[$1], -$1) }!
            }
        }
    }

    public func choices(of member: Member) -> ChoiceTable? {
        // N(1, 1), from which mean rewards are drawn; a reward's own precision is 1.
        ChoiceTable(
            meanRewards: (0..<states).map { state in
                (0..<actions).map { member.meanReward(state: state, action: $0) }
            }, bestActions: bestActions(of: member), priorMean: 1, priorWeight: 1)
    }

    /// Follows a plan of an episode's steps and states.
    private struct PlanPlayer: Player {
        let bestActions: [[Int]]
        let states: Int
        var time = 0

        mutating func act(_ input: StepView, random: inout RandomSource) -> Int {
            if input.endsEpisode { time = 0 }
            defer { time += 1 }
            let state = (0..<states).first { input.vector[$0] == 1 } ?? 0
            return bestActions[min(time, bestActions.count - 1)][state]
        }
    }

    /// What a member is, in the tables by which lanes play it.
    struct Tables {
        let states: Int
        let actions: Int
        let reachableStates: Int

        /// Numbers a row of cumulative probabilities takes: S, filled up for the processor's sake.
        var stride: Int { (states + 7) & ~7 }
        var cumulativeCount: Int { states * actions * stride }
        var meanCount: Int { states * actions }

        /// Draws a member.
        ///
        /// - Parameters:
        ///   - cumulative: [S, A, stride]: P(s′ ≤ j | s, a) for j < m − 1, then numbers that no uniform number reaches.
        ///   - means: μ [S, A]
        func draw(
            _ random: inout RandomSource, cumulative: UnsafeMutablePointer<Float>, means: UnsafeMutablePointer<Float>
        ) {
            for pair in 0..<states * actions {
                // A flat Dirichlet draw: shares of exponential draws, summed up as they come.
                let row = cumulative + pair * stride
                var sum = 0.0
                for state in 0..<reachableStates {
                    sum += random.exponential()
                    row[state] = Float(sum)
                }
                let scale = Float(1 / sum)
                for state in 0..<reachableStates - 1 { row[state] = min(1, row[state] * scale) }
                for place in reachableStates - 1..<stride { row[place] = 2 }
            }
            for pair in 0..<states * actions { means[pair] = Float(1 + random.fastNormal()) }
        }

        /// Takes a step: draws the reward, then the next state.
        @inline(__always)
        func step(
            state: Int, action: Int, cumulative: UnsafePointer<Float>, means: UnsafePointer<Float>,
            random: inout RandomSource
        ) -> (reward: Float, next: Int) {
            let pair = state * actions + action
            let reward = means[pair] + Float(random.fastNormal())
            let uniform = random.uniform()
            // The states whose cumulative probability is passed: counted without a branch, the whole row at once.
            let row = cumulative + pair * stride
            var next: Int32 = 0
            for place in 0..<stride { next &+= uniform >= row[place] ? 1 : 0 }
            return (reward, Int(next))
        }
    }

    var tables: Tables { Tables(states: states, actions: actions, reachableStates: reachableStates) }
}

extension TabularMDP {
    /// One MDP of the family, played alone. (Lanes play the same tables side by side, see `TabularMDPLanes`.)
    public struct Member: Environment {
        public let family: TabularMDP
        private let cumulative: [Float]
        private let means: [Float]
        private(set) var state = 0
        /// Steps of the episode so far.
        private(set) var steps = 0

        init(_ family: TabularMDP, _ random: inout RandomSource) {
            self.family = family
            let tables = family.tables
            var cumulative = [Float](repeating: 0, count: tables.cumulativeCount)
            var means = [Float](repeating: 0, count: tables.meanCount)
            tables.draw(&random, cumulative: &cumulative, means: &means)
            self.cumulative = cumulative
            self.means = means
        }

        /// μ(s, a)
        public func meanReward(state: Int, action: Int) -> Double {
            Double(means[state * family.actions + action])
        }

        /// p(s′ | s, a)
        public func probability(of next: Int, state: Int, action: Int) -> Double {
            let row = (state * family.actions + action) * family.tables.stride
            let below = next == 0 ? 0 : min(1, Double(cumulative[row + next - 1]))
            return min(1, Double(cumulative[row + next])) - below
        }

        /// Q of optimal play by one who knows the member [T, A, S].
        public var optimalActionValues: [Double] { solve().actionValues }

        /// V_0(0): mean reward of an episode under optimal play.
        public var optimalEpisodeReward: Double { solve().values[0] }

        private func solve() -> (actionValues: [Double], values: [Double]) {
            let (states, actions) = (family.states, family.actions)
            var rewards = [Double](repeating: 0, count: states * actions)
            var transitions = [Double](repeating: 0, count: states * states * actions)
            for state in 0..<states {
                for action in 0..<actions {
                    let pair = action * states + state
                    rewards[pair] = meanReward(state: state, action: action)
                    for next in 0..<states {
                        transitions[next * states * actions + pair] = probability(
                            of: next, state: state, action: action)
                    }
                }
            }
            var actionValues = [Double](repeating: 0, count: family.horizon * states * actions)
            var values = [Double](repeating: 0, count: states)
            BackwardInduction.solve(
                states: states, actions: actions, horizon: family.horizon, rewards: rewards, transitions: transitions,
                into: &actionValues, values: &values)
            return (actionValues, values)
        }

        public mutating func reset(observation: ObservationWriter, random: inout RandomSource) {
            (state, steps) = (0, 0)
            observation.write(oneHot: 0, of: family.states)
        }

        public mutating func step(
            action: Int, observation: ObservationWriter, random: inout RandomSource
        ) -> Transition {
            let taken = family.tables.step(
                state: state, action: action, cumulative: cumulative, means: means, random: &random)
            state = taken.next
            steps += 1
            observation.write(oneHot: state, of: family.states)
            return Transition(reward: taken.reward, truncated: steps == family.horizon)
        }
    }
}

extension ObservationWriter {
    /// Writes the vector of `count` numbers that is 1 at `index` and 0 elsewhere.
    @inline(__always)
    func write(oneHot index: Int, of count: Int) {
        for place in 0..<count { vector[place] = 0 }
        vector[index] = 1
    }
}
