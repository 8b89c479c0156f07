/// The counts (successes, failures) of one arm as one number, its type: ordered by pulls, then by successes, from
/// (0, 1) = 0, (1, 0) = 1, (0, 2) = 2 on. An arm without pulls fits the same arithmetic as type −1.
enum ArmType {
    /// The type of an arm that was never pulled.
    static let untouched = -1

    /// The type of (0, pulls); the pulls + 1 types of as many pulls follow one another.
    static func first(pulls: Int) -> Int { (pulls - 1) * (pulls + 2) / 2 }

    /// The type of an arm's counts.
    static func index(successes: Int, failures: Int) -> Int { first(pulls: successes + failures) + successes }

    /// What a failure makes of a type of `pulls` pulls; a success makes one more of it.
    static func afterFailure(_ type: Int, pulls: Int) -> Int { type + pulls + 1 }
}

/// Numbers the beliefs of a bandit: a belief is the descending list of the types of its pulled arms, and beliefs
/// with equal total pulls are numbered 0, 1, 2, … in lexicographic order, without gaps.
///
/// The rank of a belief is the number of beliefs before it. Those that agree with it up to an arm and have a lesser
/// type there are as many as the multisets of lesser types that fill the same places with the same pulls, hence
/// one table look-up an arm, as in the combinatorial number system.
struct BeliefRanking: Sendable {
    /// Most arms that a belief may list.
    let maximumArms: Int
    /// Most pulls that a belief may have in total.
    let maximumPulls: Int
    /// Pulls of each type up to `maximumPulls`.
    let pulls: [Int]
    /// Number of multisets of types below c, of at most m arms and of exactly t pulls; shape [types, maximumArms − 1,
    /// maximumPulls + 1] for c from 0, m from 2, t from 0. With one place left no table is needed, see `before`.
    private let counts: [Int]

    /// Tabulates the counts for beliefs of at most `maximumArms` arms and `maximumPulls` pulls.
    init(maximumArms: Int, maximumPulls: Int) {
        self.maximumArms = maximumArms
        self.maximumPulls = maximumPulls
        pulls = (0..<(maximumPulls + 1)).dropFirst().flatMap { [Int](repeating: $0, count: $0 + 1) }
        guard maximumArms >= 2 else {
            counts = []
            return
        }
        let row = maximumPulls + 1
        let plane = (maximumArms - 1) * row
        var counts = [Int](repeating: 0, count: pulls.count * plane)
        for places in 0..<(maximumArms - 1) { counts[places * row] = 1 }
        for type in pulls.indices.dropLast() {
            // Below type + 1: a multiset either lacks `type`, or is `type` and a multiset with a place less.
            let armPulls = pulls[type]
            for places in 2...maximumArms {
                let here = type * plane + (places - 2) * row
                for total in 0...maximumPulls {
                    var count = counts[here + total]
                    if total >= armPulls {
                        let rest = total - armPulls
                        count +=
                            places > 2
                            ? counts[here + plane - row + rest]
                            : Self.countOfOne(below: type + 1, total: rest)
                    }
                    counts[here + plane + total] = count
                }
            }
        }
        self.counts = counts
    }

    /// Number of multisets of types below `bound`, of at most one arm and of exactly `total` pulls.
    private static func countOfOne(below bound: Int, total: Int) -> Int {
        total == 0 ? 1 : min(max(bound - ArmType.first(pulls: total), 0), total + 1)
    }

    /// The rank among beliefs of `pulls` total pulls of `belief` with the arm at `position` changed to `newType`, or
    /// with an arm of `newType` added if `position` is its end.
    ///
    /// - Precondition: `belief` is descending and the changed belief has at most `maximumArms` arms.
    func rank(of belief: [Int], replacing position: Int, with newType: Int, pulls total: Int) -> Int {
        var rank = 0
        var remaining = total
        var places = maximumArms
        func count(_ type: Int) {
            rank += before(type, places: places, remaining: remaining)
            remaining -= pulls[type]
            places -= 1
        }
        var isPending = true
        for index in belief.indices where index != position {
            if isPending && newType >= belief[index] {
                count(newType)
                isPending = false
            }
            count(belief[index])
        }
        if isPending { count(newType) }
        return rank
    }

    /// How many beliefs that fill `places` places with `remaining` pulls start below `type`.
    private func before(_ type: Int, places: Int, remaining: Int) -> Int {
        // The last place takes all remaining pulls, so only the successes are free.
        guard places > 1 else { return type - ArmType.first(pulls: remaining) }
        return counts[(type * (maximumArms - 1) + places - 2) * (maximumPulls + 1) + remaining]
    }
}

/// Walks through the beliefs of a `BeliefRanking` with a given total of pulls in the order of their ranks.
struct BeliefCursor {
    private let ranking: BeliefRanking
    /// The current belief: the types of its pulled arms, descending.
    private(set) var types: [Int] = []

    /// Stands on the belief of rank 0.
    ///
    /// - Precondition: `pulls` is at most `ranking.maximumPulls`, and 0 if `ranking.maximumArms` is.
    init(ranking: BeliefRanking, pulls: Int) {
        self.ranking = ranking
        types.reserveCapacity(ranking.maximumArms)
        fill(pulls)
    }

    /// Goes on to the next belief; false if there is none.
    mutating func advance() -> Bool {
        var remaining = 0
        while let type = types.popLast() {
            remaining += ranking.pulls[type]
            let successor = type + 1
            // An arm may not exceed the one before it, nor take more pulls than there are.
            let bound = min(types.last ?? successor, ArmType.first(pulls: remaining + 1) - 1)
            guard successor <= bound else { continue }
            types.append(successor)
            fill(remaining - ranking.pulls[successor])
            return true
        }
        return false
    }

    /// Spends `pulls` on the places left, with the least type possible at each: pulls spread evenly, all failures.
    private mutating func fill(_ pulls: Int) {
        var remaining = pulls
        while remaining > 0 {
            let places = ranking.maximumArms - types.count
            let armPulls = (remaining + places - 1) / places
            types.append(ArmType.first(pulls: armPulls))
            remaining -= armPulls
        }
    }
}
