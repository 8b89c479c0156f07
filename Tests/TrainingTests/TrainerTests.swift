import Foundation
import Interface
import Kernels
import Models
import Tasks
import Testing

@testable import Training

@Suite struct TrainerTests {
    /// A small run: GRU of width 8, two arms, more than three shards, and a curriculum of 3 and then 5 pulls.
    private func configuration(fisherShare: Double = 1) throws -> Configuration {
        var configuration = try Configuration.defaults(
            task: "bandit", model: "gru", taskOptions: ["arms": 2, "episodes": 5], modelOptions: ["hidden": 8], seed: 4)
        func stage(_ iterations: Int, _ taskOptions: Values) -> Stage {
            .complete(
                "trpo",
                [
                    "discount": 0.99, "gae-lambda": 0.3, "fisher-share": .real(fisherShare), "critic-minibatches": 3,
                ], taskOptions: taskOptions, iterations: iterations, batchSteps: 3000)
        }
        configuration.stages = [stage(2, ["episodes": 3]), stage(3, [:])]
        return configuration
    }

    /// All of a report but the times, as bits.
    private func bits(_ report: IterationReport) -> [UInt64] {
        let metrics = report.metrics.sorted { $0.key < $1.key }.map(\.value)
        #expect(metrics.count == TRPO.entry.columns.count)
        let numbers = [report.meanTotalReward] + report.episodeMeans + metrics
        let counts = [report.iteration, report.episodes, report.timesteps, report.outcome == .accepted ? 1 : 0]
        return numbers.map(\.bitPattern) + counts.map { UInt64($0) }
    }

    /// θ, critic, its optimiser and scale, counters and configuration, all as the bytes of a checkpoint.
    private func state(_ trainer: Trainer) throws -> Data { try trainer.checkpoint().encoded() }

    @Test(arguments: [1, 0.3]) func theBitsDoNotDependOnTheNumberOfThreads(_ fisherShare: Double) throws {
        let configuration = try configuration(fisherShare: fisherShare)
        var runs: [(state: Data, reports: [[UInt64]])] = []
        for threads in [1, 2, 3] {
            let trainer = try Trainer(configuration, threads: threads)
            var reports: [[UInt64]] = []
            for _ in 0..<3 { reports.append(bits(try trainer.step())) }
            runs.append((try state(trainer), reports))
        }
        #expect(runs[0].state == runs[1].state && runs[0].state == runs[2].state)
        #expect(runs[0].reports == runs[1].reports && runs[0].reports == runs[2].reports)
    }

    @Test func theSeedDecides() throws {
        var other = try configuration()
        other.seed += 1
        let trainers = [try Trainer(configuration(), threads: 2), try Trainer(configuration(), threads: 2)]
        let different = try Trainer(other, threads: 2)
        #expect(trainers[0].parameters.bits == trainers[1].parameters.bits)
        #expect(trainers[0].parameters.bits != different.parameters.bits)
        let reports = try trainers.map { bits(try $0.step()) }
        #expect(reports[0] == reports[1])
        #expect(bits(try different.step()) != reports[0])
    }

    /// Broken off after each of the iterations, the one at the stage boundary among them, written to bytes, read into a
    /// new trainer with another number of threads and continued: the same bits as without a break.
    @Test(arguments: [1, 0.3]) func aResumedRunHasTheBitsOfAnUninterruptedOne(_ fisherShare: Double) throws {
        let configuration = try configuration(fisherShare: fisherShare)
        let straight = try Trainer(configuration, threads: 2)
        var checkpoints = [try state(straight)]
        var reports: [[UInt64]] = []
        while !straight.isFinished {
            reports.append(bits(try straight.step()))
            checkpoints.append(try state(straight))
        }
        #expect(reports.count == 5)
        for iteration in 0...5 {
            let resumed = try Trainer(configuration, threads: 1 + iteration % 3)
            try resumed.restore(SafetensorsFile(decoding: checkpoints[iteration], path: "memory"), path: "memory")
            #expect(resumed.iteration == iteration)
            #expect(try state(resumed) == checkpoints[iteration])
            var later: [[UInt64]] = []
            while !resumed.isFinished { later.append(bits(try resumed.step())) }
            #expect(later == Array(reports[iteration...]), "resumed at iteration \(iteration)")
            #expect(try state(resumed) == checkpoints[5], "resumed at iteration \(iteration)")
        }
    }

