import Conformance
import Kernels
import Models
import Testing

/// Every architecture of the catalogue by the conformance kit, with its standard options and with each other word that an
/// option can have.
@Suite struct ModelLawTests {
    struct Variant: Sendable, CustomStringConvertible {
        var entry: ModelCatalogue.Entry
        var options: OptionValues = [:]
        var description: String { ([entry.name] + (options.isEmpty ? [] : [options.summary])).joined(separator: ", ") }
    }

    static let variants: [Variant] = ModelCatalogue.entries.flatMap { entry in
        var variants = [Variant(entry: entry)]
        for option in entry.options {
            guard case .word(let words) = option.domain else { continue }
            for word in words where option.standard != .word(word) {
                variants.append(Variant(entry: entry, options: [option.name: .word(word)]))
            }
        }
        return variants
    }

    @Test(arguments: variants) func everyLineOfTheKitHolds(_ variant: Variant) {
        let report = ConformanceReport(Candidate(variant.entry, options: variant.options), tasks: [])
        #expect(report.passed, "\(report)")
        #expect(report.model.count == ModelLine.allCases.count)
        #expect(report.model.allSatisfy { $0.verdict == .passed })
    }
}
