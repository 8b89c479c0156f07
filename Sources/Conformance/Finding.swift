/// What the kit found of one line: whether it holds, and the numbers that say so.
public struct Finding: Sendable, Equatable, CustomStringConvertible {
    public enum Verdict: String, Sendable {
        case passed, failed
        /// An earlier line failed in such a way that this one cannot be judged; or the model was asked to break it.
        case notJudged = "not judged"

        /// ✓, ✗ or –
        public var mark: String {
            switch self {
            case .passed: "✓"
            case .failed: "✗"
            case .notJudged: "–"
            }
        }
    }

    /// Name of the line, one or two words.
    public let line: String
    public let verdict: Verdict
    /// What was measured; for a failure, what is wrong.
    public let measured: String

    init(_ line: String, _ verdict: Verdict, _ measured: String) {
        self.line = line
        self.verdict = verdict
        self.measured = measured
    }

    public var description: String { "\(verdict.mark) \(line): \(measured)" }
}

/// The judgement of a line while it is made: it holds until something is found wrong with it.
struct Judgement {
    /// Of what is being judged, where a line judges several things.
    var subject = ""
    private var faults: [String] = []
    private var notes: [String] = []

    mutating func require(_ condition: Bool, _ fault: @autoclosure () -> String) {
        if !condition { faults.append(about(fault())) }
    }

    /// Adds to what is told where nothing is wrong.
    mutating func note(_ measured: String) { notes.append(about(measured)) }

    private func about(_ text: String) -> String { subject.isEmpty ? text : "\(subject): \(text)" }

    /// The first fault stands for all: the others mostly follow from it.
    func finding(_ line: String) -> Finding {
        guard let first = faults.first else { return Finding(line, .passed, notes.joined(separator: "; ")) }
        return Finding(line, .failed, faults.count == 1 ? first : "\(first); and \(faults.count - 1) more")
    }
}
