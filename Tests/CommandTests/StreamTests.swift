import Foundation
import Testing

@testable import Training

/// Standard streams that are closed, full, or gone.
@Suite struct StreamTests {
    private static let tiny = Command.tiny("run").joined(separator: " ")

    @Test(arguments: ["2>/dev/full", "2>&-", "0<&- 1>&- 2>&-", "2>&1 >/dev/null | true"])
    func aTrainingDoesWithoutStandardError(_ redirection: String) throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("other"), in: directory)
            let result = try Command.run(script: "\"$0\" \(StreamTests.tiny) \(redirection)", in: directory)
            #expect(result.code == 0, "\(result.errors)")
            // A pipeline ends with its last part.
            let deadline = ContinuousClock.now + .seconds(20)
            while loggedIterations(directory + "/run") < 2 && ContinuousClock.now < deadline { usleep(20_000) }
            while (try? Manifest.read(directory + "/run/manifest.json"))?.sessions.first?.outcome == "running",
                ContinuousClock.now < deadline
            { usleep(20_000) }
            #expect(try Manifest.read(directory + "/run/manifest.json").sessions.map(\.outcome) == ["finished"])
            // No line landed in a file of the run.
            let table = try String(contentsOfFile: directory + "/run/metrics.csv", encoding: .utf8)
            #expect(table.split(separator: "\n").count == 3 && table.hasPrefix("iteration,"), "\(table)")
            #expect(try checkpoint(directory + "/run") == checkpoint(directory + "/other"))
            for name in snapshot(directory + "/run").keys where name.hasPrefix("events") {
                let events = FileManager.default.contents(atPath: directory + "/run/" + name) ?? Data()
                #expect(!String(decoding: events, as: UTF8.self).contains("steps/s"))
            }
        }
    }

    @Test(arguments: ["2>/dev/full", "2>&-"]) func anErrorKeepsItsCode(_ redirection: String) throws {
        try withTemporaryDirectory { directory in
            for (call, code): (String, Int32) in [("evaluate nowhere", 1), ("train --model perceptron", 64)] {
                let result = try Command.run(script: "\"$0\" \(call) \(redirection)", in: directory)
                #expect(result.code == code)
            }
        }
    }

    @Test func anErrorStaysOneLine() throws {
        try withTemporaryDirectory { directory in
            let result = try Command.run(["train", "--config", "no\nwhere\r\n.yaml"], in: directory)
            #expect(result.code == 1 && result.errorLines.count == 1, "\(result.errors)")
            #expect(result.errors.hasPrefix("rl2x: no where .yaml: "), "\(result.errors)")
        }
    }

    /// Of a pipe that somebody else made non-blocking and does not read.
    @Test func aTrainingDoesNotWaitForAReader() throws {
        try withTemporaryDirectory { directory in
            let pipe = Pipe()
            let writing = pipe.fileHandleForWriting
            _ = fcntl(writing.fileDescriptor, F_SETFL, O_NONBLOCK)
            let block = [UInt8](repeating: 0, count: 1 << 12)
            while write(writing.fileDescriptor, block, block.count) > 0 {}
            while write(writing.fileDescriptor, block, 1) > 0 {}
            let running = try Command.Running(Command.tiny("run"), in: directory, errors: writing)
            #expect(try running.wait().code == 0)
            #expect(loggedIterations(directory + "/run") == 2)
            withExtendedLifetime(pipe) {}
        }
    }

    @Test func aTrainingOutlivesItsTerminal() throws {
        try withTemporaryDirectory { directory in
            let terminal = try Terminal(columns: 80)
            let running = try Command.Running(
                Command.tiny("run", iterations: 60), in: directory, errors: terminal.program)
            while running.isRunning && loggedIterations(directory + "/run") < 3 {
                _ = terminal.read()
                usleep(2000)
            }
            terminal.hangUp()
            #expect(try running.wait().code == 0)
            #expect(loggedIterations(directory + "/run") == 60)
        }
    }

    /// A result that nobody got is a failure, however the command printed it.
    @Test(arguments: [
        "--help", "train --help", "--version", "info --threads 1", "info --threads 1 --json",
        "baselines --trials 100 --threads 1 --arms 2 --episodes 2", "check --model feedforward --task bandit",
        "bench run plan.yaml --list",
    ]) func outputThatCannotBeWrittenIsAFailure(_ call: String) throws {
        try withTemporaryDirectory { directory in
            try Data(Command.tinyPlan.utf8).write(to: URL(fileURLWithPath: directory + "/plan.yaml"))
            for (redirection, reason) in [(">/dev/full", "No space left"), (">&-", "Bad file descriptor")] {
                let result = try Command.run(script: "\"$0\" \(call) \(redirection)", in: directory)
                #expect(result.code == 1, "\(call)")
                #expect(result.failures.count == 1, "\(result.errors)")
                #expect(result.errorLines.last?.contains(reason) == true, "\(result.errors)")
            }
            let sound = try Command.run(script: "\"$0\" \(call) | cat", in: directory)
            #expect(!sound.output.isEmpty && sound.failures.isEmpty, "\(sound.errors)")
        }
    }

    /// A reader that has seen enough, such as `head`, ends the command without a word.
    @Test func aReaderMayLeave() throws {
        try withTemporaryDirectory { directory in
            let result = try Command.run(
                script: "{ \"$0\" train --help; echo $? >code; } | true; sleep 1; cat code", in: directory)
            #expect(result.errors.isEmpty, "\(result.errors)")
            #expect(["0\n", "141\n"].contains(result.output), "\(result.output)")
        }
    }

    /// Nothing is longer than the window, and each line of progress is written over the last.
    @Test func aLiveLineFitsTheWindow() throws {
        try withTemporaryDirectory { directory in
            let text = try onTerminal("TERM=xterm", in: directory)
            let lives = text.components(separatedBy: "\r\u{1B}[K").dropFirst()
                .map { $0.prefix { $0 != "\r" && !$0.isNewline } }
            #expect(lives.count == 3)
            #expect(lives.allSatisfy { (20...39).contains($0.count) }, "\(lives)")
            #expect(text.contains("\r\nfinished: "), "the line after it begins below it: \(text)")
        }
    }

    @Test(arguments: ["TERM=dumb", "TERM=", "-u TERM"]) func aPlainTerminalGetsPlainLines(_ setting: String) throws {
        try withTemporaryDirectory { directory in
            let text = try onTerminal(setting, in: directory)
            #expect(!text.contains("\u{1B}") && !text.replacing("\r\n", with: "\n").contains("\r"))
            #expect(text.contains("3/3  n 5  return") && text.contains("steps/s"), "\(text)")
        }
    }

    /// What a training of three iterations writes to a terminal of 40 columns.
    private func onTerminal(_ setting: String, in directory: String) throws -> String {
        let terminal = try Terminal(columns: 40)
        let call = Command.tiny("run", iterations: 3).joined(separator: " ")
        let running = try Command.start(
            script: "exec env \(setting) \"$0\" \(call)", in: directory, errors: terminal.program)
        var text = ""
        while running.isRunning {
            text += terminal.read()
            usleep(5000)
        }
        #expect(try running.wait().code == 0)
        return text + terminal.read()
    }
}