    /// Returns of longer trials have another scale: a new stage with other trials begins it anew, one with the same
    /// trials does not.
    @Test func aStageOfLongerTrialsBeginsTheReturnScaleAnew() throws {
        let trainer = try Trainer(configuration(), threads: 2)
        for _ in 0..<2 { _ = try trainer.step() }
        #expect(trainer.critic.scale.means.count == 3)
        // 1000 trials an iteration: all of the second and half of the first.
        #expect(trainer.critic.scale.weights == [1500, 1500, 1500])
        let report = try trainer.step()
        #expect(report.episodes == 5)
        #expect(trainer.critic.scale.weights == [600, 600, 600, 600, 600])

        var same = try configuration()
        same.stages[1].taskOptions = ["episodes": 3]
        same.stages[1].learnerOptions["maximum-kl"] = 0.02
        let steady = try Trainer(same, threads: 2)
        for _ in 0..<3 { _ = try steady.step() }
        #expect(steady.critic.scale.weights == [1750, 1750, 1750])
    }

    /// In the first iterations of a stage that asks for it only the critic learns, and a run that is resumed there knows
    /// where it is.
    @Test func aWarmupLeavesThePolicy() throws {
        var configuration = try configuration()
        configuration.stages[1].learnerOptions["critic-warmup"] = 2
        let trainer = try Trainer(configuration, threads: 2)
        for _ in 0..<3 { _ = try trainer.step() }
        let policy = trainer.parameters.bits
        let critic = trainer.critic.parameters.bits
        let middle = try trainer.checkpoint()
        let report = try trainer.step()
        #expect(report.outcome == .skipped)
        #expect(trainer.parameters.bits == policy && trainer.critic.parameters.bits != critic)
        #expect(try trainer.step().outcome == .accepted)
        #expect(trainer.parameters.bits != policy)

        let resumed = try Trainer(configuration, threads: 2)
        try resumed.restore(middle, path: "memory")
        #expect(try resumed.step().outcome == .skipped)
        #expect(try resumed.step().outcome == .accepted)
        #expect(try state(resumed) == state(trainer))
    }

    @Test func countsIterationsAndTimeSteps() throws {
        let trainer = try Trainer(configuration(), threads: 2)
        let reports = try (0..<3).map { _ in try trainer.step() }
        #expect(reports.map(\.iteration) == [0, 1, 2])
        #expect(reports.map(\.timesteps) == [3000, 6000, 9000])
        #expect(reports.map(\.episodeMeans.count) == [3, 3, 5])
        for report in reports {
            #expect(abs(report.episodeMeans.reduce(0, +) - report.meanTotalReward) < 1e-12)
        }
        #expect(trainer.iteration == 3 && !trainer.isFinished)
    }

    /// A batch smaller than a trial still has one trial.
    @Test func aBatchHasAtLeastOneTrial() throws {
        var configuration = try configuration()
        for index in configuration.stages.indices { configuration.stages[index].batchSteps = 1 }
        let trainer = try Trainer(configuration, threads: 2)
        #expect(try trainer.step().timesteps == 3)
    }

    @Test func aCheckpointOfAnotherSizeOrArchitectureIsRefusedAndChangesNothing() throws {
        let file = try Trainer(configuration(), threads: 1).checkpoint()
        var wide = try configuration()
        wide.hidden = 9
        func refusal(_ file: SafetensorsFile, _ configuration: Configuration) throws -> String {
            let trainer = try Trainer(configuration, threads: 1)
            let before = try state(trainer)
            let error = #expect(throws: UserError.self) { try trainer.restore(file, path: "here.safetensors") }
            #expect(try state(trainer) == before)
            return error?.description ?? ""
        }
        #expect(try refusal(file, wide).hasPrefix("here.safetensors: a checkpoint of another size"))
        var other = file
        other.tensors[0].name = "policy.lstm.weight_ih_l0"
        #expect(try refusal(other, configuration()).contains("another architecture"))
        var less = file
        less.tensors.removeAll { $0.name == "critic.head.bias" }
        #expect(try refusal(less, configuration()).contains("critic.head.bias"))
        for key in ["iteration", "timesteps", "critic_optimizer_steps"] {
            var plain = file
            plain.metadata[key] = nil
            #expect(try refusal(plain, configuration()).contains(key))
            plain.metadata[key] = "-1"
            #expect(try refusal(plain, configuration()).contains(key))
        }
        var uneven = file
        uneven.tensors.removeAll { $0.name == "return_scale.weights" }
        uneven.tensors.append(.init(name: "return_scale.weights", shape: [1], values: [1]))
        #expect(try refusal(uneven, configuration()).contains("return_scale"))
    }

