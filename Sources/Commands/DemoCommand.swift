import ArgumentParser
import Demo
import Dispatch
import Foundation
import Interface
import Platform
import Synchronization
import Training

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Serve a page on 127.0.0.1 on which trained agents play, and you beside them.",
        discussion: """
            rl2x demo                                          the policies of the zoo
            rl2x demo --agents zoo:maze-gru,runs/maze-gru-s0   these, side by side
            rl2x demo --port 9000

            The page is served to this machine alone and loads nothing from elsewhere. Ctrl-C ends it.
            """)

    @Option(
        help: ArgumentHelp(
            "Run directories or zoo:NAMEs, separated by commas (default: the whole zoo).", valueName: "runs"))
    var agents: String?

    @Option(
        parsing: .unconditional,
        help: "Port, 1 … 65535 (default: the first that is free from \(DemoServer.firstPort) on).")
    var port: Int?

    func validate() throws { try check("port", port, 1...65535) }

    func run() throws {
        let agents = try chosen()
        let port = port.map { UInt16($0) }
        Interruption.install()
        // A page that is closed while it is answered is no reason to end.
        signal(SIGPIPE, SIG_IGN)
        try waiting {
            let server = try await DemoServer(agents, port: port)
            printError("rl2x demo: open \(server.address) in a browser; Ctrl-C ends it")
            while Interruption.signal == 0 { try await Task.sleep(for: .milliseconds(50)) }
            await server.stop()
        }
        printError("rl2x demo: ended")
    }

    private func chosen() throws -> [DemoAgent] {
        guard let agents else {
            guard let zoo = Zoo.found() else {
                throw UserError("there is no zoo beside this program; name runs with --agents")
            }
            // One that is damaged is no reason to show none.
            let found = zoo.names.compactMap { name -> DemoAgent? in
                do { return try DemoAgent(zoo.policy(name)) } catch {
                    printError("left out: \(error)")
                    return nil
                }
            }
            guard !found.isEmpty else {
                throw UserError("\(zoo.path): there is no policy in the zoo; name runs with --agents")
            }
            return found
        }
        let names = agents.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        guard !names.isEmpty else { throw ValidationError("--agents names nobody: give runs or zoo:NAMEs") }
        guard Set(names).count == names.count else {
            throw ValidationError("--agents names a run twice: leave one out")
        }
        return try names.map { try DemoAgent(RunDirectory.named($0)) }
    }
}

/// Runs asynchronous work to its end.
private func waiting(_ work: @escaping @Sendable () async throws -> Void) throws {
    let failure = Outcome()
    let done = DispatchSemaphore(value: 0)
    Task {
        do { try await work() } catch { failure.error.withLock { $0 = error } }
        done.signal()
    }
    done.wait()
    if let error = failure.error.withLock({ $0 }) { throw error }
}

private final class Outcome: Sendable {
    let error = Mutex<(any Error)?>(nil)
}
