import ArgumentParser
import Bench
import Foundation
import Interface
import Kernels
import Platform
import Tasks
import Training

struct Watch: TakesSettings {
    static let scope = SettingScope.task
    static let configuration = CommandConfiguration(
        abstract: "Watch a trained policy play a maze, or another task that is seen, in the terminal.",
        discussion: """
            rl2x watch zoo:maze-gru
            rl2x watch runs/maze-gru-s0 --seed 3 --maze-size 9 --speed 20

            Left: what the policy sees. Right: the member from above, with its way so far. Where standard output is no \
            terminal, only the end of each episode is printed. Ctrl-C ends it.
            """)

    @Argument(help: "Run directory of a task that is seen, whose latest checkpoint plays, or zoo:NAME.")
    var directory: String

    @Option(
        parsing: .unconditional, help: "Seed of the held-out member and of the actions drawn, 0 or more (default: 0).")
    var seed = 0

    @Option(parsing: .unconditional, help: "Which of the seed's held-out members (0 or more; default 0).")
    var member = 0

    @Option(parsing: .unconditional, help: "Steps a second (1 … 1000; default 10).")
    var speed = 10

    @Option(
        help: ArgumentHelp(
            "What the terminal can show: full (24 bits), 256 or none (letters) (default: what it says of itself).",
            valueName: "colours"))
    var colours: TerminalPicture.Colours?

    @OptionGroup var settings: SettingOptions

    @Flag(help: "Take the policy's most probable action instead of drawing one.")
    var deterministic = false

    func validate() throws {
        try check(seed: seed)
        try check("member", member, 0...1_000_000_000)
        try check("speed", speed, 1...1000)
    }

    func run() throws {
        let run = try RunDirectory.named(directory)
        var configuration = try run.configuration()
        try configuration.validate()
        let entry = try taskCatalogue.require(configuration.task)
        let agent = try LearnedAgent(run, configuration, choice: deterministic ? .greedy : .sampled)
        configuration = try configuration.playing(
            settings.values(of: entry.options, owner: "task '\(configuration.task)'"))
        let family = try configuration.makeFamily().heldOut()
        let streams = TrialStreams(Trainer.heldOutMembers(seed: seed).split(member))
        let trial = family.makeLiveTrial(streams)
        guard trial.view.frame != nil else {
            throw UserError(
                "task '\(configuration.task)' shows no pictures; choose a run of one that does, such as maze")
        }
        let player = LivePlayer(
            try agent.playing(configuration), streams: streams, steps: family.maximumTrialSteps)
        let isTerminal = isatty(STDOUT_FILENO) == 1
        let environment = ProcessInfo.processInfo.environment
        let colours = colours ?? (isTerminal ? TerminalPicture.Colours.supported(by: environment) : .none)
        var screen = try Screen(trial, colours, isTerminal: isTerminal && environment["TERM"] != "dumb")
        if isTerminal { Interruption.install() }
        screen.begin()
        defer { screen.end() }
        while !trial.isOver {
            let episode = trial.episode
            let step = trial.take(player.act(trial.inputs))
            screen.add(step, episode: episode)
            if step.endsEpisode || screen.isAnimated {
                screen.show(step, episode: episode, of: family.episodes, seconds: 1 / Double(speed))
            }
            if Interruption.signal != 0 {
                screen.end()
                Console.exit(128 + Interruption.signal)
            }
        }
    }
}

extension TerminalPicture.Colours: ExpressibleByArgument {}

/// Draws the moments of a trial, on a terminal each over the one before it.
private struct Screen {
    let isAnimated: Bool
    private let painter: TerminalPicture
    private let map: TerminalMap?
    private let scale: Int
    private let shortest: Int?
    private var places: [FloorPlan.Place] = []
    private var (steps, reward) = (0, 0.0)
    /// Lines that are drawn over next time.
    private var drawn = 0

    /// - Throws: one line if the terminal is too narrow.
    init(_ trial: any LiveTrial, _ colours: TerminalPicture.Colours, isTerminal: Bool) throws {
        isAnimated = isTerminal
        painter = TerminalPicture(colours)
        shortest = trial.shortest
        let frame = trial.view.frame.map { ($0.width, $0.height) } ?? (0, 0)
        let map = trial.floorPlan.map { TerminalMap($0) }
        var size = winsize()
        // Where the size is not told, as much as most have.
        let isKnown = isTerminal && ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        let (columns, rows) = isKnown ? (Int(size.ws_col), Int(size.ws_row)) : (100, 40)
        guard columns >= frame.0 else {
            throw UserError(
                "the terminal has \(columns) columns, and what the policy sees has \(frame.0): make it wider")
        }
        let room = map.map { $0.side + 2 } ?? 0
        scale = columns >= 2 * frame.0 + room && rows >= frame.1 + 3 ? 2 : 1
        self.map = columns >= scale * frame.0 + room && rows >= (map?.side ?? 0) / 2 + 3 ? map : nil
        if let place = trial.view.place { places = [place] }
    }

    func begin() {
        if isAnimated { print("\u{1B}[?25l", terminator: "") }
    }

    /// Gives the cursor back.
    mutating func end() {
        if isAnimated { print("\u{1B}[?25h\u{1B}[0m", terminator: "") }
    }

    /// Notes a step before it is shown.
    mutating func add(_ step: LiveStep, episode: Int) {
        if steps == 0, let first = places.first { places = [first] }
        steps += 1
        reward += Double(step.reward)
        if let place = step.view.place { places.append(place) }
    }

    /// Draws what a step led to, and waits.
    mutating func show(_ step: LiveStep, episode: Int, of episodes: Int, seconds: Double) {
        let seen = step.view.frame.map { painter.lines($0.scaled(by: scale)) } ?? []
        var above: [String] = []
        if let map {
            above = painter.colours == .none ? map.letters(places.last) : painter.lines(map.picture(places))
        }
        let blank = String(repeating: " ", count: scale * (step.view.frame?.width ?? 0))
        var lines = (0..<max(seen.count, above.count)).map { row in
            (row < seen.count ? seen[row] : blank) + (row < above.count ? "  " + above[row] : "")
        }
        var words = "episode \(episode + 1) of \(episodes), step \(steps)"
        if step.endsEpisode {
            words =
                "episode \(episode + 1) of \(episodes): "
                + (step.succeeded ? "target reached in \(steps) steps" : "target not reached in \(steps) steps")
                + (shortest.map { "; the shortest way has \($0)" } ?? "") + "; reward \(Display.fixed(reward, 3))"
        }
        lines.append(words)
        if isAnimated {
            // Up to the first line, and what was longer before is cleared.
            let up = drawn > 0 ? "\u{1B}[\(drawn)A\r" : ""
            print(up + lines.map { $0 + "\u{1B}[K\n" }.joined(), terminator: "")
            drawn = lines.count
            Thread.sleep(forTimeInterval: step.endsEpisode ? max(seconds, 0.8) : seconds)
        } else {
            print(lines.joined(separator: "\n"))
        }
        if step.endsEpisode { (steps, reward) = (0, 0) }
    }
}
