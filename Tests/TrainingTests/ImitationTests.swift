import Interface
import Kernels
import Models
import Tasks
import Testing

@testable import Training

/// Stays where a pull paid, else goes on to the next arm.
private struct WinStay: Teacher {
    func makeLanePlayer(for family: any TaskFamily) -> any LanePlayer { Lanes(arms: Int32(family.actions)) }

    private final class Lanes: LanePlayer {
        let arms: Int32
        init(arms: Int32) { self.arms = arms }

        func begin(_ trials: [TrialStreams]) {}
        func restart(lane: Int, _ trial: TrialStreams) {}

        func act(_ inputs: StepInputs, into actions: UnsafeMutablePointer<Int32>) {
            for lane in 0..<inputs.rows {
                let (last, reward) = (inputs.previousActions[lane], inputs.previousRewards[lane])
                actions[lane] = last < 0 ? 0 : reward > 0 ? last : (last + 1) % arms
            }
        }

        func keep(lanes kept: [Int]) {}
    }
}

/// Knows every member.
private struct Oracle: Teacher {
    private struct Known: Player {
        var player: any Player
        mutating func act(_ input: StepView, random: inout RandomSource) -> Int { player.act(input, random: &random) }
    }

    func makeLanePlayer(for family: any TaskFamily) -> any LanePlayer {
        PlayerLanes { Known(player: family.makeOracle(for: $0)!) }
    }
}

@Suite struct ImitationTests {
    private func configuration(teacher: String = "win-stay") throws -> Configuration {
        var configuration = try Configuration.defaults(
            task: "bandit", model: "gru", taskOptions: ["arms": 3, "episodes": 6], modelOptions: ["hidden": 16], seed: 2
        )
        configuration.stages = [
            .complete(
                "imitation",
                ["teacher": .word(teacher), "epochs": 1, "minibatches": 20, "learning-rate": 0.01],
                iterations: 20, batchSteps: 6000)
        ]
        return configuration
    }

    private func teachers(_ name: String, _ family: any TaskFamily) throws -> any Teacher {
        guard name == "win-stay" else { return try Trainer.noTeacher(name, family) }
        return WinStay()
    }

    /// The rule is deterministic and needs one step of memory: the loss must fall from log 3 to next to nothing, and the
    /// pupil must do what the teacher does on members that it has not seen.
    @Test func thePupilBecomesTheTeacher() throws {
        let trainer = try Trainer(configuration(), threads: 2, teachers: teachers)
        var losses: [Double] = []
        while !trainer.isFinished { losses.append(try #require(trainer.step().metrics["critic_loss"])) }
        #expect(losses[0] > 0.3 && losses[0] < 1.2)
        #expect(losses[19] < 0.05, "\(losses)")
        let batch = TrialBatch(family: BernoulliBandit(arms: 3, episodes: 6), trials: 500)
        batch.play(
            trainer.policy, parameters: UnsafePointer(trainer.parameters.pointer),
            root: Trainer.heldOutMembers(seed: 1), choice: .greedy, workers: trainer.actorCritic.workers)
        var (same, all) = (0, 0)
        for shard in batch.shards {
            for row in 0..<shard.rows {
                let (last, reward) = (shard.inputs.previousActions[row], shard.inputs.previousRewards[row])
                let taught: Int32 = last < 0 ? 0 : reward > 0 ? last : (last + 1) % 3
                same += shard.actions.pointer[row] == taught ? 1 : 0
                all += 1
            }
        }
        #expect(Double(same) > 0.98 * Double(all), "\(same) of \(all)")
    }

    /// At the histories of others the pupil learns what the teacher would do there: the labels are the teacher's actions, and
    /// the inputs stay what was played.
    @Test(arguments: [Histories.policy, .preferences]) func theTeacherLabelsTheHistoriesOfOthers(
        _ histories: Histories
    ) throws {
        let played = PlayedBatch(raggedFamily(), trials: 50, refillsLanes: true)
        let root = RandomSource(seed: 1).split(7)
        let shown = played.batch.shards.map { shard in
            (0..<shard.rows).map { (shard.inputs.previousActions[$0], shard.inputs.previousRewards[$0]) }
        }
        played.batch.relabel(by: WinStay(), root: root, workers: played.workers)
        for (shard, shown) in zip(played.batch.shards, shown) {
            for (row, (last, reward)) in shown.enumerated() {
                #expect(shard.inputs.previousActions[row] == last)
                #expect(shard.actions.pointer[row] == (last < 0 ? 0 : reward > 0 ? last : (last + 1) % 3))
            }
        }
        var configuration = try configuration()
        configuration.stages[0].learnerOptions["histories"] = .word(histories.rawValue)
        let trainer = try Trainer(configuration, threads: 2, teachers: teachers)
        var losses: [Double] = []
        while !trainer.isFinished { losses.append(try #require(trainer.step().metrics["critic_loss"])) }
        #expect(losses[19] < 0.1, "\(losses)")
    }

    /// Trials are labelled by the player of their own member, whatever shard they lie in.
    @Test func labelsAreThoseOfTheTrialsOwnMember() {
        let family = BernoulliBandit(arms: 4, episodes: 5)
        let batch = TrialBatch(family: family, trials: 700)
        let (root, workers) = (RandomSource(seed: 9), Workers(threads: 2))
        batch.playPreferences(1, root: root, workers: workers)
        batch.relabel(by: Oracle(), root: root, workers: workers)
        let labels = batch.shards.flatMap { shard in
            (0..<shard.lanes).map { lane in
                (0..<5).map { shard.actions.pointer[shard.shape.row(step: $0, lane: lane)] }
            }
        }
        batch.play(Oracle(), root: root, workers: workers)
        let played = batch.shards.flatMap { shard in
            (0..<shard.lanes).map { lane in
                (0..<5).map { shard.actions.pointer[shard.shape.row(step: $0, lane: lane)] }
            }
        }
        #expect(labels == played && Set(labels.map { $0[0] }).count == 4)
    }

    @Test func theBitsDoNotDependOnThreadsAndSurviveAResume() throws {
        let configuration = try configuration()
        let straight = try Trainer(configuration, threads: 1, teachers: teachers)
        for _ in 0..<6 { _ = try straight.step() }
        var broken = try Trainer(configuration, threads: 3, teachers: teachers)
        for _ in 0..<3 { _ = try broken.step() }
        let middle = try broken.checkpoint()
        broken = try Trainer(configuration, threads: 2, teachers: teachers)
        try broken.restore(middle, path: "memory")
        for _ in 0..<3 { _ = try broken.step() }
        #expect(try straight.checkpoint().encoded() == broken.checkpoint().encoded())
    }

    @Test func teachersAreNamedBeforeAnyWork() throws {
        let error = #expect(throws: UserError.self) {
            try Trainer(configuration(teacher: "nobody"), threads: 1, teachers: teachers)
        }
        #expect(error?.description == "unknown teacher 'nobody'")
        #expect(throws: UserError.self) { try Trainer(configuration(), threads: 1) }
        var unnamed = try configuration()
        unnamed.stages[0].learnerOptions["teacher"] = nil
        #expect(throws: UserError.self) { try unnamed.validate() }
        var improving = try Configuration.defaults(task: "bandit", model: "gru")
        improving.stages[0].learnerOptions["teacher"] = "win-stay"
        let stray = #expect(throws: UserError.self) { try improving.validate() }
        #expect(stray?.description == "learner 'trpo' has no option 'teacher'")
    }
}
