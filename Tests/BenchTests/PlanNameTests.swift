import Foundation
import Testing

@testable import Bench

/// Names are what they are; files get a form of them that file systems can hold, and never share it.
@Suite struct PlanNameTests {
    private func plan(
        _ models: [String], task: String = "bandit", name: String = "names", settings: [String] = []
    ) throws -> Plan {
        let entries = models.map { "  - {model: gru, hidden: 4, name: \"\($0)\"}\n" }.joined()
        let variants = settings.isEmpty ? "" : "settings:\n" + settings.map { "  - {name: \"\($0)\"}\n" }.joined()
        return try Plan(
            "plan: 1\nname: \"\(name)\"\nseeds: [1]\nmodels:\n\(entries)tasks: [{task: bandit, name: \"\(task)\"}]\n"
                + variants, file: "p.yaml")
    }

    @Test(arguments: [
        ["学習", "強化"], ["β=0.5", "γ=0.5"], ["a b", "a-b", "a  b"], ["GRU", "gru"], ["!", "?", "…"], ["..", "."],
        ["a/b", "a b"], ["ä", "a"], ["x--y", "x-y"], ["gru", "gru-"],
    ]) func differentNamesAreDifferentEntries(_ names: [String]) throws {
        for plan in [try plan(names), try plan(["gru"], settings: names)] {
            #expect(plan.problems.isEmpty, "\(plan.problems)")
            #expect(plan.cells.count == names.count)
            let identifiers = plan.cells.map(\.identifier)
            #expect(Set(identifiers).count == names.count, "\(identifiers)")
            for identifier in identifiers {
                #expect(
                    identifier.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == ".") })
                // Task, model, setting and seed have a part each.
                #expect(identifier.split(separator: "--", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty })
                #expect(identifier.hasPrefix("bandit--") && identifier.contains("--s1"))
            }
        }
        // The same plan has the same cells wherever it is read.
        #expect(try plan(names).cells.map(\.identifier) == plan(names).cells.map(\.identifier))
    }

    @Test func namesThatAreTheSameAreRefused() throws {
        let plan = try plan(["学習", "学習"])
        #expect(plan.problems.count == 1 && plan.problems[0].contains("is a second '学習'") && plan.cells.count == 1)
    }

    /// Names that file systems take as they are keep their form: records of before are found again.
    @Test func plainNamesStayAsTheyAre() throws {
        #expect(
            try plan(["gru", "Small Steps", "lr=0.5"]).cells.map(\.identifier) == [
                "bandit--gru--s1", "bandit--small-steps--s1", "bandit--lr-0.5--s1",
            ])
    }

    /// A plan's name is a directory below runs/ and nothing else.
    @Test(arguments: ["a/b", "../up", "..", "/etc", "学習", "a\\u0000b"]) func aPlansNameMakesOneFolder(_ name: String)
        throws
    {
        let slug = Plan.slug(try plan(["gru"], name: name).name)
        #expect(!slug.contains("/") && !slug.isEmpty && slug != "." && slug != "..", "\(slug)")
        #expect(slug.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == ".") }, "\(slug)")
    }
}
