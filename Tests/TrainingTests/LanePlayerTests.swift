import Interface
import Kernels
import Tasks
import Testing

@testable import Training

/// Whoever plays, a trial is what it is alone: lanes do not see each other, whether they leave or are taken by other trials.
@Suite struct LanePlayerTests {
    /// Repeats an action until it fails, then draws another; counts its steps.
    private struct Moody: Player {
        let first: Int
        var steps = 0

        mutating func act(_ input: StepView, random: inout RandomSource) -> Int {
            defer { steps += 1 }
            precondition(input.stepIndex == steps, "a player of another trial")
            if input.previousAction < 0 { return first }
            return input.previousReward > 0 ? input.previousAction : random.integer(below: 3)
        }
    }

    enum Kind: CaseIterable { case preferences, players }

    private func makePlayer(_ kind: Kind) -> any LanePlayer {
        switch kind {
        case .preferences: PreferencePlayer(spread: 4, actions: 3)
        case .players:
            PlayerLanes { trial in
                var stream = trial.member
                return Moody(first: stream.integer(below: 3))
            }
        }
    }

    /// Trials by their numbers.
    private func play(
        _ player: any LanePlayer, numbers: [Int], further: ((_ index: Int) -> Int)? = nil
    ) -> [Int: [TrialStep]] {
        let (family, root) = (raggedFamily(), RandomSource(seed: 3))
        let rows = numbers.count * family.maximumTrialSteps
        let record = RolloutBuffer(space: family.observation, lanes: numbers.count, steps: rows)
        let queue = TrialQueue(numbers: numbers, streams: { TrialStreams(root.split($0)) }, further: further)
        Rollout.play(player, lanes: family.makeLanes(numbers.count), queue: queue, into: record)
        let shard = ShardBatch(space: family.observation, actions: family.actions, rows: rows)
        shard.take(0..<record.lengths.count, of: record)
        return Dictionary(uniqueKeysWithValues: zip(shard.numbers, shard.allTrials))
    }

    @Test(arguments: Kind.allCases, [false, true]) func aTrialIsTheSameAloneAndAmongOthers(_ kind: Kind, refills: Bool)
    {
        let together = play(makePlayer(kind), numbers: Array(0..<40), further: refills ? { 40 + $0 } : nil)
        #expect(refills ? together.count > 50 : together.count == 40)
        #expect(Set(together.keys) == Set(0..<together.count))
        for (number, trial) in together {
            let alone = play(makePlayer(kind), numbers: [number])
            #expect(alone == [number: trial], "trial \(number)")
        }
    }

    /// A player that has played begins anew, as one that has not.
    @Test(arguments: Kind.allCases) func aPlayerCanPlayAgain(_ kind: Kind) {
        let player = makePlayer(kind)
        let first = play(player, numbers: Array(0..<20), further: { 20 + $0 })
        _ = play(player, numbers: Array(50..<57))
        #expect(play(player, numbers: Array(0..<20), further: { 20 + $0 }) == first)
    }

    /// A preference is a trial's own: some actions are taken often, others rarely, and which differs between trials.
    @Test func habitsDifferBetweenTrials() {
        let family = BernoulliBandit(arms: 3, episodes: 60)
        let batch = TrialBatch(family: family, trials: 200)
        batch.playPreferences(4, root: RandomSource(seed: 3), workers: Workers(threads: 1))
        var favourites = [0, 0, 0]
        var share = 0.0
        for trial in batch.shards.flatMap(\.allTrials) {
            let counts = (0..<3).map { arm in trial.count { $0.action == arm } }
            favourites[counts.firstIndex(of: counts.max()!)!] += 1
            share += Double(counts.max()!) / Double(trial.count) / 200
        }
        // Each arm is the favourite of a third of 200 trials, of deviation 6.7; uniform play's favourite has a share of some .40.
        #expect(favourites.allSatisfy { (34...100).contains($0) }, "\(favourites)")
        #expect(share > 0.6, "\(share)")
    }
}
