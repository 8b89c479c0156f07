import Foundation
import Interface
import Testing

@Suite struct ValuesTests {
    private enum Shade: String, CaseIterable { case light, dark }

    private let options = [
        Option("arms", 2...1000, default: 5, help: "Arms"),
        Option("maximum-kl", 1e-8...10, default: 0.01, help: "Start"),
        Option("final-maximum-kl", 1e-8...10, default: 0.01, follows: "maximum-kl", help: "End"),
        Option("shade", Shade.self, default: .dark, help: "Shade"),
    ]

    @Test func theDefaultsStandWhereNothingIsGiven() {
        let values = Values(defaults: options)
        #expect(values == ["arms": 5, "maximum-kl": 0.01, "final-maximum-kl": 0.01, "shade": "dark"])
        #expect(values.names == ["arms", "final-maximum-kl", "maximum-kl", "shade"])
        #expect(Values(defaults: options, given: ["arms": 7])["arms"] == 7)
        #expect(Values(defaults: []).isEmpty)
    }

    /// The value at the end of a schedule is that of its start, unless it is given itself.
    @Test func anOptionFollowsAnother() {
        func ends(_ given: Values) -> [Double] {
            let values = Values(defaults: options, given: given)
            return [values.real("maximum-kl"), values.real("final-maximum-kl")]
        }
        #expect(ends([:]) == [0.01, 0.01])
        #expect(ends(["maximum-kl": 0.05]) == [0.05, 0.05])
        #expect(ends(["final-maximum-kl": 0.001]) == [0.01, 0.001])
        #expect(ends(["maximum-kl": 0.05, "final-maximum-kl": 0.001]) == [0.05, 0.001])
    }

    /// 1 and 1.0 are the same value of a real option, so that a configuration equals the one that is read from its file.
    @Test func aWholeNumberForARealOptionIsKeptAsAReal() {
        let given = Values(defaults: options, given: ["maximum-kl": 1])
        #expect(given["maximum-kl"] == .real(1) && given["final-maximum-kl"] == .real(1))
        #expect(given == Values(defaults: options, given: ["maximum-kl": 1.0]))
    }

    /// What is out of range or unknown stays, for `check` to tell of it.
    @Test func whatIsWrongIsKeptAndChecked() throws {
        func refusal(_ given: Values) -> String {
            let error = #expect(throws: UserError.self) {
                try Values(defaults: options, given: given).check(options, of: "task 'bandit'")
            }
            return error?.description ?? ""
        }
        try Values(defaults: options).check(options, of: "task 'bandit'")
        #expect(refusal(["arms": 1]) == "--arms is 1: choose a whole number in 2 … 1000")
        #expect(refusal(["arms": 5.5]).hasPrefix("--arms is 5.5: "))
        #expect(refusal(["legs": 3]) == "task 'bandit' has no option 'legs'")
        var missing = Values(defaults: options)
        missing["shade"] = nil
        let error = #expect(throws: UserError.self) { try missing.check(options, of: "task 'bandit'") }
        #expect(error?.description.hasPrefix("task 'bandit' has no value for 'shade': give --shade") == true)
    }

    @Test func laterValuesTakeThePlaceOfEarlierOnes() {
        let merged = (["a": 1, "b": 2] as Values).merging(["b": 3, "c": 4])
        #expect(merged == ["a": 1, "b": 3, "c": 4])
        #expect(Values(defaults: options).only([options[0]]) == ["arms": 5])
        #expect((["other": 1] as Values).only(options).isEmpty)
    }

    @Test func ownersReadThem() {
        let values: Values = ["arms": 5, "rate": 0.25, "whole": 2, "shade": "light"]
        #expect(values.integer("arms") == 5 && values.real("rate") == 0.25 && values.real("whole") == 2)
        #expect(values.word("shade") == "light" && values.choice("shade", as: Shade.self) == .light)
        #expect(values.summary == "arms 5, rate 0.25, shade light, whole 2")
    }

    @Test func jsonHasUnderscoresForHyphens() throws {
        let values: Values = ["maximum-kl": 0.5, "arms": 7, "advantage-scale": "step"]
        let data = try JSONEncoder().encode(values)
        let keys = try JSONDecoder().decode([String: OptionValue].self, from: data).keys
        #expect(Set(keys) == ["maximum_kl", "arms", "advantage_scale"])
        #expect(try JSONDecoder().decode(Values.self, from: data) == values)
    }
}
