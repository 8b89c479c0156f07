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

            Of bandits: regret pull by pull beside exact play, Gittins and Thompson sampling; agreement with what they would \
            pull; what can be read from the network's state; what other names of the arms and one other reward change. Of \
            other tasks: the reward of each episode.
            """)

    @Argument(help: "Run directory; its latest checkpoint is played.")
    var directory: String

    @Option(
        parsing: .unconditional, help: "Members to play, one trial each (100 … 1000000; default 2000, of mazes 1000).")
    var trials: Int?

    @Option(
        parsing: .unconditional, help: "Seed of the held-out members and of the actions drawn (0 or more; default 0).")
    var seed = 0

    @Option(help: "Write the page here, as Markdown; without it the page is printed.")
    var out: String?

    @OptionGroup var threads: ThreadOptions

    @Flag(help: "Print one JSON object on standard output and nothing else.")
    var json = false

    func validate() throws {
        try check("trials", trials, 100...1_000_000)
        try check(seed: seed)
    }

    func run() throws {
        let run = RunDirectory(directory)
        let configuration = try run.configuration()
        let reachesGoals = try configuration.makeFamily().measures.contains(.success)
        let record = try AnalysisRecord(
            run, trials: trials ?? (reachesGoals ? 1000 : AnalysisRecord.standardTrials), seed: seed,
            workers: Workers(threads: threads.count))
        if record.bandit == nil {
            printError(
                "only bandits can be looked into: of task '\(configuration.task)' the reward of each episode is all there is"
            )
        }
        let page = AnalysisPage(record).markdown
        if let out { try AtomicFile.write(Data(page.utf8), to: out) }
        if json {
            print(String(decoding: try record.encoded(), as: UTF8.self), terminator: "")
        } else if out == nil {
            print(page, terminator: "")
        }
    }
}
