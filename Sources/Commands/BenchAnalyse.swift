import ArgumentParser
import Bench
import Foundation
import Interface
import Training

struct BenchAnalyseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyse",
        abstract: "What algorithm does a trained policy run inside a trial?",
        discussion: """
            rl2x bench analyse runs/bandit-gru-s0
            rl2x bench analyse runs/bandit-gru-s0 --trials 10000 --out inside.md
            rl2x bench analyse runs/maze-gru-s0 --pictures forgotten

            Of bandits: regret pull by pull beside exact play, Gittins and Thompson sampling; agreement with what they would \
            pull; what can be read from the network's state; what other names of the arms and one other reward change.

            Of mazes: success after success and after failure; what can be read from the memory, step by step and across \
            the episode's end (target, agent, passages seen); what the first action of episode 2 depends on.

            Of MDPs: rewards beside classic agents; posterior means and counts read from the memory; agreement with plans \
            in the expected MDP. Another package's task states what is read (TaskFamily.makeProbes).
            """)

    @Argument(help: "Run directory, whose latest checkpoint is played, or zoo:NAME.")
    var directory: String

    @Option(
        parsing: .unconditional, help: "Members to play, one trial each (100 … 1000000; default 2000, of mazes 1000).")
    var trials: Int?

    @Option(
        parsing: .unconditional, help: "Seed of the held-out members and of the actions drawn (0 or more; default 0).")
    var seed = 0

    @Option(help: "Write the page here, as Markdown; without it the page is printed.")
    var out: String?

    @Option(
        help:
            "Directory for pictures of up to three trials that fail, or take twice as long, after a success, such as of mazes."
    )
    var pictures: String?

    @OptionGroup var threads: ThreadOptions

    @Flag(help: "Print one JSON object on standard output and nothing else.")
    var json = false

    func validate() throws {
        try check("trials", trials, 100...1_000_000)
        try check(seed: seed)
    }

    func run() throws {
        let run = try RunDirectory.named(directory)
        let configuration = try run.configuration()
        let family = try configuration.makeFamily()
        if let pictures { try AnalysisRecord.requirePictures(of: family, in: pictures, option: "--pictures") }
        let record = try AnalysisRecord(
            run, trials: trials ?? AnalysisRecord.standardTrials(of: family), seed: seed,
            workers: Workers(threads: threads.count))
        let page = AnalysisPage(record).markdown
        if let pictures {
            let places = try record.writePictures(to: pictures, option: "--pictures")
            printError(
                places.isEmpty
                    ? "no trial fails, or takes more than twice as long, after a success: nothing to draw"
                    : "pictures in " + places.joined(separator: ", "))
        }
        if let out { try AtomicFile.write(Data(page.utf8), to: out) }
        if json {
            print(String(decoding: try record.encoded(), as: UTF8.self), terminator: "")
        } else if out == nil {
            print(page, terminator: "")
        }
    }
}
