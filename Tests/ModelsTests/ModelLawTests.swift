import Conformance
import Interface
import Kernels
import Models
import Testing

/// Every architecture of the catalogue by the conformance kit, with its default options and with each other word that an
/// option can have, and with a memory that forgets.
@Suite struct ModelLawTests {
    struct Variant: Sendable, CustomStringConvertible {
        var entry: ModelEntry
        var options: Values = [:]
        var reset = MemoryReset.none
        var description: String {
            ([entry.name] + (options.isEmpty ? [] : [options.summary])
                + (reset == .none ? [] : ["memory reset \(reset)"])).joined(separator: ", ")
        }
    }

    /// Settings of options, besides each word of each option, under which a model must be right too: every value that
    /// changes what is computed.
    static let settings: [String: [Values]] = [
        "gru": [["layers": 3]], "lstm": [["layers": 2]],
        "transformer": [
            ["layers": 1, "heads": 1, "feed-forward": 1], ["layers": 3, "heads": 2], ["attention-window": 3],
            ["position": "alibi", "attention-window": 2, "gating": "gru"],
            ["position": "rotary", "heads": 2, "attention-window": 4, "layers": 1],
        ],
        "gtrxl": [["heads": 2, "layers": 1], ["attention-window": 3]],
        "symmetric-transformer": [
            ["layers": 1, "heads": 1], ["layers": 3, "heads": 2], ["position": "alibi", "attention-window": 3],
            ["position": "rotary", "heads": 2, "gating": "gru"],
        ],
        "min-gru": [["layers": 3, "feed-forward": 1]], "min-lstm": [["layers": 1]],
        "linear-attention": [["heads": 1], ["heads": 2, "layers": 1]],
        "delta-net": [
            ["heads": 1, "convolution": 1], ["heads": 2, "layers": 1, "convolution": 0], ["convolution": 2],
        ],
        "xlstm": [["heads": 1], ["layers": 1]],
        "snail": [["reach": 4], ["reach": 2]],
        "lru": [["state-size": 5], ["state-size": 2, "layers": 1]],
        "mamba": [["convolution": 1, "expansion": 1], ["state-size": 17, "layers": 1, "expansion": 3]],
    ]

    static let variants: [Variant] = modelCatalogue.entries.flatMap { entry in
        let words: [Values] = entry.options.flatMap { option -> [Values] in
            // What memories forget is a dimension of its own, below.
            guard case .word(let words) = option.kind, option.name != "reset-memory" else { return [] }
            return words.filter { option.defaultValue != .word($0) }.map { [option.name: .word($0)] }
        }
        let defaults = Values()
        let settings = [defaults] + (settings[entry.name] ?? [])
        var variants = (settings + words).map { Variant(entry: entry, options: $0) }
        for reset in [MemoryReset.episode, .half] {
            // A single head has no half.
            let possible = settings.filter { reset == .episode || $0["heads"] != OptionValue.integer(1) }
            variants += possible.map { Variant(entry: entry, options: $0, reset: reset) }
        }
        return variants
    }

    @Test(arguments: variants) func everyLineOfTheKitHolds(_ variant: Variant) {
        let report = ConformanceReport(
            Candidate(variant.entry, options: variant.options, memoryReset: variant.reset), tasks: [])
        #expect(report.passed, "\(report)")
        #expect(report.model.count == ModelLine.allCases.count)
        // Only who says that it is symmetric is asked for symmetry.
        let unasked = report.model.filter { $0.verdict == .notJudged }.map(\.line)
        #expect(unasked == (variant.entry.name.hasPrefix("symmetric-") ? [] : [ModelLine.symmetry.rawValue]))
    }
}