    @Test func memoryIsRequiredToTheByte() throws {
        let configuration = try configuration()
        let (family, policy) = (try configuration.makeFamily(), try configuration.makePolicy())
        let bytes = TrialBatch.bytes(trials: 300, of: family, played: policy, threads: 2)
        func require(_ available: Int) throws {
            try TrialBatch.requireMemory(
                trials: 300, of: family, played: policy, threads: 2, available: available, advice: "ask for less")
        }
        try require(bytes)
        let error = #expect(throws: UserError.self) { try require(bytes - 1) }
        #expect(error?.description.contains("ask for less") == true)
        #expect(Processor.current.memoryBytes > 1 << 28)
    }

    @Test func aCheckpointGivesThePolicyToAPlayer() throws {
        let trainer = try Trainer(configuration(), threads: 1)
        _ = try trainer.step()
        let parameters = try Trainer.policyParameters(of: trainer.policy, in: trainer.checkpoint(), path: "memory")
        #expect(parameters.bits == trainer.parameters.bits)
    }

    @Test func tensorsHaveTheNamesAndShapesOfPyTorch() throws {
        let file = try Trainer(configuration(), threads: 1).checkpoint()
        let shapes = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0.shape) })
        // H = 8; a policy of 2 arms reads 2 + 2 numbers, its critic the step as well.
        #expect(shapes["policy.gru.weight_ih_l0"] == [24, 4])
        #expect(shapes["policy.gru.weight_hh_l0"] == [24, 8])
        #expect(shapes["policy.head.weight"] == [2, 8])
        #expect(shapes["critic.gru.weight_ih_l0"] == [24, 5])
        #expect(shapes["critic.head.bias"] == [1])
    }

    /// Members for evaluation come from a root that no training stream of any seed is split from.
    @Test func unseenMembersAreNotThoseOfTraining() {
        let seeds = (0..<50).map { UInt64($0) }
        let unseen = Set(
            seeds.flatMap { seed in (0..<20).map { Trainer.heldOutMembers(seed: Int(seed)).split($0) } }
                .map(firstBits))
        #expect(unseen.count == 1000)
        let training = seeds.flatMap { seed in
            (0..<5).flatMap { stream in
                (0..<4).flatMap { iteration in
                    (0..<5).map { RandomSource(seed: seed).split(stream, iteration).split($0) }
                }
            }
        }.map(firstBits)
        #expect(unseen.isDisjoint(with: training))
    }

    private func firstBits(_ source: RandomSource) -> [UInt32] {
        var source = source
        return (0..<4).map { _ in source.next() }
    }

    /// Two arms, five pulls. Random play earns 2.5, knowing the member 10/3. A learner must beat random play by more
    /// than chance: the mean of 2000 trials has a standard error of at most 2.5 / √2000 = 0.056 (a total in [0, 5]
    /// deviates by at most 2.5), so five of them, 0.28, are out of reach for a policy that learned nothing.
    @Test func learns() throws {
        var configuration = try Configuration.defaults(
            task: "bandit", model: "gru", taskOptions: ["arms": 2, "episodes": 5], modelOptions: ["hidden": 16], seed: 1
        )
        configuration.stages = [
            .complete(
                "trpo", ["discount": 0.99, "gae-lambda": 0.3, "maximum-kl": 0.02], iterations: 25, batchSteps: 5000)
        ]
        let trainer = try Trainer(configuration, threads: 2)
        var first = 0.0
        while !trainer.isFinished {
            let report = try trainer.step()
            if report.iteration == 0 { first = report.meanTotalReward }
            #expect(report.outcome == .accepted)
            #expect(try #require(report.metrics["actual_kl"]) <= 0.02)
        }
        #expect(abs(first - 2.5) < 5 * 2.5 / 1000.0.squareRoot(), "the first policy is close to uniform")
        let batch = TrialBatch(family: BernoulliBandit(arms: 2, episodes: 5), trials: 2000)
        batch.play(
            trainer.policy, parameters: UnsafePointer(trainer.parameters.pointer),
            root: Trainer.heldOutMembers(seed: 0), workers: trainer.actorCritic.workers)
        #expect(batch.meanTotalReward > 2.5 + 5 * 2.5 / 2000.0.squareRoot(), "\(batch.meanTotalReward)")
        #expect(batch.meanTotalReward < 10 / 3.0)
    }
}
