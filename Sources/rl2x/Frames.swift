import ArgumentParser
import Bench
import Foundation
import Kernels
import Tasks
import Training

struct Frames: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Play one trial in an unseen maze and write what was seen as PNG files.",
        discussion: """
            rl2x frames --agent oracle --seed 1 --out pictures
            rl2x frames runs/maze-gru-s0 --seed 1 --out pictures

            Files: episode-01-step-0000.png and so on, one a frame; map.png, the maze from above with each episode's way; \
            sheet.png, all frames; trial.png, an animation of view and map.
            """)

    @Argument(help: "Run directory of a maze task; its latest checkpoint plays.")
    var directory: String?

    @Option(help: "Who plays without a run: oracle (a shortest path) or random (default oracle).")
    var agent: ScriptedPlayer?

    @Option(parsing: .unconditional, help: "Seed of the maze and of the actions drawn (0 or more; default 0).")
    var seed = 0

    @Option(help: "Directory for the pictures; it is made, or must hold none.")
    var out: String

    @Option(parsing: .unconditional, help: "Pixels of a picture for a pixel of a frame (1 … 64; default 8).")
    var scale = 8

    @Option(parsing: .unconditional, help: "Episodes of the trial (1 … 10000; default 2, or the run's).")
    var episodes: Int?

    @OptionGroup var maze: MazeOptions

    @Option(help: "How a run's actions are chosen: sampled or greedy (default sampled).")
    var actions: ActionChoice = .sampled

    enum ScriptedPlayer: String, ExpressibleByArgument, CaseIterable { case oracle, random }

    func validate() throws {
        guard seed >= 0 else { throw ValidationError("--seed is \(seed): it must be 0 or more") }
        guard (1...64).contains(scale) else { throw ValidationError("--scale is \(scale): it must lie in 1 … 64") }
        guard directory == nil || agent == nil else {
            throw ValidationError("--agent cannot go with a run, whose policy plays: leave one out")
        }
    }

    func run() throws {
        let entry = TaskCatalogue.entry(named: "maze")!
        let given = try entry.accepted(maze.values + [("episodes", episodes.map { .integer($0) })])
        var player = MazeRecording.Player.oracle
        if agent == .random { player = .random }
        var options = OptionValues(standard: entry.options, given: given)
        if let directory {
            let run = RunDirectory(directory)
            let configuration = try run.configuration()
            try configuration.validate()
            guard configuration.task == entry.name else {
                throw UserError("\(directory): a run of the task '\(configuration.task)'; frames are of mazes only")
            }
            options = try configuration.playing(given).taskOptions
            player = .learned(try LearnedAgent(run, configuration, choice: actions))
        }
        if let objection = entry.objection(options) { throw ValidationError(objection) }
        guard let family = entry.make(options) as? FirstPersonMaze else { return }
        let recording = MazeRecording(family, player, seed: seed)
        let names = try MazePictures(recording, scale: scale).write(to: out)
        let shortest = recording.shortest.map { "\($0)" } ?? "unknown"
        for (number, episode) in recording.episodes.enumerated() {
            print(
                "episode \(number + 1): \(episode.steps) steps, "
                    + (episode.reachesTarget ? "target reached" : "target not reached")
                    + ", reward \(format(episode.reward, 3)); the shortest way has \(shortest)")
        }
        print("\(names.count) pictures in \(out): frames, map.png, sheet.png, trial.png (animated)")
    }
}
