import ArgumentParser
import Bench
import Foundation
import Kernels
import Tasks
import Training

extension Evaluate {
    /// Evaluates a run of the task `maze`; false for runs of others.
    /// - Parameter configuration: with the options of the mazes that are played.
    func evaluateMaze(_ agent: LearnedAgent, _ configuration: Configuration) throws -> Bool {
        guard let family = try configuration.makeFamily() as? FirstPersonMaze else { return false }
        let workers = Workers(threads: threads.count)
        let unseen = family.heldOut()
        let members = 0..<(trials ?? 1000)
        let shortest = MazeEvaluation.shortest(members, of: unseen, seed: seed, workers: workers)
        func judge(_ agent: any Agent) -> (Evaluation, MazeEvaluation) {
            let played = Evaluation(agent, family: unseen, members: members, seed: seed, workers: workers)
            return (played, MazeEvaluation(played, of: unseen, shortest: shortest))
        }
        let (result, maze) = judge(agent)
        let (random, randomMaze) = judge(RandomAgent())
        if json {
            try printJSON([
                "model": configuration.model, "task": configuration.task, "trials": result.trials,
                "actions": actions.rawValue, "seed": seed, "memory_reset": configuration.memoryReset.rawValue,
                "task_options": jsonObject(configuration.taskOptions),
                "note": configuration.contextNote.map { $0 as Any } ?? NSNull(),
                "maze_size": family.options.size,
                "mean_total_reward": rl2x.json(result.totalRewards.mean),
                "standard_error": rl2x.json(result.totalRewards.standardError),
                "per_episode_mean": result.episodeMeans, "random": rl2x.json(random.totalRewards.mean),
                "optimum": NSNull(),
                "success_rate": maze.episodes.map(\.successRate),
                "mean_length": maze.episodes.map { rl2x.json($0.length) },
                "mean_length_standard_error": maze.episodes.map { rl2x.json($0.standardError) },
                "length_over_shortest": maze.episodes.map { rl2x.json($0.lengthOverShortest) },
                "improved": rl2x.json(maze.improved), "success_then_failure": rl2x.json(maze.successThenFailure),
                "mean_shortest": rl2x.json(maze.shortest),
            ])
        } else {
            printMaze(maze, random: randomMaze, result, family, configuration)
            print("total reward of random play \(format(random.totalRewards.mean, 3))")
            if MazeEvaluation.Published.mazes(ofSize: family.options.size) != nil {
                print("¹ Duan et al. 2016, whose steps have another size: compare ratios and shares, not lengths.")
            }
        }
        return true
    }

    private func printMaze(
        _ own: MazeEvaluation, random: MazeEvaluation, _ result: Evaluation, _ family: FirstPersonMaze,
        _ configuration: Configuration
    ) {
        let size = family.options.size
        print(
            "\(result.trials) unseen mazes of \(size) × \(size) rooms, \(family.episodes) episodes of up to "
                + "\(family.maximumEpisodeSteps) steps, \(actions.rawValue) actions; shortest ways of "
                + "\(format(own.shortest, 1)) steps" + configuration.forgetting)
        let published = MazeEvaluation.Published.mazes(ofSize: size)
        let name = "\(configuration.model)-\(configuration.hidden)"
        var table = TextTable(
            columns: [.init("", alignment: .left)] + own.episodes.indices.map { .init("episode \($0 + 1)") })
        func row(_ title: String, of maze: MazeEvaluation? = nil, _ cell: (MazeEvaluation.Episode) -> String) {
            table.append([title] + (maze ?? own).episodes.map(cell))
        }
        func length(_ episode: MazeEvaluation.Episode) -> String {
            "\(format(episode.length, 1)) ± \(format(episode.standardError, 1))"
        }
        func success(_ episode: MazeEvaluation.Episode) -> String { format(100 * episode.successRate, 1) + " %" }
        func publishedRow(_ title: String, _ cells: [String]) {
            table.append([title] + own.episodes.indices.map { $0 < cells.count ? cells[$0] : "" })
        }
        row("length of successful episodes, \(name)", length)
        row("the same, random play", of: random, length)
        if let published {
            publishedRow(
                "the same, RL² as published¹",
                zip(published.lengths, published.errors).map { "\(format($0, 1)) ± \(format($1, 1))" })
        }
        row("length over shortest, \(name)") { format($0.lengthOverShortest, 2) }
        table.append(
            ["length over episode 1, \(name)"] + own.episodes.indices.map { format(own.lengthOverFirst($0), 3) })
        if let published {
            publishedRow("the same, RL² as published¹", published.lengthsOverFirst.map { format($0, 3) })
        }
        row("success, \(name)", success)
        row("the same, random play", of: random, success)
        if let published {
            publishedRow("the same, RL² as published¹", published.successRates.map { format(100 * $0, 1) + " %" })
        }
        print(table.plainText())
        if let improved = own.improved {
            let other = published.map { " (published: \(format(100 * $0.improved, 1)) %)" } ?? ""
            print("episode 2 no longer than episode 1: \(format(100 * improved, 1)) % of the trials\(other)")
        }
        if let lapsed = own.successThenFailure {
            print("a failure after a success: \(format(100 * lapsed, 1)) % of the trials with a success")
        }
        print("total reward \(format(result.totalRewards.mean, 3)) ± \(format(result.totalRewards.standardError, 3))")
    }
}
