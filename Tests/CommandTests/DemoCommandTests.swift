import Foundation
import Testing

@testable import Bench

/// `rl2x watch` and `rl2x demo` as processes. What the demo's page does in a browser is tested by scripts/demo-test.
@Suite struct DemoCommandTests {
    private func trainMaze(in directory: String) throws {
        try Command.succeed(
            ["train"] + Command.smallMaze + [
                "--hidden", "8", "--batch-steps", "300", "--threads", "1", "--iterations", "1", "--frame-width", "16",
                "--frame-height", "13", "--run", "run",
            ], in: directory)
    }

    @Test func watchPrintsEpisodesWhereThereIsNoTerminal() throws {
        try withTemporaryDirectory { directory in
            try trainMaze(in: directory)
            let result = try Command.run(["watch", "run", "--seed", "2", "--episodes", "3"], in: directory)
            #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
            let lines = result.output.split(separator: "\n")
            let episodes = lines.filter { $0.hasPrefix("episode ") }
            #expect(episodes.count == 3 && episodes[2].contains("episode 3 of 3: target"))
            #expect(!result.output.contains("\u{1B}") && result.output.contains("##"))
            // The pictures of `frames` show the same trial.
            let frames = try Command.run(
                ["frames", "run", "--seed", "2", "--episodes", "3", "--scale", "1", "--out", "pictures"], in: directory)
            for (episode, line) in frames.output.split(separator: "\n").prefix(3).enumerated() {
                let steps = try #require(line.firstMatch(of: /: (\d+) steps/)?.1)
                #expect(episodes[episode].contains("in \(steps) steps"))
            }
            let coloured = try Command.run(["watch", "run", "--colours", "full"], in: directory)
            #expect(coloured.code == 0 && coloured.output.contains("\u{1B}[38;2;") && coloured.output.contains("▀"))
            let few = try Command.run(["watch", "run", "--colours", "256"], in: directory)
            #expect(few.code == 0 && few.output.contains("\u{1B}[38;5;"))
        }
    }

    @Test func watchDrawsOverWhatItDrewOnATerminal() throws {
        try withTemporaryDirectory { directory in
            try trainMaze(in: directory)
            let terminal = try Terminal(columns: 60)
            // The program writes to the terminal as to standard output.
            let script = "TERM=xterm-256color LANG=C.UTF-8 \"$0\" watch run --speed 1000 >&2"
            let running = try Command.start(script: script, in: directory, errors: terminal.program)
            var screen = ""
            while running.isRunning {
                screen += terminal.read()
                Thread.sleep(forTimeInterval: 0.005)
            }
            screen += terminal.read()
            #expect(try running.wait().code == 0)
            #expect(screen.hasPrefix("\u{1B}[?25l") && screen.contains("\u{1B}[?25h") && screen.contains("A\r"))
            #expect(screen.contains("episode 2 of 2: target"))
        }
    }

    @Test func wrongCallsAreOneLine() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("bandit"), in: directory)
            for (call, code, words) in [
                (["watch", "bandit"], 1, "shows no pictures"), (["watch", "missing"], 1, "no such directory"),
                (["watch", "bandit", "--speed", "0"], 64, "--speed"),
                (["watch", "bandit", "--colours", "many"], 64, "many"),
                (["watch"], 64, "directory"), (["demo", "--port", "0"], 64, "--port"),
                (["demo", "--port", "70000"], 64, "--port"), (["demo", "--agents", ","], 64, "--agents"),
                (["demo", "--agents", "bandit,bandit"], 64, "twice"),
                (["demo", "--agents", "missing"], 1, "no such directory"),
                (["demo", "--agents", "zoo:nothing-like-it"], 1, "nearest"),
            ] {
                let result = try Command.run(call, in: directory)
                #expect(Int(result.code) == code && result.errorLines.count == 1, "\(call): \(result.errors)")
                #expect(result.errors.contains(words), "\(call): \(result.errors)")
            }
        }
    }

    /// Starts the demo and gives its port when it listens.
    private func start(_ arguments: String, in directory: String) throws -> (Command.Running, port: Int) {
        let running = try Command.start(
            script: "exec \"$0\" demo --agents run \(arguments) 2>log\(UInt32.random(in: 0 ... .max))", in: directory)
        for _ in 0..<2000 where running.isRunning {
            for name in try FileManager.default.contentsOfDirectory(atPath: directory) where name.hasPrefix("log") {
                let text = try String(contentsOfFile: directory + "/" + name, encoding: .utf8)
                if let port = text.firstMatch(of: /127\.0\.0\.1:(\d+)/).flatMap({ Int($0.1) }) {
                    try FileManager.default.removeItem(atPath: directory + "/" + name)
                    return (running, port)
                }
            }
            Thread.sleep(forTimeInterval: 0.01)
        }
        Issue.record("the demo did not start")
        return (running, 0)
    }

    @Test func demoServesThisMachineAloneAndEndsByASignal() async throws {
        let directory = NSTemporaryDirectory() + "rl2x-demo-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Command.succeed(Command.tiny("run"), in: directory)
        let (running, port) = try start("", in: directory)
        func get(_ path: String, _ headers: [String: String] = [:]) throws -> (code: String, body: String) {
            let more = headers.map { "-H '\($0.key): \($0.value)'" }.joined(separator: " ")
            let result = try Command.run(
                script: "curl -s -w '\\n%{http_code}' \(more) http://127.0.0.1:\(port)\(path)", in: directory)
            let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
            return (lines.last.map(String.init) ?? "", lines.dropLast().joined(separator: "\n"))
        }
        if try Command.run(script: "command -v curl", in: directory).code == 0 {
            #expect(try get("/").body.contains("<title>rl2x demo</title>"))
            #expect(try get("/api/menu").body.contains("\"name\":\"run\""))
            for headers in [["Host": "example.com"], ["Origin": "http://example.com"], ["Origin": "null"]] {
                #expect(try get("/", headers).code == "403", "\(headers)")
            }
        }
        // Its port is taken: one line where it was asked for, else the next.
        let busy = try Command.run(["demo", "--agents", "run", "--port", "\(port)"], in: directory)
        #expect(busy.code == 1 && busy.errorLines.count == 1 && busy.errors.contains("port \(port) is in use"))
        let (second, other) = try start("", in: directory)
        #expect(other != port && other > 0)
        for (process, signal) in [(running, SIGINT), (second, SIGTERM)] {
            process.send(signal)
            #expect(try process.wait().code == 0)
        }
    }
}
