import Foundation
import Kernels
import Tasks

/// The replays of a report, one figure a task: the running totals as a chart, and a stage on which `ReplayScript` plays
/// one of the methods' trials. Without JavaScript the charts stay.
struct ReplaySection {
    private let replays: [Replay]

    init(_ replays: [Replay]) { self.replays = replays }

    /// A figure for each task that has replays, in the order of the replays.
    var parts: [String] {
        var tasks: [String] = []
        for replay in replays where !tasks.contains(replay.taskName) { tasks.append(replay.taskName) }
        return tasks.map { task in figure(task, replays.filter { $0.taskName == task }) }
    }

    private func figure(_ task: String, _ replays: [Replay]) -> String {
        let isVisual = replays[0].visual != nil
        let options = replays.enumerated().map { "<option value=\"\($0)\">\(escape($1.title))</option>" }
        let pages = replays.compactMap { replay -> String? in
            if let visual = replay.visual { return VisualReplayPage(visual, of: replay).map(json) }
            return replay.choices.map { json(ChoiceReplayPage($0)) }
        }
        return """
            <div class="replay">\(isVisual ? "" : totals(task, replays))
            <h3>\(escape(task)): a held-out member, step by step</h3>
            <noscript><p>This is played by JavaScript, which is switched off here.</p></noscript>
            <div class="controls" hidden>
            <label>policy <select>\(options.joined())</select></label>
            <button type="button" data-do="play">Play</button>
            <button type="button" data-do="back" aria-label="One step back">−1</button>
            <button type="button" data-do="forward" aria-label="One step forward">+1</button>
            <button type="button" data-do="episode">Next episode</button>
            <input type="range" min="0" value="0" aria-label="Step of the trial">
            </div>
            <output></output>
            <div class="stage"></div>
            <script type="application/json">[\(pages.joined(separator: ",\n"))]</script></div>
            """
    }

    /// Reward so far of every policy and the classic agents, all on one member under the same chance.
    private func totals(_ task: String, _ replays: [Replay]) -> String {
        let choices = replays.compactMap { replay in replay.choices.map { (replay.title, $0) } }
        guard let first = choices.first?.1 else { return "" }
        let players =
            choices.map { ($0, $1.players[0]) } + first.players.dropFirst().map { ($0.name, $0) }
        let series = players.map { name, player -> Chart.Series in
            var total = 0.0
            let points = player.rewards.enumerated().map { step, reward -> Chart.Point in
                total += reward
                let text = String(format: "%.4g", total)
                return Chart.Point(x: Double(step + 1), y: total, title: "\(name): \(text) after step \(step + 1)")
            }
            return Chart.Series(name: name, points: points)
        }
        return Chart(
            .lines, title: "\(task): one held-out member, everybody under the same chance", x: "step of the trial",
            y: "reward so far", series: series
        ).svg
    }

    /// As it may stand in a script element.
    private func json(_ page: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: (try? encoder.encode(page)) ?? Data("null".utf8), as: UTF8.self)
            .replacingOccurrences(of: "</", with: "<\\/")
    }

    static let style = """
        .controls { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin: 8px 0; }
        .controls[hidden] { display: none; } .controls input { flex: 1; min-width: 180px; accent-color: var(--c0); }
        .controls button, .controls select { font: inherit; color: var(--ink); background: var(--card);
          border: 1px solid var(--rule); border-radius: 6px; padding: 3px 12px; cursor: pointer; }
        .controls :focus-visible { outline: 2px solid var(--c0); outline-offset: 1px; }
        .replay { margin: 24px 0 40px; } .replay output { display: block; min-height: 1.5em; }
        .stage { margin-top: 8px; } .stage td { padding: 2px 10px; }
        .stage table { min-width: 320px; } tr.chosen { background: var(--card); font-weight: 600; }
        .bar { position: relative; width: 150px; height: 12px; background: var(--rule); border-radius: 2px; }
        .bar i { display: block; height: 100%; border-radius: 2px; background: var(--c0); } .bar.belief i { background: var(--c2); }
        .bar b { position: absolute; top: -2px; width: 3px; height: 16px; background: var(--c1); }
        .eyes { display: flex; flex-wrap: wrap; gap: 16px; align-items: flex-start; margin-bottom: 10px; }
        .view { image-rendering: pixelated; border-radius: 4px; background-color: #000; }
        .map { width: 300px; max-width: none; border-radius: 4px; }
        .cursor { stroke: var(--ink); stroke-width: 1; opacity: .7; }
        """
}

