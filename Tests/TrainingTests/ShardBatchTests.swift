import Interface
import Kernels
import Tasks
import Testing

@testable import Training

@Suite struct ShardBatchTests {
    /// Fills row `row` with numbers that no other (trial, step) has.
    private func write(trial: Int, step: Int, to row: Int, of columns: StepColumns, _ space: ObservationSpace) {
        let code = Float(trial * 100 + step)
        columns.writer.write(
            StepInput(
                vector: Array(repeating: code + 0.25, count: space.vectorWidth),
                image: Array(repeating: UInt8(trial * 16 + step), count: space.imageBytes),
                previousAction: Int32(code) + 1, previousReward: code + 2, episodeEnd: code + 3, stepIndex: Int32(step)),
            to: row)
        columns.actions[row] = Int32(code) + 4
        columns.rewards[row] = code + 5
        columns.endsEpisode[row] = UInt8((trial + step) % 2)
    }

    /// As a rollout writes: at step t the trials that are alive, in the order in which they began.
    private func played(_ lengths: [Int], space: ObservationSpace) -> RolloutBuffer {
        let record = RolloutBuffer(space: space, lanes: lengths.count, steps: lengths.reduce(0, +))
        record.begin(Array(lengths.indices))
        var row = 0
        for step in 0..<lengths.max()! {
            record.place(from: row)
            for trial in record.playing {
                write(trial: trial, step: step, to: row, of: record.columns, space)
                row += 1
            }
            record.keep(lanes: record.playing.indices.filter { lengths[record.playing[$0]] > step + 1 })
        }
        return record
    }

    private func writeResults(_ shard: ShardBatch, _ random: inout RandomSource) {
        for row in 0..<shard.rows {
            shard.values.pointer[row] = random.uniform()
            shard.advantages.pointer[row] = random.uniform()
            shard.targets.pointer[row] = random.uniform()
            for a in 0..<shard.actionCount { shard.logProbabilities.pointer[row * shard.actionCount + a] = -Float(a) }
        }
    }

    @Test(arguments: [[2, 5, 1, 3, 5], [4, 4, 4], [1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [1], [3, 1, 1, 3, 2, 2, 1]])
    func takingSortsTrialsAndKeepsTheirRows(_ lengths: [Int]) {
        let space = ObservationSpace.vector(width: 3)
        let record = played(lengths, space: space)
        // All of them, and cut in two as the shards of a group are.
        let cut = lengths.count / 2
        for trials in [0..<lengths.count, 0..<cut, cut..<lengths.count] where !trials.isEmpty {
            let shard = ShardBatch(space: space, actions: 2, rows: trials.count * 5)
            shard.take(trials, of: record)
            #expect(shard.rows == lengths[trials].reduce(0, +))
            #expect(shard.lanes == trials.count)
            // Longest first; of equals, the one that began first.
            let order = trials.sorted { (-lengths[$0], $0) < (-lengths[$1], $1) }
            #expect((0..<shard.lanes).map { shard.shape.length(lane: $0) } == order.map { lengths[$0] })
            #expect(shard.numbers == order)
            let expected = ShardBatch(space: space, actions: 2, rows: 5)
            for (lane, trial) in order.enumerated() {
                for step in 0..<lengths[trial] {
                    write(trial: trial, step: step, to: step, of: expected.columns, space)
                }
                expected.setShape(lengths: [lengths[trial]])
                #expect(shard.trial(lane) == expected.trial(0), "trial \(trial)")
            }
        }
    }

    @Test func takingMovesImages() {
        let space = ObservationSpace.image(height: 2, width: 1, channels: 3)
        let shard = ShardBatch(space: space, actions: 2, rows: 4)
        // Trial 0 has one step, trial 1 two: rows (1, 0), (0, 0), (1, 1).
        shard.take(0..<2, of: played([1, 2], space: space))
        let bytes = (0..<18).map { shard.inputs.images[$0] }
        #expect(bytes == [16, 0, 17].flatMap { [UInt8](repeating: $0, count: 6) })
    }

    /// Chosen trials of several shards, in any order, come out as they were, sorted by length.
    @Test func gatheringKeepsWholeTrials() {
        let played = PlayedBatch(raggedFamily(), trials: 40)
        var random = RandomSource(seed: 6)
        for shard in played.batch.shards { writeResults(shard, &random) }
        let shards = played.batch.shards
        #expect(shards.count > 1)
        let chosen = played.batch.sampleTrials(17, random: &random)
        let gathered = ShardBatch(space: .vector(width: 4), actions: 3, rows: 20 * 12)
        // Twice, because a batch is refilled: nothing of the first remains.
        gathered.gather(played.batch.sampleTrials(20, random: &random), from: shards)
        gathered.gather(chosen, from: shards)

        #expect(gathered.lanes == 17)
        let lengths = (0..<17).map { gathered.shape.length(lane: $0) }
        #expect(lengths == lengths.sorted(by: >) && Set(lengths).count > 2)
        var wanted = chosen.map { shards[$0.shard].trial($0.lane) }
        for trial in gathered.allTrials {
            let index = wanted.firstIndex(of: trial)
            #expect(index != nil, "a trial that was not chosen, or has changed")
            if let index { wanted.remove(at: index) }
        }
        #expect(wanted.isEmpty)
    }

    @Test func samplesTrialsWithoutReplacement() {
        let batch = TrialBatch(family: BernoulliBandit(arms: 2, episodes: 2), trials: 21)
        let counts = batch.sharding.lanes
        for (shard, count) in zip(batch.shards, counts) { shard.setShape(lengths: [Int](repeating: 2, count: count)) }
        var random = RandomSource(seed: 9)
        var copy = random
        let chosen = batch.sampleTrials(8, random: &random)
        #expect(chosen.count == 8)
        #expect(Set(chosen.map { $0.shard * 100 + $0.lane }).count == 8)
        #expect(chosen.allSatisfy { $0.lane < counts[$0.shard] })
        #expect(batch.sampleTrials(8, random: &copy).map { [$0.0, $0.1] } == chosen.map { [$0.0, $0.1] })
        let all = batch.sampleTrials(21, random: &random)
        #expect(Set(all.map { $0.shard * 100 + $0.lane }).count == 21)
    }

    @Test func countsEpisodesAndRewards() {
        let played = PlayedBatch(raggedFamily(), trials: 25)
        let trials = played.batch.shards.flatMap(\.allTrials)
        let totals = trials.map { $0.reduce(0.0) { $0 + Double($1.reward) } }
        #expect(played.batch.totalRewards == totals)
        // Whole numbers, so no sum is rounded; the last division is the same.
        #expect(played.batch.meanTotalReward == totals.reduce(0, +) / 25)
        var sums = [0.0, 0, 0]
        for trial in trials {
            var episode = 0
            for row in trial {
                sums[episode] += Double(row.reward)
                if row.endsEpisode { episode += 1 }
            }
            #expect(episode == 3)
        }
        #expect(played.batch.episodeMeans == sums.map { $0 / 25 })
    }
}
