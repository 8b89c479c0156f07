import ArgumentParser
import Bench
import Foundation
import Interface
import Kernels
import Tasks
import Training

struct Frames: TakesSettings {
    static let scope = SettingScope.task
    static let configuration = CommandConfiguration(
        abstract: "Play one trial of a held-out member, such as a maze, and write what was seen as PNG files.",
        discussion: """
            rl2x frames --agent oracle --seed 1 --out pictures
            rl2x frames runs/maze-gru-s0 --seed 1 --out pictures

            Files: episode-01-step-0000.png and so on, one a frame; map.png, the maze from above with each episode's way; \
            sheet.png, all frames; trial.png, an animation of view and map.
            """)

    @Argument(help: "Run directory of a task that is seen, whose latest checkpoint plays, or zoo:NAME.")
    var directory: String?

    @Option(help: "Who plays without a run: oracle (a shortest path) or random (default: oracle).")
    var agent: ScriptedPlayer?

    @Option(parsing: .unconditional, help: "Seed of the maze and of the actions drawn (0 or more; default 0).")
    var seed = 0

    @Option(
        parsing: .unconditional,
        help: "Which of the seed's held-out members, such as one that `bench analyse` names (0 or more; default 0).")
    var member = 0

    @Option(help: "Directory for the pictures; it is made, or must hold none.")
    var out: String

    @Option(parsing: .unconditional, help: "Pixels of a picture for a pixel of a frame (1 … 64; default 8).")
    var scale = 8

    @Option(help: ArgumentHelp("Task without a run (default: maze).", valueName: "name"))
    var task: String?

    @OptionGroup var settings: SettingOptions

    @Flag(help: "Take the policy's most probable action instead of drawing one.")
    var deterministic = false

    enum ScriptedPlayer: String, ExpressibleByArgument, CaseIterable { case oracle, random }

    func validate() throws {
        try check(seed: seed)
        try check("member", member, 0...1_000_000_000)
        try check("scale", scale, 1...64)
        guard directory == nil || task == nil else {
            throw ValidationError("--task cannot go with a run, which has its own: leave one out")
        }
        guard directory == nil || agent == nil else {
            throw ValidationError("--agent cannot go with a run, whose policy plays: leave one out")
        }
    }

    func run() throws {
        let (name, trained) = try opened()
        let entry = try calling { try taskCatalogue.require(name) }
        let given = try settings.values(of: entry.options, owner: "task '\(name)'")
        var player = agent == .random ? TrialRecording.Player.random : .oracle
        var options = Values(defaults: entry.options, given: given)
        if let (run, configuration) = trained {
            options = try configuration.playing(given).taskOptions
            player = .learned(try LearnedAgent(run, configuration, choice: deterministic ? .greedy : .sampled))
        }
        if let objection = entry.objection(options) { throw ValidationError(objection) }
        let recording = TrialRecording(entry.make(options), player, seed: seed, member: member)
        guard recording.episodes.allSatisfy({ !$0.frames.isEmpty }) else {
            throw UserError("task '\(name)' shows no pictures; choose one that does, such as maze")
        }
        let names = try TrialPictures(recording, scale: scale).write(to: out)
        let shortest = recording.shortest.map { "\($0)" } ?? "unknown"
        for (number, episode) in recording.episodes.enumerated() {
            print(
                "episode \(number + 1): \(episode.steps) steps, "
                    + (episode.succeeded ? "target reached" : "target not reached")
                    + ", reward \(Display.fixed(episode.reward, 3)); the shortest way has \(shortest)")
        }
        print("\(names.count) pictures in \(out): frames, map.png, sheet.png, trial.png (animated)")
    }

    /// The task, and the run if there is one.
    private func opened() throws -> (task: String, trained: (RunDirectory, Configuration)?) {
        guard let directory else { return (task ?? "maze", nil) }
        let run = try RunDirectory.named(directory)
        let configuration = try run.configuration()
        try configuration.validate()
        return (configuration.task, (run, configuration))
    }
}