extension Replay {
    /// As the report's other parts name the method, and the seed that is shown.
    fileprivate var title: String {
        (settingName.isEmpty ? modelName : "\(modelName), \(settingName)") + ", seed \(seed)"
    }
}

/// What the script is told of a bandit or an MDP.
struct ChoiceReplayPage: Encodable {
    let kind = "choices"
    let replay: ChoiceReplay
    /// What an action and a step are called.
    let action: String
    let step: String
    /// Between which numbers mean rewards are drawn.
    let range: [Double]
    let isCut: Bool

    init(_ replay: ChoiceReplay) {
        self.replay = replay
        let isBandit = replay.meanRewards.count == 1
        (action, step) = isBandit ? ("arm", "pull") : ("action", "step")
        let means = replay.meanRewards.flatMap { $0 }
        range = isBandit ? [0, 1] : [means.min()! - 0.5, means.max()! + 0.5].map { $0.rounded() }
        isCut = replay.trialSteps > replay.players[0].actions.count
    }
}

/// What the script is told of a task that is seen: a sheet of all frames, the map, and by moments (before each action, and at each
/// episode's end) where the agent is and what it does.
struct VisualReplayPage: Encodable {
    /// Most moments that are shown: of a longer trial every second, third, … of an episode, and its last.
    static let momentLimit = 240

    struct Moment: Encodable {
        let episode: Int
        let step: Int
        /// Place in the sheet, row by row.
        let frame: Int
        /// Pixels of the map.
        let x: Double
        let y: Double
        /// Degrees clockwise from the right.
        let angle: Int
        /// nil at an episode's end.
        let action: Int?
        let probabilities: [Double]?
    }

    let kind = "maze"
    let sheet: String
    let columns: Int
    let frameSize: [Int]
    let map: String
    /// Pixels a side of the map.
    let side: Int
    let radius: Double
    /// Of each episode, as on every map.
    let colours: [String]
    let lengths: [Int]
    let isReached: [Bool]
    let shortest: Int?
    /// A moment is so many steps after the one before it.
    let every: Int
    let moments: [Moment]

    /// Nil if the replay is not of a whole trial.
    init?(_ visual: VisualReplay, of replay: Replay) {
        guard let recording = visual.recording(task: replay.task, replay.taskOptions),
            let drawing = TrialMap(recording, scale: 48)
        else { return nil }
        let total = recording.episodes.reduce(0) { $0 + $1.steps + 1 }
        let every = (total + VisualReplayPage.momentLimit - 1) / VisualReplayPage.momentLimit
        var (moments, frames) = ([Moment](), [Picture]())
        var places: [[UInt8]: Int] = [:]
        var first = 0
        for (number, episode) in recording.episodes.enumerated() {
            for step in 0...episode.steps where step % every == 0 || step == episode.steps {
                let (frame, standing, isEnd) = (episode.frames[step], episode.places[step], step == episode.steps)
                let place = places[frame.bytes] ?? frames.count
                if place == frames.count {
                    places[frame.bytes] = place
                    frames.append(frame)
                }
                let (x, y) = drawing.pixels(standing)
                moments.append(
                    Moment(
                        episode: number, step: step, frame: place, x: (10 * x).rounded() / 10,
                        y: (10 * y).rounded() / 10, angle: standing.degrees,
                        action: isEnd ? nil : episode.actions[step],
                        probabilities: isEnd ? nil : visual.probabilities[first + step]))
            }
            first += episode.steps
        }
        (self.moments, self.every) = (moments, every)
        columns = min(16, frames.count)
        frameSize = [frames[0].width, frames[0].height]
        var sheet = Picture(
            width: columns * frames[0].width, height: (frames.count + columns - 1) / columns * frames[0].height)
        for (index, frame) in frames.enumerated() {
            sheet.place(frame, x: index % columns * frame.width, y: index / columns * frame.height)
        }
        self.sheet = VisualReplayPage.address(sheet)
        map = VisualReplayPage.address(drawing.ground())
        (side, radius) = (drawing.side, drawing.bodyRadius)
        colours = recording.episodes.indices.map { TrialMap.colour(of: $0).css }
        lengths = recording.episodes.map(\.steps)
        isReached = recording.episodes.map(\.succeeded)
        shortest = recording.shortest
    }

    /// As a page refers to a picture that it holds.
    static func address(_ picture: Picture) -> String {
        "data:image/png;base64," + PNG.encode(picture).base64EncodedString()
    }
}

extension Picture.Colour {
    /// As style sheets write it.
    var css: String { "rgb(\(red),\(green),\(blue))" }
}
