import Kernels
import Tasks

/// What came of one trial.
struct TrialOutcome {
    /// Of each episode.
    var rewards: [Double] = []
    var steps: [Int] = []
    var successes: [Bool] = []
    /// Of the whole trial; kept only where episode 2 is worse than episode 1 (`InsideTrial.Forgetting`).
    var actions: [Int] = []

    /// Whether the goal was reached in episode 1, and in episode 2 not, or in more than twice as many steps.
    var isForgetful: Bool {
        steps.count > 1 && successes[0] && (!successes[1] || steps[1] > 2 * steps[0])
    }
}

/// What is counted over the trials of one part of an analysis.
struct TrialTally {
    /// In the order of members.
    var outcomes: [TrialOutcome] = []
    var secondStarts: [InsideTrial.SecondStart.Group: SecondStartSums] = [:]
    /// Trials whose episode 2 begins with another observation than episode 1.
    var otherStarts = 0
    /// Steps at which the most probable action is allowed, by rule and episode [rules][episodes]; probability of allowed
    /// actions; share of actions that are allowed.
    var mode, probability, chance: [[Moments]]
    /// Of the trials that read-outs are judged on, those that came to a moment [moments]
    var reached: [Int]
    /// Of the policy and of its untrained twin: what read-outs are fitted from; empty in parts that they are judged on.
    var readouts: [ReadoutSums] = []
    var scores: [QuantityScore]

    init(rules: Int, episodes: Int, moments: Int, quantities: [ProbeQuantity]) {
        mode = [[Moments]](repeating: [Moments](repeating: Moments(), count: episodes), count: rules)
        (probability, chance) = (mode, mode)
        reached = [Int](repeating: 0, count: moments)
        scores = quantities.map { QuantityScore($0, moments: moments) }
    }

    /// Adds all but `readouts`.
    mutating func add(_ other: TrialTally) {
        outcomes += other.outcomes
        for (group, sums) in other.secondStarts { secondStarts[group, default: SecondStartSums()].add(sums) }
        otherStarts += other.otherStarts
        func add(_ others: [[Moments]], to sums: inout [[Moments]]) {
            for row in sums.indices { for place in sums[row].indices { sums[row][place].add(others[row][place]) } }
        }
        add(other.mode, to: &mode)
        add(other.probability, to: &probability)
        add(other.chance, to: &chance)
        for place in reached.indices { reached[place] += other.reached[place] }
        for index in scores.indices { scores[index].add(other.scores[index]) }
    }
}

/// First steps of episode 2, beside those of episode 1.
struct SecondStartSums {
    private var distance = Moments()
    private var resetDistance = Moments()
    private var modes = [0, 0, 0]
    private var probabilities = [Moments](repeating: Moments(), count: 3)
    private var chance = Moments()

    /// - Parameters:
    ///   - first: distribution at the first step of episode 1 [A]; likewise in episode 2, and of the control there.
    ///   - optimal: optimal actions; nil where the task does not tell.
    mutating func add(first: [Double], second: [Double], reset: [Double], optimal: [Int]?) {
        distance.add(totalVariation(first, second))
        resetDistance.add(totalVariation(first, reset))
        guard let optimal else { return }
        for (index, chosen) in [first, second, reset].enumerated() {
            if optimal.contains(mostProbable(chosen)) { modes[index] += 1 }
            probabilities[index].add(optimal.reduce(0) { $0 + chosen[$1] })
        }
        chance.add(Double(optimal.count) / Double(first.count))
    }

    mutating func add(_ other: SecondStartSums) {
        distance.add(other.distance)
        resetDistance.add(other.resetDistance)
        for index in modes.indices {
            modes[index] += other.modes[index]
            probabilities[index].add(other.probabilities[index])
        }
        chance.add(other.chance)
    }

    func result(_ group: InsideTrial.SecondStart.Group) -> InsideTrial.SecondStart {
        let told = Int(chance.count)
        func share(_ index: Int) -> Proportion { Proportion(modes[index], of: told) }
        return InsideTrial.SecondStart(
            group: group, trials: Int(distance.count), distance: distance.estimate,
            resetDistance: resetDistance.estimate,
            optimal: told == 0
                ? nil
                : InsideTrial.OptimalFirstAction(
                    first: share(0), second: share(1), reset: share(2), firstProbability: probabilities[0].estimate,
                    secondProbability: probabilities[1].estimate, resetProbability: probabilities[2].estimate,
                    chance: chance.estimate))
    }
}

/// Total variation distance of two distributions: 0 if they are the same, 1 if they have nothing in common.
func totalVariation(_ one: some Collection<Double>, _ other: some Collection<Double>) -> Double {
    zip(one, other).reduce(0) { $0 + abs($1.0 - $1.1) } / 2
}

/// The first of the most probable outcomes.
func mostProbable(_ distribution: [Double]) -> Int {
    distribution.indices.reduce(0) { distribution[$1] > distribution[$0] ? $1 : $0 }
}
