import Foundation
import Kernels
import Testing

@testable import Training

/// What a manifest says of sessions that differ.
@Suite struct ProvenanceTests {
    /// Kernels for processors that every machine with AVX2 can run.
    private func run(_ kernels: String, _ call: [String], in directory: String) throws -> Command.Result {
        try Command.run(
            script: "OPENBLAS_CORETYPE=\(kernels) exec \"$0\" \(call.joined(separator: " "))", in: directory)
    }

    @Test func eachSessionSaysWhatItRanOnAndAChangeIsTold() throws {
        try withTemporaryDirectory { directory in
            let first = try run("Haswell", Command.tiny("run"), in: directory)
            try #require(first.code == 0, "\(first.errors)")
            let resume = ["train", "--resume", "run", "--threads", "1", "--iterations"]
            let same = try run("Haswell", resume + ["3"], in: directory)
            let other = try run("Nehalem", resume + ["4"], in: directory)
            #expect(same.code == 0 && other.code == 0, "\(other.errors)")
            let manifest = try Manifest.read(directory + "/run/manifest.json")
            let names = manifest.sessions.map { $0.blasKernels ?? "" }
            try #require(names.count == 3)
            #expect(names[0] == names[1] && !names[0].isEmpty)
            try #require(names[0] != names[2], "this OpenBLAS has one set of kernels")
            #expect(manifest.blasKernels == names[0], "what the run began with")
            // Other warnings are about the few iterations.
            func told(_ result: Command.Result) -> [Substring] {
                result.errorLines.filter { $0.hasPrefix("warning: ") && $0.contains("kernels") }
            }
            #expect(told(first).isEmpty && told(same).isEmpty, "\(same.errors)")
            let warnings = told(other)
            #expect(warnings.count == 1, "\(other.errors)")
            #expect(warnings.first?.contains("kernels \(names[0]) and goes on with \(names[2])") == true, "\(warnings)")
            #expect(warnings.first?.contains("OPENBLAS_CORETYPE=\(names[0])") == true)
            for session in manifest.sessions {
                #expect(session.version == Version.number && session.commit == Version.commit)
                #expect(session.processor == Processor.current.name)
            }
            #expect(manifest.sessions.map { $0.command?.contains("--resume") } == [false, true, true])
            // Told once: the next session goes on with what the last one had.
            let again = try run("Nehalem", resume + ["5"], in: directory)
            #expect(told(again).isEmpty, "\(again.errors)")
        }
    }

    /// Of rl2x 0.1.0, whose sessions said nothing of this.
    @Test func aManifestWithoutProvenanceIsRead() throws {
        try withTemporaryDirectory { directory in
            try Command.succeed(Command.tiny("run"), in: directory)
            let path = directory + "/run/manifest.json"
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            var object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
            var session = try #require((object["sessions"] as? [[String: Any]])?.first)
            for key in ["version", "commit", "processor", "blas_kernels", "command"] { session[key] = nil }
            object["sessions"] = [session]
            object["blas_kernels"] = "Abacus"
            try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: path))
            let result = try Command.succeed(
                ["train", "--resume", "run", "--threads", "1", "--iterations", "3"], in: directory)
            #expect(result.errors.contains("kernels Abacus and goes on with"), "\(result.errors)")
            let sessions = try Manifest.read(path).sessions
            #expect(sessions.map { $0.version == nil } == [true, false])
        }
    }
}
