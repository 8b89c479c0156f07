import Kernels
import Tasks
import Testing
import Training

@testable import Bench

@Suite struct AgentTests {
    /// Random play earns n / 2; rewards are 0 and 1, every episode has one step.
    @Test func randomPlayIsTheFloor() {
        let family = BernoulliBandit(arms: 3, episodes: 20)
        let played = RandomAgent().play(
            0..<4000, of: family, root: Trainer.unseenMembers(seed: 0), workers: Workers(threads: 2))
        #expect(played.trials == 4000 && played.episodes == 20)
        #expect(played.rewards.allSatisfy { $0 == 0 || $0 == 1 } && played.steps.allSatisfy { $0 == 1 })
        let summary = Summary(played.totalRewards)
        #expect(abs(summary.mean - 10) < 4 * summary.standardError)
        #expect(abs(played.episodeMeans.reduce(0, +) - summary.mean) < 1e-9)
    }

    /// Member i depends on neither the threads nor on which members are played beside it.
    @Test func membersAreTheSameHoweverTheyAreCut() {
        let family = BernoulliBandit(arms: 3, episodes: 7)
        let root = Trainer.unseenMembers(seed: 5)
        let whole = RandomAgent().play(0..<100, of: family, root: root, workers: Workers(threads: 1))
        #expect(whole == RandomAgent().play(0..<100, of: family, root: root, workers: Workers(threads: 3)))
        let part = RandomAgent().play(37..<60, of: family, root: root, workers: Workers(threads: 2))
        #expect(part.totalRewards == Array(whole.totalRewards[37..<60]))
    }
}
